"""Hops: who is who on the way to one recipient, and draws that are each hop's own."""

from __future__ import annotations

import numpy as np

import ztfast
from ztfast.engine.hops import Sender, drawn_anew, inbound, outbound, recipient_ways, way_to
from ztfast.model.view import make_view
from ztfast.network.batch_context import MemberTable
from ztfast.network.member_table import member_table
from ztfast.network.members import Member, make_network

ANNA, BERT, CARL = 0x1111111111, 0x2222222222, 0x3333333333


def members() -> MemberTable:
    policy = ztfast.compile("accept;\n")
    network = make_network([Member(ANNA), Member(BERT), Member(CARL)], id=1)
    return member_table(network, make_view(policy, "out"), policy)


def sender() -> Sender:
    """Anna, and a stranger whose address is assumed."""
    return Sender(
        np.array([1, 0], np.int32), np.array([ANNA, 0], np.uint64), np.array([True, False])
    )


def test_the_second_pass_knows_its_recipient_and_sends_no_copies() -> None:
    found = outbound(members(), sender(), np.array([2, 3], np.int32), np.array([5, 6]))
    assert (found.local.tolist(), found.sender.tolist()) == ([1, 0], [1, 0])
    assert found.remote.tolist() == [2, 3]
    assert found.node.tolist() == found.zt_source.tolist() == [ANNA, 0]
    assert found.zt_dest.tolist() == [BERT, CARL]
    assert found.addresses_known.tolist() == [True, False]
    assert found.no_tee.tolist() == [True, True]
    assert found.number.tolist() == [5, 6]


def test_a_recipient_is_the_destination_and_copies_for_itself() -> None:
    found = inbound(members(), sender(), np.array([2, 3], np.int32), np.array([5, 6]))
    assert (found.local.tolist(), found.remote.tolist()) == ([2, 3], [1, 0])
    assert found.sender.tolist() == [1, 0]
    assert found.node.tolist() == found.zt_dest.tolist() == [BERT, CARL]
    assert found.zt_source.tolist() == [ANNA, 0]
    assert found.no_tee.tolist() == [False, False]


def test_every_frame_and_way_draws_apart() -> None:
    to = np.arange(1, 301, dtype=np.uint64)
    again, own = recipient_ways(to)
    further = way_to(own, to[::-1].copy(), "tee"), way_to(own, to[::-1].copy(), "watch")
    ways = np.concatenate([np.zeros(1, np.uint64), again, own, *further])
    numbers = [drawn_anew(np.full(len(ways), n, np.int64), ways) for n in (0, 1, 2, 1 << 40)]
    plain = np.array([0, 1, 2, 1 << 40], np.int64)  # what the first pass draws by
    assert len(np.unique(np.concatenate([*numbers, plain[1:]]))) == 4 * len(ways) + 3
    assert min(int(column.min()) for column in numbers) >= 0


def test_a_part_of_the_hops() -> None:
    assert [column.tolist() for column in sender().where(np.array([1, 1]))] == [
        [0, 0], [0, 0], [False, False],
    ]  # fmt: skip
