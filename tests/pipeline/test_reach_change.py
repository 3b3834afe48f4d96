"""Two rule sets for the same members: which services are asked about, and which are not."""

from __future__ import annotations

import pytest

import ztfast
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline import reach_change
from ztfast.pipeline.reach import SERVICES
from ztfast.pipeline.reach_change import ways_between

OLD = ztfast.compile("".join(f"accept dport {port};\n" for port in (22, 7000, 8000)))
NEW = ztfast.compile("".join(f"accept dport {port};\n" for port in (22, 7000, 9000)))


def network(count: int = 3) -> Network:
    members = [Member(n, ips=(bytes((10, 0, 0, n)),), name=f"m{n}") for n in range(1, count + 1)]
    return make_network(members, id=0x8056C2E21C000001)


def test_the_services_of_the_rules_are_asked_about() -> None:
    ways = ways_between((OLD, NEW), network())
    assert ways is not None
    names = [service.name for service in ways.new.services]
    assert names == [*SERVICES, "8000/tcp", "9000/tcp", "7000/tcp"]
    assert ways.old.services == ways.new.services
    assert (ways.left_out, ways.notes) == ((), [])


@pytest.mark.parametrize(
    ("most", "left_out"),
    [
        (0, ("8000/tcp", "9000/tcp", "7000/tcp")),
        (9 * (len(SERVICES) + 1), ("9000/tcp", "7000/tcp")),
        (9 * (len(SERVICES) + 2), ("7000/tcp",)),
    ],
)
def test_in_a_large_network_only_some_of_them(
    most: int, left_out: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach_change, "MOST_CELLS", most)
    monkeypatch.setattr(reach_change, "FEWEST", 0)
    ways = ways_between((OLD, NEW), network())
    assert ways is not None
    assert ways.left_out == left_out
    said = f"{len(left_out)} more services of the rules" if len(left_out) > 1 else left_out[0]
    assert ways.notes[1].startswith(f"not asked about: {said} (")
    one = ways_between((OLD, NEW), network(), clients=["m1"], servers=["m2"])
    assert one is not None
    assert one.left_out == (left_out if most == 0 else ())  # a pair alone has room for all


def test_some_of_the_rules_services_are_asked_about_in_any_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reach_change, "MOST_CELLS", 0)
    monkeypatch.setattr(reach_change, "FEWEST", 2)
    ways = ways_between((OLD, NEW), network())
    assert ways is not None
    assert ways.left_out == ("7000/tcp",)


def test_nothing_is_said_where_nobody_is_known() -> None:
    assert ways_between((OLD, NEW), None) is None
    assert ways_between((OLD, NEW), make_network([], id=1)) is None
    assert ways_between((OLD, NEW), make_network([Member(1)])) is None
