"""From an assignment of fields to a real frame and its circumstances, and both evaluators' word.

Contract: `frame_of` builds a frame whose fields are those of the assignment, `context_of`
the circumstances of one side; `replay` runs them through the reference and the native
evaluator and raises BackendError (ZT291) where they disagree: nothing is said of a frame that
both have not judged.  `fields_of` reads a frame back.  Tested by tests/proof/test_witness.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ztfast import dispatch
from ztfast.engine.context import FrameContext, Outcome
from ztfast.engine.reference import evaluate
from ztfast.errors import BackendError, Diagnostic
from ztfast.frames.frame import Frame
from ztfast.frames.headers import PORT_PROTOCOLS, Header, payload_number, read_header
from ztfast.model.kinds import Entry, Kind
from ztfast.model.view import View
from ztfast.proof.formula import Assignment
from ztfast.proof.frame_model import ARP, IPV4, IPV6

# --- frames


def frame_of(assignment: Assignment, prefix: str = "") -> Frame:
    """The frame that an assignment describes; fields that it does not name get usual values."""
    found = _FrameFields(assignment, prefix)
    ethertype, length = found["ethertype"], found["length"]
    payload = bytearray(length)
    if ethertype == IPV4 and length >= 20:
        _ipv4(payload, found)
    elif ethertype == IPV6 and length >= 40:
        _ipv6(payload, found)
    elif ethertype == ARP and length >= 28:
        payload[:8] = bytes.fromhex("0001080006040001")
        payload[8:14] = found["mac_source"].to_bytes(6, "big")
        payload[14:18] = (found["source4"] or 0x0A000001).to_bytes(4, "big")
        payload[24:28] = (found["dest4"] or 0x0A000002).to_bytes(4, "big")
    for name, value in assignment.items():
        if name.startswith(f"{prefix}byte."):
            at = int(name[len(prefix) + 5 :])
            if at < length:
                payload[at] = value
    return Frame(
        bytes(payload), length, ethertype, found["vlan"], found["mac_source"], found["mac_dest"]
    )


class _FrameFields:
    """An assignment's fields of one frame; those that it does not name are 0."""

    def __init__(self, assignment: Assignment, prefix: str) -> None:
        self._assignment, self._prefix = assignment, prefix

    def __getitem__(self, name: str) -> int:
        return self._assignment.get(self._prefix + name, 0)


def _ipv4(payload: bytearray, found: _FrameFields) -> None:
    position = found["position"]
    payload[0] = 0x40 | position // 4
    payload[1] = found["tos"]
    payload[2:4] = len(payload).to_bytes(2, "big")
    payload[8], payload[9] = 64, found["protocol"]
    payload[12:16] = found["source4"].to_bytes(4, "big")
    payload[16:20] = found["dest4"].to_bytes(4, "big")
    _transport(payload, found, position)
    if 20 <= position <= len(payload):
        payload[10:12] = _checksum(payload[:position]).to_bytes(2, "big")


def _checksum(header: bytearray) -> int:
    """The Internet checksum (RFC 1071) of a header whose checksum field is 0."""
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _ipv6(payload: bytearray, found: _FrameFields) -> None:
    length, tos, protocol = len(payload), found["tos"], found["protocol"]
    payload[0], payload[1] = 0x60 | tos >> 4, (tos & 0x0F) << 4
    payload[4:6] = (length - 40).to_bytes(2, "big")
    payload[7] = 64
    payload[8:24] = found["source6"].to_bytes(16, "big")
    payload[24:40] = found["dest6"].to_bytes(16, "big")
    end = found["position"] if found["chain_valid"] else 1 << 17
    next_at, at = 6, 40
    while at < end:
        payload[next_at] = 60  # destination options, of zeros: one-byte padding
        if at + 8 > length:
            return
        units = min((end - at) // 8, 256) - 1
        next_at, payload[at + 1] = at, units
        at += (units + 1) * 8
        if at > length:
            return
    payload[next_at] = protocol
    _transport(payload, found, at)
    if protocol == 58 and at == 40 and found["icmp_type"] == 136 and length >= 64:
        payload[48:64] = found["source6"].to_bytes(16, "big")


def _transport(payload: bytearray, found: _FrameFields, at: int) -> None:
    protocol = found["protocol"]
    if protocol in PORT_PROTOCOLS and len(payload) > at + 4:
        payload[at : at + 2] = found["sport"].to_bytes(2, "big")
        payload[at + 2 : at + 4] = found["dport"].to_bytes(2, "big")
    if protocol == 6:
        _tcp(payload, found["tcp"], at)
    elif protocol in (17, 136) and 20 <= at <= len(payload) - 8:
        payload[at + 4 : at + 6] = (len(payload) - at).to_bytes(2, "big")
    elif protocol in (1, 58) and len(payload) >= at + 2:
        payload[at], payload[at + 1] = found["icmp_type"], found["icmp_code"]


def _tcp(payload: bytearray, bits: int, at: int) -> None:
    if len(payload) > at + 12:
        above = payload[at + 12] & 0xF0 if at < 20 else 0x50
        payload[at + 12] = above | bits >> 8
    if len(payload) > at + 13:
        payload[at + 13] = bits & 0xFF


def auth_address(frame: Frame) -> bytes | None:
    """The address that ipauth looks at (spec section 4), None where it looks at none."""
    payload = frame.payload
    if frame.ethertype == IPV4 and frame.length >= 20:
        return payload[12:16]
    if frame.ethertype == IPV6 and frame.length >= 40:
        if payload[6] == 58 and frame.length >= 64 and payload[40] in (135, 136):
            return None if payload[40] == 135 else payload[48:64]
        return payload[8:24]
    if frame.ethertype == ARP and frame.length >= 28:
        return payload[14:18]
    return None


def fields_of(frame: Frame, owns_ip: bool = False, owns_mac: bool = False) -> dict[str, int]:
    """The assignment that a whole frame (nothing cut off) has; the inverse of `frame_of`."""
    found = {
        "ethertype": frame.ethertype,
        "vlan": frame.vlan,
        "mac_source": frame.mac_source,
        "mac_dest": frame.mac_dest,
        "length": frame.length,
        "owns_ip": int(owns_ip),
        "owns_mac": int(owns_mac),
    }
    header = read_header(frame)
    if header.source_ip is not None and header.dest_ip is not None:
        found["tos"] = header.tos or 0
        found[f"source{header.version}"] = int.from_bytes(header.source_ip, "big")
        found[f"dest{header.version}"] = int.from_bytes(header.dest_ip, "big")
    if header.version == 6:
        found["chain_valid"] = int(header.protocol is not None)
    if header.protocol is not None:
        found.update(position=header.position, protocol=header.protocol)
        found.update(_transport_fields(frame, header))
    return found


def _transport_fields(frame: Frame, header: Header) -> dict[str, int]:
    """The bytes behind the IP headers, whatever the protocol: in IPv4 they may be the header's."""
    at = header.position
    found = {
        "sport": payload_number(frame, at, 2),
        "dport": payload_number(frame, at + 2, 2),
        "icmp_type": payload_number(frame, at, 1),
        "icmp_code": payload_number(frame, at + 1, 1),
    }
    if header.version == 4 or header.tcp_flags is not None:
        found["tcp"] = payload_number(frame, at + 12, 2) & 0xFFF
    return found


# --- circumstances


class SideNames(NamedTuple):
    """Names of the fields of one side (as `match_formulas.SideFields` makes them).

    again: the sender's second pass over a frame without one receiver.
    """

    direction: str
    sender: str = "from"
    receiver: str = "to"
    prefix: str = ""
    again: bool = False

    @property
    def dest(self) -> str:
        """The field of the ZeroTier destination."""
        return f"{self.prefix}in.node" if self.again else f"{self.prefix}{self.direction}.zt_dest"

    @property
    def draws(self) -> str:
        """What the fields of random draws begin with."""
        return f"{self.prefix}{'again' if self.again else self.direction}.draw"


def context_of(
    assignment: Assignment,
    view: View,
    frame: Frame,
    names: SideNames,
    defaults: Mapping[int, int] | None = None,
    default_capabilities: frozenset[int] = frozenset(),
) -> FrameContext:
    """The circumstances of one side of `frame` that an assignment describes.

    defaults: values of tags that were not assigned; default_capabilities: ids everyone holds.
    """
    inbound = names.direction == "in"
    sender = _tags(assignment, names.sender, defaults or {})
    receiver = _tags(assignment, names.receiver, defaults or {})
    known = inbound or names.again or bool(assignment.get(f"{names.prefix}receiver_known", 0))
    address = auth_address(frame)
    owned = address if assignment.get(f"{names.prefix}owns_ip") else None
    held = default_capabilities | {
        number for number in view.capability_ids if assignment.get(f"{names.sender}.holds.{number}")
    }
    draws = _draws(assignment, view, names)

    def drawn(index: int) -> int:
        return draws.get(index, 0)

    return FrameContext(
        node=assignment.get(f"{names.prefix}{names.direction}.node", 0),
        zt_source=assignment.get(f"{names.prefix}zt_source", 0),
        zt_dest=assignment.get(names.dest, 0),
        local_tags=receiver if inbound else sender,
        remote_tags=sender if inbound else receiver if known else None,
        owned_ips=frozenset() if owned is None else frozenset((owned,)),
        owned_macs=frozenset((frame.mac_source,))
        if assignment.get(f"{names.prefix}owns_mac")
        else frozenset(),
        held=tuple(index for index, number in enumerate(view.capability_ids) if number in held),
        no_tee=names.again,
        draw=drawn,
    )


def _tags(assignment: Assignment, member: str, defaults: Mapping[int, int]) -> dict[int, int]:
    tags = dict(defaults)
    start = f"{member}.has."
    for name, value in assignment.items():
        if value and name.startswith(start):
            number = int(name[len(start) :])
            tags[number] = assignment.get(f"{member}.tag.{number}", 0)
    return tags


def _draws(assignment: Assignment, view: View, names: SideNames) -> dict[int, int]:
    """The draws by entry index: base rules first, then all capabilities."""
    draws: dict[int, int] = {}
    index = 0
    named = zip(map(str, view.capability_ids), view.capabilities, strict=True)
    rule_sets = [("base", view.base), *named]
    for where, entries in rule_sets:
        count = 0
        for entry in entries:
            if entry.kind is Kind.MATCH_RANDOM:
                count += 1
                draws[index] = assignment.get(f"{names.draws}.{where}.{count}", 0)
            index += 1
    return draws


# --- both evaluators


def replay(view: View, frame: Frame, context: FrameContext) -> Outcome:
    """What one side does with the frame, by both evaluators; raises BackendError ZT291.

    Where the compiled loops are missing only the reference judges.
    """
    outcome = evaluate(view, frame, context)
    if dispatch.core is not None:
        _compare(view, frame, context, outcome)
    return outcome


def _compare(view: View, frame: Frame, context: FrameContext, outcome: Outcome) -> None:
    from ztfast.engine.single_frame import case_context, evaluate_one

    fixed = _with_draws(view, context)
    found = evaluate_one(fixed, frame, case_context(fixed, context), 0)
    expected = (
        outcome.accept,
        outcome.accepted,
        outcome.destination,
        outcome.qos,
        0 if outcome.copy is None else outcome.copy.target,
        0 if outcome.capability_copy is None else outcome.capability_copy.target,
    )
    names = ("accept", "accepted", "destination", "qos", "copy_target", "capability_copy_target")
    if expected != tuple(getattr(found, name)[0].item() for name in names):
        raise contradiction("the two evaluators judge a witness differently", frame)


def _with_draws(view: View, context: FrameContext) -> View:
    """The view with each random match replaced by its outcome: draws differ by entry."""
    index = 0
    lists: list[tuple[Entry, ...]] = []
    for entries in (view.base, *view.capabilities):
        lists.append(
            tuple(
                _drawn(entry, context.draw(index + n)) if entry.kind is Kind.MATCH_RANDOM else entry
                for n, entry in enumerate(entries)
            )
        )
        index += len(entries)
    return View(view.direction, lists[0], tuple(lists[1:]), view.capability_ids, view.engine)


def _drawn(entry: Entry, draw: int) -> Entry:
    value = 0 if draw <= (entry.value[0] or 0) else 1  # `vlanpcp 0` is true, `vlanpcp 1` is not
    return entry._replace(kind=Kind.MATCH_VLAN_PCP, value=(value,))


def contradiction(what: str, frame: Frame) -> BackendError:
    """The error for a claim that its witness does not confirm: a fault of ours, never hidden."""
    return BackendError(
        Diagnostic(
            "ZT291",
            f"{what}: ethertype 0x{frame.ethertype:04x}, payload {frame.payload.hex():.200}",
            help="this is a fault in ztfast: please report it with the rules",
        )
    )
