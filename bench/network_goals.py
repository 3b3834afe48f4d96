"""What runs with a network cost, both sides, members looked up: against tcpdump in the same run.

A row's figure is CPU time a frame of the whole command above its own start on an empty capture, the
sides taking turns; every count is checked against verdicts that were judged batch by batch.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import ztfast
from bench import networks, peers
from bench.commands import Run, frames_of, ours, rules_file
from bench.measure import side_by_side
from bench.network_modes import modes
from bench.rows import Row
from ztfast.capture import open_capture
from ztfast.network.load import load_network

_EXPRESSION = "ip and not host 10.255.255.255"  # what every frame but ARP passes


def networked() -> Iterator[Row]:
    """N1–N9: counting with members, splitting, batches, loading; bench/network_modes.py."""
    yield from counting()
    yield from splitting()
    yield from modes()
    yield from small_batches()
    yield from loading()


def _checked(rules: Path, network: Path, capture: Path) -> None:
    """What the command counts as accepted is what judging batch by batch accepts."""
    command = [*ours(rules, network, "--count", "--json")(capture)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    engine = ztfast.Engine(ztfast.load(str(rules)), network=load_network(str(network)))
    accepted = 0
    with open_capture(capture) as packets:
        for batch in packets:
            accepted += int(np.count_nonzero(engine.evaluate(batch).accepted))
    assert told["verdicts"]["accept"]["frames"] == accepted
    assert told["frames"] == networks.FRAMES


def counting() -> Iterator[Row]:
    """N1: `filter --count` with a network, a hundredth of the frames being multicasts."""
    for name in networks.RULES:
        rules, spent = rules_file(name), dict[int, float]()
        for members in (10, 500, 10_000):
            network, capture = networks.network(members), networks.capture(members)
            _checked(rules, network, capture)
            runs = [Run(ours(rules, network, "--count"), capture), *_tcpdump(capture)]
            spent[members], *theirs = frames_of(*runs)
            tcpdump = theirs[0] if theirs else None
            ratio = spent[members] / tcpdump if tcpdump else None
            yield Row(
                "N1",
                f"filter --count, {name} rules, both sides, {members:,} members, CPU a frame",
                "≤ 1.3× tcpdump",
                f"{spent[members]:.0f} ns" + (f", {ratio:.2f}× tcpdump" if ratio else ""),
                None if ratio is None else ratio <= 1.3,
            )
        ratio = spent[10_000] / spent[500]
        yield Row("N1", "… 10,000 members against 500", "≤ 1.2×", f"{ratio:.2f}×", ratio <= 1.2)


def _tcpdump(capture: Path) -> list[Run]:
    """tcpdump counting by a filter that nearly all frames pass; none where it is missing."""
    if peers.tcpdump_count(_EXPRESSION, capture) is None:
        return []
    return [Run(lambda path: ["tcpdump", "-r", str(path), "--count", _EXPRESSION], capture)]


def splitting() -> Iterator[Row]:
    """N4: `--split` with a network, against judging and writing, and against counting and `cp`."""
    rules, network, capture = rules_file("tagged"), networks.network(500), networks.capture(500)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as out:
        folder, copy = Path(out) / "split", Path(out) / "copy"

        def split(path: Path) -> list[str]:
            shutil.rmtree(folder, ignore_errors=True)  # all write into memory given back just now
            return ours(rules, network, "--split", str(folder))(path)

        def judged_and_written(path: Path) -> list[str]:
            copy.unlink(missing_ok=True)
            written = str(size if path == capture else 0)
            command = [sys.executable, "-m", "bench.judge_and_write", str(rules), str(network)]
            return [*command, str(path), str(copy), written]

        def copied(path: Path) -> list[str]:
            copy.unlink(missing_ok=True)
            return ["cp", str(path), str(copy)]

        subprocess.run(split(capture), capture_output=True, check=True)
        size = sum(file.stat().st_size for file in folder.iterdir())
        told = subprocess.run(judged_and_written(capture), capture_output=True, check=True)
        assert int(told.stdout) == networks.FRAMES
        spent, least, *apart = frames_of(
            Run(split, capture),
            Run(judged_and_written, capture),
            Run(ours(rules, network, "--count"), capture),
            Run(copied, capture),
        )
        counted = sum(apart)
    what = (
        "filter --split, 500 members, CPU a frame, against judging and one write of as many bytes"
    )
    yield Row("N4", what, "≤ 1.3×", f"{spent / least:.2f}× ({spent:.0f} ns)", spent / least <= 1.3)
    yield Row("N4", "… against --count and cp", "", f"{spent / counted:.2f}×", None)


def small_batches() -> Iterator[Row]:
    """N2: one call for 64 frames, as a live tap makes it."""
    for members in (0, 500):
        network = load_network(str(networks.network(members))) if members else None
        engine = ztfast.Engine(ztfast.compile(networks.RULES["tagged"]), network=network)
        with open_capture(networks.capture(500)) as packets:
            batch = next(one for one in packets if len(one) > 64).part(0, 64)
        frames = ztfast.FrameBatch.from_packets(batch)
        whole = int(np.count_nonzero(engine.evaluate(frames).accepted))
        assert whole == sum(engine.evaluate(frames[n : n + 1]).receivers[0] > 0 for n in range(64))
        calls = {"call": lambda made=engine, some=frames: made.evaluate(some).accepted}
        micros = side_by_side(calls)["call"] * 1e6
        what = f"a call of 64 frames, {f'{members} members' if members else 'no network'}"
        yield Row("N2", what, "≤ 50 µs", f"{micros:.0f} µs", micros <= 50)


def loading() -> Iterator[Row]:
    """N3: a network of 10,000 members, from JSON to an engine that is ready."""
    path, policy = networks.network(10_000), ztfast.compile(networks.RULES["tagged"])
    calls = {"load": lambda: ztfast.Engine(policy, network=load_network(str(path)))}
    seconds = side_by_side(calls, rounds=3)["load"]
    yield Row(
        "N3", "a network of 10,000 members loads", "≤ 0.3 s", f"{seconds:.2f} s", seconds <= 0.3
    )
