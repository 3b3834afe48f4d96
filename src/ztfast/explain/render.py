"""Explanations of one frame's verdict: as text for people, as an object for programs.

Contract: pure functions of an `explain.explain.Explanation`.  The text has one line an
entry: source line, what it is, its outcome, why.  Tested by tests/cli/test_explain.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ztfast.diagnostics.render import harmless
from ztfast.explain.delivery import DeliveryNote
from ztfast.explain.explain import EntryNote, Explanation, RuleSetNote, SideNote, uncertainty
from ztfast.frames.headers import not_captured
from ztfast.frames.text import not_captured_names
from ztfast.model.policy import included_text
from ztfast.model.reads import Reads

_VERDICTS = {"accept": "accepted", "drop": "dropped", "redirect": "redirected"}
_SIDES = {"out": "sender", "in": "receiver"}
_FLAGS = {
    **{0x02: "tee", 0x16: "watch", 0x04: "redirect"},
    **{0x08: "tee", 0x1C: "watch", 0x0A: "redirect"},
}
_COLOURS = {"accept": "\x1b[32;1m", "drop": "\x1b[31;1m", "redirect": "\x1b[33;1m"}
_MAX_WIDTH = 44
_MAX_NEAR = 12
_MAX_NAMES = 8
_MARGIN = 5


# --- text


def to_text(explanation: Explanation, brief: bool = False, colour: bool = False) -> str:
    """The explanation as lines of text, ending with a newline.

    brief: only the sets that were taken or in which some match was true, at most
    `_MAX_NEAR` of the latter.
    """
    frame, bracket, missing = explanation.frame_text.partition(" (")  # what was not captured
    lines = [f"{frame} of payload{bracket}{missing}", _headline(explanation)]
    if unsure := uncertainty(explanation.sides):
        lines.append(f"uncertain: {unsure}")
    lines += [*_deliveries(explanation), ""]
    for side in explanation.sides:
        lines += _side(side, brief, explanation.names)
        lines.append("")
    lines = [harmless(line, keep="") for line in lines]
    if colour:
        word = _VERDICTS[explanation.verdict]
        lines[1] = f"{_COLOURS[explanation.verdict]}{word}\x1b[0m{lines[1].removeprefix(word)}"
    return "\n".join(lines[:-1]) + "\n"


def _headline(explanation: Explanation) -> str:
    word = _VERDICTS[explanation.verdict]
    if explanation.stopped:
        return f"{word}: {explanation.stopped}"
    reached = [side for side in explanation.sides if side.reached]
    agreeing = [side for side in reached if side.verdict == explanation.verdict]
    first = chosen = agreeing[0]
    if explanation.verdict == "accept":  # by the first receiver that does, where there is one
        chosen = next((side for side in agreeing if side.direction == "in"), agreeing[-1])
    if chosen is first:
        return f"{word} by the {_SIDES[chosen.direction]}: {_because(chosen)}"
    if _because(first) == _because(chosen):
        return f"{word} by both sides: {_because(chosen)}"
    return f"{word}: by the sender, {_because(first)}; by the receiver, {_because(chosen)}"


def _because(side: SideNote) -> str:
    if side.by is None:
        return f"no entry of the {side.rule_set} decides, so it is dropped"
    by, place = side.by, f"entry {side.by.entry}"
    if by.span is not None:
        place = f"line {by.span.line}{included_text(by.parent)}"
    whose = "" if side.rule_set == "base rules" else f" of {side.rule_set}"
    ends = "" if side.verdict != "drop" or side.by.text == "drop" else ", and nothing accepts it"
    return f"{place}{whose}, `{side.by.text}`{ends}"


def _deliveries(explanation: Explanation) -> Iterator[str]:
    """Who gets it and its copies, in one line; then each sending."""
    notes = explanation.deliveries
    if notes is None:
        return
    here = [note for note in notes if note.arrived]
    frames = _targets(note for note in here if note.kind not in ("tee", "watch"))
    copies = _targets(note for note in here if note.kind in ("tee", "watch"))
    where = f"at {_names(frames)}" if frames else f"nowhere{_why_nowhere(explanation)}"
    yield f"arrives {where}" + (f"; copies arrive at {_names(copies)}" if copies else "")
    yield from (f"  {_delivery(note)}" for note in notes)


def _why_nowhere(explanation: Explanation) -> str:
    """Why an accepted frame is not even sent; "" where the sendings or the rules say why."""
    if explanation.verdict != "accept" or explanation.deliveries:
        return ""
    sender, receiver = explanation.sides[0].node, explanation.sides[-1].node
    if sender is not None and sender == receiver:
        return ": a node sends nothing to itself through the network"
    if sender is not None and receiver is None:
        return ": its destination is not a member's"
    return ": its sender is not a member"


def _targets(notes: Iterable[DeliveryNote]) -> list[tuple[int, str]]:
    return list(dict.fromkeys(to for note in notes for to in note.to))


def _delivery(note: DeliveryNote) -> str:
    by = f" (line {note.line})" if note.line is not None else ""
    end = note.why if note.why_line is None else f"{note.why} (line {note.why_line})"
    what = f"{note.kind} of {note.length} bytes, {note.sent_by[1]}{by} to {_names(note.to)}"
    return f"{what}: {end}"


def _names(members: Sequence[tuple[int, str]]) -> str:
    shown = ", ".join(name for _, name in members[:_MAX_NAMES])
    more = len(members) - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _side(side: SideNote, brief: bool, names: Mapping[int, str]) -> Iterator[str]:
    node = f" {_who(side.node, names)}" if side.node is not None else ""
    many = f" and {side.members - 1} more that judge alike" if side.members > 1 else ""
    again = f" again for {_who(side.recipient, names)}" if side.recipient is not None else ""
    head = f"{_SIDES[side.direction]} ({side.direction}){node}{again}{many}"
    if not side.reached:
        yield f"{head}: not asked, the frame never gets there"
        return
    how = "super-accepted" if side.super_accept else _VERDICTS[side.verdict]
    yield f"{head}: {how}, {_because(side)}"
    for rules in side.rule_sets:
        yield f"  {rules.name}: {rules.result}"
        yield from _entries(rules, brief)
    for copy in side.copies:
        what = _FLAGS.get(copy.flags, "copy")
        to = _who(copy.to, names)
        size = f"{copy.length} bytes of payload"
        yield f"  sends: {what} of {size} to {to} (flags 0x{copy.flags:02x})"
    if side.qos not in (0, 255):
        yield f"  QoS bucket: {side.qos}"
    for note in side.notes:
        yield f"  note: {note}"
    for assumed in side.assumed:
        yield f"  assumed: {assumed}"


def _who(address: int, names: Mapping[int, str]) -> str:
    """A member by name and address."""
    name = names.get(address)
    return f"{name} {address:010x}" if name else f"{address:010x}"


def _entries(rules: RuleSetNote, brief: bool) -> Iterator[str]:
    shown, left_out = _near(rules.entries) if brief else (list(rules.entries), 0)
    texts = {entry.entry: _entry_text(entry) for entry in shown}
    wide = min(_MAX_WIDTH, max((len(text) for text in texts.values()), default=0))
    lines = {entry.entry: _line_text(entry) for entry in shown}
    margin = max((_MARGIN, *map(len, lines.values())))
    unreached = 0
    for entry in shown:
        if entry.status == "not reached":
            unreached += 1
            continue
        yield (
            f"  {lines[entry.entry]:>{margin}}  {texts[entry.entry]:<{wide}}  {entry.status:<11}"
            f"  {entry.why}"
        ).rstrip()
    space = " " * (margin + 4)
    if left_out:
        yield f"{space}{left_out} more sets with some true matches"
    if unreached:
        yield f"{space}{unreached} more {'entry' if unreached == 1 else 'entries'}, not reached"


def _line_text(entry: EntryNote) -> str:
    """`22`, or `22 (66)` where line 66 includes the macro of line 22."""
    if entry.span is None:
        return f"#{entry.entry}"
    return f"{entry.span.line}" + (f" ({entry.parent.line})" if entry.parent is not None else "")


def _entry_text(entry: EntryNote) -> str:
    text = entry.text if entry.action else f"  {entry.text}"
    return text if len(text) <= _MAX_WIDTH else f"{text[: _MAX_WIDTH - 1]}…"


def _near(entries: tuple[EntryNote, ...]) -> tuple[list[EntryNote], int]:
    """(what was evaluated of the sets that matter, how many near misses are left out).

    Those that were taken matter, and of the others those with the most true matches.
    """
    groups: list[list[EntryNote]] = [[]]
    for entry in entries:
        groups[-1].append(entry)
        if entry.action:
            groups.append([])
    near = sorted(
        (-sum(entry.status == "true" for entry in group), number)
        for number, group in enumerate(groups)
        if group and group[-1].status != "taken" and any(e.status == "true" for e in group)
    )
    left_out = {number for _, number in near[_MAX_NEAR:]}
    kept = {number for _, number in near} - left_out
    shown = [
        entry
        for number, group in enumerate(groups)
        if number in kept or (group and group[-1].status == "taken")
        for entry in group
        if entry.status in ("true", "false", "taken")
    ]
    return shown, len(left_out)


# --- objects


def to_object(explanation: Explanation) -> dict[str, Any]:
    """The explanation as a JSON-ready object, version 1."""
    frame = explanation.frame
    return {
        "version": 1,
        "verdict": explanation.verdict,
        "uncertain": bool(uncertainty(explanation.sides)),
        "frame": {
            "text": explanation.frame_text,
            "ethertype": None if frame.unknown & Reads.ETHERTYPE else frame.ethertype,
            "vlan": frame.vlan,
            "mac_source": None if frame.unknown & Reads.MAC_SOURCE else f"{frame.mac_source:012x}",
            "mac_dest": None if frame.unknown & Reads.MAC_DEST else f"{frame.mac_dest:012x}",
            "length": frame.length,
            "payload": frame.payload.hex(),
            "not_captured": list(not_captured_names(not_captured(frame))),
        },
        "sides": [_side_object(side, explanation.names) for side in explanation.sides],
        "deliveries": None
        if explanation.deliveries is None
        else [_delivery_object(note) for note in explanation.deliveries],
    }


def _delivery_object(note: DeliveryNote) -> dict[str, Any]:
    return {
        "kind": note.kind,
        "to": [_member_object(member) for member in note.to],
        "sent_by": _member_object(note.sent_by),
        "length": note.length,
        "line": note.line,
        "arrived": note.arrived,
        "why": note.why,
        "why_line": note.why_line,
    }


def _member_object(member: tuple[int, str]) -> dict[str, str]:
    address, name = member
    return {"address": f"{address:010x}", "name": name}


def _side_object(side: SideNote, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "side": _SIDES[side.direction],
        "direction": side.direction,
        "node": None if side.node is None else f"{side.node:010x}",
        "name": None if side.node is None else names.get(side.node),
        "recipient": None if side.recipient is None else f"{side.recipient:010x}",
        "members": side.members,
        "asked": side.reached,
        "verdict": side.verdict if side.reached else None,
        "super_accept": side.super_accept,
        "by": None if side.by is None else {"rule_set": side.rule_set, **_place(side.by)},
        "destination": f"{side.destination:010x}",
        "qos": side.qos,
        "copies": [
            {
                "to": f"{copy.to:010x}",
                "kind": _FLAGS.get(copy.flags, "copy"),
                "flags": copy.flags,
                "length": copy.length,
            }
            for copy in side.copies
        ],
        "rule_sets": [
            {
                "name": rules.name,
                "capability": rules.capability,
                "result": rules.result,
                "entries": [_entry_object(entry) for entry in rules.entries],
            }
            for rules in side.rule_sets
        ],
        "notes": list(side.notes),
        "assumed": list(side.assumed),
    }


def _place(entry: EntryNote) -> dict[str, Any]:
    line = None if entry.span is None else entry.span.line
    included = None if entry.parent is None else entry.parent.line
    return {"entry": entry.entry, "line": line, "included": included, "text": entry.text}


def _entry_object(entry: EntryNote) -> dict[str, Any]:
    return {
        **_place(entry),
        "action": entry.action,
        "status": entry.status,
        "set": entry.set_after,
        "why": entry.why,
    }
