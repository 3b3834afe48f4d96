"""Warnings about entries: what a controller or a node makes of them.

Contract: `lint_policy` needs only a policy, from text or JSON; `lint_arguments` needs the
arguments as they were written; `old_controllers_misread` is for whoever asks for an old version.
Codes and texts as in `diagnostics.codes`.
Tested by tests/lang/test_lint.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any

from ztfast.errors import Diagnostic, Fix, Severity, Source, Span
from ztfast.lang.matches import quote
from ztfast.lang.numbers import mask_text, parse_fraction, parse_number
from ztfast.lang.pasted import range_help, range_of
from ztfast.lang.rewrites import replaced, without_first_or
from ztfast.model.entries import read_entry, read_mac
from ztfast.model.kinds import KINDS, Kind
from ztfast.model.names import CHARACTERISTICS
from ztfast.model.policy import (
    MAX_BASE_RULES,
    MAX_CAPABILITIES,
    MAX_CAPABILITY_RULES,
    MAX_TAGS,
    Policy,
    Rule,
)

_KINDS = {kind.name: kind for kind in Kind}
_PORTS = frozenset({"MATCH_IP_SOURCE_PORT_RANGE", "MATCH_IP_DEST_PORT_RANGE"})
_PROTOCOLS = frozenset({"MATCH_IP_PROTOCOL", "MATCH_ETHERTYPE"})
_ACCEPTING = frozenset({"ACTION_ACCEPT", "ACTION_REDIRECT", "ACTION_PRIORITY"})


def lint_policy(policy: Policy) -> list[Diagnostic]:
    """Warnings about the entries, capabilities and tags of a policy."""
    found = list(_Rules(policy, policy.rules, "the base rules", False).findings())
    for capability in policy.capabilities:
        name = f"the capability {capability.name or capability.id}"
        found += _Rules(policy, capability.rules, name, True).findings()
    found += _limits(policy)
    every = [*policy.rules, *(rule for cap in policy.capabilities for rule in cap.rules)]
    if not any(rule.json.get("type") in _ACCEPTING for rule in every):
        found.append(
            warning(
                "ZT125",
                "no action accepts: the network discards every frame",
                None,
                policy.source,
                "end the base rules with `accept;`",
            )
        )
    return found


def _limits(policy: Policy) -> Iterator[Diagnostic]:
    def cut(code: str, count: int, kept: int, what: str, span: Span | None) -> Diagnostic:
        return warning(
            code,
            f"{count} {what}: a controller takes {kept} and silently cuts the rest off",
            span,
            policy.source,
            "use fewer: ranges, tags, or one match for several values",
        )

    if len(policy.rules) > MAX_BASE_RULES:
        first = policy.rules[MAX_BASE_RULES]
        yield cut(
            "ZT121", len(policy.rules), MAX_BASE_RULES, "base entries", first.parent or first.span
        )
    for cap in policy.capabilities:
        if len(cap.rules) > MAX_CAPABILITY_RULES:
            name = f"entries in the capability {cap.name or cap.id}"
            first = cap.rules[MAX_CAPABILITY_RULES]
            place = first.parent or first.span
            yield cut("ZT122", len(cap.rules), MAX_CAPABILITY_RULES, name, place)
    # A member is given so many: definitions count as far as every member has what they define.
    held = [cap for cap in policy.capabilities if cap.default]
    if len(held) > MAX_CAPABILITIES:
        what, place = "capabilities of every member", held[MAX_CAPABILITIES].span
        yield cut("ZT123", len(held), MAX_CAPABILITIES, what, place)
    had = [tag for tag in policy.tags if tag.default is not None]
    if len(had) > MAX_TAGS:
        yield cut("ZT124", len(had), MAX_TAGS, "tags of every member", had[MAX_TAGS].span)


class _Rules:
    """One list of entries."""

    def __init__(self, policy: Policy, rules: Sequence[Rule], where: str, capability: bool) -> None:
        self._policy = policy
        self._rules = rules
        self._where = where
        self._capability = capability

    def findings(self) -> Iterator[Diagnostic]:
        matches: list[int] = []
        for index, rule in enumerate(self._rules):
            kind = _KINDS.get(str(rule.json.get("type"))[:60])
            if kind is None:
                continue
            if not kind.is_action:
                matches.append(index)
                yield from self._match(index, kind, rule.json)
                continue
            yield from self._set(matches)
            matches = []
            yield from self._action(index, kind, rule.json)
        if matches:
            yield self._at(
                matches[0],
                "ZT120",
                "no action follows this match: it does nothing",
                "add an action after it, or remove it",
            )

    def _at(
        self, index: int, code: str, message: str, help: str, fix: Fix | None = None
    ) -> Diagnostic:
        span = self._rules[index].span
        if span is None:
            message = f"entry {index} of {self._where}: {message}"
        return warning(code, message, span, self._policy.source, help, fix)

    def _replaced(self, index: int, old: str, new: str, *, safe: bool = False) -> Fix | None:
        """Another text in an entry, where it stands there itself and not for a macro's `$`."""
        span, source = self._rules[index].span, self._policy.source
        if span is None or source is None:
            return None
        return replaced(source, span, old, new, safe=safe)

    def _action(self, index: int, kind: Kind, entry: Mapping[str, Any]) -> Iterator[Diagnostic]:
        if kind is Kind.ACTION_DROP and self._capability:
            yield self._at(
                index,
                "ZT119",
                "`drop` in a capability ends only this capability: the next one may still accept",
                "forbid in the base rules; use `break` here to say what it does",
            )
        address = entry.get("address")
        if isinstance(address, str) and not re.fullmatch(r"[0-9a-fA-F]{10}", address):
            yield self._at(
                index,
                "ZT108",
                f"{quote(address)} is not a ZeroTier address: what hex digits it starts with count",
                "write the 10 hex digits of the member's address",
            )

    # --- sets of matches

    def _set(self, matches: list[int]) -> Iterator[Diagnostic]:
        if not matches:
            return
        either = [self._rules[index].json.get("or") is True for index in matches]
        if either[0]:
            yield self._at(
                matches[0],
                "ZT106",
                "a first match with `or` is always true, since the set starts true",
                "drop the `or`",
                without_first_or(self._policy.source, self._rules, matches[0]),
            )
        # The first match begins the set; only what joins the others can mix.
        joins = either[1:]
        if True in joins and False in joins:
            change = next(i for i in range(1, len(joins)) if joins[i] != joins[i - 1])
            finding = self._at(
                matches[change + 1],
                "ZT105",
                "`and` and `or` fold from left to right, without precedence: "
                + ("(a and b) or c" if joins[change] else "(a or b) and c"),
                "split the rule in two actions if you mean something else",
            )
            usual = self._is_port_list(matches, joins)
            yield replace(finding, severity=Severity.NOTE) if usual else finding

    def _is_port_list(self, matches: list[int], joins: list[bool]) -> bool:
        """`ipprotocol tcp and dport 22 or dport 80 or …`, as the official manual writes it.

        It also takes the later ports of other protocols, which is seldom what matters.
        """
        kinds = [str(self._rules[index].json.get("type")) for index in matches]
        first = joins.index(True) + 1 if True in joins else 0
        return (
            all(joins[first - 1 :])
            and set(kinds[: first - 1]) <= _PROTOCOLS
            and kinds[first - 1] in _PORTS
            and set(kinds[first:]) == {kinds[first - 1]}
        )

    # --- single matches

    def _match(self, index: int, kind: Kind, entry: Mapping[str, Any]) -> Iterator[Diagnostic]:
        if kind in _PREFIXES:
            yield from self._prefix(index, entry.get("ip"), kind)
        if kind in _MACS:
            yield from self._mac(index, entry.get("mac"))
        if kind is Kind.MATCH_CHARACTERISTICS:
            yield from self._macauth(index, entry)
        for field in KINDS[kind].fields:
            if field.form != "number" or field.bits >= 32:
                continue
            value = entry.get(field.json)
            if isinstance(value, int) and value >> field.bits:
                cut = value & ((1 << field.bits) - 1)
                yield self._at(
                    index,
                    "ZT112",
                    f"a controller cuts {field.json} {value} to {field.bits} bits: {cut}",
                    f"write a number up to {(1 << field.bits) - 1}",
                )

    def _macauth(self, index: int, entry: Mapping[str, Any]) -> Iterator[Diagnostic]:
        read = read_entry(entry)
        bits = (read.value[0] or 0) if read is not None else 0
        if bits != 1 << CHARACTERISTICS["macauth"]:
            return  # beside others it changes nothing
        inverted = entry.get("not") is True
        what = "`not chr macauth` is always" if inverted else "`chr macauth` is never"
        yield self._at(
            index,
            "ZT130",
            f"{what} true on a real network: controllers certify IP addresses, never MACs",
            "use `chr ipauth`, or remove the match",
            self._replaced(index, "macauth", "ipauth"),
        )

    def _mac(self, index: int, text: Any) -> Iterator[Diagnostic]:
        if isinstance(text, str) and not _MAC.fullmatch(text.translate(_MAC_SEPARATORS)):
            reads = read_mac(text).to_bytes(6, "big").hex(":")
            yield self._at(
                index,
                "ZT128",
                f"{quote(text)} is not a MAC address: a controller reads {reads}",
                "write six pairs of hex digits, as 02:00:00:00:00:01",
            )

    def _prefix(self, index: int, text: Any, kind: Kind) -> Iterator[Diagnostic]:
        if not isinstance(text, str):
            return
        address, _, bits = text.partition("/")
        width, value = _PREFIXES[kind], None
        if "%" not in address:  # a zone is not part of an address here
            try:
                value = int(IPv4Address(address) if width == 32 else IPv6Address(address))
            except AddressValueError:
                value = None
        if value is None:
            zero = "0.0.0.0" if width == 32 else "::"
            message = f"{quote(address)} is not an address: a controller reads {zero}"
            yield self._at(index, "ZT108", message, "write an IPv4 or IPv6 address")
        if not (bits.isascii() and bits.isdecimal() and int(bits[:9]) <= width):
            shown = quote(bits) if bits else "nothing"
            yield self._at(
                index,
                "ZT109",
                f"{shown} is not a prefix length: a controller reads what number it can",
                f"write a number from 0 to {width} after the slash",
            )
        elif value is not None and value & ((1 << (width - int(bits[:9]))) - 1):
            yield self._host_bits(index, text, value, int(bits[:9]), width)

    def _host_bits(self, index: int, old: str, value: int, bits: int, width: int) -> Diagnostic:
        network = value >> (width - bits) << (width - bits)
        text = f"{IPv4Address(network) if width == 32 else IPv6Address(network)}/{bits}"
        fix = self._replaced(index, old, text, safe=width == 32)
        if width == 32:
            message = "bits beyond the prefix length are set: they are ignored"
            return self._at(index, "ZT111", message, f"write `{text}`", fix)
        message = "bits beyond the prefix length are set: this match is never true"
        return self._at(index, "ZT110", message, f"write `{text}`", fix)


_PREFIXES = {
    Kind.MATCH_IPV4_SOURCE: 32,
    Kind.MATCH_IPV4_DEST: 32,
    Kind.MATCH_IPV6_SOURCE: 128,
    Kind.MATCH_IPV6_DEST: 128,
}
_MACS = frozenset({Kind.MATCH_MAC_SOURCE, Kind.MATCH_MAC_DEST})
_MAC = re.compile(r"[0-9a-fA-F]{12}")
_MAC_SEPARATORS = str.maketrans("", "", ":-")  # what a controller removes, wherever it stands


# --- what only some controllers do


def old_controllers_misread(policy: Policy) -> Diagnostic | None:
    """A note on MACs whose colons a controller before 1.14.1 takes for digits, or None."""
    every = [*policy.rules, *(rule for cap in policy.capabilities for rule in cap.rules)]
    texts = [str(rule.json.get("mac")) for rule in every if _is_mac(rule)]
    misread = [text for text in texts if ":" in text or "-" in text]
    if not misread:
        return None
    count = f"{len(misread)} matches of MACs" if len(misread) > 1 else "a match of a MAC"
    return Diagnostic(
        "ZT129",
        f"controllers before 1.14.1 misread {count} ({quote(misread[0])}): they take colons for "
        "digits, so nodes compare with another address",
        Severity.NOTE,
        path=policy.source.name if policy.source is not None else None,
        help="verdicts are those behind a controller of 1.14.1 or later, the MACs read as written",
    )


def _is_mac(rule: Rule) -> bool:
    return _KINDS.get(str(rule.json.get("type"))[:60]) in _MACS


# --- arguments as written

_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)")
_RANGE = re.compile(rf"{_NUMBER.pattern}(?:-{_NUMBER.pattern})?")
_FRACTION = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TAGGED = ("tand", "tor", "txor", "tdiff", "teq", "tseq", "treq")
_NAMED = frozenset({"ethertype", "ipprotocol", *_TAGGED})
# The forms of the arguments that are numbers.
_FORMS: dict[str, tuple[re.Pattern[str], ...]] = {
    **dict.fromkeys(("sport", "dport", "framesize"), (_RANGE,)),
    **dict.fromkeys(("vlan", "vlanpcp", "vlandei", "tee", "watch"), (_NUMBER,)),
    **dict.fromkeys(("ethertype", "ipprotocol"), (_NUMBER,)),
    **dict.fromkeys(_TAGGED, (_NUMBER, _NUMBER)),
    "iptos": (_NUMBER, _RANGE),
    "icmp": (_NUMBER, _NUMBER),
    "random": (_FRACTION,),
}
_UNREADABLE = {"random": "0", "icmp": "any code", "tee": "-1", "watch": "-1"}


def lint_arguments(
    arguments: Iterable[tuple[str, list[str], Span]], source: Source
) -> Iterator[Diagnostic]:
    """Warnings about arguments of matches that are read otherwise than they look."""
    for word, values, span in arguments:
        if word == "chr":
            yield from _characteristics(values[0], span, source)
        for value, form in zip(values, _FORMS.get(word, ()), strict=False):
            if form.fullmatch(value):
                continue
            readable = (parse_fraction if word == "random" else parse_number)(value) is not None
            if readable:
                yield _odd_number(value, span, source)
            elif word not in _NAMED:  # else a name, which counts as a whole
                yield _unreadable(value, _UNREADABLE.get(word, "0"), span, source)


def _odd_number(text: str, span: Span, source: Source) -> Diagnostic:
    meant = range_of(text)
    closed = (
        "a blank must stand before each `;`, or it is part of the word"
        if text.endswith(";")
        else ""
    )
    return warning(
        "ZT126",
        f"only the number that {quote(text)} starts with counts, the rest is ignored",
        span,
        source,
        closed
        or range_help(text)
        or "write the number alone; for several values join matches with `or`",
        None if meant is None else replaced(source, span, text, meant),
    )


def _unreadable(text: str, becomes: str, span: Span, source: Source) -> Diagnostic:
    message = f"{quote(text)} is not a number and is read as {becomes}"
    return warning("ZT126", message, span, source, "write what you mean as a number")


def _characteristics(text: str, span: Span, source: Source) -> Iterator[Diagnostic]:
    items = [item for item in text.split(",") if item]
    bits = [CHARACTERISTICS.get(item, parse_number(item)) for item in items]
    if any(item not in CHARACTERISTICS and not _NUMBER.fullmatch(item) for item in items):
        yield _odd_number(text, span, source)
    wanted = sum(1 << bit for bit in {bit for bit in bits if bit is not None})
    made = int(mask_text(bit for bit in bits if bit is not None), 16)
    if wanted != made:
        yield warning(
            "ZT107",
            f"{quote(text)} becomes the mask {made:016x} instead of {wanted:016x}: "
            "bit 63 (inbound) or 31 overwrites the others of its half",
            span,
            source,
            "give that bit a match of its own: `chr inbound or chr …`",
        )


def warning(
    code: str,
    message: str,
    span: Span | None,
    source: Source | None,
    help: str,
    fix: Fix | None = None,
) -> Diagnostic:
    """A warning with a place."""
    fixes = () if fix is None else (fix,)
    return Diagnostic(code, message, Severity.WARNING, span, source, help=help, fixes=fixes)
