"""What is said of a frame agrees with what the evaluator answers."""

from __future__ import annotations

import random
from ipaddress import ip_address, ip_network

from tests.differential.generate import entry_of, random_frame
from ztfast.engine.context import FrameContext
from ztfast.engine.reference_matches import Facts, match
from ztfast.explain.match_text import Words
from ztfast.frames.frame import Frame
from ztfast.frames.headers import frame_text, read_header
from ztfast.model.entries import read_entry
from ztfast.model.kinds import Entry, Kind

ROUNDS = 3000


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


def test_every_match_has_words() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        frame = random_frame(rng)
        context = FrameContext(remote_tags=rng.choice([None, {}, {1: 5}]))
        words = Words(frame, context, seed % 2 == 1)
        assert frame_text(frame)
        for kind in Kind:
            entry = read_entry(entry_of(rng, kind))
            assert entry is not None
            if not kind.is_action:
                assert 5 < len(words.saw(entry, 0)) < 200


def test_words() -> None:
    frame = Frame(b"", 0, 0x88CC, 0, 0x020000000001, 0xFFFFFFFFFFFF)
    words = Words(frame, FrameContext(), False)
    for entry, text in (
        (Entry(Kind.MATCH_ETHERTYPE, value=(5,)), "the ethertype is 0x88cc"),
        (Entry(Kind.MATCH_IP_DEST_PORT_RANGE, value=(5, 5)), "no IP: the ethertype is 0x88cc"),
        (Entry(Kind.MATCH_CHARACTERISTICS, value=(3 << 61,)), "it is multicast, broadcast"),
        (Entry(Kind.MATCH_MAC_SOURCE, value=(3,)), "the source is 02:00:00:00:00:01"),
        (Entry(Kind.MATCH_TAG_SENDER, value=(7, 1)), "the sender's tag 7 is not there"),
        (
            Entry(Kind.MATCH_TAG_RECEIVER, value=(7, 1)),
            "the receiver's tag 7 is unknown (its membership is not known here)",
        ),
    ):
        assert words.saw(entry, 0) == text
