"""Files of test cases: TOML or YAML in, a `Suite` out.

Contract: `read_suite` checks every key, type and name; a CaseError names the line and column
of broken TOML or YAML, else the key's path (`case[3].port`).  The form is in docs/test.md.
Tested by tests/suite/test_file.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from ztfast.errors import Diagnostic, FrameError, NetworkError, ZtfastError
from ztfast.explain.contexts import with_member_macs
from ztfast.frames.frame import Frame
from ztfast.frames.notation import FrameSpec, parse_frame
from ztfast.model.addresses import parse_address
from ztfast.model.names import ETHERTYPES
from ztfast.model.policy import Policy
from ztfast.model.reads import Reads
from ztfast.network.documents import Node, beside, read_document
from ztfast.network.load import load_network
from ztfast.network.members import Member, Network, make_network
from ztfast.network.toml import RuleNames, parse_toml, read_toml_member
from ztfast.network.values import read_network_id
from ztfast.suite.expand import expanded
from ztfast.suite.yaml_reader import YamlError, parse_yaml

MADE_UP_ID = 0x7E57000000000000
MADE_UP_ADDRESS = 0x7E57000000

_TOP = frozenset(("network", "id", "engine", "member", "case"))
_NAMES = frozenset(("name", "engine"))
_FLOW = frozenset(
    (
        *("from", "to", "source", "dest", "proto", "port", "sport", "flags", "type", "code"),
        *("len", "tos", "vlan", "ethertype", "frame", "direction"),
        *("expect", "reply", "tee", "redirect"),
    )
)
_CAPTURE = frozenset(("capture", "accepted", "dropped", "redirected", "frames", "side"))
_PORTED = ("tcp", "udp", "sctp", "udplite")
_VERDICTS = ("accept", "drop", "redirect")


class CaseError(ZtfastError, ValueError):
    """A file of test cases that is refused."""


@dataclass(frozen=True)
class FlowCase:
    """One frame (and perhaps its reply) with what is expected of it.

    expect: "accept", "drop" or "redirect"; reply_expect the same for `reply`.
    copies: None: not looked at; else the targets of every tee and watch, in any order.
    redirect: the address that it must be redirected to.  direction: "both", "out" or "in".
    label: what tells it from the other frames of its case, "" where it has only this one.
    """

    name: str
    place: str
    engine: str
    direction: str
    text: str
    frame: Frame
    expect: str
    copies: tuple[int, ...] | None = None
    redirect: int | None = None
    reply: Frame | None = None
    reply_text: str = ""
    reply_expect: str = ""
    label: str = ""


@dataclass(frozen=True)
class CaptureCase:
    """A capture with the numbers of frames that are expected (None: not looked at)."""

    name: str
    place: str
    engine: str
    side: str
    path: str
    counts: dict[str, int]


@dataclass(frozen=True)
class Suite:
    """A file's cases and the network that they play in; `files`: what it read or will read."""

    name: str
    network: Network
    cases: tuple[FlowCase | CaptureCase, ...]
    files: tuple[str, ...]


def read_suite(path: str, policy: Policy, network: Network | None = None) -> Suite:
    """The cases of a file for this policy (its tags and capabilities by name).

    network: whose members the cases may name where the file names no network.
    """
    try:
        document = Node(_parsed(path), path)
        return _Reader(document, policy, network).suite()
    except (NetworkError, YamlError) as error:
        raise CaseError(*map(_as_case_error, error.diagnostics)) from None


def _as_case_error(found: Diagnostic) -> Diagnostic:
    return replace(found, code="ZT440") if found.code in ("ZT551", "ZT552", "ZT553") else found


def _parsed(path: str) -> Any:
    data = read_document(path)
    if Path(path).suffix.lower() in (".yaml", ".yml", ".json"):
        return parse_yaml(data, path)
    try:
        return parse_toml(data, path)
    except NetworkError as error:
        raise CaseError(*map(_as_toml, error.diagnostics)) from None


def _as_toml(found: Diagnostic) -> Diagnostic:
    message = found.message.replace("is neither JSON nor TOML", "is not TOML")
    help = "wanted are test cases: [[case]] tables in TOML (docs/test.md), or a .yaml file"
    return replace(found, code="ZT440", message=message, help=help)


# --- the document --------------------------------------------------------------------------


class _Reader:
    def __init__(self, document: Node, policy: Policy, network: Network | None) -> None:
        self.document, self.policy, self.given = document, policy, network
        self.files = [document.name]

    def suite(self) -> Suite:
        """The whole document."""
        _refuse_others(self.document, _TOP)
        self.network = self._network()
        named = Counter(member.name for member in self.network.members)
        self.twice = {name for name, count in named.items() if count > 1}
        self.members = {member.name: member for member in self.network.members if member.name}
        engine = _choice(self.document, "engine", ("1.14", "1.12"), "1.14")
        cases = self.document.get("case")
        found: list[FlowCase | CaptureCase] = []
        wrong: list[Diagnostic] = []
        for node in () if cases is None else cases.items():
            try:
                found += self._case(node, engine)
            except NetworkError as error:
                wrong += dict.fromkeys((*error.diagnostics, *self._also_wrong(node)))
        if wrong:
            raise NetworkError(*wrong)
        if not found:
            self.document.refuse("no cases", "add [[case]] tables (docs/test.md)")
        return Suite(self.document.name, self.network, tuple(found), tuple(self.files))

    def _network(self) -> Network:
        named = self.document.get("network")
        base = self.given or Network(id=MADE_UP_ID)
        if named is not None:
            path = str(beside(self.document.name, named.text()))
            self.files.append(path)
            base = load_network(path)
        network_id = self.document.get("id")
        return make_network(
            (*base.members, *self._members()),
            id=(base.id or MADE_UP_ID) if network_id is None else read_network_id(network_id),
            policy=self.policy,
            private=base.private,
            assigns_rfc4193=base.assigns_rfc4193,
            assigns_6plane=base.assigns_6plane,
            path=self.document.name,
        )

    def _members(self) -> Iterator[Member]:
        names = RuleNames(self.policy)
        nodes = self.document.get("member")
        seen: set[str] = set()
        for index, node in enumerate(nodes.items() if nodes is not None else ()):
            address = f"{MADE_UP_ADDRESS + index + 1:010x}"
            made = Node({"address": address, **node.table()}, node.name, node.path)
            member = read_toml_member(made, names)
            if member.name in seen:
                node.child("name").refuse("two members have this name")
            if member.name:
                seen.add(member.name)
            yield member

    def _case(self, node: Node, engine: str) -> list[FlowCase | CaptureCase]:
        """A case's capture, or its frames."""
        engine = _choice(node, "engine", ("1.14", "1.12"), engine)
        name = _text(node, "name") or f"{node.path}"
        if node.get("capture") is not None:
            return [self._capture(node, name, engine)]
        _refuse_others(node, _NAMES | _FLOW)
        return [
            replace(self._flow(one, name, engine), label=label) for label, one in expanded(node)
        ]

    def _also_wrong(self, node: Node) -> Iterator[Diagnostic]:
        """What else is wrong with a flow's case, each key looked at by itself."""
        if not isinstance(node.value, dict) or "capture" in node.table():
            return
        table = node.table()
        checks: list[Callable[[], Any]] = [partial(_refuse_others, node, _NAMES | _FLOW)]
        if "frame" not in table:
            for key, ip_key in (("from", "source"), ("to", "dest")):
                if not isinstance(table.get(key), list):
                    checks.append(partial(self._end, node, key, ip_key))
        default = "redirect" if "redirect" in table else None
        if not {"allow", "deny"} & {*table}:
            checks.append(partial(_choice, node, "expect", _VERDICTS, default, required=True))
        checks.append(partial(_choice, node, "direction", ("both", "out", "in"), "both"))
        for check in checks:
            try:
                check()
            except NetworkError as error:
                yield from error.diagnostics

    # --- captures

    def _capture(self, node: Node, name: str, engine: str) -> CaptureCase:
        _refuse_others(node, _NAMES | _CAPTURE)
        path = str(beside(node.name, node.child("capture").text()))
        self.files.append(path)
        counts = {
            key: value.integer(48)
            for key in ("accepted", "dropped", "redirected", "frames")
            if (value := node.get(key)) is not None
        }
        if not counts:
            node.refuse("a capture without an expected number", "give accepted, dropped or frames")
        side = _choice(node, "side", ("both", "out", "in"), "both")
        return CaptureCase(name, node.path, engine, side, path, counts)

    # --- flows

    def _flow(self, node: Node, name: str, engine: str) -> FlowCase:
        spec, back = self._specs(node)
        redirect = node.get("redirect")
        expect = _choice(
            node, "expect", _VERDICTS, None if redirect is None else "redirect", required=True
        )
        reply = node.get("reply")
        if reply is not None and back is None:
            reply.refuse("this frame has no reply", "use proto tcp, udp or icmp, and from and to")
        return FlowCase(
            name=name,
            place=node.path,
            engine=engine,
            direction=_choice(node, "direction", ("both", "out", "in"), "both"),
            text=spec.text,
            frame=self._frame(node, spec, "from", "to"),
            expect=expect,
            copies=self._copies(node.get("tee")),
            redirect=None if redirect is None else self._address(redirect),
            reply=None if reply is None or back is None else self._frame(node, back, "to", "from"),
            reply_text=back.text if back is not None else "",
            reply_expect="" if reply is None else _choice(node, "reply", _VERDICTS, None),
        )

    def _specs(self, node: Node) -> tuple[FrameSpec, FrameSpec | None]:
        """The flow's frame, and that of its reply where it can have one."""
        frame = node.get("frame")
        if frame is None:
            return self._of_fields(node)
        for key in ("proto", "port", "sport", "flags", "type", "code", "len", "tos", "vlan"):
            if node.get(key) is not None:
                node.child(key).refuse("`frame` says that already", "leave one of them out")
        return _spec(frame, frame.text()), None

    def _of_fields(self, node: Node) -> tuple[FrameSpec, FrameSpec | None]:
        options = "".join(
            f" {key} {value.integer(16)}"
            for key in ("len", "tos", "vlan")
            if (value := node.get(key)) is not None
        )
        ethertype = node.get("ethertype")
        if ethertype is not None:
            number = ethertype.value
            if not isinstance(number, str) or number not in ETHERTYPES:
                number = ethertype.integer(16)
            return _spec(ethertype, f"ethertype {number}{options}"), None
        proto = node.get("proto")
        if proto is None:
            node.refuse("no `proto`, `ethertype` or `frame`", 'as: proto = "tcp"')
        source, dest = self._ips(node)
        kind = proto.value
        if kind in _PORTED:
            return self._ported(node, kind, source, dest, options)
        if kind == "icmp":
            return self._icmp(node, source, dest, options)
        if kind == "arp":
            answer = _spec(proto, f"arp {dest} > {source} reply")
            return _spec(proto, f"arp {source} > {dest}{options}"), answer
        if isinstance(kind, str):
            proto.wrong(f"{', '.join(_PORTED)}, icmp, arp or a number")
        number = proto.integer(8)
        there, back = (f"ip {a} > {b} proto {number}{options}" for a, b in _both(source, dest))
        return _spec(proto, there), _spec(proto, back)

    def _ported(
        self, node: Node, kind: str, source: str, dest: str, options: str
    ) -> tuple[FrameSpec, FrameSpec | None]:
        port, sport = node.get("port"), node.get("sport")
        if port is None:
            node.refuse("no `port`", "the port that the flow goes to, as: port = 443")
        flags = _text(node, "flags")
        if kind != "tcp" and flags:
            node.child("flags").refuse("only TCP has flags", "leave it out")
        there_flags = back_flags = ""
        if kind == "tcp":
            there_flags = f" {flags or 'syn'}"
            back_flags = " syn,ack" if there_flags == " syn" else " ack"
        from_port = 50000 if sport is None else sport.integer(16)
        first, second = _host(source, from_port), _host(dest, port.integer(16))
        there = f"{kind} {first} > {second}{there_flags}{options}"
        return (
            _spec(node, there),
            _spec(node, f"{kind} {second} > {first}{back_flags}{options}"),
        )

    def _icmp(
        self, node: Node, source: str, dest: str, options: str
    ) -> tuple[FrameSpec, FrameSpec | None]:
        kind, code = node.get("type"), node.get("code")
        if kind is None:
            message, back = "echo-request", "echo-reply"
        elif isinstance(kind.value, str):
            message, back = kind.value, "echo-reply"
        else:
            message = f"type {kind.integer(8)}"
            back = "echo-reply"
            if code is not None:
                message += f" code {code.integer(8)}"
        there = _spec(node if kind is None else kind, f"icmp {source} > {dest} {message}{options}")
        if message != "echo-request":
            return there, None
        return there, _spec(node, f"icmp {dest} > {source} {back}{options}")

    def _ips(self, node: Node) -> tuple[str, str]:
        """The IP addresses of both ends, of one family."""
        ends = [self._end(node, "from", "source"), self._end(node, "to", "dest")]
        for width in (4, 16):
            source, dest = ([ip for ip in end if len(ip) == width] for end in ends)
            if source and dest:
                return str(ip_address(source[0])), str(ip_address(dest[0]))
        node.refuse(
            "the two ends have no IP addresses of one family",
            "give the members ips, or the case source and dest",
        )

    def _end(self, node: Node, key: str, ip_key: str) -> Sequence[bytes]:
        own = node.get(ip_key)
        if own is not None:
            packed = _packed(own.text())
            if packed is None:
                own.wrong("an IP address")
            return [packed]
        place = node.get(key)
        if place is None:
            node.refuse(f"no `{key}`", "a member's name or address, or an IP address")
        packed = _packed(place.text())
        if packed is not None:
            return [packed]
        member = self._member(place)
        return [*member.ips, *sorted(self.network.ips(member) - set(member.ips))]

    def _member(self, place: Node) -> Member:
        text = place.text()
        if text in self.twice:
            place.refuse(f"two members have the name {text!r:.60}", "use the ZeroTier address")
        if text in self.members:
            return self.members[text]
        address = parse_address(text)
        for member in self.network.members:
            if member.address == address:
                return member
        known = ", ".join(sorted(self.members)[:10]) or "none has a name"
        place.refuse(f"{text!r:.60} is neither a member nor an IP address", f"members are: {known}")

    def _frame(self, node: Node, spec: FrameSpec, source_key: str, dest_key: str) -> Frame:
        """The frame with the MACs of its ends."""
        frame = spec.frame
        source, dest = self._mac(node.get(source_key)), self._mac(node.get(dest_key))
        if source is not None and frame.unknown & Reads.MAC_SOURCE:
            frame = frame._replace(mac_source=source, unknown=frame.unknown & ~Reads.MAC_SOURCE)
        if dest is not None and frame.unknown & Reads.MAC_DEST:
            frame = frame._replace(mac_dest=dest, unknown=frame.unknown & ~Reads.MAC_DEST)
        return with_member_macs(replace(spec, frame=frame), self.network)

    def _mac(self, place: Node | None) -> int | None:
        """The MAC of the member that an end names; None for an IP address, or for nothing."""
        if place is None or _packed(place.text()) is not None:
            return None
        return self.network.mac(self._member(place))

    # --- expectations

    def _copies(self, node: Node | None) -> tuple[int, ...] | None:
        if node is None:
            return None
        if node.value is False:
            return ()
        places = list(node.items()) if isinstance(node.value, list) else [node]
        return tuple(self._address(place) for place in places)

    def _address(self, place: Node) -> int:
        number = parse_address(place.text())
        return self._member(place).address if number is None else number


def _both(source: str, dest: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (source, dest), (dest, source)


def _host(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _packed(text: str) -> bytes | None:
    if "%" in text:
        return None
    try:
        return (IPv6Address if ":" in text else IPv4Address)(text).packed
    except AddressValueError:
        return None


def _spec(node: Node, text: str) -> FrameSpec:
    """The frame of a text; what is wrong in it is an error at this node."""
    try:
        return parse_frame(text)
    except FrameError as error:
        found = error.diagnostics[0]
        column = "" if found.span is None else f" (column {found.span.column} of `{text:.80}`)"
        node.refuse(f"{found.message}{column}", found.help)


def _refuse_others(node: Node, known: frozenset[str]) -> None:
    """Raise a NetworkError about every key that is not known."""
    wrong: list[Diagnostic] = []
    for key in node.table():
        if key not in known:
            try:
                node.child(key).refuse(
                    "an unknown key", f"known here are {', '.join(sorted(known))}"
                )
            except NetworkError as error:
                wrong += error.diagnostics
    if wrong:
        raise NetworkError(*wrong)


def _text(node: Node, key: str) -> str:
    value = node.get(key)
    return "" if value is None else value.text()


def _choice(
    node: Node, key: str, choices: tuple[str, ...], default: str | None, required: bool = False
) -> str:
    value = node.get(key)
    if value is None:
        if default is None:
            node.refuse(f"no `{key}`", f"one of {', '.join(choices)}")
        return default
    text = str(value.value) if isinstance(value.value, float) else value.text()
    if text not in choices:
        value.refuse(f"{text!r:.40} is none of {', '.join(choices)}")
    if required and key == "expect" and default == "redirect" and text != "redirect":
        value.refuse("a frame that is redirected is not kept", 'leave `expect` out, or "redirect"')
    return text
