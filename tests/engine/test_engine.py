"""Engine and Verdicts: both sides joined, on both backends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ztfast
from ztfast.engine.network_verdicts import Action, Copy
from ztfast.errors import UsageError

DATA = Path(__file__).parents[1] / "data" / "captures" / "tcpdump"
MAC = bytes.fromhex("020000000001")


def frame(port: int = 80, protocol: int = 6, flags: int = 16, ethertype: int = 0x0800) -> bytes:
    ip = bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
    ports = (1234).to_bytes(2, "big") + port.to_bytes(2, "big")
    rest = ports + bytes(8) + bytes([0x50, flags]) + bytes(6)
    return MAC + MAC + ethertype.to_bytes(2, "big") + ip + rest


def judged(text: str, frames: list[bytes], backend: str, **options: object) -> ztfast.Verdicts:
    lengths = options.pop("lengths", None)
    engine = ztfast.Engine(ztfast.compile(text), backend=backend, **options)  # type: ignore[arg-type]
    return engine.evaluate(ztfast.FrameBatch.from_frames(frames, lengths))  # type: ignore[arg-type]


def test_the_columns_say_what_decided_and_where(backend: str) -> None:
    text = "drop dport 23;\naccept ipprotocol tcp;\n"
    verdicts = judged(text, [frame(23), frame(80), frame(80, 17)], backend)
    assert verdicts.action.tolist() == [Action.DROP, Action.ACCEPT, Action.DROP]
    assert verdicts.entry.tolist() == [1, 3, -1]
    assert verdicts.line.tolist() == [1, 2, 0]
    assert verdicts.side.tolist() == [0, 1, 0]
    assert verdicts.capability.tolist() == [-1, -1, -1]
    assert verdicts.receivers.tolist() == [0, 1, 0]
    assert not verdicts.uncertain.any()


def test_a_frame_can_die_at_the_receiver(backend: str) -> None:
    verdicts = judged("drop chr inbound and dport 80;\naccept;\n", [frame(80), frame(81)], backend)
    assert verdicts.action.tolist() == [Action.DROP, Action.ACCEPT]
    assert verdicts.side.tolist() == [1, 1]
    assert verdicts.sender is not None
    assert verdicts.sender.accepted.all()


@pytest.mark.parametrize(("side", "passes"), [("out", True), ("in", False), ("both", False)])
def test_each_side_can_be_asked_alone(backend: str, side: str, passes: bool) -> None:
    verdicts = judged("drop chr inbound;\naccept;\n", [frame()], backend, side=side)
    assert bool(verdicts.accepted[0]) is passes
    assert (verdicts.sender is None) == (side == "in")
    assert (verdicts.receiver is None) == (side == "out")


def test_copies_of_both_sides_are_listed_with_their_flags(backend: str) -> None:
    text = "tee 30 8e30f50a25 ipprotocol tcp;\nwatch -1 1122334455 dport 53;\naccept;\n"
    verdicts = judged(text, [frame(80), frame(53)], backend)
    assert verdicts.copies(0) == [
        Copy("sender", "tee", 0x8E30F50A25, 0x02, 30),
        Copy("receiver", "tee", 0x8E30F50A25, 0x08, 30),
    ]
    assert [copy.kind for copy in verdicts.copies(1)] == ["watch", "watch"]
    assert verdicts.copy_target.tolist() == [0x8E30F50A25, 0x1122334455]
    assert verdicts.copy_length.tolist() == [30, 40]
    assert verdicts.watch.tolist() == [False, True]


def test_a_redirected_frame_does_not_reach_its_receiver(backend: str) -> None:
    verdicts = judged("redirect 8e30f50a25 dport 80;\naccept;\n", [frame(80), frame(81)], backend)
    assert verdicts.action.tolist() == [Action.REDIRECT, Action.ACCEPT]
    assert verdicts.destination.tolist() == [0x8E30F50A25, 0]
    assert verdicts.delivered_to_receiver.tolist() == [False, True]
    assert verdicts.copies(0) == [Copy("sender", "redirect", 0x8E30F50A25, 0x04, 40)]


def test_header_only_frames_use_their_original_length(backend: str) -> None:
    text = "accept framesize 1000-1500;\ndrop dport 80;\n"
    verdicts = judged(text, [frame()[:34], frame()[:34]], backend, lengths=[1200, 54])
    assert verdicts.accepted.tolist() == [True, False]
    assert verdicts.uncertain.tolist() == [False, True]
    assert verdicts.reasons(1).name == "DEST_PORT"


def test_what_was_assumed_is_marked(backend: str) -> None:
    verdicts = judged("drop not chr ipauth;\naccept;\n", [frame()], backend)
    assert verdicts.accepted.all()
    assert verdicts.assumed.all()
    strict = judged("drop not chr ipauth;\naccept;\n", [frame()], backend, assume_ipauth=False)
    assert not strict.accepted.any()


def test_packet_batches_are_judged_as_they_come() -> None:
    engine = ztfast.Engine(ztfast.compile("accept random 0.5;\n"), seed=9)
    first = 0
    with ztfast.open_capture(DATA / "ipv6-bad-version.pcap") as capture:
        for packets in capture:
            straight = engine.evaluate(packets)
            batch = ztfast.FrameBatch.from_packets(packets)
            by_hand = engine.evaluate(batch, first=first)
            assert np.array_equal(straight.action, by_hand.action)
            first += len(packets)
    assert first > 0


def test_wrong_arguments_are_named() -> None:
    policy = ztfast.compile("accept;\n")
    for options in ({"side": "up"}, {"engine": "9"}, {"backend": "fastest"}):
        with pytest.raises(UsageError):
            ztfast.Engine(policy, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Policy"):
        ztfast.Engine("accept;")  # type: ignore[arg-type]


def test_an_empty_batch_has_empty_columns(backend: str) -> None:
    verdicts = judged("tee 1 8e30f50a25 vlan 1;\naccept;\n", [], backend)
    for name in ("action", "entry", "line", "copy_target", "reads", "receivers", "qos"):
        assert len(getattr(verdicts, name)) == 0
    assert verdicts.copy_columns() == []


def accepting(**options: Any) -> ztfast.Engine:
    return ztfast.Engine(ztfast.compile("accept;\n"), **options)


@pytest.mark.parametrize(
    ("call", "way_out"),
    [
        (lambda: ztfast.compile(b"accept;\n"), "ztfast.load"),  # type: ignore[arg-type]
        (lambda: accepting(network="net.toml"), "load_network"),
        (lambda: accepting().evaluate([bytes(60)]), "from_frames"),
        (lambda: accepting().evaluate(None), "from_frames"),
    ],
)
def test_an_argument_of_another_type_is_told_what_to_use(
    call: Callable[[], object], way_out: str
) -> None:
    with pytest.raises(UsageError, match=way_out):
        call()
