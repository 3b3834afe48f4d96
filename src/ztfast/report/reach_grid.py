"""Who reaches whom, for people: a grid of members that fare alike, and why the rest is closed.

Contract: pure functions of a `pipeline.reach.Reach`.  `groups` puts members together that could be
swapped without changing what is open; every cell of the `grid` holds for all members of its two
groups, and is shown by a pair of them.  Lines are not yet made harmless for a terminal.
Tested by tests/report/test_reach_grid.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.network.members import member_names
from ztfast.pipeline.reach import WORDS, Reach
from ztfast.pipeline.reach_frames import Step
from ztfast.pipeline.reach_judge import Why

_MAX_REASONS = 20
_NAMES = 2  # of a group, in the grid
_LIST_NAMES = 8
_WIDTH = 110
_ABSENT = -1
_STEPS = {
    Step.REQUEST: "",
    Step.REPLY: "the answer",
    Step.ONWARD: "what follows the answer",
    Step.ASK: "the question",
    Step.ANSWER: "the answer",
}
Codes = npt.NDArray[np.int64]


def grid_lines(found: Reach, width: int = _WIDTH) -> list[str]:
    """A summary in one line, the grid (or a list, where it would be too wide), the reasons."""
    ways, open_ = len(found.why), int(found.open.sum())
    services = ", ".join(service.name for service in found.services)
    members = len({*found.client.tolist(), *found.server.tolist()})
    lines = [f"{open_:,} of {ways:,} ways are open ({members} members; {services})", ""]
    if not ways:
        alone = (
            "the network has one member" if len(found.members) == 1 else "one member is asked for"
        )
        return [f"0 ways: {alone}, and none sends to itself"]
    codes, texts = _codes(found)
    parts = groups(codes)
    table = list(_table(found, codes, texts, parts))
    if max(map(len, table), default=0) > width:
        table = list(_listed(found, codes, texts, parts))
    return [*lines, *table, *_reasons(found)]


def _codes(found: Reach) -> tuple[Codes, list[str]]:
    """(the code of each pair of members, `_ABSENT` where there is none; what each code says)."""
    count, many = len(found.members), len(found.services)
    codes = np.full((count, count), _ABSENT, np.int64)
    rows = found.open.reshape(-1, many)
    if not len(rows):
        return codes, []
    packed = np.packbits(rows, axis=1)
    one_number = packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    _, first, which = np.unique(one_number, return_index=True, return_inverse=True)
    codes[found.client[::many], found.server[::many]] = which.reshape(-1)
    names = [service.name for service in found.services]
    return codes, [_open_text(names, row.tolist()) for row in rows[first]]


def _open_text(names: Sequence[str], opens: Sequence[bool]) -> str:
    if all(opens):
        return "all" if len(names) > 1 else names[0]
    shown = [name for name, here in zip(names, opens, strict=True) if here]
    return " ".join(shown) or "-"


# --- groups


def groups(codes: Codes) -> list[list[int]]:
    """Members that can be swapped, by ascending number; those without any code are left out."""
    there = np.flatnonzero((codes != _ABSENT).any(axis=0) | (codes != _ABSENT).any(axis=1))
    part = codes[np.ix_(there, there)]
    colours = _colours(part)
    found: list[list[int]] = []
    for colour in dict.fromkeys(colours.tolist()):
        members = np.flatnonzero(colours == colour)
        uniform = all(_uniform(part, members, colours, other) for other in np.unique(colours))
        found += [members.tolist()] if uniform else [[member] for member in members.tolist()]
    return sorted([there[member].tolist() for member in members] for members in found)


def _colours(codes: Codes) -> Codes:
    """Members have one colour as long as they see the same colours by the same codes."""
    count, high = len(codes), int(codes.max(initial=0)) + 2
    colours = np.zeros(count, np.int64)
    pairs = (codes + 1) * high + codes.T + 1
    np.fill_diagonal(pairs, 0)
    different = 0
    while len(np.unique(colours)) > different:
        different = len(np.unique(colours))
        seen = np.sort(pairs + colours[None, :] * high * high, axis=1)
        keys = np.concatenate([colours[:, None], seen], axis=1)
        colours = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return colours


def _uniform(codes: Codes, members: Codes, colours: Codes, other: int) -> bool:
    """Do all these members have one code to, and one from, all members of a colour?"""
    there = np.flatnonzero(colours == other)
    apart = members[:, None] != there[None, :]
    block, back = codes[np.ix_(members, there)][apart], codes.T[np.ix_(members, there)][apart]
    return len(np.unique(block)) <= 1 and len(np.unique(back)) <= 1


# --- the grid


class Grid(NamedTuple):
    """Groups of members as clients and as servers; pairs: of each cell one (client, server).

    None where there is no pair: a group of one with itself.
    """

    clients: list[list[int]]
    servers: list[list[int]]
    pairs: list[list[tuple[int, int] | None]]


def grid(found: Reach) -> Grid:
    """The grid of what is open; its numbers are those of `found.members`."""
    codes, _ = _codes(found)
    return _grid(codes, groups(codes))


def _grid(codes: Codes, parts: list[list[int]]) -> Grid:
    clients = [part for part in parts if (codes[part[0]] != _ABSENT).any()]
    servers = [part for part in parts if (codes[:, part[0]] != _ABSENT).any()]
    pairs = [[_pair(codes, left, right) for right in servers] for left in clients]
    return Grid(clients, servers, pairs)


def _pair(codes: Codes, left: list[int], right: list[int]) -> tuple[int, int] | None:
    """A pair of members that stands for two groups."""
    other = next((number for number in right if number != left[0]), None)
    if other is None or codes[left[0], other] == _ABSENT:
        return None
    return left[0], other


def _names(found: Reach, members: Sequence[int], most: int) -> str:
    known = list(member_names(found.members).values())
    names = [known[number] for number in members]
    more = len(names) - most
    return ", ".join(names[:most]) + (f" +{more}" if more > 0 else "")


def _between(codes: Codes, texts: list[str], left: list[int], right: list[int]) -> str | None:
    """What is open from one group to another; None where there is no pair."""
    pair = _pair(codes, left, right)
    return None if pair is None else texts[int(codes[pair])]


def _table(found: Reach, codes: Codes, texts: list[str], parts: list[list[int]]) -> Iterator[str]:
    clients, servers, pairs = _grid(codes, parts)
    rows = [["from \\ to", *(_names(found, part, _NAMES) for part in servers)]]
    for left, between in zip(clients, pairs, strict=True):
        cells = ("" if pair is None else texts[int(codes[pair])] for pair in between)
        rows.append([_names(found, left, _NAMES), *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:{wide}}" for cell, wide in zip(row, widths, strict=True)).rstrip()


def _listed(found: Reach, codes: Codes, texts: list[str], parts: list[list[int]]) -> Iterator[str]:
    """The grid as a list: from each group, to whom what is open."""
    for left in parts:
        by_text: dict[str, list[int]] = {}
        for right in parts:
            text = _between(codes, texts, left, right)
            if text is not None:
                by_text.setdefault(text, []).extend(n for n in right if [n] != left)
        if by_text:
            yield f"from {_names(found, left, _LIST_NAMES)}"
        for text, members in by_text.items():
            yield f"  {text}: to {_names(found, members, _LIST_NAMES)}"


# --- reasons


def _reasons(found: Reach) -> Iterator[str]:
    """Why what is closed is closed: by service, reason and line, most ways first."""
    closed = np.flatnonzero(~found.open)
    if not len(closed):
        return
    keys = np.zeros(len(closed), np.int64)
    for column in (found.service, found.why, found.step):
        keys = keys << 8 | column[closed]
    keys = keys << 32 | found.line[closed]
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    ordered = np.argsort(-counts, kind="stable").tolist()
    shown = ordered[:_MAX_REASONS]
    yield ""
    yield "not open:"
    rows = [_reason(found, int(closed[first[n]]), int(counts[n])) for n in shown]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        text = "  ".join(f"{cell:{wide}}" for cell, wide in zip(row, widths, strict=True))
        yield f"  {text}".rstrip()
    if len(ordered) > len(shown):
        rest, others = int(counts[ordered[_MAX_REASONS:]].sum()), len(ordered) - len(shown)
        yield f"  and {rest:,} more ways for {others} other reasons (--json has all)"


def _reason(found: Reach, cell: int, count: int) -> list[str]:
    """What is said of all cells that are closed as this one is."""
    why, line = Why(int(found.why[cell])), int(found.line[cell])
    ways = "1 way" if count == 1 else f"{count:,} ways"
    place = f"line {line}" if line else "end of the rules"
    client, server = ([int(ends[cell])] for ends in (found.client, found.server))
    lost = _STEPS[Step(int(found.step[cell]))]
    return [
        found.services[int(found.service[cell])].name,
        WORDS[why],
        "" if why is Why.NO_ADDRESS else place,
        ways,
        f"{_names(found, client, 1)} to {_names(found, server, 1)}"
        + (f" ({lost} is refused)" if lost else ""),
    ]


# --- changes


def change_lines(old: Reach, new: Reach) -> list[str]:
    """What opens and closes from one matrix to another of the same cells."""
    changed = np.flatnonzero(old.open != new.open)
    if not len(changed):
        return [f"nothing changes: {int(new.open.sum()):,} of {len(new.why):,} ways are open"]
    opened = int(new.open[changed].sum())
    closed = len(changed) - opened
    services = ", ".join(service.name for service in new.services)
    lines = [f"opens: {opened:,}, closes: {closed:,}, of {len(new.why):,} ways ({services})"]
    ways: dict[tuple[str, ...], dict[int, list[int]]] = {}
    for number in changed.tolist():
        client, server = int(new.client[number]), int(new.server[number])
        ways.setdefault(_change(old, new, number), {}).setdefault(client, []).append(server)
    for key, by_client in ways.items():
        lines += ["", " ".join(key), *_pairs(new, by_client)]
    return lines


def _pairs(found: Reach, servers: dict[int, list[int]]) -> Iterator[str]:
    """Each client and its servers; clients of the same servers, or of a circle, share a line."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for client, there in servers.items():
        alike.setdefault(tuple(there), []).append(client)
    circles: dict[frozenset[int], list[int]] = {}
    for targets, clients in alike.items():
        if len(clients) > 1:
            yield _way(found, clients, _names(found, targets, _LIST_NAMES))
        else:
            circles.setdefault(frozenset((*clients, *targets)), []).extend(clients)
    for circle, clients in circles.items():
        others = sorted(circle.difference(clients))
        to = [_names(found, others, _LIST_NAMES)] * bool(others)
        to += ["each other"] * (len(clients) > 1)
        yield _way(found, clients, " and ".join(to))


def _way(found: Reach, clients: list[int], to: str) -> str:
    return f"  {_names(found, clients, _LIST_NAMES)} to {to}"


def _change(old: Reach, new: Reach, number: int) -> tuple[str, ...]:
    service = new.services[int(new.service[number])].name
    opens = bool(new.open[number])
    closed = old if opens else new
    line = int(closed.line[number])
    place = f", line {line}" if line else ""
    why = f"{WORDS[Why(int(closed.why[number]))]}{place}"
    now = int(new.line[number]) if opens else 0
    by = f" (line {now})" if now else ""
    return service, f"opens{by}; it was closed: {why}" if opens else f"closes: {why}"
