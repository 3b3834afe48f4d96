"""The figures of a filter run as a table for people.

Contract: plain aligned text; where a terminal's width is given, rules are cut to what it has left
beside their figures.  Tested by
tests/report/test_figures.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from ztfast.pipeline.tally import VERDICTS, Tally

if TYPE_CHECKING:
    from ztfast.pipeline.delivery_tally import DeliveryTally
    from ztfast.sinks.files import Written

_RULE_WIDTH = 64
_RULE_LEAST = 8  # what is left of a rule on the narrowest terminal
_MAX_LOST = 8


def print_figures(
    tally: Tally,
    stream: TextIO,
    files: Sequence[Written] = (),
    name: Callable[[int], str] = "{:010x}".format,
    width: int | None = None,
) -> None:
    """Write frames and bytes by verdict, by deciding rule, by copy, and by file written.

    name: what the member of a ZeroTier address is called.  width: of the terminal.
    """
    total = tally.total
    rows = [("verdict", "frames", "bytes")]
    for verdict in VERDICTS.values():
        count = tally.verdict(verdict)
        rows.append((verdict, f"{count.frames:,}", f"{count.bytes:,}"))
    if tally.unjudged:
        unjudged = tally.unjudged.values()
        frames, octets = sum(c.frames for c in unjudged), sum(c.bytes for c in unjudged)
        rows.append(("unjudged", f"{frames:,}", f"{octets:,}"))
    rows.append(("all", f"{total.frames:,}", f"{total.bytes:,}"))
    tables = [table(rows, "<>>")]
    if tally.deciders:
        tables.append(table(shortened(_rule_rows(tally), width), "<<>><<"))
    if tally.deliveries is not None:
        tables += _delivery_tables(tally.deliveries, name)
    elif tally.copies:
        tables.append(table(_copy_rows(tally), "<<<>>"))
    if files:
        written = [(file.path, f"{file.frames:,}", f"{file.size:,}") for file in files]
        tables.append(table([("file", "frames", "file size"), *written], "<>>"))
    stream.write("\n\n".join(tables) + "\n")  # at once, so that `| head` cuts nothing short


def _rule_rows(tally: Tally) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("verdict", "by", "frames", "bytes", "line", "rule")]
    for row in tally.rows():
        by = row["side"] if row["capability"] is None else f"{row['side']}, cap {row['capability']}"
        text = row["rule"]
        text = cut(text, _RULE_WIDTH)
        line = "-" if row["line"] is None else str(row["line"])
        if row["included"] is not None:
            line = f"{line} ({row['included']})"
        rows.append((row["verdict"], by, f"{row['frames']:,}", f"{row['bytes']:,}", line, text))
    return rows


def _delivery_tables(deliveries: DeliveryTally, name: Callable[[int], str]) -> list[str]:
    """Copies and redirects by target, and a line for each reason why some did not arrive."""
    from ztfast.pipeline.delivery_tally import reason

    rows: list[tuple[str, ...]] = [("copy", "to", "sent", "arrived", "bytes arrived")]
    for kind, to, sent, arrived in deliveries.copies():
        counts = f"{sent.frames:,}", f"{arrived.frames:,}", f"{arrived.bytes:,}"
        rows.append((kind.name.lower(), name(to), *counts))
    lost = [
        f"not arrived: {count.frames:,} by {key[0].name.lower()} to {name(key[1])}: {reason(key)}"
        for key, count in deliveries.lost(deliveries.COPIES)[:_MAX_LOST]
    ]
    tables = [table(rows, "<<>>>")] if len(rows) > 1 else []
    return [*tables, "\n".join(lost)] if lost else tables


def _copy_rows(tally: Tally) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("copy", "from", "to", "frames", "payload bytes")]
    for (side, kind, target), count in sorted(tally.copies.items()):
        rows.append((kind, side, f"{target:010x}", f"{count.frames:,}", f"{count.bytes:,}"))
    return rows


def shortened(rows: Sequence[tuple[str, ...]], width: int | None) -> list[tuple[str, ...]]:
    """Rows whose last column fits beside the others, so that no line is wider than the terminal."""
    if width is None:
        return list(rows)
    others = sum(
        max(map(len, column)) + 2 for column in zip(*(row[:-1] for row in rows), strict=True)
    )
    left = max(width - others, _RULE_LEAST)
    return [(*row[:-1], cut(row[-1], left)) for row in rows]


def cut(text: str, width: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


def table(rows: Sequence[tuple[str, ...]], align: str) -> str:
    """Rows as aligned text; align: `<` or `>` for each column."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(align))]
    lines: list[str] = []
    for row in rows:
        columns = zip(row, align, widths, strict=True)
        cells = [f"{cell:{side}{width}}" for cell, side, width in columns]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
