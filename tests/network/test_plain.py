"""Members of the usual shape, read quickly: what careful reading gives, or nothing at all."""

from __future__ import annotations

import random

import pytest

from ztfast.errors import NetworkError
from ztfast.network.documents import Node
from ztfast.network.load import network_of_json, read_member
from ztfast.network.members import Member
from ztfast.network.plain import read_plain

USUAL = {
    "id": "a1b2c3d4e5",
    "address": "a1b2c3d4e5",
    "authorized": True,
    "activeBridge": False,
    "noAutoAssignIps": False,
    "ipAssignments": ["10.1.2.3", "fd00::1"],
    "tags": [[1, 2], [7, 0]],
    "capabilities": [1000],
    "name": "alice",
}
VALUES = {
    "address": [
        "A1B2C3D4E5", "0000000000", "a1b2c3d4e", "a1b2c3d4e5 ", "8056c2e21c000001-a1b2c3d4e5", 5,
    ],
    "nodeId": ["a1b2c3d4e6"],
    "id": ["8056c2e21c000001-a1b2c3d4e5", 7],
    "mac": ["02:11:22:33:44:55", "nonsense"],
    "config": [{"authorized": True}, {}, {"address": "a1b2c3d4e7"}, 3],
    "authorized": [False, 1, 0, "yes"],
    "activeBridge": [True, 1],
    "noAutoAssignIps": [True, 0],
    "deleted": [False, True, 0],
    "permanentlyDeleted": [False, True],
    "ips": [["10.9.9.9"]],
    "ipAssignments": [
        [],
        "10.0.0.1",
        *(
            ["10.0.0.1", ip]
            for ip in (
                "10.0.0.1/24", "10.0.0.1/33", "10.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.1.2",
                "10.0.0.", "", "fe80::1%eth0", "::ffff:1.2.3.4", "::", "1::2::3", "fd00::1/64",
                "\u0661.0.0.1", 7, None,
            )
        ),
    ],
    "tags": [
        [],
        {"1": 2},
        {},
        *([[1, 2], pair] for pair in ([1, 3], [2, True], [2, 2**32], [-1, 2], [2], [2, 2.0], 3)),
    ],
    "capabilities": [[], [1, 1, 2], [2**32], [-1], [True], [1.0], "1", {}, 0, False],
    "name": ["", "\u00e4", 5],
    "somethingElse": [{"a": [1]}],
}  # fmt: skip


def documents(seed, count):
    """Members with a few fields left out, null, or anything else."""
    rng = random.Random(seed)
    for _ in range(count):
        member = dict(USUAL)
        for key in rng.sample(sorted(VALUES), rng.choice([0, 1, 1, 2, 3])):
            member[key] = rng.choice([None, *VALUES[key]])
        for key in rng.sample(sorted(member), rng.choice([0, 0, 1, 2])):
            del member[key]
        yield member


def careful(value):
    try:
        return read_member(Node(value, "net.json"))
    except NetworkError:
        return None


def is_deleted(value):
    return value.get("deleted") is True or value.get("permanentlyDeleted") is True


@pytest.mark.parametrize("seed", range(8))
def test_as_careful_reading_or_not_at_all(seed):
    quick = 0
    for value in documents(seed, 2000):
        found = read_plain(value)
        if found is None:
            continue
        quick += 1
        expected = careful(value)
        assert found == expected, value
        assert vars(found) == vars(expected)
        assert list(vars(found)) == list(vars(expected))
        assert not is_deleted(value)
    assert quick > 400


@pytest.mark.parametrize("key", sorted(VALUES))
def test_every_unusual_value(key):
    for other in (None, *VALUES[key]):
        value = {**USUAL, key: other}
        found = read_plain(value)
        assert found is None or found == careful(value), value


def test_the_usual_shape_is_read_quickly():
    found = read_plain(USUAL)
    assert isinstance(found, Member)
    assert found.label == "a1b2c3d4e5"
    for key in ("name", "tags", "capabilities", "authorized", "activeBridge", "noAutoAssignIps"):
        less = {name: value for name, value in USUAL.items() if name != key}
        expected = careful(less)
        assert read_plain(less) in (expected, None)
    for value in (None, [], "a1b2c3d4e5", 7):
        assert read_plain(value) is None


def test_a_network_of_both_kinds_of_members():
    """Faults are told with the member's place, deleted ones are left out."""
    others = [
        {"nodeId": "b1b2c3d4e5", "config": {"authorized": True}},
        {**USUAL, "address": "c1b2c3d4e5", "deleted": True},
        {**USUAL, "address": "d1b2c3d4e5", "deleted": False},
    ]
    document = {"id": "8056c2e21c000001", "private": True, "members": [USUAL, *others]}
    found = network_of_json(Node(document, "net.json"))
    assert [member.label for member in found.members] == ["a1b2c3d4e5", "b1b2c3d4e5", "d1b2c3d4e5"]
    document["members"][3]["ipAssignments"] = ["10.0.0.300"]
    with pytest.raises(NetworkError, match=r"members\[3\].ipAssignments\[0\]"):
        network_of_json(Node(document, "net.json"))
