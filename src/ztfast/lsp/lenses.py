"""Code lenses "reach": how many ways between members each rule opens, and closes.

Contract: `lenses` asks `ztfast reach` about a text and the members of a network's file, and gives a
line for the whole text and one for each rule that decides about a way; nothing where the text does
not compile or the network has no members.  Lines count from 0.
Tested by tests/lsp/test_lenses.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ztfast.lsp.document import Document
from ztfast.lsp.process import answer

_SERVICES = 4  # named in one lens
MOST_WAYS = 30  # shown of one rule


class Lens(NamedTuple):
    """A line of the text, what is shown above it, and the ways that it means."""

    line: int
    title: str
    ways: tuple[str, ...]


async def lenses(document: Document, network: str) -> list[Lens]:
    """What the rules of a text do between the members of a network's file."""
    if document.is_json or document.is_long or document.policy is None:
        return []
    found = await answer(document.text, "reach", "-", "--network", network, "--json")
    try:
        return read_lenses(document, found)
    except (ValueError, KeyError, TypeError):
        return []


def read_lenses(document: Document, found: Any) -> list[Lens]:
    """Of what `reach --json` said: the whole first, then rule by rule."""
    if found is None:
        return []
    cells: list[dict[str, Any]] = found["cells"]
    services, count = ", ".join(found["services"]), len(found["members"])
    title = f"reach: {found['open']} of {found['ways']} ways are open ({count} members; {services})"
    last = document.text.count("\n") + 1
    by_line: dict[int, list[dict[str, Any]]] = {}
    for cell in cells:
        if 0 < cell["line"] <= last:
            by_line.setdefault(cell["line"], []).append(cell)
    opened = [cell for cell in cells if cell["open"]]
    whole = Lens(0, title, tuple(_ways(opened)))
    return [whole, *(_lens(line, by_line[line]) for line in sorted(by_line))]


def _lens(line: int, cells: list[dict[str, Any]]) -> Lens:
    parts = [
        f"{word} {len(some)} way{'s' * (len(some) != 1)} ({_services(some)})"
        for word, is_open in (("opens", True), ("closes", False))
        if (some := [cell for cell in cells if cell["open"] is is_open])
    ]
    return Lens(line - 1, f"reach: {', '.join(parts)}", tuple(_ways(cells)))


def _services(cells: Iterable[dict[str, Any]]) -> str:
    names = [name for name, _ in Counter(cell["service"] for cell in cells).most_common()]
    more = len(names) - _SERVICES
    return ", ".join(names[:_SERVICES]) + (f" and {more} more" if more > 0 else "")


def _ways(cells: list[dict[str, Any]]) -> Iterator[str]:
    for cell in cells[:MOST_WAYS]:
        why = "" if cell["open"] else f": {cell['why']}"
        yield f"{cell['service']}: {cell['from']} to {cell['to']}{why}"
    if len(cells) > MOST_WAYS:
        yield f"and {len(cells) - MOST_WAYS} more"
