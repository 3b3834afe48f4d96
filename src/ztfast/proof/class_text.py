"""Sets in words: what people call a class of frames.

Contract: `describe(sets, literals)` says an intersection of tests and their complements;
`context_text` the circumstances of a witness.
Tested by tests/proof/test_diff.py and test_search.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address

from ztfast.engine.context import FrameContext
from ztfast.frames.text import ethertype_name, flags_text, mac_text, protocol_name
from ztfast.proof.formula import Lit, Pair, Sets, Test

_HIDDEN = ("position", "walk")


# --- classes


def describe(
    sets: Sets,
    literals: Iterable[Lit],
    tags: Mapping[int, str] | None = None,
    defaulted: Collection[int] = (),
) -> str:
    """An intersection in words: `TCP to port 22 from any to 10.1.1.0/24, except …`.

    defaulted: the tags that a member has by default where it was not given another.
    """
    positive: dict[str, list[str]] = {}
    negative: list[str] = []
    heads: dict[str, str] = {}
    for literal in sorted(literals, key=lambda item: (item < 0, abs(item))):
        node = sets.nodes[abs(literal)]
        if isinstance(node, Test):
            if _is_default(node, defaulted):
                given = literal > 0 and node.low == 1
                text = _default_text(node, given, tags or {})
                positive.setdefault("members", []).append(text)
                continue
            _add_test(node, literal > 0, heads, positive, negative, tags or {})
        elif isinstance(node, Pair) and node.how not in ("at most", "slice"):
            text = _pair_text(node, tags or {})
            (positive.setdefault("with", []) if literal > 0 else negative).append(text)
    return _sentence(heads, positive, negative)


def _add_test(
    node: Test,
    holds: bool,
    heads: dict[str, str],
    positive: dict[str, list[str]],
    negative: list[str],
    tags: Mapping[int, str],
) -> None:
    field = node.field.rpartition(":")[2]
    if field in _HIDDEN or (
        field == "length" and node.low in (20, 28, 40, 64) and holds and node.high == 0xFFFF
    ):
        return
    if field in ("ethertype", "protocol") and holds and node.low == node.high:
        name = ethertype_name if field == "ethertype" else protocol_name
        heads[field] = name(node.low)
        return
    if field == "tcp" and node.low == node.high == 0:
        names = flags_text(node.mask)
        text = (
            f"without {names}"
            if holds
            else f"with {names}"
            if "," not in names
            else (f"with any of {names}")
        )
        positive.setdefault("with", []).append(text)
        return
    if field.startswith(("from.", "to.")):
        positive.setdefault("members", []).append(_member_text(node, holds, tags))
        return
    who = _WHO.get(field)
    if who is not None:
        is_ = "is" if holds else "is not"
        member = f"{node.low:010x}" if node.low else "unknown (a multicast, say)"
        positive.setdefault("members", []).append(f"the {who} {is_} {member}")
        return
    one_bit = _ONE_BIT.get(field)
    if one_bit is not None:
        positive.setdefault("with", []).append(
            one_bit[0] if holds == (node.low == 1) else one_bit[1]
        )
        return
    place, text = _test_text(field, node, tags)
    if holds:
        positive.setdefault(place, []).append(text)
    else:
        negative.append(f"{place} {text}".strip() if place != "with" else text)


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


def _test_text(field: str, node: Test, tags: Mapping[int, str]) -> tuple[str, str]:
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


def _is_default(node: Test, defaulted: Collection[int]) -> bool:
    parts = node.field.split(".")
    return parts[0] in ("from", "to") and parts[1] == "has" and int(parts[2]) in defaulted


def _default_text(node: Test, given: bool, tags: Mapping[int, str]) -> str:
    member, _, number = node.field.split(".")
    who = "sender" if member == "from" else "receiver"
    name = tags.get(int(number), number)
    return f"the {who}'s tag {name} is {'not ' if given else ''}left at its default"


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


def _pair_text(node: Pair, tags: Mapping[int, str]) -> str:
    words = {
        "difference": "differing by at most",
        "and": "whose AND is",
        "or": "whose OR is",
        "xor": "whose XOR is",
    }
    number = node.left.rpartition(".")[2]
    if node.how == "equal" or not number.isdigit():
        return f"{node.left} equal to {node.right}"
    name = tags.get(int(number), number)
    return f"tags {name} of both {words[node.how]} {node.value}"


def _prefix(field: str, node: Test) -> str:
    width = 32 if field.endswith("4") else 128
    bits = node.mask.bit_count()
    make = IPv4Address if width == 32 else IPv6Address
    address = str(make(node.low))
    return address if bits == width else f"{address}/{bits}"


def _sentence(
    heads: Mapping[str, str], positive: Mapping[str, Sequence[str]], negative: Sequence[str]
) -> str:
    what = [heads[key] for key in ("ethertype", "protocol") if key in heads]
    addressed = any(
        ":" in text or "." in text for key in ("from", "to") for text in positive.get(key, ())
    )
    if len(what) == 2 and addressed:
        what = what[1:]
    ports = [text for text in positive.get("to", ()) if text.startswith("port")]
    others = [text for text in positive.get("to", ()) if not text.startswith("port")]
    parts = [" ".join(what) or "every frame"]
    parts += [f"to {text}" for text in ports]
    source = " and ".join(positive.get("from", ()))
    if source or others:
        parts.append(f"from {source or 'any'}")
        parts.append(f"to {' and '.join(others) or 'any'}")
    parts += [
        text if text.startswith(("with", "whose", "to ")) else f"with {text}"
        for text in positive.get("with", ())
    ]
    text = " ".join(parts)
    if positive.get("members"):
        text += " where " + " and ".join(dict.fromkeys(positive["members"]))
    shown = ", ".join(negative[:4]) + (f" and {len(negative) - 4} more" if negative[4:] else "")
    return f"{text}, except {shown}" if negative else text


# --- circumstances


def context_text(
    context: FrameContext,
    direction: str,
    tags: Mapping[int, str] | None = None,
    addressed: bool = True,
) -> str:
    """The circumstances beside the frame, or an empty text; `addressed`: addresses matter."""
    names = tags or {}
    sender, receiver = context.local_tags, context.remote_tags
    if direction == "in":
        sender, receiver = context.remote_tags or {}, context.local_tags
    parts: list[str] = []
    for who, held in (("sender", sender), ("receiver", receiver)):
        if held:
            shown = ", ".join(f"{names.get(n, n)}={value}" for n, value in sorted(held.items()))
            parts.append(f"{who} tags {shown}")
    if receiver is None and sender:
        parts.append("receiver's tags unknown")
    if addressed:
        parts.append(f"member {context.zt_source:010x} to {context.zt_dest:010x}")
    return "; ".join(parts)
