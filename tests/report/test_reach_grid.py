"""Who reaches whom as lines: groups that can be swapped, reasons, changes."""

from __future__ import annotations

import random

import numpy as np
import pytest

import ztfast
from tests import seeds
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.reach import Reach, reach
from ztfast.report.reach_grid import change_lines, grid, grid_lines, groups

SEED = seeds.seed(0)
NETWORK_ID = 0x8056C2E21C000001
RULES = """\
tag team id 1;
drop dport 22 and not tdiff team 0;
drop sport 443 and chr inbound and tseq team 3;
accept;
"""
TEAMS = {"anna": 1, "ben": 1, "carl": 2, "dora": 2, "eva": 2, "web": 3}


def network() -> Network:
    return make_network(
        [
            Member(number, ips=(bytes((10, 0, 0, number)),), name=name, tags={1: team})
            for number, (name, team) in enumerate(TEAMS.items(), 1)
        ],
        id=NETWORK_ID,
    )


def found(
    rules: str = RULES, services: tuple[str, ...] = ("ssh", "https"), **options: object
) -> Reach:
    return reach(ztfast.compile(rules), network(), services, **options)  # type: ignore[arg-type]


def test_the_grid() -> None:
    assert grid_lines(found()) == [
        "33 of 60 ways are open (6 members; ssh, https)",
        "",
        "from \\ to      anna, ben  carl, dora +1  web",
        "anna, ben      all        https          -",
        "carl, dora +1  https      all            -",
        "web            https      https",
        "",
        "not open:",
        "  ssh    tag       line 2  22 ways  anna to carl",
        "  https  no reply  line 3  5 ways   anna to web (the answer is refused)",
    ]


def test_the_grid_in_numbers() -> None:
    made = grid(found())
    assert made.clients == made.servers == [[0, 1], [2, 3, 4], [5]]
    assert made.pairs == [
        [(0, 1), (0, 2), (0, 5)],
        [(2, 0), (2, 3), (2, 5)],
        [(5, 0), (5, 2), None],
    ]


def test_a_list_where_the_grid_is_too_wide() -> None:
    lines = grid_lines(found(), 20)
    assert lines[2:6] == [
        "from anna, ben",
        "  all: to anna, ben",
        "  https: to carl, dora, eva",
        "  -: to web",
    ]


def test_some_members_only() -> None:
    lines = grid_lines(found(services=("ssh",), clients=["anna"], servers=["ben", "web"]))
    assert lines[:5] == [
        "1 of 2 ways are open (3 members; ssh)",
        "",
        "from \\ to  ben  web",
        "anna       ssh  -",
        "",
    ]


def test_all_is_open_and_nothing_is_asked() -> None:
    assert grid_lines(found("accept;\n"))[2:] == [
        "from \\ to     anna, ben +4",
        "anna, ben +4  all",
    ]
    assert grid_lines(found(clients=["anna"], servers=["anna"])) == [
        "0 ways: one member is asked for, and none sends to itself"
    ]


@pytest.mark.parametrize("round_", range(seeds.rounds(30)))
def test_every_group_can_be_swapped(round_: int) -> None:
    rng = random.Random(SEED * 4099 + round_)
    count = rng.choice([1, 2, 5, 12])
    kinds = [rng.randrange(3) for _ in range(count)]
    table = [[rng.randrange(3) for _ in range(3)] for _ in range(3)]
    codes = np.array([[table[a][b] for b in kinds] for a in kinds], np.int64)
    if rng.random() < 0.4 and count > 1:
        codes[rng.randrange(count), rng.randrange(count)] = 3
    np.fill_diagonal(codes, -1)
    parts = groups(codes)
    assert sorted(member for part in parts for member in part) == list(range(count)) * (count > 1)
    for part in parts:
        for other in parts:
            block = {int(codes[a, b]) for a in part for b in other if a != b}
            assert len(block) <= 1, (SEED, round_)


def test_members_of_one_kind_are_one_group() -> None:
    codes = np.zeros((40, 40), np.int64)
    np.fill_diagonal(codes, -1)
    assert groups(codes) == [list(range(40))]
    codes[3, :] = codes[:, 3] = 1
    codes[3, 3] = -1
    assert groups(codes) == [[0, 1, 2, *range(4, 40)], [3]]


def test_changes() -> None:
    old, new = found(), found(RULES.replace("drop dport 22 and not", "drop dport 23 and not"))
    assert change_lines(old, old) == ["nothing changes: 33 of 60 ways are open"]
    assert change_lines(old, new) == [
        "opens: 22, closes: 0, of 60 ways (ssh, https)",
        "",
        "ssh opens (line 4); it was closed: tag, line 2",
        "  anna, ben to carl, dora, eva, web",
        "  carl, dora, eva to anna, ben, web",
        "  web to anna, ben, carl, dora, eva",
    ]
    closed = change_lines(new, old)
    assert closed[0] == "opens: 0, closes: 22, of 60 ways (ssh, https)"
    assert closed[2] == "ssh closes: tag, line 2"
    nothing, everything = found("drop;\n", ("arp",)), found("accept;\n", ("arp",))
    assert change_lines(nothing, everything)[2:] == [
        "arp opens (line 1); it was closed: no ARP, line 1",
        "  anna, ben, carl, dora, eva, web to each other",
    ]


@pytest.mark.parametrize("round_", range(seeds.rounds(20)))
def test_every_way_that_changes_is_in_the_lines(round_: int) -> None:
    """The names on both sides of `to` are exactly the pairs that change."""
    rng = random.Random(SEED * 4099 + round_)
    names = list(TEAMS)
    rules = "".join(
        f"drop ztsrc {rng.randrange(1, 7):010x} and ztdest {rng.randrange(1, 7):010x}"
        " and not chr multicast;\n"
        for _ in range(rng.choice([1, 4, 12]))
    )
    old, new = found(rules + "accept;\n", ("80/udp",)), found("accept;\n", ("80/udp",))
    said: set[tuple[str, str]] = set()
    for line in change_lines(old, new):
        if not line.startswith("  "):
            continue
        left, _, right = line.strip().partition(" to ")
        clients = left.split(", ")
        for part in right.split(" and "):
            servers = clients if part == "each other" else part.split(", ")
            said |= {(one, other) for one in clients for other in servers if one != other}
    changed = np.flatnonzero(old.open != new.open)
    expected = {(names[old.client[n]], names[old.server[n]]) for n in changed}
    assert said == expected, (SEED, round_)
