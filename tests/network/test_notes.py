"""Notes about what members seem to have and do not: one line each, naming members."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from tests.network.building import ANNA, BERT, CARL, NETWORK_ID, member, policy
from ztfast.network.members import Network, make_network
from ztfast.network.notes import network_notes

ACCEPT = [{"type": "ACTION_ACCEPT"}]
DEFAULTS = policy(
    ACCEPT,
    capabilities=[
        {"id": 1, "default": True, "rules": ACCEPT},
        {"id": 2, "default": False, "rules": ACCEPT},
        {"id": 3, "default": True, "rules": ACCEPT},
    ],
)


def ips(*texts: str) -> tuple[bytes, ...]:
    return tuple(ip_address(text).packed for text in texts)


def network(*members: Any, **settings: Any) -> Network:
    return make_network(members, NETWORK_ID, **settings)


def messages(given: Network, rules: Any = None) -> list[str]:
    found = network_notes(given, rules, "net.json")
    assert all((note.severity, note.path) == ("note", "net.json") for note in found)
    assert all(note.help and "\n" not in note.message for note in found)
    return [note.message for note in found]


def test_nothing_is_said_where_all_is_owned_and_held() -> None:
    plain = network(member(ANNA, ips=ips("10.0.0.1")), member(BERT, capabilities=frozenset((1, 3))))
    assert messages(plain, DEFAULTS) == []


def test_a_network_without_its_id() -> None:
    members = (member(ANNA), member(BERT, mac=0x020000000001), member(CARL))
    (message,) = messages(make_network(members))
    assert message.startswith("the network's id is missing")
    assert "MACs of 2 members" in message
    assert network_notes(make_network(members), None, None, needs_id=False) == []
    assert messages(make_network(members[1:2])) == []
    assert messages(network(*members)) == []


def test_a_network_without_members() -> None:
    assert messages(network()) == ["no members in it: all that rules ask of members is assumed"]
    (message,) = messages(network(member(ANNA, authorized=False)))
    assert message.startswith("none of its 1 members is authorised")


def test_addresses_outside_the_routes_and_beyond_the_certificate() -> None:
    many = ips(*(f"10.0.0.{n}" for n in range(1, 18)))
    routes = ((bytes((10, 0, 0, 0)), 8),)
    (message,) = messages(
        network(
            member(ANNA, name="anna", ips=ips("10.1.1.1", "192.168.9.9")),
            member(BERT, ips=many),
            member(CARL, ips=ips("10.1.1.3")),
            routes=routes,
        )
    )
    assert message.endswith(
        "refuses them: anna: 192.168.9.9 (outside the routes); 8e30f50a25: 10.0.0.17 (more than 16)"
    )


def test_members_that_want_no_address_of_a_scheme() -> None:
    members = member(ANNA, name="anna", auto_ips=False), member(BERT)
    (message,) = messages(network(*members, assigns_rfc4193=True))
    assert message.endswith(": anna: that of RFC 4193 or 6PLANE (noAutoAssignIps)")
    assert messages(network(*members)) == []


def test_many_are_cut() -> None:
    strange = ips(*(f"192.168.0.{n}" for n in range(1, 8)))
    members = [member(ANNA + n, ips=strange) for n in range(7)]
    (message,) = messages(network(*members, routes=()))
    assert message.count("outside the routes") == 16
    assert message.count("and 3 more") == 4 + 1
    assert len(message) < 1000


def test_default_capabilities_that_lists_lack() -> None:
    members = (
        member(ANNA, name="anna", takes_defaults=False, capabilities=frozenset((1,))),
        member(BERT, takes_defaults=False),
        member(CARL),
    )
    (message,) = messages(network(*members), DEFAULTS)
    assert message.endswith("hold them: anna (3), 8e30f50a25 (1, 3)")
    assert messages(network(*members, private=False), DEFAULTS) == []
    assert messages(network(*members)) == []  # no rules are known
    assert messages(network(*members, policy=DEFAULTS)) == [message]


def test_who_is_no_member_is_not_named() -> None:
    outsider = member(ANNA, authorized=False, takes_defaults=False, ips=ips("192.168.0.1"))
    assert messages(network(outsider, member(BERT), routes=()), DEFAULTS) == []


def test_more_than_a_member_gets() -> None:
    many = member(ANNA, tags=dict.fromkeys(range(129), 1))
    held = member(BERT, capabilities=frozenset(range(130)))
    assert messages(network(many, held, member(CARL))) == [
        "members with more tags or capabilities than a controller gives them: "
        f"{ANNA:010x} (129 tags), {BERT:010x} (130 capabilities)"
    ]
    tagged = policy(ACCEPT, tags=[{"id": 7, "default": 1}, {"id": 8, "default": None}])
    full = member(ANNA, tags=dict.fromkeys(range(100, 228), 1))
    assert messages(network(full)) == []
    assert messages(network(full), tagged) == [
        "members with more tags or capabilities than a controller gives them: "
        f"{ANNA:010x} (129 tags)"
    ]
