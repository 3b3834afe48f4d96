"""Where frames go: `--to [MEMBER=]PLACE` as a value.

Contract: pure; `read_target` raises UsageError that says what could be meant.  Whether a place can
be opened is the output's affair.  Tested by tests/live/test_targets.py.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ztfast.errors import usage

VXLAN_PORT = 4789  # RFC 7348, section 5
_MOST_VNI = (1 << 24) - 1
_KINDS = ("packet", "vxlan", "fifo", "pcap")
_FORMS = "packet:IFACE, vxlan:HOST[:PORT]/VNI, fifo:PATH, pcap:DIR or - (standard output)"
_MEMBER = re.compile(r"([^=:/]+)=(.*)", re.DOTALL)
_VXLAN = re.compile(r"(\[[^\]/]+\]|[^:/\[\]]+)(?::(\d{1,5}))?/(\d{1,8})", re.ASCII)
_INTERFACE = re.compile(r"[^\s/:]{1,15}")  # what the kernel takes as a name


class Vxlan(NamedTuple):
    """Where a VXLAN packet goes, and the network it says it belongs to."""

    host: str
    port: int
    vni: int


class Target(NamedTuple):
    """One output that was asked for.

    text: as it was written.  member: whose copies it gets, a name or an address as text; None:
    all.  kind: packet, vxlan, fifo, pcap or stdout.  place: the interface, path or folder; of
    vxlan, see `vxlan`.
    """

    text: str
    member: str | None
    kind: str
    place: str
    vxlan: Vxlan | None = None


def read_target(text: str) -> Target:
    """A target out of its text."""
    match = _MEMBER.fullmatch(text)
    member, rest = (match[1], match[2]) if match is not None else (None, text)
    if rest == "-":
        return Target(text, member, "stdout", "-")
    kind, colon, place = rest.partition(":")
    if not colon or kind not in _KINDS or not place:
        raise usage(f"--to {text[:80]!r} is not a place that frames can go to", f"write {_FORMS}")
    if kind == "vxlan":
        return Target(text, member, kind, place, _vxlan(text, place))
    if kind == "packet" and (not _INTERFACE.fullmatch(place) or place in (".", "..")):
        raise usage(
            f"--to {text[:80]!r}: {place[:40]!r} is not an interface's name", "see `ip link`"
        )
    if "\0" in place:
        raise usage(f"--to {text[:80]!r}: a path has no zero byte")
    return Target(text, member, kind, place)


def _vxlan(text: str, place: str) -> Vxlan:
    match = _VXLAN.fullmatch(place)
    if match is None:
        raise usage(f"--to {text[:80]!r} is not a VXLAN", "write vxlan:HOST[:PORT]/VNI")
    host, port, vni = match[1].strip("[]"), int(match[2] or VXLAN_PORT), int(match[3])
    if not 0 < port < 1 << 16:
        raise usage(f"--to {text[:80]!r}: port {port} is none", "write 1 to 65535")
    if vni > _MOST_VNI:
        raise usage(f"--to {text[:80]!r}: a VNI has 24 bits", f"write 0 to {_MOST_VNI}")
    return Vxlan(host, port, vni)


def read_targets(texts: tuple[str, ...]) -> list[Target]:
    """All of them; no place may be given twice."""
    found = [read_target(text) for text in texts]
    places: dict[tuple[str, str], str] = {}
    for target in found:
        key = target.kind, target.place
        if key in places:
            raise usage(f"--to {places[key]} and --to {target.text} are one place", "name it once")
        places[key] = target.text
    return found
