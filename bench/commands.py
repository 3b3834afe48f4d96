"""Whole commands with a network: what one costs a frame above its own start.

Contract: commands that are compared take turns, round after round.  Of these the least counts, of
a command and of its start, which is the same command on a capture without frames: what else a
machine does only ever adds, and the start of 10,000 members is more than their frames, so that a
median of differences swings below zero.
"""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import networks
from bench.rows import ns
from bench.workloads import DATA

ROUNDS = 5
Command = Callable[[Path], list[str]]


def cpu_of(command: list[str]) -> float:
    """Seconds of CPU that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wall_of(command: list[str]) -> float:
    """Seconds until a command is done; what it prints goes nowhere."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def nothing(suffix: str = ".pcap") -> Path:
    """A capture without frames."""
    path = DATA / f"empty{suffix}"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    return path


class Run(NamedTuple):
    """A command over a capture of so many frames."""

    command: Command
    capture: Path
    frames: int = networks.FRAMES


def frames_of(*runs: Run, cost: Callable[[list[str]], float] = cpu_of) -> list[float]:
    """Nanoseconds a frame of each above its start, taking turns; cost: `cpu_of` or `wall_of`."""
    empty = nothing()
    spent: list[list[float]] = [[] for _ in runs]
    starts: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for number, run in enumerate(runs):
            spent[number].append(cost(run.command(run.capture)))
            starts[number].append(cost(run.command(empty)))
    sides = zip(runs, spent, starts, strict=True)
    return [ns(min(whole) - min(start), run.frames) for run, whole, start in sides]


def ours(rules: Path, network: Path, *options: str) -> Command:
    """`ztfast filter` with a network."""
    start = [sys.executable, "-m", "ztfast", "filter", str(rules)]
    return lambda capture: [*start, str(capture), "--network", str(network), *options]


def rules_file(name: str) -> Path:
    """The rules of that name as a file."""
    path = DATA / f"network-{name}.ztrules"
    path.write_text(networks.RULES[name], encoding="utf-8")
    return path
