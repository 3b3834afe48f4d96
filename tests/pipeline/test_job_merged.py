"""Counting a merge in any order: the figures and findings are those of the order by time."""

from __future__ import annotations

import gzip
import os
import random
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from tests import seeds
from tests.pipeline.hostile_captures import (
    MEMBERS_RULES,
    RULES,
    blocks_of,
    broken,
    capture_of,
    frames_between,
    network_of,
    whole_capture,
)
from ztfast.capture import open_captures
from ztfast.cli.filter_report import report
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text
from ztfast.pipeline.job import Job

NETWORK = network_of(30)
KINDS = ["classic", "orders", "members", "pcapng"]


def said(capsys: Any, engine: Engine, *paths: Path, **how: Any) -> tuple[Any, ...]:
    """What a run over merged captures comes to, and all that the command says of it."""
    options = {name: how.pop(name) for name in ("limit", "resync") if name in how}
    capsys.readouterr()
    texts = []
    for as_json in (False, True):
        with open_captures(paths, merge=True, **options) as source:
            job = Job(engine, source, **how)
            job.work()
            code = report(job, as_json=as_json, to_stderr=False, assumption="true")
            texts.append((code, *capsys.readouterr()))
            state = (job.complete, job.failed, source.session.frames, source.begun)
    return *texts, state, [str(finding) for finding in job.findings()]


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """The way that is chosen compared with that in order; was it another one?"""
    counted = Job._counted_unmerged

    def compared(engine: Engine, *paths: Path, **how: Any) -> bool:
        ways: list[bool] = []

        def watched(self: Job, progress: Any) -> bool:
            ways.append(counted(self, progress))
            return ways[-1]

        monkeypatch.setattr(Job, "_counted_unmerged", watched)
        chosen = said(capsys, engine, *paths, **how)
        monkeypatch.setattr(Job, "_counted_unmerged", lambda self, progress: False)
        assert chosen == said(capsys, engine, *paths, **how)
        return True in ways

    return compared


def capture(rng: random.Random, kind: str) -> bytes:
    """A capture of a kind; times of classic ones go back and forth."""
    frames, most = rng.choice([0, 1, 300, 1500]), rng.choice([40, 400])
    if kind == "pcapng":
        return blocks_of(rng, frames, most, rng.choice("<>"))
    if kind == "orders":
        return whole_capture(rng, frames, most, rng.choice("<>"))
    if kind == "members":
        return shuffled(rng, frames_between(rng, NETWORK, frames))
    return shuffled(rng, capture_of(rng, frames, most))


def captures(rng: random.Random, kind: str, folder: Path) -> list[Path]:
    """Some captures of a kind."""
    paths = []
    for number in range(rng.randrange(2, 5)):
        data = capture(rng, rng.choice(KINDS) if kind == "mixed" else kind)
        path = folder / f"{number}.pcap"
        path.write_bytes(gzip.compress(data) if rng.random() < 0.2 else data)
        paths.append(path)
    return paths


def shuffled(rng: random.Random, data: bytes) -> bytes:
    """The capture with times that go forth and back."""
    out, at = bytearray(data), 24
    while at + 16 <= len(out):
        struct.pack_into("<I", out, at, 1_700_000_000 + rng.randrange(50))
        at += 16 + struct.unpack_from("<I", out, at + 8)[0]
    return bytes(out)


def engines() -> dict[str, Engine]:
    made = {name: Engine(compile_text(text)) for name, text in RULES.items()}
    made["members"] = Engine(compile_text(MEMBERS_RULES), network=NETWORK)
    made["one side"] = Engine(compile_text(MEMBERS_RULES), side="in")
    made["plain"] = Engine(compile_text(RULES["ports"]), backend="reference")
    return made


@pytest.mark.parametrize("kind", [*KINDS, "mixed"])
def test_figures_and_findings_are_those_in_order(kind: str, both: Any, tmp_path: Path) -> None:
    seed = seeds.seed()
    print("seed", seed)
    rng, known = random.Random(seed), engines()
    for number in range(seeds.rounds(8)):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths = captures(rng, kind, folder)
        if rng.random() < 0.5:
            path = rng.choice(paths)
            path.write_bytes(broken(rng, path.read_bytes()))
        name = rng.choice(list(known))
        vlan = rng.choice(["tag", "decode"])
        both(known[name], *paths, vlan=vlan, threads=rng.choice([1, 2]))


@pytest.mark.parametrize("rules", ["copies", "members"])
def test_whole_captures_are_counted_one_after_the_other(
    rules: str, both: Any, tmp_path: Path
) -> None:
    rng, engine = random.Random(4), engines()[rules]
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        path.write_bytes(frames_between(rng, NETWORK, 700))
    assert both(engine, *paths)
    assert both(engine, *paths, vlan="decode")


def test_what_depends_on_the_order_is_read_in_order(both: Any, tmp_path: Path) -> None:
    rng, engine = random.Random(5), Engine(compile_text(RULES["ports"]))
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(capture_of(rng, 500, 100))
    assert both(engine, *paths)
    assert not both(engine, *paths, limit=700)
    assert not both(engine, *paths, resync=True)
    assert not both(Engine(compile_text("drop random 0.5;\naccept;")), *paths)
    whole = paths[1].read_bytes()
    for data in (
        whole[:-3],  # cut short
        b"",
        whole[:20] + b"\x93" + whole[21:],  # a link type that is not known
    ):
        paths[1].write_bytes(data)
        assert not both(engine, *paths)
    for path in (paths[0], paths[2]):
        path.write_bytes(whole[:24])
    assert not both(engine, paths[0], paths[2])  # no frame at all


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_cannot_be_read_twice_is_read_in_order(tmp_path: Path) -> None:
    """A pipe gives its bytes once."""
    rng, engine = random.Random(6), Engine(compile_text(RULES["ports"]))
    data, pipe, path = capture_of(rng, 400, 100), tmp_path / "pipe", tmp_path / "file"
    path.write_bytes(data)
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data[:-1],))
    writer.start()
    with open_captures([path, pipe], merge=True) as source:
        job = Job(engine, source)
        job.work()
    writer.join()
    assert not job.complete
    assert 0 < job.tally.total.frames == source.session.frames < 800


def test_ctrl_c_keeps_what_was_counted(tmp_path: Path) -> None:
    rng, engine = random.Random(7), Engine(compile_text(RULES["ports"]))
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(whole_capture(rng, 500, 100, "<"))
    seen: list[int] = []

    def progress(frames: int, done: int) -> None:
        seen.append(frames)
        if sum(seen) > 500:
            raise KeyboardInterrupt

    with open_captures(paths, merge=True) as source:
        job = Job(engine, source)
        job.work(progress)
        assert job.interrupted
        assert not job.failed
        assert job.tally.total.frames == source.session.frames == sum(seen) == 1000
        assert source.begun == source.paths[:2]


def test_progress_begins_anew_in_order(tmp_path: Path) -> None:
    """Frames that were counted in vain are taken back."""
    rng, engine = random.Random(8), Engine(compile_text(RULES["ports"]))
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_bytes(whole_capture(rng, 500, 100, "<"))
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    seen: list[tuple[int, int]] = []
    with open_captures(paths, merge=True) as source:
        job = Job(engine, source)
        job.work(lambda frames, done: seen.append((frames, done)))
    assert min(seen) == (-999, 0)
    assert sum(frames for frames, _ in seen) == job.tally.total.frames
