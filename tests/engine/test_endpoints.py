"""The addresses of a batch's frames: compiled as plain, and as a person reads the headers."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_address

import numpy as np
import pytest

from tests.engine.batches import batch_of
from tests.engine.cases import ARP, IPV4, IPV6, ipv4, ipv6
from tests.needs import needs_loops
from ztfast.engine.endpoints import endpoints
from ztfast.frames.frame import Frame
from ztfast.model.reads import Reads
from ztfast.network.resolve import Endpoints, IpColumn

NO_MACS = Reads.MAC_SOURCE | Reads.MAC_DEST
ONE, TWO = 0x020000000001, 0x020000000002
WAYS = [pytest.param(True, marks=needs_loops), False]


def raw(ethertype: int, payload: bytes, length: int | None = None) -> Frame:
    """A frame of a link type without MAC addresses."""
    size = len(payload) if length is None else length
    return Frame(payload, size, ethertype, unknown=NO_MACS)


def ethernet(payload: bytes, ethertype: int) -> Frame:
    return Frame(payload, len(payload), ethertype, 0, ONE, TWO)


def address(column: IpColumn | None) -> str | None:
    assert column is not None
    version, high, low = (int(part[0]) for part in column)
    if version == 0:
        assert (high, low) == (0, 0)
        return None
    return str(ip_address((high << 64 | low).to_bytes(4 if version == 4 else 16, "big")))


@pytest.mark.parametrize("compiled", WAYS)
def test_frames_with_macs_are_told_by_them(compiled: bool) -> None:
    found = endpoints(batch_of([ethernet(ipv4(), IPV4), ethernet(b"", ARP)]), compiled)
    assert found.mac_source.tolist() == [ONE, ONE]
    assert found.mac_dest.tolist() == [TWO, TWO]
    for known in (found.mac_source_known, found.mac_dest_known):
        assert known is None or known.all()


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize(
    ("frame", "source", "dest"),
    [
        (raw(IPV4, ipv4()), "10.0.0.1", "10.0.0.2"),
        (raw(IPV6, ipv6()), "fd00::1", "fd00::2"),
        (raw(IPV4, ipv4()[:14], 28), "10.0.0.0", "0.0.0.0"),
        (raw(IPV6, ipv6()[:24], 48), "fd00::1", "::"),
        (raw(IPV4, ipv4()[:19]), None, None),
        (raw(IPV6, ipv6()[:39]), None, None),
        (raw(ARP, ipv4()), None, None),
        (raw(IPV4, ipv6()), "0.0.0.0", "0.0.0.0"),
        (raw(IPV4, b""), None, None),
    ],
    ids=[
        "IPv4", "IPv6", "IPv4 cut short by the capture", "IPv6 cut short by the capture",
        "IPv4 too short", "IPv6 too short", "ARP", "the version nibble is not read", "empty",
    ],
)
def test_frames_without_macs_are_told_by_their_ip(
    frame: Frame, source: str | None, dest: str | None, compiled: bool
) -> None:
    found = endpoints(batch_of([frame]), compiled)
    assert found.mac_source_known is not None
    assert found.mac_dest_known is not None
    assert not found.mac_source_known[0]
    assert not found.mac_dest_known[0]
    assert (address(found.ip_source), address(found.ip_dest)) == (source, dest)


@needs_loops
def test_the_compiled_loops_read_a_mixed_batch_as_the_plain_reading_does() -> None:
    whole = [ipv4(), ipv6(), ipv4(source="ffffffff", dest="00000000")]
    frames = [
        Frame(payload[:size], length, ethertype, 0, ONE, TWO, unknown)
        for payload in whole
        for ethertype in (IPV4, IPV6, ARP, 0)
        for size, length in ((len(payload), len(payload)), (15, len(payload)), (15, 15), (0, 0))
        for unknown in (Reads(0), NO_MACS, Reads.MAC_SOURCE, Reads.MAC_DEST)
    ]
    batch = batch_of(frames)
    compiled, plain = endpoints(batch, True), endpoints(batch, False)
    assert len(compiled) == len(plain) == len(frames)
    for field in fields(Endpoints):
        mine, its = getattr(compiled, field.name), getattr(plain, field.name)
        if field.name.startswith("ip_"):
            for part, other in zip(mine, its, strict=True):
                np.testing.assert_array_equal(part, other)
        else:
            np.testing.assert_array_equal(mine, its)
