"""What `ztfast archive` costs: two workers against one, a segment, a worker's memory.

Rows A1–A3.  Workers are the processes of `--on local`.  Efficiency is told twice: of the time that
passed, for which the machine must be quiet, and of the processors' time, which says what two
workers cost each other wherever the machine has something else to do; the goal is judged by the
first.  `python -m bench.archive_goals` prints these rows alone.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench import workloads
from bench.rows import Row
from ztfast.archive import LocalWorkers, plan
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text

_FILES, _WITH_OUTPUTS = 40, 6  # of two million frames each
_SMALL = 400  # segments of one frame
_ROUNDS = 3
_OUTPUTS = frozenset({"copies", "dropped", "flows"})


class Spent(NamedTuple):
    """A job's seconds, those of its workers on a processor, and the largest one's memory."""

    seconds: float
    cpu: float
    most_memory: int


def archive_goals() -> Iterator[Row]:
    """A1: two workers against one; A2: a segment; A3: memory."""
    yield from _two_workers("tally", _FILES, frozenset(), 0.90)
    yield from _two_workers("copies, dropped frames, flows", _WITH_OUTPUTS, _OUTPUTS, 0.85)
    yield from _a_segment()


def _two_workers(what: str, files: int, outputs: frozenset[str], least: float) -> Iterator[Row]:
    with _archive(workloads.capture("mix"), files) as folder:
        runs = [(_run(folder, 1, outputs), _run(folder, 2, outputs)) for _ in range(_ROUNDS)]
    passed = statistics.median(one.seconds / (2 * two.seconds) for one, two in runs)
    busy = statistics.median(one.cpu / two.cpu for one, two in runs)
    load = os.getloadavg()[0]
    yield Row(
        "A1",
        f"archive, {files} captures of 2 million frames, {what}: two workers of twice one",
        f"≥ {least:.2f}",
        f"{passed:.2f} (of processor time {busy:.2f}; load {load:.1f} on {os.cpu_count()})",
        passed >= least,
    )
    most = max(run.most_memory for pair in runs for run in pair) / 2**20
    yield Row("A3", f"… the largest worker, {what}", "≤ 350 MB", f"{most:.0f} MiB", most <= 334)


def _a_segment() -> Iterator[Row]:
    """What a segment of one frame takes: of so many, above half as many."""
    with tempfile.TemporaryDirectory(dir=workloads.DATA) as folder:
        one = Path(folder) / "one.pcap"
        workloads.write_capture(one, 1, False)
        taken, busy = [], []
        for _ in range(_ROUNDS):
            runs = []
            for count in (_SMALL // 2, _SMALL):
                with _archive(one, count) as files:
                    runs.append(_run(files, 1, frozenset()))
            taken.append((runs[1].seconds - runs[0].seconds) / (_SMALL // 2) * 1e3)
            busy.append((runs[1].cpu - runs[0].cpu) / (_SMALL // 2) * 1e3)
    passed, cpu = statistics.median(taken), statistics.median(busy)
    said = f"{passed:.1f} ms, {cpu:.1f} of them on a processor; one wait for the disk {_wait():.1f}"
    what = "archive, a segment of one frame, tally, one worker"
    yield Row("A2", what, "≤ 10 ms", said, passed <= 10)


def _wait() -> float:
    """Milliseconds that a small file takes to be on this disk: each segment waits for one."""
    taken = []
    for _ in range(50):
        with tempfile.NamedTemporaryFile(dir=workloads.DATA) as file:
            file.write(bytes(3000))
            file.flush()
            begin = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(taken)


@contextlib.contextmanager
def _archive(capture: Path, files: int) -> Iterator[Path]:
    """A folder with one capture under so many names."""
    with tempfile.TemporaryDirectory(dir=workloads.DATA) as name:
        folder = Path(name)
        for number in range(files):
            os.link(capture, folder / f"{number:04}.pcap")
        yield folder


def _run(folder: Path, workers: int, outputs: frozenset[str]) -> Spent:
    """One job, in an empty folder; the figures are checked."""
    engine = Engine(compile_text(workloads.RULES["defcon"]))
    out = tempfile.mkdtemp(dir=workloads.DATA)
    peaks: dict[int, int] = {}
    try:
        job = plan([folder], engine, out=os.path.join(out, "job"), outputs=outputs)
        begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        result = job.run(LocalWorkers(workers), lambda frames, done: peaks.update(_peaks()))
        seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    finally:
        shutil.rmtree(out)
    assert result.complete
    assert result.problems == []
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(seconds, cpu, max(peaks.values()))


def _peaks() -> dict[int, int]:
    """The most memory that each child had so far, in bytes."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{child}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        found[int(child)] = int(line.split()[1]) << 10
    return found


def main() -> None:
    """Print the rows."""
    for row in archive_goals():
        print(f"{row.goal}  {row.what}: {row.measured} ({row.asked})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
