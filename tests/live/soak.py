"""`python -m tests.live.soak [SECONDS]`: a tap at half of the highest rate that it takes.

Finds how many frames a second go through a full tee to a FIFO for five seconds without one being
lost, then lets half as many come for SECONDS (600), and says what went in and out and what memory
the tap had.  Ends with status 1 where sums do not add up, frames are lost, or memory grows.  Needs
root: everything goes on in network namespaces of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.network import ROOT, Network, tapping, why_no_networks

RATES = (50_000, 100_000, 150_000, 200_000, 300_000, 400_000, 500_000, 600_000, 800_000)
MOST_GROWTH = 4096  # KiB
_RULES = "tee -1 8e30f50a25;\naccept;\n"


def main(seconds: float) -> str:
    """Run it; what is wrong, "" for nothing."""
    why = why_no_networks()
    if why:
        return why
    with tempfile.TemporaryDirectory() as folder:
        best = 0
        for rate in RATES:
            sent, figures, _ = soaked(Path(folder), rate, 5)
            lost = figures["inputs"]["in"]["dropped"] + refused(figures)
            print(f"{rate:,}/s for 5 s: {sent:,} sent, {lost:,} lost", flush=True)
            if lost or sent < 0.95 * 5 * rate:
                break
            best = rate
        if not best:
            return "frames are lost at the lowest rate"
        sent, figures, (before, after) = soaked(Path(folder), best // 2, seconds)
    print(f"{best // 2:,}/s for {seconds:,.0f} s: {sent:,} sent; memory {before:,} → {after:,} KiB")
    print(figures)
    received = figures["inputs"]["in"]["received"]
    if received != sent:
        return f"{sent:,} frames were sent and {received:,} received"
    if figures["inputs"]["in"]["dropped"] or refused(figures):
        return "frames were lost"
    return "the tap's memory grows" if after - before > MOST_GROWTH else ""


def refused(figures: dict[str, Any]) -> int:
    """Copies that outputs did not take."""
    return sum(sum(one["refused"].values()) for one in figures["outputs"].values())


def soaked(folder: Path, rate: int, seconds: float) -> tuple[int, dict[str, Any], tuple[int, int]]:
    """(frames sent, the tap's figures, its memory in KiB at the beginning and at the end)."""
    rules = folder / "tee.ztrules"
    rules.write_text(_RULES, encoding="utf-8")
    office = str(ROOT / "examples" / "office.pcap")
    generator = (sys.executable, "-m", "tests.live.generator", "out", office)
    with networks() as network, fed(folder / "feed") as feed:
        words = (rules, "-i", "in", "--to", f"fifo:{feed}")
        with tapping(network.tap, *words) as tap:
            first = network.source.run(*generator, "20000", "20000")
            before = tap.resident()
            some = network.source.run(
                *generator, str(10**12), str(rate), str(seconds), timeout=seconds + 60
            )
            after = tap.resident()
            figures = tap.stop()
    return int(first.split()[0]) + int(some.split()[0]), figures, (before, after)


@contextmanager
def networks() -> Iterator[Network]:
    """Namespaces, gone behind the block."""
    made = Network()
    try:
        yield made
    finally:
        made.remove()


@contextmanager
def fed(path: Path) -> Iterator[Path]:
    """A FIFO with a reader."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    reader = subprocess.Popen(["cat", str(path)], stdout=subprocess.DEVNULL)
    try:
        yield path
    finally:
        reader.kill()
        reader.wait()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600))
