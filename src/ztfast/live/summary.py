"""What a tap says at its end: figures by verdict and rule, inputs, outputs.

Contract: the tables of `ztfast filter`, then one of interfaces and one of outputs; or all as one
JSON object.  Tested by tests/live/test_summary.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TextIO

from ztfast.live.stats import Snapshot
from ztfast.report.figures import print_figures, table


def print_summary(now: Snapshot, as_json: bool, stream: TextIO, name: Callable[[int], str]) -> None:
    """Write it; name: what the member of an address is called."""
    if as_json:
        stream.write(json.dumps(now.to_json()) + "\n")
        return
    print_figures(now.tally, stream, name=name)
    head = ("interface", "received", "dropped by the kernel", "judged", "missing")
    rows: list[tuple[str, ...]] = [head]
    for input, counts in now.inputs.items():
        rows.append(
            (input, *_figures(counts.received, counts.dropped, counts.judged, counts.missing))
        )
    tables = [table(rows, "<>>>>")]
    if now.outputs:
        rows = [("output", "copies", "sent", "doubles", "refused", "missing")]
        for output, sums in now.outputs.items():
            figures = sums.copies, sums.sent, sums.deduplicated, sums.refusals, sums.missing
            rows.append((output, *_figures(*figures)))
        tables.append(table(rows, "<>>>>>"))
    refused = [
        f"refused: {frames:,} by {output}: {why}"
        for output, sums in now.outputs.items()
        for why, frames in sums.refused.items()
    ]
    tables += ["\n".join(refused)] if refused else []
    median = now.latency.at_most(0.5)
    if median is not None:
        tables.append(f"half of the frames were held for less than {median:,.0f} microseconds")
    stream.write("\n" + "\n\n".join(tables) + "\n")
    stream.flush()


def _figures(*values: int) -> tuple[str, ...]:
    return tuple(f"{value:,}" for value in values)
