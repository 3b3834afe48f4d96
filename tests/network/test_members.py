"""Networks as values: who belongs, what they own, what is refused."""

from __future__ import annotations

import pytest

from tests.network.building import ANNA, BERT, NETWORK_ID, member
from ztfast.errors import NetworkError
from ztfast.model.addresses import mac_of, rfc4193, six_plane
from ztfast.network.members import make_network


def test_members_are_in_order_of_address() -> None:
    network = make_network([member(BERT), member(ANNA)])
    assert [m.address for m in network.members] == [ANNA, BERT]


def test_unauthorised_members_are_none_unless_the_network_is_public() -> None:
    members = [member(ANNA), member(BERT, authorized=False)]
    assert [m.address for m in make_network(members).active_members()] == [ANNA]
    assert len(make_network(members, private=False).active_members()) == 2


def test_macs_follow_from_the_id_or_are_given() -> None:
    anna, bert = member(ANNA), member(BERT, mac=0x020000000009)
    network = make_network([anna, bert], NETWORK_ID)
    assert network.mac(anna) == mac_of(ANNA, NETWORK_ID)
    assert network.mac(bert) == 0x020000000009
    assert make_network([anna]).mac(anna) is None


def test_ipv6_schemes_are_owned_too() -> None:
    anna = member(ANNA, ips=(b"\x0a\0\0\1",))
    assert make_network([anna], NETWORK_ID).ips(anna) == {b"\x0a\0\0\1"}
    network = make_network([anna], NETWORK_ID, assigns_rfc4193=True, assigns_6plane=True)
    assert network.ips(anna) == {
        b"\x0a\0\0\1",
        rfc4193(ANNA, NETWORK_ID),
        six_plane(ANNA, NETWORK_ID),
    }


def test_members_of_one_name_are_told_apart() -> None:
    made = make_network([member(ANNA, name="pc"), member(BERT, name="pc"), member(7, name="nas")])
    names = [made.member_name(address) for address in (ANNA, BERT, 7, 8)]
    assert names == [f"pc ({ANNA:010x})", f"pc ({BERT:010x})", "nas", "0000000008"]


def test_doubles_are_refused() -> None:
    with pytest.raises(NetworkError, match="two members have the ZeroTier address 1122334455"):
        make_network([member(ANNA), member(ANNA)])
    with pytest.raises(NetworkError, match="two members have the MAC"):
        make_network([member(ANNA, mac=5), member(BERT, mac=5)])
    with pytest.raises(NetworkError, match="two members have the MAC"):
        make_network([member(ANNA), member(BERT, mac=mac_of(ANNA, NETWORK_ID))], NETWORK_ID)
