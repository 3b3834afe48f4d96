"""The goals of the project's performance page, measured side by side in one run.

Each function gives rows (goal, what, ours, theirs or the bound, ratio, met).  Counts are
checked against the peers' before anything is timed.
"""

from __future__ import annotations

import compileall
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import ztfast
from bench import engines, peers, workloads
from bench.measure import side_by_side
from bench.network_goals import networked
from bench.rows import Row, ns
from ztfast import dispatch
from ztfast.model.view import make_view
from ztfast.program.encode import encode

COUNT = 500_000
CACHED = 100_000
PYTHON = sys.executable
EXAMPLES = Path(__file__).parents[1] / "examples"
MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else workloads.DATA


def everything() -> Iterator[Row]:
    """All rows, in the order of the page."""
    for part in (
        evaluation,
        raw_frames,
        growth,
        mixed_shapes,
        batches,
        multicast,
        one_frame,
        networked,
        captures,
        writing,
        threads,
        memory,
        start_up,
        compiling,
    ):
        yield from part()


# --- evaluation ----------------------------------------------------------------------------


def evaluation() -> Iterator[Row]:
    """E1: columns ready, DEF CON-like rules."""
    data = workloads.frames(CACHED)
    calls: dict[str, Callable[[], Any]] = {"ours": engines.evaluate_ready("defcon", data)}
    theirs = {
        "libpcap's interpreter, equal rules,": (10, peers.libpcap(workloads.DEFCON_BPF, data)),
        "rte_acl with 14 rules": (3, peers.dpdk_acl(peers.ACL_SEL, data)),
    }
    calls.update({name: call for name, (_, call) in theirs.items() if call is not None})
    times = side_by_side(calls)
    rate = CACHED / times["ours"] / 1e6
    goal = {"avx512": 300, "avx2": 150}.get(dispatch.simd_level)
    yield Row(
        "E1",
        f"evaluate, columns ready, defcon, {CACHED:,} frames, {dispatch.simd_level}",
        "" if goal is None else f"≥ {goal} M frames/s",
        f"{rate:,.0f} M frames/s ({ns(times['ours'], CACHED):.2f} ns)",
        None if goal is None else rate >= goal,
    )
    for name, (least, _) in theirs.items():
        if name not in times:
            yield Row("E1", f"… against {name}", f"≥ {least}×", "not installed", None)
            continue
        ratio = times[name] / times["ours"]
        yield Row(
            "E1",
            f"… against {name} on the same frames",
            f"≥ {least}×",
            f"{ratio:.1f}× ({ns(times[name], CACHED):.1f} ns)",
            ratio >= least,
        )
    yield from _levels()
    many = engines.evaluate_ready("defcon", workloads.frames(COUNT))
    seconds = side_by_side({"many": many})["many"]
    yield Row(
        "E1",
        f"… over {COUNT:,} frames, whose columns and results leave the second cache",
        "",
        f"{COUNT / seconds / 1e6:,.0f} M frames/s ({ns(seconds, COUNT):.2f} ns)",
        None,
    )


def _levels() -> Iterator[Row]:
    """The same at each instruction level, in a process of its own."""
    code = (
        "import sys; from bench import goals, engines, workloads; "
        "from bench.measure import side_by_side; "
        "data = workloads.frames(goals.CACHED); "
        "print(side_by_side({'x': engines.evaluate_ready('defcon', data)})['x'])"
    )
    for level in dispatch.runnable():
        done = subprocess.run(
            [PYTHON, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "ZTFAST_SIMD": level},
        )
        seconds = float(done.stdout)
        yield Row(
            "E1",
            f"… at level {level}",
            "",
            f"{CACHED / seconds / 1e6:,.0f} M frames/s ({ns(seconds, CACHED):.2f} ns)",
            None,
        )


_RAW = (
    ("sel", workloads.SEL_BPF, peers.ACL_SEL),
    ("half", workloads.HALF_BPF, peers.ACL_HALF),
)


def _peers(expression: str, rules: peers.AclRules, frames: Any) -> dict[str, Callable[[], int]]:
    """Everybody who judges frames in memory by these rules, where installed."""
    found = {
        "libpcap's interpreter": peers.libpcap(expression, frames),
        "DPDK's BPF compiler": peers.dpdk_jit(expression, frames),
        "rte_acl": peers.dpdk_acl(rules, frames),
    }
    return {name: call for name, call in found.items() if call is not None}


def _raw_rows(what: str, most: int, times: dict[str, float], frames: int) -> Iterator[Row]:
    own = ns(times.pop("ours"), frames)
    yield Row("E4", what, f"≤ {most} ns", f"{own:.1f} ns", own <= most)
    for peer, seconds in times.items():
        theirs = ns(seconds, frames)
        told = f"{theirs / own:.1f}× ({theirs:.1f} ns)"
        yield Row("E4", f"… {peer} on the same frames", "ahead of it", told, theirs > own)
    for peer in ("DPDK's BPF compiler", "rte_acl"):
        if peer not in times:
            yield Row("E4", f"… {peer}", "ahead of it", "not installed", None)


def raw_frames() -> Iterator[Row]:
    """E4: decode and evaluate raw frames."""
    data = workloads.frames(CACHED)
    for name, expression, rules in _RAW:
        calls: dict[str, Callable[[], Any]] = {"ours": engines.evaluate_raw(name, data)}
        calls.update(_peers(expression, rules, data))
        if name == "sel":
            calls["numpy"] = peers.numpy_sel(data)
        answers = {peer: call() for peer, call in calls.items()}
        assert len(set(answers.values())) == 1, f"{name}: {answers}"
        what = f"decode and evaluate, {name}, {CACHED:,} distinct frames in cache"
        yield from _raw_rows(what, 7, side_by_side(calls), CACHED)
    yield from _known_offsets()


def _known_offsets() -> Iterator[Row]:
    for capture, most in (("mix64", 12), ("mix", 20)):
        buffer = np.fromfile(workloads.capture(capture), np.uint8)
        columns = _walk(buffer)
        frames = ztfast.FrameBatch(buffer, *columns)
        for name, expression, rules in _RAW:
            made = engines.engine(name)
            calls: dict[str, Callable[[], Any]] = {
                "ours": lambda m=made, f=frames: int(np.count_nonzero(m.evaluate(f).accepted)),
                **_peers(expression, rules, (buffer, *columns[:2])),
            }
            answers = {peer: call() for peer, call in calls.items()}
            assert len(set(answers.values())) == 1, f"{name}: {answers}"
            what = f"decode and evaluate, {name}, all of {capture} in memory, offsets known"
            yield from _raw_rows(what, most, side_by_side(calls, rounds=5), len(frames))


def _walk(buffer: Any) -> tuple[Any, Any, Any]:
    from ztfast.capture.pcap_scan import scan_records

    parts, place = [], 24
    while True:
        found = scan_records(buffer, place, len(buffer))
        if not len(found.offsets):
            break
        parts.append(found)
        place = found.next
    return tuple(  # type: ignore[return-value]
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("offsets", "captured", "lengths")
    )


def growth() -> Iterator[Row]:
    """E2: growth with the number of rules of one shape."""
    data = workloads.frames(COUNT)
    sizes = (20, 1000, 10_000)
    calls = {str(size): engines.evaluate_ready(workloads.like(size), data) for size in sizes}
    times = side_by_side(calls)
    base = times["20"]
    for size, most in ((1000, 2), (10_000, 4)):
        ratio = times[str(size)] / base
        yield Row(
            "E2",
            f"{size:,} entries of one shape against 20 ({ns(base, COUNT):.2f} ns)",
            f"≤ {most}×",
            f"{ratio:.1f}× ({ns(times[str(size)], COUNT):.2f} ns)",
            ratio <= most,
        )


def mixed_shapes() -> Iterator[Row]:
    """E5: growth with the number of ClassBench-like entries, whose prefixes and ports overlap."""
    texts = {1000: workloads.classbench(200), 10_000: workloads.classbench(2000)}
    narrow = workloads.frames(CACHED)
    for where, data in (("in few nets", narrow), ("in all nets", workloads.spread(narrow))):
        for text in texts.values():
            plain, ours = (engines.entries(text, data, passes) for passes in ((), None))
            assert np.array_equal(plain, ours)
        calls = {size: engines.evaluate_ready(text, data) for size, text in texts.items()}
        times = side_by_side({str(size): call for size, call in calls.items()})
        small, large = (ns(times[str(size)], CACHED) for size in texts)
        yield Row(
            "E5",
            f"10,000 ClassBench-like entries against 1,000 ({small:.0f} ns), frames {where}",
            "≤ 3×",
            f"{large / small:.1f}× ({large:.0f} ns)",
            large / small <= 3,
        )


def batches() -> Iterator[Row]:
    """E3: growth with the number of frames."""
    sizes = (1000, 1_000_000)
    data = workloads.frames(sizes[1])
    times = side_by_side({str(size): engines.evaluate_raw("sel", data[:size]) for size in sizes})
    small, large = (ns(times[str(size)], size) for size in sizes)
    yield Row(
        "E3",
        f"a frame in batches of 1,000 against 1,000,000 ({large:.1f} ns)",
        "≤ 1.3×",
        f"{small / large:.2f}× ({small:.1f} ns)",
        small / large <= 1.3,
    )


def multicast() -> Iterator[Row]:
    """M2: a multicast to members that all have tags of their own, against a frame to one."""
    count = 20_000
    for members in (500, 5_000):
        calls = {
            name: engines.with_members(workloads.PAIRS, members, name == "to all", count)
            for name in ("to all", "to one")
        }
        times = side_by_side(calls)
        ratio = times["to all"] / times["to one"]
        yield Row(
            "M2",
            f"a multicast, {members:,} members each with tags of its own, five matches of tags",
            "≤ 3× a unicast frame",
            f"{ratio:.1f}× ({ns(times['to all'], count):,.0f} ns)",
            ratio <= 3,
        )


def one_frame() -> Iterator[Row]:
    """F1: `ztfast.Filter` on the example's frames, both sides of its rules, one after the other."""
    rules = ztfast.load(EXAMPLES / "office.ztrules")
    with ztfast.open_capture(EXAMPLES / "office.pcap") as capture:
        (packets,) = (batch for batch in capture if len(batch))
    ends = packets.offsets + packets.captured
    frames = [bytes(packets.buffer[a:b]) for a, b in zip(packets.offsets, ends, strict=True)]
    judge, engine = ztfast.Filter(rules), ztfast.Engine(rules)
    wanted = int(engine.evaluate(ztfast.FrameBatch.from_packets(packets)).accepted.sum())
    assert sum(map(judge, frames)) == wanted
    call = {"one": lambda: sum(map(judge, frames))}
    microseconds = side_by_side(call)["one"] / len(frames) * 1e6
    yield Row(
        "F1",
        "one frame at a time through ztfast.Filter, both sides of the office example",
        "≤ 5 µs",
        f"{microseconds:.1f} µs",
        microseconds <= 5,
    )


# --- captures ------------------------------------------------------------------------------


def _filter_call(rules: Path, capture: Path, *options: str) -> Callable[[], None]:
    command = [PYTHON, "-m", "ztfast", "filter", str(rules), str(capture), *options]
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
    path = MEMORY / "ztfast-bench-small.pcap"
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
    folder = Path(tempfile.mkdtemp(dir=MEMORY))
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


def threads() -> Iterator[Row]:
    """C3: two threads against one."""
    data = workloads.frames(2_000_000)
    made, frames = engines.engine("defcon"), engines.batch(data)
    times = side_by_side(
        {"one": lambda: made.evaluate(frames), "two": lambda: made.evaluate(frames, threads=2)}
    )
    ratio = times["one"] / times["two"]
    yield Row(
        "C3",
        f"two threads against one, {os.cpu_count()} cores",
        "≥ 1.7×",
        f"{ratio:.2f}×",
        ratio >= 1.7,
    )


def memory() -> Iterator[Row]:
    """C4: memory above the interpreter's own with numpy."""
    base = _peak([PYTHON, "-c", "import numpy"])
    for name in ("mix", "mix64"):
        path = workloads.capture(name)
        for how, command in (
            ("mapped", [PYTHON, "-m", "ztfast", "filter", str(_rules("sel")), str(path)]),
            (
                "through a pipe",
                ["sh", "-c", f"cat {path} | {PYTHON} -m ztfast filter {_rules('sel')} -"],
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
        [PYTHON, "-c", code, *command], capture_output=True, text=True, check=True
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
            "numpy": lambda: subprocess.run([PYTHON, "-c", "import numpy"], check=True),
            "version": lambda: subprocess.run(
                [PYTHON, "-m", "ztfast", "--version"], check=True, stdout=subprocess.DEVNULL
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


def compiling() -> Iterator[Row]:
    """P1: 1,024 entries, text to program."""
    text = workloads.like(1024)
    times = side_by_side({"x": lambda: encode(make_view(ztfast.compile(text), "out"))})
    yield Row(
        "P1",
        "compile 1,024 entries, text to program",
        "≤ 30 ms",
        f"{times['x'] * 1e3:.1f} ms",
        times["x"] <= 0.03,
    )
