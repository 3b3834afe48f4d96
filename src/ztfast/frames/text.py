"""A frame and its header fields as text for people.

Contract: pure functions; what has a name is called by it, what has none by its number.
`…_text` are as the rules language writes them (`ipv4`, `tcp`), `…_name` as prose does (`IPv4`,
`TCP`).  Tested by tests/frames/test_text.py.
"""

from __future__ import annotations

from ztfast.frames.frame import Frame
from ztfast.frames.headers import Header, not_captured, read_header
from ztfast.model.names import ETHERTYPES, PROTOCOLS
from ztfast.model.reads import Reads

_ETHERTYPE_NAMES = {number: name for name, number in ETHERTYPES.items()}
_PROTOCOL_NAMES = {**{number: name for name, number in PROTOCOLS.items()}, 1: "icmp", 58: "icmp6"}
_SHOWN = {"ipv4": "IPv4", "ipv6": "IPv6", "arp": "ARP"}
_PORTS = Reads.SOURCE_PORT | Reads.DEST_PORT
_FIELD_NAMES = (
    (Reads.ETHERTYPE, "ethertype"),
    (Reads.IP_SOURCE, "source address"),
    (Reads.IP_DEST, "destination address"),
    (Reads.PROTOCOL, "protocol"),
    (_PORTS, "ports"),
    (Reads.DEST_PORT, "destination port"),
    (Reads.ICMP, "ICMP type"),
    (Reads.TCP_FLAGS, "TCP flags"),
)
_TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "rs2", "rs1", "rs0")


def frame_text(frame: Frame) -> str:
    """A frame in one line: `tcp 10.1.1.2:5555 > 10.1.1.7:443 syn, 40 bytes`.

    What was not captured is named behind it: `udp 10.1.1.2 > ?, 40 bytes (not captured: …)`.
    """
    header, missing = read_header(frame), not_captured(frame)
    if missing & Reads.ETHERTYPE:
        header, missing = Header(), frame.unknown
    names = not_captured_names(missing)
    cut = f" (not captured: {', '.join(names)})" if names else ""
    size = f"{frame.length} bytes{cut}"
    if header.version == 0:
        kind = "?" if missing & Reads.ETHERTYPE else ethertype_text(frame.ethertype)
        return f"ethertype {kind}, {_macs_text(frame)}{size}"
    what = f"ipv{header.version}" if missing & Reads.PROTOCOL else protocol_text(header.protocol)
    return f"{what} {_ends_text(header, missing)}{_message_text(header, missing)}, {size}"


def not_captured_names(missing: Reads) -> tuple[str, ...]:
    """The fields of `frames.headers.not_captured` as prose names them, without those that nobody
    asks for (TOS) and those that may never have been there (MACs)."""
    if missing & Reads.PROTOCOL:
        missing &= ~(_PORTS | Reads.ICMP | Reads.TCP_FLAGS)
    if missing & _PORTS == _PORTS:
        missing &= ~Reads.TCP_FLAGS
    ports = missing & _PORTS
    return tuple(
        name for bits, name in _FIELD_NAMES if (ports == bits if bits & _PORTS else missing & bits)
    )


def _macs_text(frame: Frame) -> str:
    """Both MACs, a comma behind; nothing where neither is known."""
    ends = [
        "?" if frame.unknown & bit else mac_text(mac)
        for bit, mac in ((Reads.MAC_SOURCE, frame.mac_source), (Reads.MAC_DEST, frame.mac_dest))
    ]
    return "" if ends == ["?", "?"] else f"{ends[0]} > {ends[1]}, "


def _ends_text(header: Header, missing: Reads) -> str:
    source = "?" if missing & Reads.IP_SOURCE else header.source
    dest = "?" if missing & Reads.IP_DEST else header.dest
    if header.source_port is None or missing & Reads.SOURCE_PORT:
        return f"{source} > {dest}"
    form = "[{}]:{}" if header.version == 6 else "{}:{}"
    port = "?" if missing & Reads.DEST_PORT else header.dest_port
    return f"{form.format(source, header.source_port)} > {form.format(dest, port)}"


def _message_text(header: Header, missing: Reads) -> str:
    """TCP flags or ICMP type and code, with a space before; else empty."""
    known = not missing & (Reads.TCP_FLAGS | Reads.ICMP)
    if known and header.tcp_flags and header.source_port is not None:
        return f" {flags_text(header.tcp_flags)}"
    if known and header.icmp is not None:
        return f" type {header.icmp[0]} code {header.icmp[1]}"
    return ""


def ethertype_text(ethertype: int) -> str:
    """`ipv4`, or `0x88cc` where there is no name."""
    return _ETHERTYPE_NAMES.get(ethertype, f"0x{ethertype:04x}")


def ethertype_name(ethertype: int) -> str:
    """`IPv4`, `ARP`, `rarp`, or `ethertype 0x1234`."""
    name = _ETHERTYPE_NAMES.get(ethertype)
    return f"ethertype 0x{ethertype:04x}" if name is None else _SHOWN.get(name, name)


def protocol_text(protocol: int | None) -> str:
    """`tcp`, or `protocol 99` where there is no name; None: an IPv6 packet that is invalid."""
    if protocol is None:
        return "an invalid chain of headers"
    return _PROTOCOL_NAMES.get(protocol, f"protocol {protocol}")


def protocol_name(protocol: int) -> str:
    """`TCP`, `UDP`, …, or `protocol 99`."""
    name = _PROTOCOL_NAMES.get(protocol)
    return f"protocol {protocol}" if name is None else name.upper()


def flags_text(flags: int) -> str:
    """TCP flags (12 bits) as `syn,ack`, or `none`."""
    return ",".join(name for bit, name in enumerate(_TCP_FLAGS) if flags >> bit & 1) or "none"


def mac_text(mac: int) -> str:
    """A MAC (48 bits) as aa:bb:cc:dd:ee:ff."""
    return ":".join(f"{byte:02x}" for byte in mac.to_bytes(6, "big"))
