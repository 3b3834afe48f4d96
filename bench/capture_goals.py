"""What captures cost: counting, writing, memory and the start of the command line (C1, C2, C4, C5).

Each function gives rows as bench/goals.py does; counts are checked against the peers' before
anything is timed.
"""

from __future__ import annotations

import compileall
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ztfast
from bench import peers, workloads
from bench.measure import side_by_side
from bench.rows import Row, ns

_PYTHON = sys.executable
_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else workloads.DATA


def _filter_call(rules: Path, capture: Path, *options: str) -> Callable[[], None]:
    command = [_PYTHON, "-m", "ztfast", "filter", str(rules), str(capture), *options]
    return lambda: peers.void(subprocess.run(command, capture_output=True, check=True))


def _rules(name: str) -> Path:
    path = workloads.DATA / f"{name}.ztrules"
    path.write_text(workloads.RULES[name], encoding="utf-8")
    return path


def captures() -> Iterator[Row]:
    """C1: capture → verdict counts, against `cat FILE >/dev/null`; tcpdump and tshark beside it."""
    for name, most in (("mix", 0.5), ("mix64", 0.9)):
        path = workloads.capture(name)
        count = workloads.CAPTURES[name]
        made = ztfast.Engine(ztfast.compile(workloads.RULES["sel"]))
        calls: dict[str, Callable[[], Any]] = {
            "cat": peers.cat(path),
            "ours, in a running process": lambda p=path, m=made: _count(p, m),
            "ours, the whole command": _filter_call(_rules("sel"), path, "--count"),
        }
        tcpdump = peers.tcpdump_count(workloads.SEL_BPF, path)
        if tcpdump is not None:
            assert tcpdump() == _count(path, made)
            calls["tcpdump"] = tcpdump
        times = side_by_side(calls, rounds=5)
        ratio = times["ours, in a running process"] / times["cat"]
        own = ns(times["ours, in a running process"], count)
        yield Row(
            "C1",
            f"capture to verdict counts, sel, {name}, against cat",
            f"≤ {most}×",
            f"{ratio:.2f}× ({own:.1f} ns a frame)",
            ratio <= most,
        )
        whole = times["ours, the whole command"]
        yield Row(
            "C1",
            f"… the whole command with its start, {name}",
            "",
            f"{whole / times['cat']:.2f}× cat, {count / whole / 1e6:.1f} M frames/s",
            None,
        )
        if tcpdump is not None:
            yield Row(
                "C1",
                f"… tcpdump --count, {name}",
                "",
                f"{times['tcpdump'] / whole:.1f}× the whole command's time",
                None,
            )
    yield from _tshark()


def _tshark() -> Iterator[Row]:
    path = _MEMORY / "ztfast-bench-small.pcap"
    workloads.write_capture(path, 50_000, True)
    tshark = peers.tshark_count("tcp.dstport == 80", path)
    if tshark is not None:
        times = side_by_side(
            {"tshark": tshark, "ours": _filter_call(_rules("sel"), path, "--count")}, rounds=3
        )
        yield Row(
            "C1",
            "… tshark with a display filter, 50,000 frames of mix",
            "",
            f"{times['tshark'] / times['ours']:.0f}× the whole command's time",
            None,
        )
    path.unlink()


def _count(path: Path, engine: ztfast.Engine) -> int:
    from ztfast.capture import open_capture
    from ztfast.pipeline.run import run

    with open_capture(path) as capture:
        tally = run(engine, capture, counts=True).finish()
    return tally.verdict("accept").frames


def writing() -> Iterator[Row]:
    """C2: the matching frames written to memory, against tcpdump; whole processes.

    Both read mix several times over, so that starting is a small part.
    """
    path = workloads.capture("mix")
    folder = Path(tempfile.mkdtemp(dir=_MEMORY))
    names = folder / "captures"
    for name, expression, least, repeats in (
        ("sel", workloads.SEL_BPF, 4, 10),
        ("half", workloads.HALF_BPF, 2, 5),
    ):
        names.write_text(f"{path}\n" * repeats, encoding="utf-8")
        ours_out, their_out, copied = (folder / each for each in ("ours.pcap", "theirs.pcap", "cp"))
        theirs = peers.tcpdump_write(expression, names, their_out)
        if theirs is None:
            yield Row("C2", f"written to memory, {name}", f"≥ {least}×", "tcpdump missing", None)
            continue
        more = [str(path)] * (repeats - 1)
        ours = _filter_call(_rules(name), path, *more, "-w", str(ours_out))
        calls = {
            "ours": _anew(ours_out, ours),
            "theirs": _anew(their_out, theirs),
            "judging": _filter_call(_rules(name), path, *more, "--count"),
            "cp": _anew(copied, peers.whole(["cp", str(ours_out), str(copied)])),
        }
        times = side_by_side(calls, rounds=3)
        assert ours_out.read_bytes() == their_out.read_bytes()
        ratio = times["theirs"] / times["ours"]
        yield Row(
            "C2",
            f"matches of mix, {repeats} times over, written to memory, {name}, against tcpdump",
            f"≥ {least}×",
            f"{ratio:.1f}× ({times['ours']:.2f} s)",
            ratio >= least,
        )
        bound = times["judging"] + times["cp"]
        half = name == "half"
        yield Row(
            "C2",
            "… against judging plus cp of the matching part",
            "≤ 1.3×" if half else "",
            f"{times['ours'] / bound:.2f}× ({bound:.2f} s)",
            times["ours"] / bound <= 1.3 if half else None,
        )
        for file in (ours_out, their_out, copied):
            file.unlink()
    shutil.rmtree(folder)


def _anew(out: Path, call: Callable[[], None]) -> Callable[[], None]:
    """The call with its output gone before: nobody writes beside an older file of his own."""

    def run() -> None:
        out.unlink(missing_ok=True)
        call()

    return run


def memory() -> Iterator[Row]:
    """C4: memory above the interpreter's own with numpy."""
    base = _peak([_PYTHON, "-c", "import numpy"])
    for name in ("mix", "mix64"):
        path = workloads.capture(name)
        for how, command in (
            ("mapped", [_PYTHON, "-m", "ztfast", "filter", str(_rules("sel")), str(path)]),
            (
                "through a pipe",
                ["sh", "-c", f"cat {path} | {_PYTHON} -m ztfast filter {_rules('sel')} -"],
            ),
        ):
            above = (_peak(command) - base) / 1024
            yield Row(
                "C4",
                f"peak memory above the interpreter with numpy, {name} {how}",
                "≤ 150 MB",
                f"{above:.0f} MB",
                above <= 150,
            )


def _peak(command: list[str]) -> int:
    """Peak resident memory of a process and its children, KiB."""
    code = (
        "import resource, subprocess, sys; "
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [_PYTHON, "-c", code, *command], capture_output=True, text=True, check=True
    )
    assert resource.RUSAGE_CHILDREN
    return int(done.stdout)


def start_up() -> Iterator[Row]:
    """C5: start-up of the command line, its modules compiled as pip compiles them."""
    compileall.compile_dir(str(Path(ztfast.__file__).parent), quiet=2)
    tiny = workloads.DATA / "tiny.pcap"
    workloads.write_capture(tiny, 10, False)
    times = side_by_side(
        {
            "numpy": lambda: subprocess.run([_PYTHON, "-c", "import numpy"], check=True),
            "version": lambda: subprocess.run(
                [_PYTHON, "-m", "ztfast", "--version"], check=True, stdout=subprocess.DEVNULL
            ),
            "filter": _filter_call(_rules("sel"), tiny),
        },
        rounds=9,
    )
    for name in ("version", "filter"):
        ratio = times[name] / times["numpy"]
        what = "ztfast --version" if name == "version" else "ztfast filter on ten frames"
        yield Row(
            "C5",
            f"{what}, against python -c 'import numpy'",
            "≤ 1.5×",
            f"{ratio:.2f}× ({times[name] * 1e3:.0f} ms)",
            ratio <= 1.5,
        )
