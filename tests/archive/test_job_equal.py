"""The figures equal those of one `ztfast filter`, however the work was cut and ordered."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in, filtered
from tests.capture.zstd_building import frames_of, seek_table
from tests.needs import needs, needs_loops
from tests.pipeline.hostile_captures import (
    MEMBERS_RULES,
    RULES,
    capture_of,
    network_of,
    record,
)
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


def packed(folder: Path, rng: random.Random, most: int, table: bool = False) -> None:
    """Put a folder's captures into zstd files of several frames each."""
    for path in sorted(folder.iterdir()):
        frames = frames_of(path.read_bytes(), rng, most)
        more = seek_table([len(frame) for frame in frames]) if table else b""
        path.with_suffix(".pcap.zst").write_bytes(b"".join(frames) + more)
        path.unlink()


@needs_loops
@needs("zstandard")
@pytest.mark.parametrize("rules", ["random", "copies"])
@pytest.mark.parametrize(("part", "most"), [(18_000, 4000), (60_000, 9000), (60_000, 70)])
def test_any_cut_of_zstd_frames(rules: str, part: int, most: int, tmp_path: Path) -> None:
    engine = Engine(compile_text(EVERY[rules]), seed=7)
    caps = captures_in(tmp_path / "caps", 2, frames=500)
    packed(caps, random.Random(part), most, table=most > 4000)
    job = plan([caps], engine, out=str(tmp_path / "out"), part=part)
    assert all(len(parts) > 2 for parts in job.files)
    result = job.run(Here(part))
    assert result.segments > 3
    expected = filtered(engine, caps)
    found = result.figures()
    assert {name: found[name] for name in expected} == expected


@needs_loops
@needs("zstandard")
@pytest.mark.parametrize("resync", [False, True])
@pytest.mark.parametrize("damage", ["cut", "noise", "garbage"])
def test_hostile_zstd_frames(damage: str, resync: bool, tmp_path: Path) -> None:
    engine = Engine(compile_text(RANDOM_RULES))
    caps = captures_in(tmp_path / "caps", 1, frames=900)
    packed(caps, random.Random(3), 9000)
    path = caps / "c0.pcap.zst"
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(
        {
            "cut": data[:-11],
            "noise": data[:half] + random.Random(1).randbytes(900) + data[half + 900 :],
            "garbage": data + b"what is this",
        }[damage]
    )
    expected = filtered(engine, path, resync=resync)
    job = plan([path], engine, out=str(tmp_path / "out"), part=20_000, resync=resync)
    assert len(job.files[0]) > 1
    result = job.run(Here())
    found = result.figures()
    assert {name: found[name] for name in expected} == expected
    assert result.problems


@needs_loops
@needs("zstandard")
def test_a_seek_table_that_points_into_a_payload(tmp_path: Path) -> None:
    import zstandard

    rng, path = random.Random(3), tmp_path / "c.pcap.zst"
    packer = zstandard.ZstdCompressor(level=1)
    other = packer.compress(b"".join(record(1_700_000_000, rng.randbytes(900)) for _ in range(40)))
    before, after = capture_of(rng, 400, 200), b"".join([record(1_700_000_000, bytes(90))] * 400)
    middle = record(1_700_000_000, other)
    data = b"".join(packer.compress(piece) for piece in (before, middle, after))
    inside = data.index(other)  # frames of zstd cannot be made smaller: they stand as they are
    path.write_bytes(data + seek_table([inside, len(data) - inside]))
    engine = Engine(compile_text(RANDOM_RULES))
    job = plan([path], engine, out=str(tmp_path / "out"), part=20_000)
    assert [part.start for part in job.files[0]] == [0, inside]
    found, expected = job.run(Here()).figures(), filtered(engine, path)
    assert {name: found[name] for name in expected} == expected
    assert found["segments"] == 1


@needs_loops
@needs("zstandard")
def test_examples_of_changes_are_where_they_are_in_the_whole(tmp_path: Path) -> None:
    engine, old = Engine(compile_text(RULES["ports"])), Engine(compile_text("accept;"))
    caps = captures_in(tmp_path / "caps", 1, frames=900)
    packed(caps, random.Random(3), 9000)

    def changes(out: str, part: int) -> Any:
        job = plan([caps], engine, old=old, out=str(tmp_path / out), part=part)
        return job.run(Here()).figures()["changes"]

    assert changes("whole", 1 << 30) == changes("parts", 9000)


@needs_loops
@needs("zstandard")
def test_parts_of_a_zstd_file_that_changes_meanwhile(tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", 1, frames=900)
    packed(caps, random.Random(3), 9000)
    path = caps / "c0.pcap.zst"
    job = plan([path], Engine(compile_text("accept;")), out=str(tmp_path / "out"), part=20_000)

    def change(done: int) -> None:
        if done == 1:
            path.write_bytes(path.read_bytes()[:-300])

    result = job.run(Here(meddle=change))
    assert (result.done, result.complete) == (0, False)
    assert [problem.path for problem in result.problems] == [str(path)]
    assert "changed since" in result.problems[0].message
