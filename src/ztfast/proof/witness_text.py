"""A witness's circumstances in words: what the rules ask for and its frame's text does not show.

Contract: `context_text` says who the members are, by tags and addresses.
`PolicyDependencies` knows what a policy's entries ask for; `witness_facts` says, for all policies
that judge a witness, what its members hold and own, and what was drawn, as far as any of them
asks, so that nobody replays it in others.
Tested by tests/proof/test_witness_text.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ztfast.engine.context import FrameContext
from ztfast.frames.frame import Frame
from ztfast.frames.headers import read_header
from ztfast.frames.text import mac_text
from ztfast.model.entries import read_entries
from ztfast.model.kinds import Entry, Kind
from ztfast.model.names import CHARACTERISTICS
from ztfast.model.policy import Policy, Rule, Tag
from ztfast.proof.formula import Assignment
from ztfast.proof.witness import auth_address

_MAX_DRAWS = 4
_ADDRESSES = frozenset(
    {
        Kind.ACTION_TEE,
        Kind.ACTION_WATCH,
        Kind.ACTION_REDIRECT,
        Kind.MATCH_SOURCE_ZEROTIER_ADDRESS,
        Kind.MATCH_DEST_ZEROTIER_ADDRESS,
    }
)
USUAL_MACS = (0x020000000001, 0x020000000002)  # what a witness has where nothing asks for others


def context_text(
    context: FrameContext,
    direction: str,
    tags: Mapping[int, Tag] | None = None,
    addressed: bool = True,
    members: Mapping[int, str] | None = None,
) -> str:
    """The circumstances beside the frame, or an empty text.

    addressed: addresses matter.  tags: by id.  members: names by address.
    """
    sender, receiver = context.local_tags, context.remote_tags
    if direction == "in":
        sender, receiver = context.remote_tags or {}, context.local_tags
    parts: list[str] = []
    for who, held in (("sender", sender), ("receiver", receiver)):
        if held:
            shown = (_tag_text((tags or {}).get(n), n, value) for n, value in sorted(held.items()))
            parts.append(f"{who} tags {', '.join(shown)}")
    if receiver is None and sender:
        parts.append("receiver's tags unknown")
    if addressed:
        ends = (context.zt_source, context.zt_dest)
        called = [(members or {}).get(address, f"{address:010x}") for address in ends]
        parts.append(f"member {called[0]} to {called[1]}")
    return "; ".join(parts)


def _tag_text(tag: Tag | None, number: int, value: int) -> str:
    """As `--from-tag` takes it: by the names that the rules give."""
    if tag is None:
        return f"{number}={value}"
    named = (name for name, meant in tag.enums.items() if meant == value)
    return f"{tag.name or number}={next(named, value)}"


class PolicyDependencies:
    """What the entries of a policy ask for beside the frame.

    directions: of the sides that judge.  addresses, ip, mac: does any entry ask for ZeroTier
    addresses, for the ownership of IP addresses, of the MAC?  held: ids of the capabilities that
    every sender holds.
    """

    def __init__(self, policy: Policy, directions: Iterable[str], held: frozenset[int]) -> None:
        self.policy, self.directions, self._held = policy, tuple(directions), held
        ordered = policy.ordered_capabilities
        self._lists: list[tuple[str, tuple[Rule, ...]]] = [("base", policy.rules)]
        self._lists += [(str(capability.id), capability.rules) for capability in ordered]
        self._entries = [read_entries(rule.json for rule in rules) for _, rules in self._lists]
        every = [entry for entries in self._entries for entry in entries]
        kinds = {entry.kind for entry in every}
        self.addresses = bool(kinds & _ADDRESSES)
        self.ip = _asks(every, "ipauth")
        self.mac = _asks(every, "macauth")

    def held_capabilities(self, assignment: Assignment) -> list[str]:
        """The capabilities that the sender holds, by name."""
        return [
            cap.name or str(cap.id)
            for cap in self.policy.ordered_capabilities
            if cap.id in self._held or assignment.get(f"from.holds.{cap.id}")
        ]

    def draws(self, assignment: Assignment) -> list[str]:
        """What each `random` match says, in the order of the rules."""
        found: list[str] = []
        for (where, rules), entries in zip(self._lists, self._entries, strict=True):
            randoms = [entry for entry in entries if entry.kind is Kind.MATCH_RANDOM]
            for count, entry in enumerate(randoms, 1):
                span = rules[entry.rule].span
                place = f" in line {span.line}" if span is not None else f" {count} of {where}"
                for direction in self.directions:
                    draw = assignment.get(f"{direction}.draw.{where}.{count}", 0)
                    true = (draw <= (entry.value[0] or 0)) != entry.inverted
                    who = {"out": "sender", "in": "receiver"}[direction]
                    found.append(f"`random`{place} {str(true).lower()} at the {who}")
        return found


def _asks(entries: Iterable[Entry], name: str) -> bool:
    mask = 1 << CHARACTERISTICS[name]
    chars = (entry for entry in entries if entry.kind is Kind.MATCH_CHARACTERISTICS)
    return any((entry.value[0] or 0) & mask for entry in chars)


def witness_facts(
    policies: Sequence[PolicyDependencies], assignment: Assignment, frame: Frame
) -> list[str]:
    """What is to be known beside tags and addresses, each in a few words."""
    parts: list[str] = []
    held = list(
        dict.fromkeys(name for one in policies for name in one.held_capabilities(assignment))
    )
    if held:
        parts.append(f"sender holds {', '.join(held)}")
    if any(one.ip for one in policies) and auth_address(frame) and not assignment.get("owns_ip"):
        parts.append("sender was not given the address")
    if any(one.mac for one in policies) and not assignment.get("owns_mac"):
        parts.append("sender has another MAC")
    macs = (frame.mac_source, frame.mac_dest)
    if macs != USUAL_MACS and read_header(frame).version:
        parts.append(f"MAC {mac_text(frame.mac_source)} > {mac_text(frame.mac_dest)}")
    if frame.vlan:
        parts.append(f"VLAN {frame.vlan}")
    draws = list(dict.fromkeys(text for one in policies for text in one.draws(assignment)))
    more = [f"{len(draws) - _MAX_DRAWS} more draws"] if draws[_MAX_DRAWS:] else []
    return parts + draws[:_MAX_DRAWS] + more
