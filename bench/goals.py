"""The goals of the project's performance page, measured side by side in one run.

Each function gives rows (goal, what, ours, theirs or the bound, ratio, met).  Counts are
checked against the peers' before anything is timed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import ztfast
from bench import capture_goals, engines, peers, workloads
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
        capture_goals.captures,
        capture_goals.writing,
        threads,
        capture_goals.memory,
        capture_goals.start_up,
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
