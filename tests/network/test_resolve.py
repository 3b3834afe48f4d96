"""Who is who in each frame: by MAC, by IP, by the network id alone, and where nothing is known."""

from __future__ import annotations

import random
from ipaddress import ip_address

import numpy as np
import pytest

from tests.network.building import ANNA, BERT, CARL, NETWORK_ID, member, policy
from ztfast.errors import FrameError, UsageError
from ztfast.model.addresses import mac_of
from ztfast.model.view import make_view
from ztfast.network.member_table import member_table
from ztfast.network.members import Network, make_network
from ztfast.network.resolve import (
    Endpoints,
    IpColumn,
    MemberIndex,
    Stations,
    member_index,
    resolve,
)

VIEW = make_view(policy([{"type": "ACTION_ACCEPT"}]), "out")
NETWORK = make_network(
    [
        member(ANNA, ips=(ip_address("10.0.0.1").packed, ip_address("fd00::1").packed)),
        member(BERT, ips=(ip_address("10.0.0.2").packed, ip_address("fd00::2").packed)),
        member(CARL, ips=(ip_address("10.0.0.3").packed,)),
    ],
    NETWORK_ID,
)
STRANGER = 0x0102030405
BROADCAST = 0xFFFFFFFFFFFF
BRIDGED = 0x525400000077


def index_of(network: Network | None) -> MemberIndex:
    return member_index(network, member_table(network, VIEW))


def ends(*pairs: tuple[int, int]) -> Endpoints:
    source, dest = zip(*pairs, strict=True)
    return Endpoints(np.array(source, dtype=np.uint64), np.array(dest, dtype=np.uint64))


def mac(address: int) -> int:
    return mac_of(address, NETWORK_ID)


def ips(*texts: str) -> IpColumn:
    numbers = [ip_address(text) if text else None for text in texts]
    return IpColumn(
        np.array([0 if n is None else n.version for n in numbers], dtype=np.uint8),
        np.array([0 if n is None else int(n) >> 64 for n in numbers], dtype=np.uint64),
        np.array([0 if n is None else int(n) & (1 << 64) - 1 for n in numbers], dtype=np.uint64),
    )


def test_out_between_members() -> None:
    seen = resolve(index_of(NETWORK), "out", ends((mac(ANNA), mac(BERT))), first_number=5)
    assert (seen.local.tolist(), seen.sender.tolist(), seen.remote.tolist()) == ([1], [1], [2])
    assert seen.node.tolist() == seen.zt_source.tolist() == [ANNA]
    assert seen.zt_dest.tolist() == [BERT]
    assert seen.addresses_known.tolist() == [True]
    assert seen.number.tolist() == [5]
    assert seen.direction == "out"


def test_in_between_members() -> None:
    seen = resolve(index_of(NETWORK), "in", ends((mac(ANNA), mac(BERT))))
    assert (seen.local.tolist(), seen.sender.tolist(), seen.remote.tolist()) == ([2], [1], [1])
    assert seen.node.tolist() == seen.zt_dest.tolist() == [BERT]
    assert seen.zt_source.tolist() == [ANNA]
    assert seen.addresses_known.tolist() == [True]


@pytest.mark.parametrize("dest", [BROADCAST, 0x01005E000001, 0x333300000001, BRIDGED])
def test_out_to_everyone_or_to_a_bridge_has_no_destination(dest: int) -> None:
    seen = resolve(index_of(NETWORK), "out", ends((mac(ANNA), dest)))
    assert seen.zt_dest.tolist() == [0]
    assert seen.remote.tolist() == [-1]
    assert seen.addresses_known.tolist() == [True]


def test_multicast_in_is_a_receivers_of_whom_nothing_is_known() -> None:
    seen = resolve(index_of(NETWORK), "in", ends((mac(ANNA), BROADCAST)))
    assert (seen.local.tolist(), seen.sender.tolist()) == ([0], [1])
    assert (seen.zt_dest.tolist(), seen.addresses_known.tolist()) == ([0], [False])


def test_a_mac_of_the_network_that_is_no_members() -> None:
    out = resolve(index_of(NETWORK), "out", ends((mac(STRANGER), mac(STRANGER + 1))))
    assert (out.local.tolist(), out.remote.tolist()) == ([0], [0])
    assert (out.zt_source.tolist(), out.zt_dest.tolist()) == ([STRANGER], [STRANGER + 1])
    assert out.addresses_known.tolist() == [True]


def test_a_bridged_source_is_assumed() -> None:
    out = resolve(index_of(NETWORK), "out", ends((BRIDGED, mac(BERT))))
    assert (out.local.tolist(), out.zt_source.tolist()) == ([0], [0])
    assert out.addresses_known.tolist() == [False]
    inbound = resolve(index_of(NETWORK), "in", ends((mac(ANNA), BRIDGED)))
    assert (inbound.local.tolist(), inbound.addresses_known.tolist()) == ([0], [False])


def test_a_network_id_alone_gives_addresses() -> None:
    index = index_of(make_network([], NETWORK_ID))
    seen = resolve(index, "out", ends((mac(ANNA), mac(BERT)), (mac(ANNA), BROADCAST)))
    assert seen.zt_source.tolist() == [ANNA, ANNA]
    assert seen.zt_dest.tolist() == [BERT, 0]
    assert seen.remote.tolist() == [0, -1]
    assert seen.addresses_known.tolist() == [True, True]


def test_nothing_known() -> None:
    seen = resolve(index_of(None), "out", ends((mac(ANNA), mac(BERT)), (mac(ANNA), BROADCAST)))
    assert seen.zt_source.tolist() == seen.zt_dest.tolist() == [0, 0]
    assert seen.local.tolist() == [0, 0]
    assert seen.remote.tolist() == [0, -1]
    assert seen.addresses_known.tolist() == [False, False]


def test_members_with_macs_of_their_own_and_no_network_id() -> None:
    network = make_network([member(ANNA, mac=BRIDGED), member(BERT)])
    seen = resolve(index_of(network), "out", ends((BRIDGED, mac(BERT))))
    assert (seen.local.tolist(), seen.remote.tolist()) == ([1], [0])
    assert (seen.zt_source.tolist(), seen.addresses_known.tolist()) == ([ANNA], [False])


def by_ip(direction: str, *pairs: tuple[str, str], network: Network = NETWORK) -> list[object]:
    source, dest = zip(*pairs, strict=True)
    nothing = np.zeros(len(pairs), dtype=np.uint64)
    unknown = np.zeros(len(pairs), dtype=np.bool_)
    seen = resolve(
        index_of(network),
        direction,
        Endpoints(nothing, nothing, unknown, unknown, ips(*source), ips(*dest)),
    )
    columns = (seen.local, seen.remote, seen.zt_source, seen.zt_dest, seen.addresses_known)
    return [column.tolist() for column in columns]


def test_by_ip_where_there_are_no_macs() -> None:
    assert by_ip("out", ("10.0.0.1", "10.0.0.3"), ("fd00::2", "fd00::1")) == [
        [1, 2],
        [3, 1],
        [ANNA, BERT],
        [CARL, ANNA],
        [True, True],
    ]
    assert by_ip("in", ("10.0.0.1", "10.0.0.3")) == [[3], [1], [ANNA], [CARL], [True]]


@pytest.mark.parametrize("dest", ["224.0.0.1", "239.1.2.3", "255.255.255.255", "ff02::1"])
def test_multicast_by_ip(dest: str) -> None:
    assert by_ip("out", ("10.0.0.1", dest)) == [[1], [-1], [ANNA], [0], [True]]


@pytest.mark.parametrize("dest", ["8.8.8.8", "2001:db8::1", ""])
def test_an_ip_that_nobody_was_assigned(dest: str) -> None:
    assert by_ip("out", ("10.0.0.1", dest)) == [[1], [0], [ANNA], [0], [False]]


def test_an_ip_that_two_members_were_assigned_finds_nobody() -> None:
    packed = ip_address("10.0.0.9").packed
    wide = ip_address("fd00::9").packed
    network = make_network(
        [member(ANNA, ips=(packed, wide)), member(BERT, ips=(packed, wide))], NETWORK_ID
    )
    found = by_ip("out", ("10.0.0.9", "fd00::9"), network=network)
    assert found == [[0], [0], [0], [0], [False]]


def test_halves_of_two_addresses_are_no_address() -> None:
    network = make_network(
        [
            member(ANNA, ips=(ip_address("fd00::1").packed,)),
            member(BERT, ips=(ip_address("fd01::2").packed,)),
        ]
    )
    assert by_ip("out", ("fd00::2", "fd01::1"), network=network)[:2] == [[0], [0]]


def test_macs_come_first_where_they_are_known() -> None:
    both = Endpoints(
        np.array([mac(ANNA), mac(ANNA)], dtype=np.uint64),
        np.array([mac(BERT), 0], dtype=np.uint64),
        np.array([True, False]),
        np.array([True, False]),
        ips("10.0.0.3", "10.0.0.3"),
        ips("10.0.0.3", "10.0.0.2"),
    )
    seen = resolve(index_of(NETWORK), "out", both)
    assert (seen.local.tolist(), seen.remote.tolist()) == ([1, 3], [2, 2])


def test_wrong_use() -> None:
    index = index_of(NETWORK)
    with pytest.raises(UsageError):
        resolve(index, "both", ends((1, 2)))
    with pytest.raises(FrameError, match="different lengths"):
        resolve(index, "out", Endpoints(np.zeros(1, np.uint64), np.zeros(2, np.uint64)))


def test_no_frames() -> None:
    nothing = np.zeros(0, dtype=np.uint64)
    assert len(resolve(index_of(NETWORK), "out", Endpoints(nothing, nothing)).local) == 0


def test_ten_thousand_members_against_a_dictionary() -> None:
    seed = 20260
    rng = random.Random(seed)
    addresses = rng.sample(range(1, 1 << 40), 10_000)
    given = {address: rng.getrandbits(128).to_bytes(16, "big") for address in addresses}
    network = make_network([member(a, ips=(given[a],)) for a in addresses], NETWORK_ID)
    number = {a: n for n, a in enumerate(sorted(addresses), 1)}
    pairs = [(rng.choice(addresses), rng.choice([*addresses, STRANGER])) for _ in range(5000)]
    seen = resolve(index_of(network), "out", ends(*((mac(a), mac(b)) for a, b in pairs)))
    assert seen.local.tolist() == [number[a] for a, _ in pairs], f"seed {seed}"
    assert seen.remote.tolist() == [number.get(b, 0) for _, b in pairs], f"seed {seed}"
    texts = [str(ip_address(given[a])) for a, _ in pairs]
    found = by_ip("out", *((text, "8.8.8.8") for text in texts), network=network)
    assert found[0] == [number[a] for a, _ in pairs], f"seed {seed}"


def test_of_two_members_with_one_mac_the_first_is_found() -> None:
    for factor in (1, 0x1000193):  # in other places of the table
        macs = np.array([5, 5, 9, 9, 9, 12], np.uint64) * np.uint64(factor)
        stations = Stations(macs, np.array([3, 4, 1, 2, 7, 6], np.int32))
        asked = np.array([9, 5, 12, 7, 0], np.uint64) * np.uint64(factor)
        assert stations.members(asked).tolist() == [1, 3, 6, 0, 0]
    nobody = Stations(np.zeros(0, np.uint64), np.zeros(0, np.int32))
    assert nobody.members(np.array([0, 0xFFFFFFFFFFFFFFFF], np.uint64)).tolist() == [0, 0]
