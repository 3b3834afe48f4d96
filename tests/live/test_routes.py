"""What goes to an output: copies by target, frames by verdict, doubles, and the counts of all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ztfast
from tests.live.building import frames_of
from ztfast.engine.engine import Engine
from ztfast.errors import UsageError
from ztfast.frames.build import ip_packet, tcp_body
from ztfast.live.frames import Chosen, Frames
from ztfast.live.judge import LiveJudge
from ztfast.live.output import Output, Waiting
from ztfast.live.routes import Route, send_all

NETWORK = ztfast.load_network(Path(__file__).parents[2] / "examples" / "office.toml")
SENSOR, PROXY = 0x8E30F50A25, 0x6B4D5E6F70
BOTH = f"tee -1 {SENSOR:010x}; accept;"
MS = 1_000_000


class Kept(Output):
    """An output that keeps what it gets."""

    why_not = "closed"

    def __init__(self) -> None:
        super().__init__("kept", Waiting(), lambda _: None)
        self.got: list[tuple[bytes, int]] = []

    def _open(self) -> None:
        pass

    def send(self, frames: Frames, chosen: Chosen, count: int) -> None:
        for at in range(count):
            start = int(frames.columns.offsets[chosen.numbers[at]])
            data = frames.buffer[start : start + int(chosen.kept[at])].tobytes()
            self.got.append((data, int(chosen.noted[at])))
        self.counts.sent += count

    def close(self) -> None:
        pass


def frame(source: str, dest: str, port: int = 80, data: bytes = b"") -> bytes:
    """A frame between two members of the office, by their names."""
    ends = [next(m for m in NETWORK.members if m.name == name) for name in (source, dest)]
    ips = [next(ip for ip in member.ips if len(ip) == 4) for member in ends]
    macs = [int(NETWORK.mac(member) or 0).to_bytes(6, "big") for member in reversed(ends)]
    return b"".join(macs) + b"\x08\x00" + ip_packet(*ips, 6, tcp_body(1000, port, 16, data))


WEB, LOGIN = frame("anna", "files"), frame("ben", "files", 22)


def routed(
    rules: str,
    data: list[bytes],
    *,
    member: str | None = None,
    send: str = "copies",
    dedup: int | None = None,
    members: bool = True,
    times: list[int] | None = None,
) -> Kept:
    engine = Engine(ztfast.compile(rules), network=NETWORK if members else None)
    judge, kept = LiveJudge(engine), Kept()
    route = Route(kept, member, send, dedup)
    route.bind(judge)
    frames = frames_of(data, times=times)
    send_all([route], judge, judge.judge(frames), frames)
    assert kept.counts.missing == 0
    return kept


def test_a_frame_with_a_copy_of_each_side_goes_once() -> None:
    kept = routed(BOTH, [WEB, LOGIN])
    assert [data for data, _ in kept.got] == [WEB, LOGIN]
    assert (kept.counts.copies, kept.counts.deduplicated) == (4, 2)


def test_a_copy_is_cut_as_the_rule_says() -> None:
    kept = routed(f"tee 20 {SENSOR:010x}; accept;", [WEB])
    assert kept.got == [(WEB[:34], 34)]


@pytest.mark.parametrize(
    ("member", "expected"),
    [("sensor", [WEB]), ("8e30f50a25", [WEB]), ("PROXY", [LOGIN]), (None, [WEB, LOGIN])],
)
def test_copies_by_their_target(member: str | None, expected: list[bytes]) -> None:
    rules = f"tee -1 {SENSOR:010x} dport 80; tee -1 {PROXY:010x} dport 22; accept;"
    assert [data for data, _ in routed(rules, [WEB, LOGIN], member=member).got] == expected


def test_a_redirected_frame_goes_to_its_target() -> None:
    rules = f"redirect {PROXY:010x} dport 80; accept;"
    assert [data for data, _ in routed(rules, [WEB, LOGIN], member="proxy").got] == [WEB]


@pytest.mark.parametrize(
    ("send", "expected"),
    [("accepted", [LOGIN]), ("dropped", [WEB]), ("all", [WEB, LOGIN])],
)
def test_frames_by_their_verdict(send: str, expected: list[bytes]) -> None:
    kept = routed("drop dport 80; accept;", [WEB, LOGIN], send=send)
    assert [data for data, _ in kept.got] == expected
    assert kept.counts.copies == len(expected)


def test_unknown_members_are_refused_and_no_copies_are_told() -> None:
    judge = LiveJudge(Engine(ztfast.compile(BOTH), network=NETWORK))
    with pytest.raises(UsageError, match="not a member of the network"):
        Route(Kept(), "sensr", "copies").bind(judge)
    assert Route(Kept(), "sensor", "copies").bind(judge)
    assert not Route(Kept(), "proxy", "copies").bind(judge)
    alone = LiveJudge(Engine(ztfast.compile(BOTH)))
    assert Route(Kept(), "8e30f50a25", "copies").bind(alone)
    with pytest.raises(UsageError, match="only ZeroTier addresses"):
        Route(Kept(), "sensor", "copies").bind(alone)


# --- doubles: the interface of a sensor, which gets the copies of both sides ---------------------


@pytest.mark.parametrize(
    ("data", "at", "expected"),
    [
        ([WEB, WEB], [0, 1], 1),
        ([WEB, LOGIN, LOGIN, WEB], [0, 1, 2, 3], 2),
        ([WEB, WEB, WEB, WEB], [0, 1, 2, 3], 2),  # sent twice, and each time both sides tee
        ([WEB, WEB], [0, 600], 2),
    ],
)
def test_doubles_of_both_sides_are_taken_out(
    data: list[bytes], at: list[int], expected: int
) -> None:
    kept = routed(BOTH, data, dedup=500, times=[ms * MS for ms in at], member="sensor")
    assert kept.counts.sent == expected
    assert kept.counts.copies == len(data)


def test_only_one_side_tees_and_nothing_is_a_double() -> None:
    rules = f"tee -1 {SENSOR:010x} chr inbound; accept;"
    assert routed(rules, [WEB, WEB], dedup=500).counts.sent == 2


def test_copies_that_the_sensor_refuses_are_no_doubles() -> None:
    """Its own rules want a frame's sender to own the source address: the receiver's copies fail."""
    rules = f"drop not chr ipauth; tee -1 {SENSOR:010x}; accept;"
    assert routed(rules, [WEB, WEB], dedup=500).counts.sent == 2


def test_without_members_two_are_expected_of_every_frame() -> None:
    assert routed("accept;", [WEB, WEB, WEB], dedup=500, send="all", members=False).counts.sent == 2


def test_all_frames_of_a_sensor_once() -> None:
    kept = routed(BOTH, [WEB, WEB, LOGIN, LOGIN], dedup=500, send="all")
    assert [data for data, _ in kept.got] == [WEB, LOGIN]


def test_a_broadcast_comes_from_every_recipient() -> None:
    """As itself, from its sender, and from each of the six others that got it."""
    arp = b"\xff" * 6 + WEB[6:12] + b"\x08\x06" + bytes(28)
    eight = [arp] * 8
    assert routed(BOTH, eight, dedup=500).counts.sent == 1
    assert routed(BOTH, [*eight, arp], dedup=500).counts.sent == 2


def test_an_engine_without_rules_that_send_has_no_targets() -> None:
    kept = routed("accept;", [WEB], dedup=500)
    assert kept.counts.copies == 0
    assert np.array_equal(LiveJudge(Engine(ztfast.compile("accept;"))).addresses, [])
