"""A frame and its header fields as text for people.

Contract: pure functions; what has a name is called by it, what has none by its number.
`…_text` are as the rules language writes them (`ipv4`, `tcp`), `…_name` as prose does (`IPv4`,
`TCP`).  Tested by tests/frames/test_text.py.
"""

from __future__ import annotations

from ztfast.frames.frame import Frame
from ztfast.frames.headers import Header, read_header
from ztfast.model.names import ETHERTYPES, PROTOCOLS

_ETHERTYPE_NAMES = {number: name for name, number in ETHERTYPES.items()}
_PROTOCOL_NAMES = {**{number: name for name, number in PROTOCOLS.items()}, 1: "icmp", 58: "icmp6"}
_SHOWN = {"ipv4": "IPv4", "ipv6": "IPv6", "arp": "ARP"}
_TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "rs2", "rs1", "rs0")


def frame_text(frame: Frame) -> str:
    """A frame in one line: `tcp 10.1.1.2:5555 > 10.1.1.7:443 syn, 40 bytes`."""
    header = read_header(frame)
    size = f"{frame.length} bytes"
    if header.version == 0:
        ends = f"{mac_text(frame.mac_source)} > {mac_text(frame.mac_dest)}"
        return f"ethertype {ethertype_text(frame.ethertype)}, {ends}, {size}"
    return f"{protocol_text(header.protocol)} {_ends_text(header)}{_message_text(header)}, {size}"


def _ends_text(header: Header) -> str:
    if header.source_port is None:
        return f"{header.source} > {header.dest}"
    form = "[{}]:{}" if header.version == 6 else "{}:{}"
    source = form.format(header.source, header.source_port)
    return f"{source} > {form.format(header.dest, header.dest_port)}"


def _message_text(header: Header) -> str:
    """TCP flags or ICMP type and code, with a space before; else empty."""
    if header.tcp_flags and header.source_port is not None:
        return f" {flags_text(header.tcp_flags)}"
    if header.icmp is not None:
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
