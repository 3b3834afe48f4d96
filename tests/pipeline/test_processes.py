"""Counting in processes: the figures and findings of one process, whatever happens to them."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs_loops
from tests.pipeline.hostile_captures import (
    MEMBERS_RULES,
    RULES,
    broken,
    capture_of,
    frames_between,
    network_of,
    record,
    whole_capture,
)
from ztfast.capture import open_captures
from ztfast.capture.many import Captures
from ztfast.capture.pcap_part import Place
from ztfast.capture.ranges import DiskFile
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text
from ztfast.pipeline import processes
from ztfast.pipeline.job import Job
from ztfast.pipeline.processes import CAN_FORK, PartCount, SharedCount
from ztfast.pipeline.tally import Tally

pytestmark = [needs_loops, pytest.mark.skipif(not CAN_FORK, reason="no copies of processes here")]
SEED = 23


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PART", 20_000)
    monkeypatch.setattr(processes, "LEAST", 1000)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames each part had that was counted by a process and proved."""
    merged: list[int] = []
    counted = SharedCount._counted

    def watched(self: Any, path: str, starts: list[Place], session: Any) -> Place:
        before = session.frames
        end = counted(self, path, starts, session)
        merged.append(session.frames - before)
        return end

    monkeypatch.setattr(SharedCount, "_counted", watched)
    return merged


def said(engine: Engine, threads: int, *paths: Path, **options: bool) -> tuple[Any, ...]:
    """What a run over captures comes to."""
    with open_captures(paths, **options) as source:  # type: ignore[arg-type]
        job = Job(engine, source, threads=threads)
        job.work()
        findings = [str(finding) for finding in job.findings()]
        return job.tally.to_json(), findings, job.complete, source.session.frames


@pytest.fixture(autouse=True)
def processes_begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Those that a test began; none of them is left behind it."""
    begun, fork = list[int](), os.fork

    def forked() -> int:
        process = fork()
        begun.append(process)
        return process

    monkeypatch.setattr(os, "fork", forked)
    yield begun
    for process in begun:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, os.WNOHANG)


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("number", range(4))
def test_processes_change_nothing(
    rules: str, number: int, tmp_path: Path, shared: list[int]
) -> None:
    rng = random.Random(f"{SEED} {rules} {number}")
    engine, path = Engine(compile_text(RULES[rules])), tmp_path / "capture.pcap"
    data = capture_of(rng, 2000, rng.choice([40, 900])) if number % 2 else whole_capture(
        rng, 2000, rng.choice([40, 900]), rng.choice("<>")
    )  # fmt: skip
    path.write_bytes(data if number < 2 else broken(rng, data))
    alone = said(engine, 1, path)
    assert [said(engine, count, path) for count in (2, 3)] == [alone] * 2
    drawn = [0] if engine.draws else [frames for frames in shared if frames]
    assert drawn, "nothing was counted by a process"


def test_nor_with_members_and_several_files(tmp_path: Path, shared: list[int]) -> None:
    network, paths = network_of(60), [tmp_path / f"{number}.pcap" for number in range(3)]
    engine = Engine(compile_text(MEMBERS_RULES), network=network)
    for path in paths:
        path.write_bytes(frames_between(random.Random(path.name), network, 4000))
    paths[1].write_bytes(paths[1].read_bytes()[:-7])
    alone = said(engine, 1, *paths)
    assert said(engine, 2, *paths) == alone
    assert not alone[2]  # the second is cut short: what is behind it is not read
    assert all(shared)


def test_copies_are_delivered(tmp_path: Path, shared: list[int]) -> None:
    network, path = network_of(30), tmp_path / "capture.pcap"
    rules = "tee 60 0000000003 ipprotocol udp;\nredirect 0000000004 dport 53;\naccept;\n"
    engine = Engine(compile_text(rules), network=network)
    path.write_bytes(frames_between(random.Random(SEED), network, 4000))
    alone = said(engine, 1, path)
    assert said(engine, 2, path) == alone
    assert "arrived" in str(alone[0])
    assert shared[0] > 3000


def test_a_wrong_guess_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that begins in a payload counts for nothing, nor does what is behind it."""
    inside = b"".join(record(1, bytes(30)) for _ in range(40))
    data = capture_of(random.Random(SEED), 300, 300)
    path, engine = tmp_path / "capture.pcap", Engine(compile_text("accept;"))
    path.write_bytes(data + record(1, inside) + capture_of(random.Random(SEED + 1), 300, 300)[24:])
    place = len(data) + 16

    def guesses(file: DiskFile, part: int) -> list[Place]:
        return [Place(24), Place(place), Place(place + 46)]

    monkeypatch.setattr(processes, "likely_starts", guesses)
    assert said(engine, 2, path) == said(engine, 1, path)


def killed(self: SharedCount, path: str, start: Place, stop: int) -> PartCount | None:
    os.kill(os.getpid(), signal.SIGKILL)
    return None


def failed(self: SharedCount, path: str, start: Place, stop: int) -> PartCount | None:
    raise MemoryError("no memory")


@pytest.mark.parametrize("part", [killed, failed])
@pytest.mark.parametrize("good", [0, 2])
def test_what_processes_die_of(
    part: Callable[..., PartCount | None],
    good: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shared: list[int],
) -> None:
    """The parts that were counted stay counted; the rest is read as ever."""
    path, engine = tmp_path / "capture.pcap", Engine(compile_text("drop dport 53;\naccept;"))
    path.write_bytes(capture_of(random.Random(SEED), 2000, 300))
    alone = said(engine, 1, path)
    starts, counted = processes._starts(str(path), 2), SharedCount._part

    def some(self: SharedCount, path: str, start: Place, stop: int) -> PartCount | None:
        if starts.index(start) < good:
            return counted(self, path, start, stop)
        return part(self, path, start, stop)

    monkeypatch.setattr(SharedCount, "_part", some)
    assert said(engine, 2, path) == alone
    assert bool(shared[0]) == bool(good)


def test_where_no_process_can_be_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, engine = tmp_path / "capture.pcap", Engine(compile_text("drop dport 53;\naccept;"))
    path.write_bytes(capture_of(random.Random(SEED), 2000, 300))

    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    assert said(engine, 2, path) == said(engine, 1, path)


def test_ctrl_c_keeps_what_was_counted(tmp_path: Path, processes_begun: list[int]) -> None:
    path, engine = tmp_path / "capture.pcap", Engine(compile_text("accept;"))
    path.write_bytes(capture_of(random.Random(SEED), 3000, 300))
    seen: list[int] = []

    def progress(frames: int, done: int) -> None:
        seen.append(frames)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with open_captures([path]) as source:
        job = Job(engine, source, threads=2)
        job.work(progress)
    assert job.interrupted
    assert job.tally.verdict("accept").frames == sum(seen) > 0
    assert len(processes_begun) == 2


def test_frames_whose_numbers_count_are_judged_in_one_process(
    tmp_path: Path, shared: list[int]
) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(whole_capture(random.Random(SEED), 3000, 300, "<"))
    engine = Engine(compile_text("drop random 0.5;\naccept;"))
    assert said(engine, 2, path) == said(engine, 1, path)
    plain = Engine(compile_text("accept;"))
    assert said(plain, 2, path, resync=True) == said(plain, 1, path, resync=True)
    assert not shared


def test_parts_are_counted_once_each(tmp_path: Path) -> None:
    """Without a job: what `count` gives is merged, in the order of the parts."""
    path, engine = tmp_path / "capture.pcap", Engine(compile_text("accept;"))
    path.write_bytes(whole_capture(random.Random(SEED), 1000, 300, "<"))
    tally, upto = Tally(engine.policy), list[int]()

    def count(part: Captures) -> Tally | None:
        job = Job(engine, part)
        job.work()
        return job.tally

    counting = SharedCount(engine, 2, count, tally, lambda _, end: upto.append(end))
    with open_captures([path]) as source:
        source.open_by(counting.open)
        assert sum(len(batch) for batch in source) == 0
    assert tally.verdict("accept").frames == source.session.frames == 1000
    assert upto == sorted(upto)
    assert upto[-1] == path.stat().st_size
