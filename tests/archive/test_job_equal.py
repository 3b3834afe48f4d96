"""The figures equal those of one `ztfast filter`, however the work was cut and ordered."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in, filtered
from tests.needs import needs_loops
from tests.pipeline.hostile_captures import MEMBERS_RULES, RULES, network_of, record
from ztfast.archive import plan
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text

EVERY = {**RULES, "random": RANDOM_RULES}
PARTS = [1 << 30, 90_000, 7000]


def figures(engine: Engine, sources: Any, out: Path, part: int, seed: int = 0) -> dict[str, Any]:
    job = plan([sources], engine, out=str(out), part=part, resync=False)
    found = job.run(Here(seed)).figures()
    for name in ("files", "segments", "committed"):
        del found[name]
    return found


@needs_loops
@pytest.mark.parametrize("rules", EVERY)
@pytest.mark.parametrize("part", PARTS)
def test_any_cut_and_order(rules: str, part: int, tmp_path: Path) -> None:
    engine = Engine(compile_text(EVERY[rules]), seed=7)
    caps = captures_in(tmp_path / "caps", frames=600 if part < 10_000 else 1500)
    expected = json.dumps(filtered(engine, caps), indent=2)
    assert (
        json.dumps(figures(engine, caps, tmp_path / "out", part, seed=part), indent=2) == expected
    )


def test_without_the_loops(backend: str, tmp_path: Path) -> None:
    engine = Engine(compile_text(RANDOM_RULES), backend=backend)
    caps = captures_in(tmp_path / "caps", frames=200)
    assert figures(engine, caps, tmp_path / "out", 7000) == filtered(engine, caps)


@needs_loops
def test_with_members_and_deliveries(tmp_path: Path) -> None:
    engine = Engine(compile_text(MEMBERS_RULES), network=network_of(20))
    caps = captures_in(tmp_path / "caps", frames=500)
    expected = filtered(engine, caps)
    assert expected["deliveries"] is not None
    assert figures(engine, caps, tmp_path / "out", 20_000) == expected


@needs_loops
def test_a_cut_file_that_is_damaged_is_counted_up_to_the_damage(tmp_path: Path) -> None:
    engine = Engine(compile_text(RANDOM_RULES))
    caps = captures_in(tmp_path / "caps", 1)
    path = caps / "c0.pcap"
    data = bytearray(path.read_bytes())
    path.write_bytes(bytes(data[:-7]))  # the last record is cut short, as tcpdump's often is
    expected = filtered(engine, path)
    assert not expected["complete"]
    job = plan([path], engine, out=str(tmp_path / "out"), part=20_000)
    result = job.run(Here())
    found = result.figures()
    assert {name: found[name] for name in expected} == expected
    assert result.failed
    assert [problem.code for problem in result.problems] == ["ZT502"]


@needs_loops
@pytest.mark.parametrize("resync", [False, True])
def test_damage_in_the_middle_of_a_cut_file(resync: bool, tmp_path: Path) -> None:
    engine = Engine(compile_text(RANDOM_RULES))
    path = captures_in(tmp_path / "caps", 1) / "c0.pcap"
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] + random.Random(1).randbytes(3000) + data[half + 3000 :])
    expected = filtered(engine, path, resync=resync)
    job = plan([path], engine, out=str(tmp_path / "out"), part=20_000, resync=resync)
    found = job.run(Here()).figures()
    assert {name: found[name] for name in expected} == expected
    assert found["segments"] == 1


def test_the_others_go_on_behind_damage(tmp_path: Path) -> None:
    engine = Engine(compile_text(RULES["ports"]))
    caps = captures_in(tmp_path / "caps", frames=200)
    whole = filtered(engine, caps)
    with (caps / "c1.pcap").open("ab") as file:
        file.write(record(1, b"")[:9])
    result = plan([caps], engine, out=str(tmp_path / "out")).run(Here())
    assert result.tally.to_json() == {name: whole[name] for name in result.tally.to_json()}
    assert [(one.code, one.path) for one in result.problems] == [("ZT502", str(caps / "c1.pcap"))]
    assert (result.done, result.segments, result.complete) == (3, 3, False)


def test_compressed_files(tmp_path: Path) -> None:
    engine = Engine(compile_text(RANDOM_RULES))
    caps = captures_in(tmp_path / "caps", frames=300)
    (caps / "c1.pcap.gz").write_bytes(gzip.compress((caps / "c1.pcap").read_bytes()))
    (caps / "c1.pcap").unlink()
    assert figures(engine, caps, tmp_path / "out", 9000) == filtered(engine, caps)


def test_a_time_span(tmp_path: Path) -> None:
    engine = Engine(compile_text(RANDOM_RULES))
    caps = captures_in(tmp_path / "caps", 2, frames=2500)
    first = 1_700_000_000 * 10**9
    spans = [(None, first), (first, first + 10**9), (first + 10**9, None), (None, None)]
    counts = []
    for number, (since, until) in enumerate(spans):
        out = str(tmp_path / str(number))
        result = plan([caps], engine, out=out, since=since, until=until).run(Here())
        counts.append(result.tally)
    assert [tally.total.frames for tally in counts] == [0, 2000, 3000, 5000]
    parts = counts[1]
    parts.merge(counts[2])
    assert parts.to_json() == counts[3].to_json()  # `random` draws as it does without a span
