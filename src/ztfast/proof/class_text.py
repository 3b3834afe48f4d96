"""Formulas in words: what people call a class of frames.

Contract: `class_text(formulas, literals)` says a conjunction of tests and their negations in one
sentence: kinds of frames first, then ends, other fields, members, and last what is excepted.
Tested by tests/proof/test_diff.py and test_witness_text.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from ztfast.frames.text import ethertype_name, flags_text, mac_text, protocol_name
from ztfast.proof.formula import Comparison, Formulas, Literal, Test

MAX_EXCEPTIONS = 4
_UNSAID = ("position", "chain_valid")
_LEAST_LENGTHS = (20, 28, 40, 64)  # what a header needs goes without saying


def class_text(
    formulas: Formulas,
    literals: Iterable[Literal],
    tags: Mapping[int, str] | None = None,
    defaults: Mapping[int, int] | None = None,
) -> str:
    """A conjunction in words: `TCP to port 22 from any to 10.1.1.0/24, except …`.

    tags: names by id.  defaults: what members have of tags that they were not given; whether a
    value was given or is the default makes no difference and is not said.
    """
    sentence = _Sentence()
    for literal in sorted(literals, key=lambda item: (item < 0, abs(item))):
        node, holds = formulas.nodes[abs(literal)], literal > 0
        if isinstance(node, Test):
            if _is_default(node, defaults or {}):
                if holds != (node.low == 1):
                    sentence.members.append(_default_text(node, tags or {}, defaults or {}))
            else:
                _say_test(sentence, node, holds, tags or {})
        elif isinstance(node, Comparison) and node.operator not in ("at most", "slice"):
            text = _comparison_text(node, tags or {})
            (sentence.qualities if holds else sentence.exceptions).append(text)
    return sentence.text()


@dataclass
class _Sentence:
    """The parts of a sentence, each a list of texts.

    kinds: of frames, by "ethertype" and "protocol".  sources, dests: addresses and ports.
    """

    kinds: dict[str, str] = field(default_factory=dict[str, str])
    sources: list[str] = field(default_factory=list[str])
    dests: list[str] = field(default_factory=list[str])
    qualities: list[str] = field(default_factory=list[str])
    members: list[str] = field(default_factory=list[str])
    exceptions: list[str] = field(default_factory=list[str])

    def say(self, place: str, text: str, holds: bool) -> None:
        """A field's value, at a place ("from", "to" or "with"), or as an exception."""
        if holds:
            {"from": self.sources, "to": self.dests, "with": self.qualities}[place].append(text)
        else:
            self.exceptions.append(text if place == "with" else f"{place} {text}")

    def text(self) -> str:
        """The sentence."""
        text = " ".join((self._kind(), *self._ends(), *map(_quality, self.qualities)))
        if self.members:
            text += " where " + " and ".join(dict.fromkeys(self.members))
        shown = ", ".join(self.exceptions[:MAX_EXCEPTIONS])
        if self.exceptions[MAX_EXCEPTIONS:]:
            shown += f" and {len(self.exceptions) - MAX_EXCEPTIONS} more"
        return f"{text}, except {shown}" if shown else text

    def _kind(self) -> str:
        kinds = [self.kinds[key] for key in ("ethertype", "protocol") if key in self.kinds]
        addressed = any(":" in text or "." in text for text in (*self.sources, *self.dests))
        if len(kinds) == 2 and addressed:
            kinds = kinds[1:]  # the addresses say which IP it is
        return " ".join(kinds) or "every frame"

    def _ends(self) -> list[str]:
        ports = [f"to {text}" for text in self.dests if text.startswith("port")]
        others = [text for text in self.dests if not text.startswith("port")]
        source = " and ".join(self.sources)
        if not source and not others:
            return ports
        return [*ports, f"from {source or 'any'}", f"to {' and '.join(others) or 'any'}"]


def _quality(text: str) -> str:
    return text if text.startswith(("with", "whose", "to ")) else f"with {text}"


# --- tests of one field


def _say_test(sentence: _Sentence, node: Test, holds: bool, tags: Mapping[int, str]) -> None:
    name = node.field.rpartition(":")[2]
    if name in _UNSAID or (name == "length" and holds and _is_least_length(node)):
        return
    if name in ("ethertype", "protocol") and holds and node.low == node.high:
        say = ethertype_name if name == "ethertype" else protocol_name
        sentence.kinds[name] = say(node.low)
    elif name == "tcp" and node.low == node.high == 0:
        sentence.qualities.append(_flags_text(node.mask, holds))
    elif name.startswith(("from.", "to.")):
        sentence.members.append(_member_text(node, holds, tags))
    elif name in _WHO:
        sentence.members.append(_address_text(_WHO[name], node.low, holds))
    elif name in _ONE_BIT:
        yes, no = _ONE_BIT[name]
        sentence.qualities.append(yes if holds == (node.low == 1) else no)
    else:
        sentence.say(*_test_text(name, node), holds)


def _is_least_length(node: Test) -> bool:
    return node.low in _LEAST_LENGTHS and node.high == 0xFFFF


def _flags_text(mask: int, absent: bool) -> str:
    names = flags_text(mask)
    if absent:
        return f"without {names}"
    return f"with any of {names}" if "," in names else f"with {names}"


def _address_text(who: str, address: int, holds: bool) -> str:
    member = f"{address:010x}" if address else "unknown (a multicast, say)"
    return f"the {who} {'is' if holds else 'is not'} {member}"


# On a network the node that evaluates is the sender, or the receiver; a multicast has no
# destination at its sender.
_WHO = {
    "zt_source": "sender",
    "out.node": "sender",
    "out.zt_dest": "destination",
    "in.zt_dest": "receiver",
    "in.node": "receiver",
}
_ONE_BIT = {
    "owns_ip": ("whose sender was given the address", "whose sender was not given the address"),
    "owns_mac": ("whose sender has the MAC", "whose sender has another MAC"),
    "receiver_known": ("to a known receiver", "to a receiver that the sender does not know"),
}


def _test_text(field: str, node: Test) -> tuple[str, str]:
    """(where it stands in the sentence, text)."""
    span = f"{node.low}" if node.low == node.high else f"{node.low}-{node.high}"
    many = "" if node.low == node.high else "s"
    if field in ("source4", "dest4", "source6", "dest6"):
        return ("from" if field[0] == "s" else "to"), _prefix(field, node)
    if field == "dport":
        return "to", f"port{many} {span}"
    if field == "sport":
        return "from", f"port{many} {span}"
    if field in ("mac_source", "mac_dest"):
        if node.mask == 1 << 40:
            return "with", "a multicast MAC"
        if node.low == (1 << 48) - 1:
            return "to", "the broadcast MAC"
        return ("from" if field == "mac_source" else "to"), f"MAC {mac_text(node.low)}"
    if field == "ethertype":
        return "with", ethertype_name(node.low)
    if field == "protocol":
        return "with", protocol_name(node.low)
    if field == "length":
        return "with", f"a payload of {span} bytes"
    if ".draw." in field:
        return "with", f"a random draw up to {node.high / 0xFFFFFFFF:.4g}"
    masked = f" & 0x{node.mask:x}" if node.mask and node.low != node.high else ""
    return "with", f"{field.replace('_', ' ')}{masked} {span}"


def _prefix(field: str, node: Test) -> str:
    width = 32 if field.endswith("4") else 128
    bits = node.mask.bit_count()
    make = IPv4Address if width == 32 else IPv6Address
    address = str(make(node.low))
    return address if bits == width else f"{address}/{bits}"


def _is_default(node: Test, defaulted: Collection[int]) -> bool:
    parts = node.field.split(".")
    return parts[0] in ("from", "to") and parts[1] == "has" and int(parts[2]) in defaulted


def _default_text(node: Test, tags: Mapping[int, str], defaults: Mapping[int, int]) -> str:
    member, _, number = node.field.split(".")
    who = "sender" if member == "from" else "receiver"
    return f"the {who}'s tag {tags.get(int(number), number)} is {defaults[int(number)]}"


def _member_text(node: Test, holds: bool, tags: Mapping[int, str]) -> str:
    member, what, number = node.field.split(".")
    who = "sender" if member == "from" else "receiver"
    if what == "holds":
        return f"the {who} {'holds' if holds else 'does not hold'} capability {number}"
    name = tags.get(int(number), number)
    if what == "has":
        return f"the {who} has {'a' if holds else 'no'} tag {name}"
    span = f"{node.low}" if node.low == node.high else f"{node.low}-{node.high}"
    masked = "" if node.mask == 0xFFFFFFFF else f" & 0x{node.mask:x}"
    return f"the {who}'s tag {name}{masked} is {'' if holds else 'not '}{span}"


# --- comparisons of two


def _comparison_text(node: Comparison, tags: Mapping[int, str]) -> str:
    phrases = {
        "difference": "differing by at most",
        "and": "whose AND is",
        "or": "whose OR is",
        "xor": "whose XOR is",
    }
    number = node.left.rpartition(".")[2]
    if node.operator == "equal" or not number.isdigit():
        return f"{node.left} equal to {node.right}"
    name = tags.get(int(number), number)
    return f"tags {name} of both {phrases[node.operator]} {node.value}"
