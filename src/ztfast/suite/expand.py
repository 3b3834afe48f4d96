"""A case that means several frames: lists of ends and ports, ranges; and words for what is usual.

Contract: `expanded` gives the tables of one frame each, with what tells them apart; ports by name
are numbers, `ping` is ICMP's echo request, `allow` and `deny` are accept and drop.  At most
`MOST_FRAMES` a case.  Tested by tests/suite/test_expand.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from ztfast.frames.services import SERVICES
from ztfast.network.documents import Node

MOST_FRAMES = 1000
_LISTS = ("from", "to", "port")
_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")
_WORDS = {"deny": "drop", "allow": "accept"}


def expanded(node: Node) -> list[tuple[str, Node]]:
    """The frames of a case: (`to files, port 443`, its table); a plain case has one, without words.

    Raises NetworkError for what is no end and no port.
    """
    table = _plain_words(node)
    varied = [key for key in _LISTS if isinstance(table.get(key), list) or _is_range(key, table)]
    choices = [_values(node, key, table[key]) for key in varied]
    count = 1
    for values in choices:
        count *= len(values)
    if count > MOST_FRAMES:
        node.refuse(f"a case of {count:,} frames", f"at most {MOST_FRAMES:,}: make several cases")
    found: list[tuple[str, Node]] = []
    for chosen in product(*choices):
        one = {**table, **dict(zip(varied, chosen, strict=True))}
        label = ", ".join(f"{key} {value}" for key, value in zip(varied, chosen, strict=True))
        found.append((label, Node(_with_service(node, one), node.name, node.path)))
    return found


def _plain_words(node: Node) -> dict[str, Any]:
    table = dict(node.table())
    for key in ("expect", "reply"):
        if isinstance(table.get(key), str):
            table[key] = _WORDS.get(table[key], table[key])
    if table.get("proto") == "ping":
        table["proto"] = "icmp"
        for key in ("type", "code"):
            if table.get(key) is not None:
                node.child(key).refuse(
                    "`ping` says that already", 'leave it out, or proto = "icmp"'
                )
    return table


def _is_range(key: str, table: dict[str, Any]) -> bool:
    return key == "port" and isinstance(table.get(key), str) and "-" in table[key]


def _values(node: Node, key: str, value: Any) -> list[Any]:
    """The values of a list; ranges of ports are all their ports."""
    place = node.child(key)
    items = [one.value for one in place.items()] if isinstance(value, list) else [value]
    if not items:
        place.refuse("an empty list", "leave the case out, or name something")
    found: list[Any] = []
    for item in items:
        found += _ports(place, item) if key == "port" else [item]
        if len(found) > MOST_FRAMES:
            place.refuse(
                f"more than {MOST_FRAMES:,} of them", "test fewer: the ends of a range, say"
            )
    return found


def _ports(place: Node, item: Any) -> Iterator[Any]:
    match = _RANGE.fullmatch(item) if isinstance(item, str) else None
    if match is None:
        yield item
        return
    low, high = int(match[1]), int(match[2])
    if not low <= high <= 0xFFFF:
        place.refuse(f"{item!r:.40} is not a range of ports", "as: 5000-5010")
    yield from range(low, min(high, low + MOST_FRAMES) + 1)


def _with_service(node: Node, table: dict[str, Any]) -> dict[str, Any]:
    """A port's name as its number; it says the protocol where the case does not."""
    name = table.get("port")
    if not isinstance(name, str):
        return table
    known = SERVICES.get(name.lower())
    if known is None:
        node.child("port").refuse(
            f"{name!r:.40} is not a port", "a number, a range as 5000-5010, or a service as ssh"
        )
    proto, port = known
    return {**table, "port": port, "proto": table.get("proto") or proto}
