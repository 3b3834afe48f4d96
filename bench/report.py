"""`make bench`: writes bench/RESULTS.md (tables, machine, date, commit) and bench/chart.svg."""

from __future__ import annotations

import datetime
import json
import platform
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import numpy

import ztfast
from bench.archive_goals import archive_goals
from bench.goals import everything
from bench.live import live_goals
from bench.rows import Row

HERE = Path(__file__).parent
STAGES = HERE / "data" / "stages.json"


def main() -> None:
    """Measure, and write both files."""
    rows = []
    for row in chain(everything(), archive_goals(), live_goals()):
        rows.append(row)
        print(f"{row.goal}  {row.what}: {row.measured}", file=sys.stderr, flush=True)
    stages = json.loads(STAGES.read_text()) if STAGES.exists() else {"benchmarks": []}
    (HERE / "RESULTS.md").write_text(_page(rows, stages["benchmarks"]), encoding="utf-8")
    (HERE / "chart.svg").write_text(_chart(stages["benchmarks"]), encoding="utf-8")


def _page(rows: list[Row], stages: list[dict[str, Any]]) -> str:
    parts = [
        "# Results",
        "",
        "Made by `make bench`; medians, the sides of each ratio taking turns in one run.  What is",
        "measured and how: bench/goals.py and the other files of that name, bench/test_stages.py,",
        "bench/workloads.py.",
        "",
        *[f"- {line}" for line in _machine()],
        "",
        "## Goals",
        "",
        "| goal | what | asked | measured | met |",
        "| --- | --- | --- | --- | --- |",
        *[f"| {r.goal} | {r.what} | {r.asked} | {r.measured} | {_met(r.met)} |" for r in rows],
        "",
        "## Stages",
        "",
        "| stage | median | frames/s | ns a frame |",
        "| --- | --- | --- | --- |",
        *[_stage(stage) for stage in stages],
        "",
    ]
    notes = HERE / "NOTES.md"
    return "\n".join(parts) + (notes.read_text(encoding="utf-8") if notes.exists() else "")


def _met(met: bool | None) -> str:
    return "" if met is None else "yes" if met else "**no**"


def _machine() -> list[str]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return [
        f"machine: {model}, {_cores()} cores, {platform.system()} {platform.release()}",
        f"software: Python {platform.python_version()}, numpy {numpy.__version__}, "
        f"ztfast {ztfast.__version__} at {ztfast.simd}",
        f"date: {datetime.date.today().isoformat()}, commit {commit}",
    ]


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _cores() -> int:
    import os

    return os.cpu_count() or 1


def _stage(stage: dict[str, Any]) -> str:
    median = stage["stats"]["median"]
    frames = stage["extra_info"].get("frames")
    rate, each = (
        ("", "")
        if not frames
        else (f"{frames / median / 1e6:,.2f} M", f"{median / frames * 1e9:,.2f}")
    )
    name = stage["name"].removeprefix("test_")
    return f"| {name} | {median * 1e3:,.3f} ms | {rate} | {each} |"


# --- the chart -----------------------------------------------------------------------------

_BARS = (
    ("test_decode_and_evaluate[sel]", "ztfast: decode and evaluate", "#1f6f5c"),
    ("test_peer_dpdk[jit-sel]", "DPDK's BPF compiler", "#8a8f98"),
    ("test_peer_dpdk[acl-sel]", "DPDK's rte_acl", "#8a8f98"),
    ("test_peer_libpcap[sel]", "libpcap's interpreter", "#8a8f98"),
    ("test_peer_numpy", "numpy, fixed offsets", "#8a8f98"),
    ("test_peer_dpkt", "dpkt", "#8a8f98"),
)


def _chart(stages: list[dict[str, Any]]) -> str:
    """Million frames a second on one logarithmic scale, the same frames and filter for all."""
    import math

    rates = {
        stage["name"]: stage["extra_info"]["frames"] / stage["stats"]["median"] / 1e6
        for stage in stages
        if stage["extra_info"].get("frames")
    }
    bars = [(label, rates[name], colour) for name, label, colour in _BARS if name in rates]
    top = math.log10(max([rate for _, rate, _ in bars], default=1) * 2 / 0.01)
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="720" height="'
        f'{70 + 34 * len(bars)}" font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="12" y="24" font-size="15">Million frames a second, rule set “sel”, one core '
        "(logarithmic)</text>",
    ]
    for index, (label, rate, colour) in enumerate(bars):
        y = 46 + 34 * index
        width = max(2, math.log10(max(rate, 0.011) / 0.01) / top * 400)
        lines += [
            f'<text x="12" y="{y + 16}">{label}</text>',
            f'<rect x="200" y="{y}" width="{width:.0f}" height="22" fill="{colour}"/>',
            f'<text x="{206 + width:.0f}" y="{y + 16}">{rate:,.2f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    main()
