"""What is marked as read without being known: every match, at every captured length.

Source: model/reads.py and docs/exactness.md.  An evaluated match reads everything it
names; a byte is missing where it is in the payload and was not captured.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.engine.batches import FOURTH, batch_context, batch_of, judge, members, view_of
from tests.engine.cases import ACCEPT, ARP, FALSE, IPV4, IPV6, TRUE, extension, ipv4, ipv6, ports
from tests.needs import needs_loops
from ztfast.engine.reference import evaluate_batch
from ztfast.frames.frame import Frame
from ztfast.model.reads import Reads

UDP4, TCP4, ICMP4 = ipv4(17, ports(1, 2)), ipv4(6, b"\0" * 20), ipv4(1, b"\x08\0\0\0")
ESP4 = ipv4(50, b"\0" * 8)
OPTIONS4 = ipv4(17, ports(1, 2), ihl=6, options=b"\0" * 4)
UDP6, TCP6, ICMP6 = ipv6(17, ports(1, 2)), ipv6(6, b"\0" * 20), ipv6(58, b"\x80\0\0\0")
WALK6 = ipv6(60, extension(43) + extension(17, 1) + ports(1, 2))


def neighbour(kind: int, size: int = 24) -> bytes:
    return ipv6(58, bytes((kind,)) + b"\0" * (size - 1))


def tcp(*bits: int) -> dict[str, Any]:
    return {"type": "MATCH_CHARACTERISTICS", "mask": sum(1 << bit for bit in bits)}


def of(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"MATCH_{kind}", **fields}


def integer(idx: int, bits: int, little: bool) -> dict[str, Any]:
    return {"type": "INTEGER_RANGE", "idx": idx, "bits": bits, "little": little}


SOURCE4, DEST4 = of("IPV4_SOURCE", ip="0.0.0.0/0"), of("IPV4_DEST", ip="1.0.0.0/1")
SOURCE6, DEST6 = of("IPV6_SOURCE", ip="::/0"), of("IPV6_DEST", ip="8000::/1")
TOS, PROTOCOL = of("IP_TOS", mask=0), of("IP_PROTOCOL", ipProtocol=17)
SPORT, DPORT = of("IP_SOURCE_PORT_RANGE", start=1), of("IP_DEST_PORT_RANGE", start=2)
ICMP = of("ICMP", icmpType=9, icmpCode=None)
FLAGS, IPAUTH = tcp(1), tcp(60)
NEVER = -1

# (match, ethertype, payload, the last byte that it needs, the bit)
NEEDS = [
    (SOURCE4, IPV4, UDP4, 15, Reads.IP_SOURCE),
    (DEST4, IPV4, UDP4, 19, Reads.IP_DEST),
    (SOURCE4, IPV4, UDP4[:19], NEVER, Reads(0)),
    (SOURCE6, IPV6, UDP6, 23, Reads.IP_SOURCE),
    (DEST6, IPV6, UDP6, 39, Reads.IP_DEST),
    (DEST6, IPV6, UDP6[:39], NEVER, Reads(0)),
    (TOS, IPV4, UDP4, 1, Reads.TOS),
    (TOS, IPV6, UDP6, 1, Reads.TOS),
    (TOS, ARP, UDP6, NEVER, Reads(0)),
    (PROTOCOL, IPV4, UDP4, 9, Reads.PROTOCOL),
    (PROTOCOL, IPV6, UDP6, 6, Reads.PROTOCOL),
    (PROTOCOL, IPV6, WALK6, 49, Reads.PROTOCOL),
    (SPORT, IPV4, UDP4, 21, Reads.SOURCE_PORT),
    (DPORT, IPV4, UDP4, 23, Reads.DEST_PORT),
    (DPORT, IPV4, OPTIONS4, 27, Reads.DEST_PORT),
    (SPORT, IPV4, ESP4, 9, Reads.SOURCE_PORT),
    (SPORT, IPV4, UDP4[:24], 9, Reads.SOURCE_PORT),  # too short: only whether there are ports
    (SPORT, IPV6, UDP6, 41, Reads.SOURCE_PORT),
    (DPORT, IPV6, UDP6, 43, Reads.DEST_PORT),
    (SPORT, IPV6, WALK6, 65, Reads.SOURCE_PORT),
    (SPORT, IPV6, ICMP6, 6, Reads.SOURCE_PORT),
    (ICMP, IPV4, ICMP4, 21, Reads.ICMP),
    (ICMP, IPV4, UDP4, 9, Reads.ICMP),
    (ICMP, IPV4, ICMP4[:21], 9, Reads.ICMP),
    (ICMP, IPV6, ICMP6, 41, Reads.ICMP),
    (ICMP, IPV6, UDP6, 6, Reads.ICMP),
    (FLAGS, IPV4, TCP4, 33, Reads.TCP_FLAGS),
    (tcp(11), IPV4, TCP4, 33, Reads.TCP_FLAGS),
    (FLAGS, IPV4, TCP4[:33], 32, Reads.TCP_FLAGS),
    (FLAGS, IPV4, TCP4[:32], 9, Reads.TCP_FLAGS),
    (FLAGS, IPV4, UDP4, 9, Reads.TCP_FLAGS),
    (FLAGS, IPV6, TCP6, 53, Reads.TCP_FLAGS),
    (FLAGS, IPV6, TCP6[:54], 6, Reads.TCP_FLAGS),
    (IPAUTH, IPV4, UDP4, 15, Reads.AUTH_ADDRESS),
    (IPAUTH, IPV6, UDP6, 23, Reads.AUTH_ADDRESS),
    (IPAUTH, IPV6, neighbour(136), 63, Reads.AUTH_ADDRESS),
    (IPAUTH, IPV6, neighbour(135), 40, Reads.AUTH_ADDRESS),
    (IPAUTH, IPV6, neighbour(137), 40, Reads.AUTH_ADDRESS),
    (IPAUTH, IPV6, neighbour(136, 23), 23, Reads.AUTH_ADDRESS),
    (IPAUTH, ARP, b"\0" * 28, 17, Reads.AUTH_ADDRESS),
    (IPAUTH, ARP, b"\0" * 27, NEVER, Reads(0)),
    (IPAUTH, 0x8100, b"\0" * 64, NEVER, Reads(0)),
    (integer(3, 16, False), 0, bytes(20), 10, Reads.INTEGER),
    (integer(3, 16, True), 0, bytes(20), 4, Reads.INTEGER),
    (integer(12, 64, True), 0, bytes(20), 19, Reads.INTEGER),
    (integer(13, 64, True), 0, bytes(20), NEVER, Reads(0)),  # not wholly there: 0 for sure
    (integer(20, 64, True), 0, bytes(20), NEVER, Reads(0)),
    (of("FRAME_SIZE_RANGE", start=1), IPV4, UDP4, NEVER, Reads(0)),
    (of("VLAN_ID", vlanId=1), IPV4, UDP4, NEVER, Reads(0)),
    (of("RANDOM", probability=1), IPV4, UDP4, NEVER, Reads(0)),
    (tcp(63, 62, 61, 59), IPV4, UDP4, NEVER, Reads(0)),
    (tcp(12, 58), IPV4, TCP4, NEVER, Reads(0)),
]


@pytest.mark.parametrize(("match", "ethertype", "payload", "last", "bit"), NEEDS)
@pytest.mark.parametrize("engine", ["1.14", "1.12"])
def test_bytes_not_captured(
    match: dict[str, Any], ethertype: int, payload: bytes, last: int, bit: Reads, engine: str
) -> None:
    view = view_of([match, ACCEPT], engine=engine)
    frames = [
        Frame(payload[:captured], len(payload), ethertype) for captured in range(len(payload) + 1)
    ]
    expected = [int(bit) if captured <= last else 0 for captured in range(len(payload) + 1)]
    assert judge(view, frames).reads.tolist() == expected


@pytest.mark.parametrize(
    ("match", "ethertype", "payload"), [(SOURCE4, IPV6, UDP6), (DEST6, IPV4, UDP4 + bytes(20))]
)
def test_the_other_familys_address_is_not_read(
    match: dict[str, Any], ethertype: int, payload: bytes
) -> None:
    view = view_of([match, ACCEPT])
    batch = batch_of([Frame(b"", len(payload), ethertype)])
    assert evaluate_batch(view, batch, batch_context(view, 1)).reads.tolist() == [0]


@needs_loops
def test_the_native_evaluator_does_not_read_it_either() -> None:
    judge(view_of([SOURCE4, ACCEPT]), [Frame(b"", len(UDP6), IPV6)])


def test_neighbour_solicitation_needs_the_type_and_then_nothing() -> None:
    payload = neighbour(135)
    # with 41 bytes the type is known, and the missing rest of the frame does not matter
    view = view_of([IPAUTH, ACCEPT])
    frames = [Frame(payload[:41], 64, IPV6), Frame(payload[:40], 64, IPV6)]
    assert judge(view, frames).reads.tolist() == [0, int(Reads.AUTH_ADDRESS)]
    assert judge(view, frames).accept.tolist() == [1, 0]


def test_missing_bytes_are_zero_in_the_rest_of_the_evaluation() -> None:
    view = view_of([of("IP_PROTOCOL", ipProtocol=0), ACCEPT])
    assert judge(view, [Frame(UDP4[:9], len(UDP4), IPV4)]).accept.tolist() == [1]
    # IPv6: protocol 0 is walked, over nothing but zeros, and is invalid
    assert judge(view, [Frame(UDP6[:6], len(UDP6), IPV6)]).accept.tolist() == [0]


def test_a_claimed_length_costs_nothing() -> None:
    view = view_of([PROTOCOL, ACCEPT])
    verdict = judge(view, [Frame(ipv6(0, b"")[:40], 0xFFFFFFFF, IPV6)] * 50)
    assert verdict.reads.tolist() == [int(Reads.PROTOCOL)] * 50


ETHERTYPE_READERS = [
    of("ETHERTYPE", etherType=5),
    SOURCE4,
    DEST4,
    SOURCE6,
    DEST6,
    TOS,
    PROTOCOL,
    SPORT,
    DPORT,
    ICMP,
    FLAGS,
    IPAUTH,
]
OTHERS = [of("FRAME_SIZE_RANGE"), integer(9, 8, True), tcp(62), tcp(59), tcp(63), tcp(20), TRUE]


def test_an_unknown_ethertype() -> None:
    frame = Frame(b"", 0, 0, unknown=Reads.ETHERTYPE)
    for match in ETHERTYPE_READERS:
        assert judge(view_of([match, ACCEPT]), [frame]).reads.tolist() == [Reads.ETHERTYPE], match
    for match in OTHERS:
        assert judge(view_of([match, ACCEPT]), [frame]).reads.tolist() == [0], match


def test_unknown_macs() -> None:
    frame = Frame(b"", 0, 0, unknown=Reads.MAC_SOURCE | Reads.MAC_DEST)
    for match, bit in (
        (of("MAC_SOURCE"), Reads.MAC_SOURCE),
        (of("MAC_DEST"), Reads.MAC_DEST),
        (tcp(62), Reads.MAC_DEST),
        (tcp(61), Reads.MAC_DEST),
        (tcp(59), Reads.MAC_SOURCE),
        (tcp(61, 59), Reads.MAC_SOURCE | Reads.MAC_DEST),
        (tcp(60), Reads(0)),
        (TRUE, Reads(0)),
    ):
        assert judge(view_of([match, ACCEPT]), [frame]).reads.tolist() == [int(bit)], match


def test_only_what_is_evaluated_is_read() -> None:
    frame = [Frame(b"", len(UDP4), IPV4)]
    alternative = {**PROTOCOL, "or": True}
    for rules, expected in (
        ([FALSE, PROTOCOL, ACCEPT], 0),
        ([FALSE, alternative, ACCEPT], Reads.PROTOCOL),
        ([TRUE, alternative, ACCEPT], Reads.PROTOCOL),
        ([ACCEPT, PROTOCOL, ACCEPT], 0),
        ([FALSE, ACCEPT, PROTOCOL, ACCEPT], Reads.PROTOCOL),
        ([PROTOCOL, SPORT, ACCEPT, TOS, ACCEPT], Reads.PROTOCOL | Reads.TOS),
    ):
        assert judge(view_of(rules), frame).reads.tolist() == [int(expected)], rules


def test_reads_of_all_rule_sets_that_were_evaluated_count() -> None:
    frame = [Frame(b"", len(UDP4), IPV4)]
    caps = [[TOS, {"type": "ACTION_DROP"}], [SPORT, ACCEPT, ACCEPT], [SOURCE4, ACCEPT]]
    everything = Reads.PROTOCOL | Reads.TOS | Reads.SOURCE_PORT
    assert judge(view_of([PROTOCOL], *caps), frame).reads.tolist() == [int(everything)]
    only_base = judge(view_of([PROTOCOL, ACCEPT, ACCEPT], *caps), frame)
    assert only_base.reads.tolist() == [int(Reads.PROTOCOL)]


# --- facts about members -------------------------------------------------------------------

WHOLE = Frame(UDP4, len(UDP4), IPV4, mac_source=7)


@pytest.mark.parametrize("direction", ["out", "in"])
@pytest.mark.parametrize("assumed", [True, False])
def test_ownership_of_an_unknown_sender_is_assumed(direction: str, assumed: bool) -> None:
    frames = [
        WHOLE,
        Frame(UDP6, len(UDP6), IPV6),
        Frame(b"\0" * 28, 28, ARP),
        Frame(neighbour(135), 64, IPV6),
        Frame(UDP4[:19], 19, IPV4),
        Frame(b"", 0, 5),
    ]
    for mask, has in ((IPAUTH, [1, 1, 1, 0, 0, 0]), (tcp(59), [1] * 6)):
        view = view_of([mask, ACCEPT], direction=direction)
        table = members(view, assumed_ipauth=assumed, assumed_macauth=assumed)
        verdict = judge(view, frames, batch_context(view, 6, table, sender=0))
        assert verdict.reads.tolist() == [Reads.ASSUMED_OWNERSHIP * bit for bit in has]
        always = [0, 0, 0, 1, 0, 0] if mask is IPAUTH else [0] * 6
        accepted = [bit if assumed and bit else one for bit, one in zip(has, always, strict=True)]
        assert verdict.accept.tolist() == accepted


def test_ownership_of_a_known_sender_is_a_fact() -> None:
    view = view_of([tcp(60, 59), ACCEPT])
    owned = (frozenset(), frozenset((bytes((10, 0, 0, 1)),)), frozenset())
    verdict = judge(view, [WHOLE], batch_context(view, 1, members(view, ips=owned)))
    assert (verdict.reads.tolist(), verdict.accept.tolist()) == ([0], [1])


def test_ipauth_notes_both_the_missing_byte_and_the_assumption() -> None:
    view = view_of([IPAUTH, ACCEPT])
    verdict = judge(view, [WHOLE._replace(payload=b"")], batch_context(view, 1, sender=0))
    assert verdict.reads.tolist() == [int(Reads.AUTH_ADDRESS | Reads.ASSUMED_OWNERSHIP)]


TAG_KINDS = ["TAGS_EQUAL", "TAGS_DIFFERENCE", "TAGS_BITWISE_AND", "TAG_SENDER", "TAG_RECEIVER"]


@pytest.mark.parametrize("kind", TAG_KINDS)
@pytest.mark.parametrize("direction", ["out", "in"])
def test_tags_of_unknown_members_are_assumed(kind: str, direction: str) -> None:
    view = view_of([of(kind, id=1, value=1), ACCEPT], direction=direction)
    reads_local = kind.startswith("TAGS") or (kind == "TAG_SENDER") == (direction == "out")
    reads_remote = kind.startswith("TAGS") or not reads_local
    for changes, reads in (
        ({}, False),
        ({"local": 0}, reads_local),
        ({"remote": 0}, reads_remote),
        ({"remote": -1}, False),
        ({"local": 0, "remote": -1}, reads_local),
    ):
        verdict = judge(view, [WHOLE], batch_context(view, 1, **changes))
        assert verdict.reads.tolist() == [Reads.ASSUMED_TAGS if reads else 0], changes


def test_super_accept_does_not_hide_what_a_tag_match_names() -> None:
    tee = {"type": "ACTION_TEE", "address": "2222222222"}
    view = view_of([FALSE, tee, of("TAG_SENDER", id=1), ACCEPT], direction="in")
    verdict = judge(view, [WHOLE], batch_context(view, 1, remote=0))
    assert verdict.reads.tolist() == [int(Reads.ASSUMED_TAGS)]


@pytest.mark.parametrize("kind", ["TEE", "WATCH", "REDIRECT"])
def test_assumed_addresses(kind: str) -> None:
    forward = {"type": f"ACTION_{kind}", "address": f"{FOURTH:010x}"}
    source = of("SOURCE_ZEROTIER_ADDRESS", zt="1111111111")
    for rules, reads in (
        ([source, ACCEPT], True),
        ([of("DEST_ZEROTIER_ADDRESS"), ACCEPT], True),
        ([FALSE, source, ACCEPT], False),
        ([forward, ACCEPT], True),
        ([FALSE, forward, ACCEPT], True),  # a live frame reaches it, its set true or not
        ([ACCEPT, forward], False),
        ([TRUE, ACCEPT], False),
    ):
        for known in (True, False):
            view = view_of(rules)
            verdict = judge(view, [WHOLE], batch_context(view, 1, addresses_known=known))
            expected = Reads.ASSUMED_ADDRESS if reads and not known else 0
            assert verdict.reads.tolist() == [expected], rules


# --- batches -------------------------------------------------------------------------------


def test_members_are_looked_up_frame_by_frame() -> None:
    rules = [of("TAG_SENDER", id=9, value=1), ACCEPT]
    view = view_of(rules, [tcp(59), ACCEPT], [ACCEPT])
    table = members(
        view,
        tag_ids=(9,),
        tag_present=np.array([[False, True, True]]),
        tag_value=np.array([[0, 1, 2]], dtype=np.uint32),
        capabilities=np.array([[False, True, True], [False, False, True]]),
        macs=(frozenset(), frozenset(), frozenset((7,))),
    )
    local = [1, 2, 2, 0]
    frames = [WHOLE, WHOLE, WHOLE._replace(mac_source=8), WHOLE]
    verdict = judge(view, frames, batch_context(view, 4, table, local=local, sender=local))
    assert verdict.accept.tolist() == [1, 1, 1, 0]
    assert verdict.capability.tolist() == [-1, 0, 1, -1]
    assert verdict.entry.tolist() == [1, 1, 0, -1]


def test_every_column_of_a_copy_and_a_redirect() -> None:
    target = f"{FOURTH:010x}"
    base = [
        {"type": "ACTION_TEE", "address": target, "length": 9},
        of("FRAME_SIZE_RANGE", start=28),
        {"type": "ACTION_BREAK"},
        {"type": "ACTION_DROP"},
    ]
    caps = [
        {"type": "ACTION_WATCH", "address": "5555555555", "length": -1},
        {"type": "ACTION_REDIRECT", "address": "6666666666"},
    ]
    verdict = judge(view_of(base, caps), [WHOLE, WHOLE._replace(length=29)])
    columns = {
        "result": [0, 1],
        "accept": [0, 0],
        "accepted": [True, False],
        "capability": [0, -1],
        "entry": [1, 3],
        "destination": [0x6666666666, 0x2222222222],
        "copy_entry": [0, -1],
        "copy_target": [FOURTH, 0],
        "copy_length": [9, 0],
        "copy_watch": [False, False],
        "capability_copy_entry": [0, -1],
        "capability_copy_target": [0x5555555555, 0],
        "capability_copy_length": [28, 0],
        "capability_copy_watch": [True, False],
        "qos": [0, 0],
        "reads": [0, 0],
    }
    assert {name: getattr(verdict, name).tolist() for name in columns} == columns


def test_no_tee_is_a_column() -> None:
    view = view_of([{"type": "ACTION_TEE", "address": f"{FOURTH:010x}"}, ACCEPT])
    verdict = judge(view, [WHOLE, WHOLE], batch_context(view, 2, no_tee=[False, True]))
    assert verdict.copy_target.tolist() == [FOURTH, 0]
    assert verdict.copy_entry.tolist() == [0, -1]


def test_random_depends_on_seed_number_and_entry_alone() -> None:
    random = of("RANDOM", probability=1 << 31)
    view = view_of([random, ACCEPT, random, ACCEPT], [random, ACCEPT])
    frames = [WHOLE] * 300
    whole = judge(view, frames, seed=5)
    parts = [
        judge(view, frames[a:b], batch_context(view, 100, number=np.arange(a, b)), seed=5)
        for a, b in ((0, 100), (100, 200), (200, 300))
    ]
    assert whole.entry.tolist() == [entry for part in parts for entry in part.entry.tolist()]
    assert whole.entry.tolist() != judge(view, frames, seed=6).entry.tolist()
    assert {(1, -1), (3, -1), (1, 0), (-1, -1)} == set(
        zip(whole.entry.tolist(), whole.capability.tolist(), strict=True)
    )


def test_a_break_decides_and_an_end_does_not() -> None:
    assert judge(view_of([TRUE, {"type": "ACTION_BREAK"}]), [WHOLE]).entry.tolist() == [1]
    assert judge(view_of([TRUE]), [WHOLE]).entry.tolist() == [-1]


def test_no_frames() -> None:
    verdict = judge(view_of([PROTOCOL, ACCEPT]), [])
    assert len(verdict) == 0
    assert verdict.reads.dtype == np.uint16


def test_a_situation_may_be_replaced_in_part() -> None:
    view = view_of([of("DEST_ZEROTIER_ADDRESS", zt="0000000000"), ACCEPT])
    where = replace(batch_context(view, 1), zt_dest=np.zeros(1, dtype=np.uint64))
    assert judge(view, [WHOLE], where).accept.tolist() == [1]
