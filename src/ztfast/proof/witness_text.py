"""A witness's circumstances in words: what the rules ask for and its frame's text does not show.

Contract: `Asked(policy, walks)` knows what a policy's entries ask for; `told` says, for all
policies that judge a witness, who its members are, what they hold and own, and what was drawn,
as far as any of them asks, so that nobody replays it in others.
Tested by tests/proof/test_witness_text.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ztfast.frames.frame import Frame
from ztfast.frames.headers import read_header
from ztfast.frames.text import mac_text
from ztfast.model.entries import read_entries
from ztfast.model.kinds import Entry, Kind
from ztfast.model.names import CHARACTERISTICS
from ztfast.model.policy import Policy, Rule
from ztfast.proof.symbolic import SideWalk
from ztfast.proof.witness import auth_address

_MOST_DRAWS = 4
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


class Asked:
    """What the entries of a policy ask for, on the sides that judge."""

    def __init__(self, policy: Policy, walks: Mapping[str, SideWalk]) -> None:
        self.policy, self.sides = policy, tuple(walks)
        ordered = policy.ordered_capabilities
        self._lists: list[tuple[str, tuple[Rule, ...]]] = [("base", policy.rules)]
        self._lists += [(str(capability.id), capability.rules) for capability in ordered]
        self._entries = [read_entries(rule.json for rule in rules) for _, rules in self._lists]
        every = [entry for entries in self._entries for entry in entries]
        kinds = {entry.kind for entry in every}
        self.addresses = bool(kinds & _ADDRESSES)
        self.ip = _asks(every, "ipauth")
        self.mac = _asks(every, "macauth")

    def held(self, model: Mapping[str, int]) -> list[str]:
        """The capabilities that the sender holds, by name."""
        return [
            cap.name or str(cap.id)
            for cap in self.policy.ordered_capabilities
            if cap.default or model.get(f"from.holds.{cap.id}")
        ]

    def drawn(self, model: Mapping[str, int]) -> list[str]:
        """What each `random` match says, in the order of the rules."""
        found: list[str] = []
        for (where, rules), entries in zip(self._lists, self._entries, strict=True):
            randoms = [entry for entry in entries if entry.kind is Kind.MATCH_RANDOM]
            for count, entry in enumerate(randoms, 1):
                span = rules[entry.rule].span
                place = f" in line {span.line}" if span is not None else f" {count} of {where}"
                for side in self.sides:
                    draw = model.get(f"{side}.draw.{where}.{count}", 0)
                    true = (draw <= (entry.value[0] or 0)) != entry.inverted
                    who = {"out": "sender", "in": "receiver"}[side]
                    found.append(f"`random`{place} {str(true).lower()} at the {who}")
        return found


def _asks(entries: Iterable[Entry], name: str) -> bool:
    mask = 1 << CHARACTERISTICS[name]
    chars = (entry for entry in entries if entry.kind is Kind.MATCH_CHARACTERISTICS)
    return any((entry.value[0] or 0) & mask for entry in chars)


def told(asked: Sequence[Asked], model: Mapping[str, int], frame: Frame) -> list[str]:
    """What is to be known beside tags and addresses, each in a few words."""
    parts: list[str] = []
    held = list(dict.fromkeys(name for one in asked for name in one.held(model)))
    if held:
        parts.append(f"sender holds {', '.join(held)}")
    if any(one.ip for one in asked) and auth_address(frame) and not model.get("owns_ip"):
        parts.append("sender was not given the address")
    if any(one.mac for one in asked) and not model.get("owns_mac"):
        parts.append("sender has another MAC")
    macs = (frame.mac_source, frame.mac_dest)
    if macs != USUAL_MACS and read_header(frame).version:
        parts.append(f"MAC {mac_text(frame.mac_source)} > {mac_text(frame.mac_dest)}")
    if frame.vlan:
        parts.append(f"VLAN {frame.vlan}")
    draws = list(dict.fromkeys(text for one in asked for text in one.drawn(model)))
    more = [f"{len(draws) - _MOST_DRAWS} more draws"] if draws[_MOST_DRAWS:] else []
    return parts + draws[:_MOST_DRAWS] + more
