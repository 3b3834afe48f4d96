"""Multicast: one judgement for each kind of receiver, counted for each member."""

from __future__ import annotations

import numpy as np
import pytest

import ztfast
from ztfast.engine.multicast import receiver_classes
from ztfast.model.addresses import mac_of, rfc4193
from ztfast.model.view import make_view
from ztfast.network.member_table import member_table
from ztfast.network.members import Member, make_network

NETWORK = 0x8056C2E21C000001
ROLE = 7
RULES = """
tag role id 7;
drop chr inbound and not treq role 1;
accept;
"""


def network(members: int) -> ztfast.Network:
    return make_network(
        [Member(0x1000000000 + n, tags={ROLE: n % 3}) for n in range(members)], id=NETWORK
    )


def multicast(sender: int) -> bytes:
    source = mac_of(0x1000000000 + sender, NETWORK).to_bytes(6, "big")
    return bytes.fromhex("01005e000001") + source + b"\x08\x00" + bytes(46)


@pytest.mark.parametrize(("sender", "accepting"), [(0, 4), (1, 3)])
def test_each_member_judges_but_not_the_sender(backend: str, sender: int, accepting: int) -> None:
    policy = ztfast.compile(RULES)
    engine = ztfast.Engine(policy, network=network(11), backend=backend)
    verdicts = engine.evaluate(ztfast.FrameBatch.from_frames([multicast(sender)]))
    assert verdicts.receivers.tolist() == [accepting]
    assert verdicts.accepted.tolist() == [True]


def test_a_multicast_that_nobody_takes_is_dropped(backend: str) -> None:
    policy = ztfast.compile(RULES)
    engine = ztfast.Engine(policy, network=network(2), backend=backend)
    verdicts = engine.evaluate(ztfast.FrameBatch.from_frames([multicast(1)]))
    assert verdicts.receivers.tolist() == [0]
    assert verdicts.accepted.tolist() == [False]
    assert verdicts.side.tolist() == [1]


def test_receivers_that_emulate_neighbours_judge_for_themselves(backend: str) -> None:
    """Three take every RFC 4193 source, two want no such address and refuse it."""
    members = [Member(0x1000000000 + n, auto_ips=n % 2 == 0) for n in range(6)]
    described = make_network(members, id=NETWORK, assigns_rfc4193=True)
    source = mac_of(0x1000000000 + 5, NETWORK).to_bytes(6, "big")
    ip = rfc4193(0x99, NETWORK)
    frame = bytes.fromhex("333300000001") + source + b"\x86\xdd" + bytes(8) + ip + bytes(16)
    rules = ztfast.compile("accept chr ipauth;\naccept not chr inbound;\n")
    engine = ztfast.Engine(rules, network=described, backend=backend)
    verdicts = engine.evaluate(ztfast.FrameBatch.from_frames([frame]))
    assert verdicts.receivers.tolist() == [3]


def test_members_that_judge_alike_are_one_class() -> None:
    members = network(3000)
    policy = ztfast.compile(RULES)
    view = make_view(policy, "in")
    classes = receiver_classes(view, member_table(members, view, policy))
    assert [len(members) for members in classes] == [1000, 1000, 1000]
    named = make_view(ztfast.compile("tee 1 1000000005 vlan 1;\n" + RULES), "in")
    classes = receiver_classes(named, member_table(members, named, policy))
    assert sorted(len(members) for members in classes) == [1, 999, 1000, 1000]
    assert np.concatenate(classes).size == 3000
