"""The guard: instructions that the compiled loops take on fixed inputs, counted by valgrind.

    python -m bench.guard            compare with bench/guard.json; over +5 % is a failure
    python -m bench.guard --record   write bench/guard.json

Time depends on the machine, the number of instructions hardly does: the baseline module runs
under callgrind, which counts only inside its functions and writes one file a call.  Each input
runs once unseen, so that what is made once is made, and then once counted.  The compiler decides
too: figures are kept for each major version, and one without figures is said and not judged.
What gcc built is compared with what clang builds, too (bench/compilers.py).
Contract: exit status 0 (within bounds, or nothing to judge by), 1 (over).  Tested by
tests/bench/test_guard.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SOURCE, RECORD = ROOT / "src", ROOT / "bench" / "guard.json"
ALLOWED = 0.05
FRAMES = 4096
# Only what Python calls in our module; these do not call each other.
FUNCTIONS = "__pyx_pw_6ztfast_5_core_"
Counts = dict[str, int]


# --- what is counted, in the process that valgrind runs ------------------------------------


def inputs() -> dict[str, Callable[[], Any]]:
    """Name -> one call over `FRAMES` frames.  Nothing here may depend on the machine."""
    import numpy as np

    from bench import workloads
    from ztfast.capture.pcap_scan import scan_records
    from ztfast.engine.engine import Engine
    from ztfast.frames.batch import FrameBatch
    from ztfast.frames.columns import FIRST_OWN_COLUMN
    from ztfast.lang import compile_text
    from ztfast.pipeline.scan import CountingScan, JudgingScan

    batch = FrameBatch.from_array(workloads.frames(FRAMES), np.full(FRAMES, 64, np.uint32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mix.pcap"
        workloads.write_capture(path, FRAMES, imix=True)
        records = np.frombuffer(path.read_bytes(), np.uint8)
    calls: dict[str, Callable[[], Any]] = {
        "decode every column": lambda: batch.decoded(range(FIRST_OWN_COLUMN)),
        "scan": lambda: scan_records(records, 24, len(records)),
    }
    for name in ("default", "defcon", "tags", "like100", "mixed1000", "classbench200"):
        engine = Engine(compile_text(workloads.RULES[name]), side="out", backend="native")
        calls[f"evaluate {name}"] = lambda engine=engine: engine.evaluate(batch)
    sel = Engine(compile_text(workloads.SEL), side="out", backend="native")
    ways = {"judge": JudgingScan(sel), "count": CountingScan(sel, False)}
    ways["count and keep"] = CountingScan(sel, True)
    for name, way in ways.items():
        calls[f"scan, {name}"] = lambda way=way: way(records, 24, len(records))
    known = workloads.network(500)
    tagged = Engine(compile_text(workloads.TAGGED), network=known, backend="native")
    between = np.frombuffer(workloads.members_capture(known, FRAMES), np.uint8)
    members = CountingScan(tagged, False)
    calls["scan, count, 500 members"] = lambda: members(between, 24, len(between))
    return calls


def count_here() -> None:
    """Print instructions a frame by input, out of the files that callgrind writes here."""
    here, counts = Path.cwd(), {}
    for name, call in inputs().items():
        call()
        before = set(here.glob("callgrind.out.*"))
        call()
        made = set(here.glob("callgrind.out.*")) - before
        assert made, f"{name} did not come by any of our functions"
        counts[name] = sum(_total(path) for path in made)
    print(json.dumps(counts))


def _total(path: Path) -> int:
    found = re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE)
    assert found is not None, path
    return int(found[1])


# --- counting, recording, comparing --------------------------------------------------------


def counted(source: Path = SOURCE) -> Counts:
    """Instructions of each input, by a process of this Python under valgrind.

    source: the folder that holds the package, with its modules.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *("valgrind", "--tool=callgrind", "--collect-atstart=no", "--error-exitcode=3"),
            f"--toggle-collect={FUNCTIONS}*",
            *(f"--dump-after={name}" for name in functions(source)),  # which knows no wildcards
            *(sys.executable, "-m", "bench.guard", "--count-here"),
        ]
        paths = os.pathsep.join([str(source), str(ROOT)])
        # One order of hashing, so that Python does the same each time
        env = {**os.environ, "ZTFAST_SIMD": "baseline", "PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
        env["OPENBLAS_NUM_THREADS"] = "1"
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(f"bench-check: counting failed\n{done.stderr[-2000:]}")
    counts: Counts = json.loads(done.stdout.splitlines()[-1])
    return counts


def functions(source: Path = SOURCE) -> list[str]:
    """The symbols that start with `FUNCTIONS`, out of the baseline module's own table."""
    found = set(re.findall(FUNCTIONS.encode() + rb"\w+", _module(source)))
    if not found:
        raise SystemExit("bench-check: the module has no symbols: build it with `make venv`")
    return sorted(name.decode() for name in found)


def _module(source: Path) -> bytes:
    for suffix in EXTENSION_SUFFIXES:
        path = source / "ztfast" / f"_core{suffix}"
        if path.exists():
            return path.read_bytes()
    raise SystemExit(f"bench-check: no module in {source}: build it with `make venv`")


def compiler(source: Path = SOURCE) -> str:
    """Architecture and compiler that built the module, as it says: `x86_64 gcc 12`."""
    module = _module(source)
    # what clang built names gcc as well, whose start files it links
    for name, says in (("clang", rb"clang version (\d+)"), ("gcc", rb"GCC: \([^)]*\) (\d+)")):
        found = re.search(says, module)
        if found is not None:
            return f"{platform.machine()} {name} {found[1].decode()}"
    return f"{platform.machine()} unknown"


def recorded() -> dict[str, Counts]:
    """Compiler -> figures."""
    if not RECORD.exists():
        return {}
    figures: dict[str, Counts] = json.loads(RECORD.read_text(encoding="utf-8"))
    return figures


def compared(before: Counts, now: Counts) -> list[str]:
    """What is wrong: inputs over the bound, and inputs that only one of both has."""
    wrong = [
        f"{name}: {now[name]:,} instructions, {now[name] / before[name] - 1:+.1%}"
        for name in before
        if name in now and now[name] > before[name] * (1 + ALLOWED)
    ]
    return wrong + [f"{name}: only on one side" for name in sorted(set(before) ^ set(now))]


def table(before: Counts, now: Counts) -> str:
    """The figures as text: instructions a frame, and against what was recorded."""
    lines = []
    for name, count in now.items():
        change = f"{count / before[name] - 1:+8.2%}" if name in before else "     new"
        lines.append(f"{name:28} {count / FRAMES:10.1f} instructions a frame {change}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.guard")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--count-here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.count_here:
        count_here()
        return 0
    if shutil.which("valgrind") is None:
        print("bench-check: skipped, valgrind is not installed (Debian: apt install valgrind)")
        return 0
    figures, built = recorded(), compiler()
    before = figures.get(built, {})
    now = counted()
    print(f"built by {built}\n{table(before, now)}")
    if given.record:
        RECORD.write_text(json.dumps({**figures, built: now}, indent=1) + "\n", encoding="utf-8")
        return 0
    wrong = compared(before, now) if before else []
    if not before:
        print(f"bench-check: no figures for {built}; `make bench-record` keeps these")
    if wrong:
        print(f"bench-check: over +{ALLOWED:.0%}:\n" + "\n".join(wrong), file=sys.stderr)
    from bench.compilers import clang_is_worse  # which counts as this does

    return int(bool(wrong) | clang_is_worse(built, now))


if __name__ == "__main__":
    sys.exit(main())
