"""Every form of network JSON, and what is refused in each, with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.network.building import ANNA, BERT, CARL, NETWORK_ID
from tests.network.written import (
    CENTRAL_MEMBER,
    CENTRAL_NETWORK,
    CONTROLLER_MEMBER,
    CONTROLLER_NETWORK,
    ID,
)
from ztfast.errors import NetworkError, RulesError, ZtfastError
from ztfast.network.load import load_network
from ztfast.network.members import Network


def load(tmp_path: Path, document: Any) -> Network:
    path = tmp_path / "net.json"
    path.write_text(json.dumps(document))
    return load_network(path)


def test_controller_network_with_its_members(tmp_path: Path) -> None:
    network = load(tmp_path, {**CONTROLLER_NETWORK, "members": [CONTROLLER_MEMBER]})
    assert (network.id, network.name, network.private) == (NETWORK_ID, "office", True)
    assert (network.assigns_rfc4193, network.assigns_6plane) == (True, False)
    assert network.policy is not None
    assert [tag.default for tag in network.policy.tags] == [5]
    (anna,) = network.members
    assert anna.address == ANNA
    assert anna.ips == (b"\x0a\0\0\1", bytes.fromhex("fd00" + "0" * 27 + "1"))
    assert anna.tags == {1: 10, 2: 20}
    assert anna.capabilities == {7}
    assert anna.authorized


def test_a_dump_of_network_and_members_as_a_map(tmp_path: Path) -> None:
    members = {
        "1122334455": {"authorized": True, "tags": {"1": 10}},
        "8e30f50a25": {"authorized": False, "ipAssignments": None, "tags": None},
        "99aabbccdd": {},
    }
    network = load(tmp_path, {"network": CONTROLLER_NETWORK, "members": members})
    assert [member.address for member in network.members] == [ANNA, BERT, CARL]
    assert [member.authorized for member in network.members] == [True, False, False]
    assert network.members[0].tags == {1: 10}


def test_central(tmp_path: Path) -> None:
    network = load(tmp_path, {"network": CENTRAL_NETWORK, "members": [CENTRAL_MEMBER]})
    assert network.id == NETWORK_ID
    assert network.policy is not None
    (anna,) = network.members
    assert (anna.address, anna.name, anna.authorized) == (ANNA, "anna", True)
    assert (anna.tags, anna.capabilities) == ({1: 10}, {7})


def test_a_list_of_members_alone(tmp_path: Path) -> None:
    network = load(tmp_path, [CENTRAL_MEMBER])
    assert network.id == NETWORK_ID
    assert network.policy is None
    assert len(network.members) == 1
    assert len(load(tmp_path, CONTROLLER_MEMBER).members) == 1


def test_central_id_alone_names_the_member(tmp_path: Path) -> None:
    (anna,) = load(tmp_path, [{"id": f"{ID}-1122334455", "config": {"authorized": True}}]).members
    assert anna.address == ANNA


def test_a_network_alone(tmp_path: Path) -> None:
    network = load(tmp_path, CENTRAL_NETWORK)
    assert (network.id, network.members) == (NETWORK_ID, ())


def test_as_a_controller_stores_it(tmp_path: Path) -> None:
    folder = tmp_path / ID / "member"
    folder.mkdir(parents=True)
    (folder / "1122334455.json").write_text(json.dumps(CONTROLLER_MEMBER))
    (tmp_path / f"{ID}.json").write_text(json.dumps(CONTROLLER_NETWORK))
    network = load_network(tmp_path / f"{ID}.json")
    assert [member.address for member in network.members] == [ANNA]


def _changed(**facts: Any) -> dict[str, Any]:
    return {"network": CONTROLLER_NETWORK, "members": [{**CONTROLLER_MEMBER, **facts}]}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (_changed(address="112233445"), "at members[0].address: '112233445' is not a ZeroTier"),
        (_changed(address="0000000000"), "is not a ZeroTier address"),
        (_changed(address=1122334455), "at members[0].address: 1122334455 is not a text"),
        (_changed(authorized="yes"), "at members[0].authorized: 'yes' is not true or false"),
        (_changed(tags=[[1]]), "at members[0].tags[0]: [1] is not a pair"),
        (_changed(tags=[[1, 2], [1, 3]]), "at members[0].tags[1][0]: the tag 1 is given twice"),
        (_changed(tags=[[1 << 32, 2]]), "at members[0].tags[0][0]: 4294967296 is not an integer"),
        (_changed(tags={"1": -1}), "at members[0].tags.1: -1 is not an integer"),
        (_changed(tags={"x": 1}), "'x' is not a tag id"),
        (_changed(tags={"٣": 1}), "is not a tag id"),
        (_changed(tags=7), "at members[0].tags: 7 is not an object"),
        (_changed(capabilities=[1.5]), "at members[0].capabilities[0]: 1.5 is not an integer"),
        (_changed(capabilities=[True]), "is not an integer"),
        (_changed(ipAssignments=["10.0.0.256"]), "ipAssignments[0]: '10.0.0.256' is not an IP"),
        (_changed(ipAssignments=["10.0.0.1/33"]), "is not an IP address with a prefix"),
        (_changed(ipAssignments=["10.0.0.1/"]), "is not an IP address with a prefix"),
        (_changed(ipAssignments=["fe80::1%eth0"]), "is not an IP"),
        (_changed(ipAssignments="10.0.0.1"), "is not a list"),
        (_changed(mac="no"), "at members[0].mac: 'no' is not a MAC"),
        ({"network": CONTROLLER_NETWORK, "members": [7]}, "at members[0]: 7 is not an object"),
        ({"network": CONTROLLER_NETWORK, "members": {"1122334455": 3}}, "holds no members"),
        ({"network": 7, "members": []}, "at network: 7 is not an object"),
        ({"network": {**CONTROLLER_NETWORK, "id": "77"}}, "'77' is not a network id"),
        ({"network": {"nwid": ID, "config": {"id": "f" * 16}}}, "differs from the one given"),
        ([CENTRAL_MEMBER, {**CENTRAL_MEMBER, "networkId": "f" * 16}], "differs from the one"),
        ([{"authorized": True}], "a member without `address`"),
        ([CENTRAL_MEMBER, CENTRAL_MEMBER], "two members have the ZeroTier address"),
        ([7], "at [0]: 7 is not an object"),
        ({"members": "x"}, "at members: 'x' is not an object"),
    ],
)
def test_refused_with_file_and_path(tmp_path: Path, document: Any, says: str) -> None:
    with pytest.raises(NetworkError) as caught:
        load(tmp_path, document)
    assert str(caught.value).startswith(str(tmp_path))
    assert says in str(caught.value)


def test_rules_are_refused_as_rules(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"net\.json"):
        load(tmp_path, {"network": {"id": ID, "rules": [{"type": "MATCH_NOSUCH"}]}, "members": []})


def test_any_value_anywhere_is_an_error_or_works(tmp_path: Path) -> None:
    odd = [None, True, -1, 1 << 70, 1.5, "", "x" * 1000, [], [[]], {}, {"": {}}, [None]]
    whole = {"network": CONTROLLER_NETWORK, "members": [CONTROLLER_MEMBER, CENTRAL_MEMBER]}
    tried = refused = nameless = 0
    for path in _paths(whole):
        for value in odd:
            tried += 1
            try:
                load(tmp_path, _with(whole, path, value))
            except ZtfastError as error:
                refused += 1
                nameless += str(tmp_path) not in str(error)
    assert nameless == 0
    assert tried > 300
    assert refused > tried // 2


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else []
    inner = enumerate(value) if isinstance(value, list) else inner
    return [path, *(found for key, item in inner for found in _paths(item, (*path, key)))]


def _with(value: Any, path: tuple[Any, ...], replacement: Any) -> Any:
    if not path:
        return replacement
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = _with(value[path[0]], path[1:], replacement)
    return copied


def test_ten_thousand_members(tmp_path: Path) -> None:
    members = [
        {**CONTROLLER_MEMBER, "id": f"{n:010x}", "address": f"{n:010x}"} for n in range(1, 10_001)
    ]
    network = load(tmp_path, {"network": CONTROLLER_NETWORK, "members": members})
    assert len(network.active_members()) == 10_000
