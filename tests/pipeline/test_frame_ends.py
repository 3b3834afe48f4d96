"""Choosing frames by verdict, line and ends: as one by one in plain Python."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

import ztfast
from tests import pages
from tests.needs import needs_loops
from ztfast.capture import open_capture
from ztfast.errors import UsageError
from ztfast.frames.headers import read_header
from ztfast.network.names import MemberNames
from ztfast.pipeline.decisions import Decisions
from ztfast.pipeline.frame_ends import Choice, End, FrameEnds, Strangers, read_end
from ztfast.pipeline.judge import Judgement, judge, judgements
from ztfast.pipeline.scan import Judged

NETWORK = ztfast.load_network(pages.EXAMPLES / "office.toml")
ANNA, FILES = 0x1D71939404, 0x47C5B3D1AA


def judgement(backend: str = "auto", **known: object) -> tuple[ztfast.Engine, Judgement]:
    policy = ztfast.load(pages.EXAMPLES / "office.ztrules")
    engine = ztfast.Engine(policy, backend=backend, **known)  # type: ignore[arg-type]
    with open_capture(pages.EXAMPLES / "office.pcap") as capture:
        return engine, judge(engine, next(batch for batch in capture if len(batch)))


def test_members_by_address(backend: str) -> None:
    engine, item = judgement(backend, network=NETWORK)
    assert item.frames is not None
    source, dest = FrameEnds(engine)(item.frames)
    macs = {NETWORK.mac(member): member.address for member in NETWORK.members}
    for number in range(len(item.frames)):
        frame = item.frames.frame(number)
        assert int(source[number]) == macs[frame.mac_source]
        multicast = bool(frame.mac_dest >> 40 & 1)
        assert multicast or int(dest[number]) == macs.get(frame.mac_dest, int(dest[number]))
        assert not multicast or int(dest[number]) == 0


def test_nobody_is_known_without_a_network() -> None:
    engine, item = judgement()
    assert item.frames is not None
    assert not any(ends.any() for ends in FrameEnds(engine)(item.frames))


VERDICTS = [frozenset[str](), frozenset({"drop"}), frozenset({"accept", "redirect"})]
LINES = [frozenset[int](), frozenset({48, 70, 22}), frozenset({66}), frozenset({9999})]
SENDERS = [
    frozenset[End](),
    frozenset({End(ANNA)}),
    frozenset({End(ip=bytes((10, 147, 20, 90))), End(FILES)}),
    frozenset({End(ip=bytes.fromhex("fd8056c2e21c00000000000000000013"))}),
    frozenset({End(ip=bytes.fromhex("fd8056c2e21c00000000000000000099"))}),
]


def test_choices_are_those_of_plain_loops(backend: str) -> None:
    engine, item = judgement(backend, network=NETWORK)
    frames, verdicts = item.frames, item.verdicts
    assert frames is not None
    assert verdicts is not None
    ends = FrameEnds(engine)(frames)
    decisions, which = Decisions(engine.policy).of(verdicts)
    chosen = 0
    for names, lines, senders, receivers in itertools.product(VERDICTS, LINES, SENDERS, SENDERS):
        index = Choice(names, lines, senders, receivers).of(
            frames, verdicts, ends, (decisions, which)
        ).tolist()
        expected = []
        included = [decisions[one].included for one in which.tolist()]
        for number in range(len(frames)):
            header = read_header(frames.frame(number))
            name = ("drop", "accept", "redirect")[verdicts.action[number]]
            mine = {End(int(ends[0][number])), End(ip=header.source_ip or b"?")}
            theirs = {End(int(ends[1][number])), End(ip=header.dest_ip or b"?")}
            if (
                (not names or name in names)
                and (not lines or lines & {int(verdicts.line[number]), included[number]})
                and (not senders or senders & mine)
                and (not receivers or receivers & theirs)
            ):
                expected.append(number)
        assert index == expected
        chosen += len(index)
    assert chosen > 500


def test_strangers_are_counted_and_named(backend: str) -> None:
    """As one by one from the MACs; nobody is a stranger where all are authorized."""
    gone = [replace(one, authorized=one.name != "visitor") for one in NETWORK.members]
    engine, item = judgement(backend, network=replace(NETWORK, members=tuple(gone)))
    assert item.frames is not None
    mac = next(NETWORK.mac(member) for member in gone if not member.authorized)
    frames = [item.frames.frame(number) for number in range(len(item.frames))]
    sent = sum(frame.mac_source == mac for frame in frames)
    received = sum(frame.mac_dest == mac for frame in frames)
    assert sent
    assert received
    strangers = Strangers(engine)
    strangers(item)
    named = "no member of the network (visitor, not authorized)"
    assert strangers.line() == (
        f"{sent} frames from {named}, {received} frames to {named}: nodes do not deliver these"
    )
    engine, item = judgement(backend, network=NETWORK)
    nobody = Strangers(engine)
    nobody(item)
    assert nobody.line() == ""


@needs_loops
@pytest.mark.parametrize("bridges", [0, 1, 2])
def test_strangers_that_a_scan_marks_are_all_there_are(bridges: int) -> None:
    """Members of the example that are not in the network, and addresses that nobody has."""
    known = enumerate(NETWORK.members)
    members = [replace(one, authorized=number % 3 > 0) for number, one in known]
    bridged = [replace(one, bridge=number < bridges) for number, one in enumerate(members)]
    engine = ztfast.Engine(
        ztfast.load(pages.EXAMPLES / "office.ztrules"),
        network=replace(NETWORK, members=tuple(bridged)),
    )
    marked, looked_up = Strangers(engine), Strangers(engine)
    with open_capture(pages.EXAMPLES / "office.pcap") as capture:
        for item in judgements(engine, capture):
            assert isinstance(item.packets.judged, Judged) or not len(item.packets)
            marked(item)
            looked_up(item._replace(packets=replace(item.packets, judged=None)))
    assert marked.sent.total() > 10
    assert marked.received.total() > 10
    assert (marked.sent, marked.received) == (looked_up.sent, looked_up.received)


def test_who_an_option_names() -> None:
    names = MemberNames(NETWORK)
    assert read_end("--from", "Anna", names) == End(ANNA)
    assert read_end("--from", "47c5b3d1aa", names) == End(FILES)
    assert read_end("--from", "10.147.20.2", names) == End(FILES)
    assert read_end("--from", "10.9.9.9", names) == End(ip=bytes((10, 9, 9, 9)))
    assert read_end("--to", "fd00::1", None) == End(ip=bytes.fromhex("fd" + "0" * 29 + "1"))
    with pytest.raises(UsageError, match="not a member"):
        read_end("--from", "annna", names)
    with pytest.raises(UsageError, match="not an IP address"):
        read_end("--from", "anna", None)


def test_nothing_asked_for_is_everything() -> None:
    engine, item = judgement(network=NETWORK)
    assert item.frames is not None
    assert item.verdicts is not None
    ends, decisions = FrameEnds(engine)(item.frames), Decisions(engine.policy).of(item.verdicts)
    index = Choice().of(item.frames, item.verdicts, ends, decisions)
    np.testing.assert_array_equal(index, np.arange(len(item.frames)))
