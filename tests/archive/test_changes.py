"""Old rules against new ones: a plain model counts the same, whatever the cut."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.archive.running import RANDOM_RULES, Here, captures_in
from tests.needs import needs_loops
from ztfast.archive import plan
from ztfast.archive.changes import Matrix
from ztfast.capture import open_captures
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text

NEW = Engine(compile_text(RANDOM_RULES))
OLD = Engine(compile_text(RANDOM_RULES.replace("0-80", "0-200").replace("tee 64", "tee 65")))


def matrix(caps: Path, out: Path, part: int = 1 << 30, old: Engine = OLD) -> Matrix:
    result = plan([caps], NEW, out=str(out), old=old, part=part).run(Here(3))
    assert result.changes is not None
    assert result.figures()["changes"] == result.changes.to_json()
    return result.changes


def test_it_counts_what_a_plain_model_does(tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", frames=300)
    counts: Counter[tuple[bool, int, bool, int]] = Counter()
    with open_captures([caps]) as batches:
        for batch in batches:
            old, new = OLD.evaluate(batch), NEW.evaluate(batch)
            for number in range(len(batch)):
                copies = [(c.kind, c.target, c.length) for c in old.copies(number)]
                others = [(c.kind, c.target, c.length) for c in new.copies(number)]
                same = copies == others and old.accepted[number] == new.accepted[number]
                if not same:
                    pair = [(bool(v.accepted[number]), int(v.line[number])) for v in (old, new)]
                    counts[(*pair[0], *pair[1])] += 1
    found = matrix(caps, tmp_path / "out")
    assert found.frames == 900
    assert {
        (c.old.startswith("acc"), c.old_line, c.new.startswith("acc"), c.new_line): n.frames
        for c, n in found.counts.items()
    } == dict(counts)
    assert found.changed == sum(counts.values()) > 20


@needs_loops
def test_no_cut_changes_it(tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", frames=300)
    assert matrix(caps, tmp_path / "a") == matrix(caps, tmp_path / "b", 8000)


def test_examples_are_the_first_frames(tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", frames=300)
    rows = matrix(caps, tmp_path / "out").rows()
    for row in rows:
        assert 1 <= len(row["examples"]) <= 3
        first = row["examples"][0]
        assert first["path"].endswith(".pcap")
        assert first["byte"] >= 24
        assert first["time"] >= 1_700_000_000 * 10**9
    assert rows[0]["examples"][0]["path"].endswith("c0.pcap")


def test_the_same_rules_change_nothing(tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", frames=100)
    found = matrix(caps, tmp_path / "out", old=NEW)
    assert found.lines() == ["of 300 frames 0 change from the old rules"]
