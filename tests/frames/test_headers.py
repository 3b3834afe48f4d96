"""Headers read in plain Python: as the evaluator answers, and as the compiled decoder reads."""

from __future__ import annotations

import random
from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from tests.differential.generate import entry_of, random_frame
from tests.engine.cases import extension, ipv6, ports
from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.engine.context import FrameContext
from ztfast.engine.reference_matches import Facts, match
from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import Column
from ztfast.frames.frame import Frame
from ztfast.frames.headers import Header, header_columns, ip_ends, read_header
from ztfast.frames.notation import parse_frame
from ztfast.model.entries import read_entry
from ztfast.model.kinds import Entry, Kind
from ztfast.model.reads import Reads

ROUNDS = 3000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "tcp 10.1.1.2:5555 > 10.1.1.7:443 syn,ns tos 8",
            Header(4, b"\x0a\1\1\2", b"\x0a\1\1\7", 8, 6, 20, 5555, 443, None, 0x102),
        ),
        (
            "udp [fd00::1]:53 > [fd00::2]:54",
            Header(6, b"\xfd" + bytes(14) + b"\1", b"\xfd" + bytes(14) + b"\2", 0, 17, 40, 53, 54),
        ),
        (
            "icmp 10.0.0.1 > 10.0.0.2 type 3 code 4",
            Header(4, b"\x0a\0\0\1", b"\x0a\0\0\2", 0, 1, 20, icmp=(3, 4)),
        ),
        ("arp 10.0.0.1 > 10.0.0.2", Header()),
        ("ethertype 0x1234 len 60", Header()),
    ],
)
def test_headers(text: str, expected: Header) -> None:
    assert read_header(parse_frame(text).frame) == expected


def test_addresses_as_text() -> None:
    header = read_header(parse_frame("udp [fd00::1]:53 > [fd00::2]:54").frame)
    assert (header.source, header.dest) == ("fd00::1", "fd00::2")
    assert (Header().source, Header().dest) == (None, None)


def test_extension_headers_lead_to_the_protocol_or_run_over() -> None:
    payload = ipv6(60, extension(17, 0) + ports(7, 8))
    header = read_header(Frame(payload, len(payload), 0x86DD))
    assert (header.protocol, header.position, header.dest_port) == (17, 48, 8)
    cut = read_header(Frame(payload[:44], 44, 0x86DD))
    assert (cut.version, cut.protocol, cut.dest_port) == (6, None, None)
    unseen = read_header(Frame(payload[:40], len(payload), 0x86DD))
    assert (unseen.version, unseen.protocol) == (6, None)


def test_ends_of_ip_and_arp() -> None:
    ends = (b"\x0a\0\0\1", b"\x0a\0\0\2")
    assert ip_ends(parse_frame("tcp 10.0.0.1 > 10.0.0.2").frame) == ends
    assert ip_ends(parse_frame("arp 10.0.0.1 > 10.0.0.2").frame) == ends
    assert ip_ends(parse_frame("ethertype 0x1234 len 60").frame) == (None, None)


# --- random frames


def by_header(entry: Entry, frame: Frame) -> bool | None:
    """What a match should say, from the header alone; None for others than these."""
    header, value = read_header(frame), entry.value
    if entry.kind in (Kind.MATCH_IP_SOURCE_PORT_RANGE, Kind.MATCH_IP_DEST_PORT_RANGE):
        source = entry.kind is Kind.MATCH_IP_SOURCE_PORT_RANGE
        port = header.source_port if source else header.dest_port
        none = port is None or (port == 0 and header.version == 6)
        return not none and value[0] <= port <= value[1]  # type: ignore[operator]
    if entry.kind is Kind.MATCH_IP_PROTOCOL:
        return header.protocol == value[0]
    if entry.kind is Kind.MATCH_IP_TOS:
        return header.tos is not None and value[1] <= header.tos & value[0] <= value[2]  # type: ignore[operator]
    if entry.kind is Kind.MATCH_ICMP:
        code = header.icmp is not None and value[1] in (None, header.icmp[1])
        return code and header.icmp[0] == value[0]  # type: ignore[index]
    if entry.kind in (Kind.MATCH_IPV4_SOURCE, Kind.MATCH_IPV4_DEST):
        address = header.source if entry.kind is Kind.MATCH_IPV4_SOURCE else header.dest
        inside = ip_network((value[0], value[1]), strict=False)  # type: ignore[arg-type]
        return header.version == 4 and ip_address(address or "") in inside
    if entry.kind is Kind.MATCH_CHARACTERISTICS and entry.value[0] and entry.value[0] < 1 << 12:
        return bool((header.tcp_flags or 0) & entry.value[0])
    return None


def test_header_and_evaluator_agree() -> None:
    compared = 0
    for seed in range(ROUNDS):
        rng = random.Random(seed)
        frame = random_frame(rng)
        for kind in Kind:
            if kind.is_action:
                continue
            entry = read_entry(entry_of(rng, kind))
            assert entry is not None
            said = by_header(entry, frame)
            if said is not None:
                answer = match(entry, Facts(frame, FrameContext(), False), 0)
                assert said == (answer.value in ("yes", "hardYes")), (seed, entry, frame)
                compared += 1
    assert compared > ROUNDS * 6


@pytest.mark.skipif(dispatch.core is None, reason="the compiled loops are not built")
def test_columns_are_those_of_the_compiled_decoder() -> None:
    """Also of what no capture in the repository holds: odd headers, cut and unknown ones."""
    for seed in range(ROUNDS // 4):
        rng = random.Random(seed)
        frame = random_frame(rng)
        if seed % 2:
            frame = frame._replace(payload=frame.payload[: rng.randrange(70)])
        frames = FrameBatch.from_frame(frame)
        plain = header_columns(frames)
        compiled = frames.decoded([int(column) for column in plain])
        for column, values in plain.items():
            expected = compiled[column]
            if column == Column.MISSING:  # which address ipauth looks up is the evaluators' alone
                expected = expected & ~np.uint32(Reads.AUTH_ADDRESS)
            assert values.dtype == compiled[column].dtype
            assert values.tolist() == expected.tolist(), (seed, Column(column).name)


@needs_loops
def test_every_protocol_has_the_kind_that_its_frame_has_alone() -> None:
    """Frames with all headers at hand are decoded many at a time; one that is cut, by itself."""
    head = b"\2" * 12 + b"\x08\x00" + b"\x45" + bytes(8)
    whole = [head + bytes([number]) + bytes(40) for number in range(256)] * 5
    kinds = FrameBatch.from_frames(whole).decoded([Column.KIND])[Column.KIND]
    cut = [header_columns(FrameBatch.from_frames([frame]))[Column.KIND][0] for frame in whole[:256]]
    assert kinds.tolist() == cut * 5
    assert len(set(cut)) == 3
