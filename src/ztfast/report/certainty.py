"""How far figures can be trusted: what was assumed, and which verdicts lack bytes.

Contract: lines for people, none where nothing was assumed and nothing missing; the same for the
same figures, whatever was read first.
Tested by tests/report/test_page.py and tests/cli/test_filter.py.
"""

from __future__ import annotations

from ztfast.errors import counted
from ztfast.pipeline.tally import Tally


def certainty_lines(tally: Tally, ownership: str) -> list[str]:
    """What was assumed and how many verdicts read it; ownership: as `--assume` says."""
    how = {"ownership": ownership, "tags": "tags unknown", "addresses": "addresses unknown"}
    read = {name: count for name, count in tally.assumed.items() if count}
    lines: list[str] = []
    if read:
        counts = ", ".join(f"{name} in {counted(count, 'frame')}" for name, count in read.items())
        lines.append(f"assumed: {', '.join(how[name] for name in read)} (read: {counts})")
    if tally.uncertain:
        what = ", ".join(f"{name} in {count:,}" for name, count in sorted(tally.missing.items()))
        verb = "is" if tally.uncertain == 1 else "are"
        verdicts = counted(tally.uncertain, "verdict")
        lines.append(f"{verdicts} {verb} uncertain: bytes not captured ({what})")
    return lines
