"""A policy to rules text: what the official compiler turns into the same JSON.

Contract: `print_policy` writes the canonical layout of `ztfast fmt`.  JSON that no text
can give (ACTION_PRIORITY, INTEGER_RANGE, matches without an action, odd values) is a
RulesError that names the entry.  Fields that are missing from a controller's JSON are
written with their defaults; capabilities and tags without a name get one.
Tested by tests/lang/test_printer.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ztfast.errors import Diagnostic, RulesError
from ztfast.model.kinds import KINDS, Kind
from ztfast.model.names import (
    BLOCK_WORDS,
    CHARACTERISTICS,
    ETHERTYPES,
    OBJECT_WORDS,
    PROTOCOLS,
    RESERVED,
    is_name,
    looks_like_ipv4,
    looks_like_ipv6,
)
from ztfast.model.policy import Capability, Policy, Rule, Tag

_UINT32 = 0xFFFFFFFF
_KINDS = {kind.name: kind for kind in Kind}
_TagWords = dict[int, tuple[str, dict[int, str]]]  # id: name, names of values
_SEPARATORS = re.compile(r"[ \t\r\n]")


def print_policy(policy: Policy) -> str:
    """Rules text that compiles to the policy's JSON; raises RulesError where none can."""
    tag_names = _names("tag", [(tag.name, tag.id) for tag in policy.tags], policy)
    cap_names = _names("cap", [(cap.name, cap.id) for cap in policy.capabilities], policy)
    words = _tag_words(policy.tags, tag_names)
    parts = [
        _print_tag(tag, name, policy) for tag, name in zip(policy.tags, tag_names, strict=True)
    ]
    parts += [
        _print_capability(cap, name, words, policy)
        for cap, name in zip(policy.capabilities, cap_names, strict=True)
    ]
    parts += _print_rules(policy.rules, "", "the base rules", words, policy)
    if parts and parts[-1] in _BARE.values():
        parts[-1] = parts[-1].lower() + ";"  # the usual last line; behind it nothing is swallowed
    return "\n".join(parts) + "\n" if parts else ""


def entry_printer(tags: Iterable[Tag]) -> Callable[[Mapping[str, Any]], str]:
    """A function from an entry's JSON to rules text, for messages: `or not dport 80-90`.

    What no text gives (ACTION_PRIORITY, odd values) is shown as short JSON, and characters
    that a terminal might obey as `?`.
    """
    known = tuple(tags)
    names = [tag.name if tag.name is not None else str(tag.id) for tag in known]
    words = _tag_words(known, names)

    def text(entry: Mapping[str, Any]) -> str:
        try:
            kind = _kind(entry)
            if kind.is_action:
                return _action_text(kind, entry)
            return _match_text(kind, entry, False, words)
        except _Unprintable:
            return json.dumps(dict(entry), default=str, separators=(", ", ": "))[:120]

    return lambda entry: "".join(c if c.isprintable() else "?" for c in text(entry))


class _Unprintable(Exception):
    """A value that no text gives."""


def _refuse(policy: Policy, message: str, rule: Rule | None = None) -> RulesError:
    return RulesError(
        Diagnostic(
            "ZT060",
            message,
            span=rule.span if rule is not None else None,
            source=policy.source,
            help="keep this policy as JSON, or change the value to one that the language has",
        )
    )


# --- definitions


def _names(kind: str, given: list[tuple[str | None, int]], policy: Policy) -> list[str]:
    """The names of all tags or capabilities: their own, or one made of the id."""
    taken = {name for name, _ in given if name is not None}
    if len(taken) != sum(name is not None for name, _ in given):
        raise _refuse(policy, f"two {kind} definitions have the same name")
    names: list[str] = []
    for place, (own, number) in enumerate(given):
        if not 0 <= number <= _UINT32:
            raise _refuse(policy, f"{number} cannot be the id of a {kind}")
        if own is not None and not _is_free(own):
            raise _refuse(policy, f"{own[:60]!r} cannot be the name of a {kind}")
        names.append(own if own is not None else _made_name(kind, number, place, taken))
    return names


def _made_name(kind: str, number: int, place: int, taken: set[str]) -> str:
    name = f"{kind}_{number}"
    if name in taken:
        name = f"{kind}_{number}_{place}"
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _is_free(name: str) -> bool:
    return is_name(name) and name == name.lower() and name not in RESERVED


def _print_tag(tag: Tag, name: str, policy: Policy) -> str:
    lines = [f"tag {name}", f"  id {tag.id}"]
    if tag.default is not None:
        lines.append(f"  default {_default_text(tag, name, policy)}")
    for kind, values in (("enum", tag.enums), ("flag", tag.flags)):
        for key, value in values.items():
            if not is_name(key) or key != key.lower() or key in OBJECT_WORDS:
                raise _refuse(policy, f"the tag {name}: {key[:60]!r} cannot be a name")
            text = str(value) if kind == "enum" else _bits_text(value & _UINT32)
            in_range = 0 <= value <= _UINT32 if kind == "enum" else _is_flag(value)
            if not in_range:
                raise _refuse(policy, f"the tag {name}: {key} cannot have the value {value}")
            # in lower case the word would open a block; names are lowered where they are defined
            shown = key.capitalize() if key in BLOCK_WORDS else key
            lines.append(f"  {kind} {text} {shown}")
    return "\n".join([*lines, ";"])


def _is_flag(value: int) -> bool:
    return value != 0 and -(1 << 31) <= value < 1 << 31


def _default_text(tag: Tag, name: str, policy: Policy) -> str:
    assert tag.default is not None
    if -(1 << 31) <= tag.default < 1 << 31:
        return str(tag.default & _UINT32)
    for key, value in tag.enums.items():
        # only an enum's value is not cut to a signed number
        if value == tag.default and key not in BLOCK_WORDS:
            return key
    raise _refuse(policy, f"the tag {name} cannot have the default {tag.default}")


def _bits_text(value: int) -> str:
    return ",".join(str(bit) for bit in range(64) if value >> bit & 1)


def _tag_words(tags: Iterable[Tag], names: Iterable[str]) -> _TagWords:
    """For each tag id that one tag has alone: its name, and its values' names."""
    found: _TagWords = {}
    shared: set[int] = set()
    for tag, name in zip(tags, names, strict=True):
        if tag.id in found:
            shared.add(tag.id)
        enums = {key: value for key, value in tag.enums.items() if key not in tag.flags}
        every = [*enums.items(), *((key, value) for key, value in tag.flags.items() if value >= 0)]
        # a reserved word can be defined, but no match takes it
        found[tag.id] = name, {value: key for key, value in every if key not in RESERVED}
    return {number: words for number, words in found.items() if number not in shared}


def _print_capability(cap: Capability, name: str, words: _TagWords, policy: Policy) -> str:
    lines = [f"cap {name}", f"  id {cap.id}"]
    if cap.default:
        lines.append("  default")
    lines += _print_rules(cap.rules, "  ", f"the capability {name}", words, policy)
    return "\n".join([*lines, ";"])


# --- rules


def _print_rules(
    rules: Iterable[Rule], indent: str, where: str, words: _TagWords, policy: Policy
) -> list[str]:
    """One item an action: its lines, with the matches before it."""
    parts: list[str] = []
    matches: list[str] = []
    for index, rule in enumerate(rules):
        try:
            kind = _kind(rule.json)
            if kind.is_action:
                parts.append(_layout(_action_text(kind, rule.json), matches, indent))
                matches = []
            else:
                matches.append(_match_text(kind, rule.json, bool(matches), words))
        except _Unprintable as reason:
            raise _refuse(policy, f"entry {index} of {where}: {reason}", rule) from None
    if matches:
        raise _refuse(policy, f"{where} end with a match, and no action follows")
    return parts


_BARE = {word: word.capitalize() for word in ("drop", "accept", "break")}


def _layout(action: str, matches: list[str], indent: str) -> str:
    if any(text[-1] == ";" for text in [action, *matches][:-1]):
        # `80;;` is the word `80;` and a close, so such a word can only be the last one.
        raise _Unprintable("a text that ends with `;` can only stand last")
    if not matches:
        # `accept;` would open a block or close the one around it; `Accept` does neither.
        return indent + _BARE.get(action, action + ";")
    if len(matches) == 1:
        return f"{indent}{action} {matches[0]};"
    lines = [indent + action, *(f"{indent}  {match}" for match in matches)]
    if matches[-1][-1] == ";":
        lines[-1] += ";"
    else:
        lines.append(indent + ";")
    return "\n".join(lines)


def _kind(entry: Mapping[str, Any]) -> Kind:
    kind = _KINDS.get(entry.get("type", ""))
    if kind is None or KINDS[kind].word is None:
        raise _Unprintable(f"the rules language has no {str(entry.get('type'))[:60]}")
    return kind


def _action_text(kind: Kind, entry: Mapping[str, Any]) -> str:
    word = KINDS[kind].word
    assert word is not None
    if kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH):
        length = _number(entry, "length", 0xFFFF, least=-1)
        return f"{word} {length} {_target(entry)}"
    if kind is Kind.ACTION_REDIRECT:
        return f"{word} {_target(entry)}"
    return word


def _target(entry: Mapping[str, Any]) -> str:
    text = entry.get("address")
    if not isinstance(text, str) or len(text.encode("utf-16-le", "surrogatepass")) != 20:
        raise _Unprintable(f"the address {text!r:.60} does not have 10 characters")
    return _word(text, taken_as_written=True)


def _match_text(kind: Kind, entry: Mapping[str, Any], joined: bool, tag_words: _TagWords) -> str:
    words: list[str] = []
    alternative, inverted = entry.get("or", False), entry.get("not", False)
    if not isinstance(alternative, bool) or not isinstance(inverted, bool):
        raise _Unprintable("`not` and `or` must be true or false")
    if alternative:
        words.append("or")
    elif joined:
        words.append("and")
    if inverted:
        words.append("not")
    word = KINDS[kind].word
    assert word is not None
    reader = _ARGUMENTS.get(kind)
    text = _tag(entry, tag_words) if reader is None else reader(entry)
    return " ".join([*words, word, text])


# --- arguments


def _word(text: str, taken_as_written: bool = False) -> str:
    """The text, if a tokenizer gives it back as one word.

    `taken_as_written`: where neither `$` nor a reserved word means anything.
    """
    if (
        not text
        or _SEPARATORS.search(text)
        or text[0] == "#"
        or (not taken_as_written and (text[0] == "$" or text in RESERVED))
        or any(0xD800 <= ord(c) < 0xE000 for c in text)
    ):
        raise _Unprintable(f"{text!r:.60} cannot be one word")
    return text


def _number(entry: Mapping[str, Any], key: str, max_value: int, least: int = 0) -> int:
    value = entry.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= max_value:
        raise _Unprintable(f"{key} is {value!r:.60}, not a number from {least} to {max_value}")
    return value


def _uint32(key: str, names: Mapping[int, str] | None = None) -> Callable[[Mapping[str, Any]], str]:
    def text(entry: Mapping[str, Any]) -> str:
        value = _number(entry, key, _UINT32)
        return (names or {}).get(value, str(value))

    return text


def _pattern(key: str, form: re.Pattern[str]) -> Callable[[Mapping[str, Any]], str]:
    def text(entry: Mapping[str, Any]) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise _Unprintable(f"{key} is {value!r:.60}")
        return value

    return text


def _span(entry: Mapping[str, Any], max_value: int) -> str:
    start = _number(entry, "start", max_value)
    end = _number(entry, "end", max_value) if entry.get("end") is not None else start
    if end < start:
        raise _Unprintable(f"the range {start}-{end} is empty")
    return str(start) if start == end else f"{start}-{end}"


def _ports(entry: Mapping[str, Any]) -> str:
    return _span(entry, 0xFFFF)


def _tos(entry: Mapping[str, Any]) -> str:
    # unlike a port's, a missing end is 0
    ends = {**entry, "end": _number(entry, "end", 255)}
    return f"{_number(entry, 'mask', 255)} {_span(ends, 255)}"


def _icmp(entry: Mapping[str, Any]) -> str:
    code = -1 if entry.get("icmpCode") is None else _number(entry, "icmpCode", 255)
    return f"{_number(entry, 'icmpType', 255)} {code}"


def _prefix4(entry: Mapping[str, Any]) -> str:
    return _prefix(entry, lambda address: not looks_like_ipv6(address) and looks_like_ipv4(address))


def _prefix6(entry: Mapping[str, Any]) -> str:
    return _prefix(entry, looks_like_ipv6)


def _prefix(entry: Mapping[str, Any], fits: Callable[[str], bool]) -> str:
    text = entry.get("ip")
    if not isinstance(text, str) or "/" not in text or not fits(text.partition("/")[0]):
        raise _Unprintable(f"ip is {text!r:.60}")
    return _word(text)


_MASK = re.compile(r"[0-9a-f]{16}")
_BIT_NAMES = {bit: name for name, bit in CHARACTERISTICS.items()}


def _characteristics(entry: Mapping[str, Any]) -> str:
    text = entry.get("mask", "0" * 16)
    if not isinstance(text, str) or not _MASK.fullmatch(text):
        raise _Unprintable(f"mask is {text!r:.60}")
    mask = int(text, 16)
    for half in (mask >> 32, mask & _UINT32):
        # The compiler's halves are signed: the top bit comes out alone or not at all.
        if half > 1 << 31:
            raise _Unprintable(f"no text gives the mask {text}")
    bits = [bit for bit in range(63, -1, -1) if mask >> bit & 1]
    return ",".join(_BIT_NAMES.get(bit, str(bit)) for bit in bits) or ","


def _random(entry: Mapping[str, Any]) -> str:
    value = _number(entry, "probability", _UINT32)
    for numerator in (float(value), value + 0.5):
        share = min(numerator / _UINT32, 1.0)
        if int(_UINT32 * share) == value:
            return repr(share)
    raise _Unprintable(f"no fraction gives the probability {value}")


def _tag(entry: Mapping[str, Any], words: _TagWords) -> str:
    number, value = _number(entry, "id", _UINT32), _number(entry, "value", _UINT32)
    name, values = words.get(number, (str(number), {}))
    return f"{name} {values.get(value, str(value))}"


_ADDRESS = _pattern("zt", re.compile(r"[0-9a-f]{10}"))
_MAC = _pattern("mac", re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}"))
# `icmp` is a reserved word, so protocol 1 is written icmp4 (the later name wins).
_PROTOCOL_NAMES = {1: "icmp4", 58: "icmp6"}
_PROTOCOL_NAMES.update({n: name for name, n in PROTOCOLS.items() if n not in _PROTOCOL_NAMES})

# The tag matches are not here: they need the names of the tags.
_ARGUMENTS: dict[Kind, Callable[[Mapping[str, Any]], str]] = {
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: _ADDRESS,
    Kind.MATCH_DEST_ZEROTIER_ADDRESS: _ADDRESS,
    Kind.MATCH_VLAN_ID: _uint32("vlanId"),
    Kind.MATCH_VLAN_PCP: _uint32("vlanPcp"),
    Kind.MATCH_VLAN_DEI: _uint32("vlanDei"),
    Kind.MATCH_MAC_SOURCE: _MAC,
    Kind.MATCH_MAC_DEST: _MAC,
    Kind.MATCH_IPV4_SOURCE: _prefix4,
    Kind.MATCH_IPV4_DEST: _prefix4,
    Kind.MATCH_IPV6_SOURCE: _prefix6,
    Kind.MATCH_IPV6_DEST: _prefix6,
    Kind.MATCH_IP_TOS: _tos,
    Kind.MATCH_IP_PROTOCOL: _uint32("ipProtocol", _PROTOCOL_NAMES),
    Kind.MATCH_ETHERTYPE: _uint32("etherType", {n: name for name, n in ETHERTYPES.items()}),
    Kind.MATCH_ICMP: _icmp,
    Kind.MATCH_IP_SOURCE_PORT_RANGE: _ports,
    Kind.MATCH_IP_DEST_PORT_RANGE: _ports,
    Kind.MATCH_CHARACTERISTICS: _characteristics,
    Kind.MATCH_FRAME_SIZE_RANGE: _ports,
    Kind.MATCH_RANDOM: _random,
}
