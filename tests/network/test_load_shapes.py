"""Every JSON that people have as a network: read, or refused with what it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.pages import ROOT
from ztfast.errors import NetworkError, ZtfastError
from ztfast.network.load import load_network

DATA = ROOT / "tests" / "data" / "networks"
ANNA = ("1122334455", "anna", {1000: 100}, set[int](), 1)
BEN = ("8e30f50a25", "ben", {1000: 200}, {10}, 1)
NAMED = (35, ["department", "server"], ["admin"])
NAMELESS: Any = (35, [None, None], [None])


@pytest.mark.parametrize(
    ("file", "members", "policy"),
    [
        ("02-get-network.json", [], NAMELESS),
        ("04-unstable-members.json", [ANNA, BEN], None),
        ("04b-unstable-networks.json", [], NAMELESS),
        ("04c-dump-unstable.json", [ANNA, BEN], NAMELESS),
        ("05-central-network.json", [], NAMED),
        ("05b-central-network-list.json", [], NAMED),
        ("06-central-members.json", [ANNA, BEN], None),
        ("06b-central-members-bool-tag.json", [(*ANNA[:2], {1000: 0}, set[int](), 1)], None),
        ("06c-central-dump.json", [ANNA, BEN], NAMED),
        ("06d-central-null-config.json", [], NAMED),
        ("06e-central-member-nulls.json", [(*ANNA[:2], {}, set[int](), 0)], None),
        ("07-ztnet-network.json", [], NAMED),
        (
            "07c-ztnet-members-db.json",
            [(*ANNA[:2], {}, set[int](), 1), (*BEN[:2], {}, set[int](), 1)],
            None,
        ),
        ("07d-ztnet-trpc.json", [ANNA, BEN], NAMED),
        ("08b-zero-ui-api-network.json", [], NAMED),
        ("10-terraform-show.json", [ANNA, BEN], NAMED),
        ("10b-terraform.tfstate", [], NAMED),
        ("12d-openapi-member-numeric-tag.json", [ANNA], None),
        ("13-controller-answer.json", [], (1, [], [])),
        ("controller.d", [ANNA, BEN], NAMELESS),
        ("controller.d/network", [ANNA, BEN], NAMELESS),
        ("controller.d/network/8056c2e21c000001", [ANNA, BEN], NAMELESS),
        ("controller.d/network/8056c2e21c000001.json", [ANNA, BEN], NAMELESS),
    ],
)
def test_read(file: str, members: list[Any], policy: Any) -> None:
    network = load_network(DATA / file)
    assert network.id == (0x5406BF8D3C5CB185 if file.startswith("13") else 0x8056C2E21C000001)
    assert members == [
        (m.label, m.name, dict(m.tags), set(m.capabilities), len(m.ips)) for m in network.members
    ]
    found = network.policy and (
        len(network.policy.rules),
        [tag.name for tag in network.policy.tags],
        [capability.name for capability in network.policy.capabilities],
    )
    assert found == policy


@pytest.mark.parametrize(
    ("file", "what", "help"),
    [
        ("03-member-revisions.json", "addresses and revisions", "/unstable/controller/network"),
        ("03b-member-list-of-objects.json", "addresses and revisions", "controller.d"),
        ("07b-ztnet-db-row.json", "a row of ztnet's database", "ztnet's API answer"),
        ("08-zero-ui-db.json", "zero-ui's database", "the controller's"),
        ("09-cli-listnetworks.json", "zerotier-cli -j listnetworks", "only the controller"),
        ("11-post-body.json", "compiled rules", '{"network": …, "members": […]}'),
        ("12-api-error.json", "an API's error (unauthorized)", "token"),
        ("12b-empty.json", "an empty file", "a controller's or Central's JSON"),
        ("12c-html.json", "an HTML page", "a controller's or Central's JSON"),
    ],
)
def test_refused(file: str, what: str, help: str) -> None:
    with pytest.raises(NetworkError) as caught:
        load_network(DATA / file)
    (found,) = caught.value.diagnostics
    assert found.code == "ZT555"
    assert what in found.message
    assert help in (found.help or "")
    assert file in found.place()


def one(tmp_path: Path, document: Any) -> str:
    path = tmp_path / "net.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(NetworkError) as caught:
        load_network(path)
    return str(caught.value)


ID, OTHER = "8056c2e21c000001", "8056c2e21c000002"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "an empty object"),
        ([], "an empty list"),
        ({"foo": 1}, "no known kind (its keys: foo)"),
        ({"k" * 100_000: 1, "\x1b[31m": 2}, "kkk…, ?[31m)"),
        ({f"k{n}": n for n in range(9)}, "k4, …)"),
        ([ID], "a list of ids"),
        ([{"foo": 1}], "no known kind"),
        ([{"type": "ACTION_DROP"}], "a list of rules"),
        ({"rules": [], "tags": []}, "compiled rules"),
        ({"data": [], "meta": {"totalCount": 0}}, "an answer without members"),
        ({"error": "no"}, "an API's error (no)"),
        ({"members": []}, "no network and no members"),
        ({"network": {"name": "x"}, "members": []}, "at network: no network and no members"),
        ([{"id": ID, "config": {"name": "a"}}, {"id": OTHER}], f"2 networks: {ID} (a), {OTHER}"),
        ({ID: {"private": True}, OTHER: {"private": True}}, f"2 networks: {ID}, {OTHER}"),
        ({"networks": [{"id": ID}, {"id": OTHER}]}, "2 networks"),
        ([{"address": "1122334455", "paths": [], "role": "LEAF"}], "listpeers"),
        ({"address": "1122334455", "planetWorldId": 1}, "the state of a node"),
        ({"resource": {"zerotier_network": {}}}, "Terraform's configuration"),
        ("# only a comment\n", "an empty file"),
        ("  <html>", "an HTML page"),
    ],
)
def test_other_documents_say_what_they_are(tmp_path: Path, document: Any, says: str) -> None:
    assert says in one(tmp_path, document)


def test_one_network_of_a_map_and_members_of_a_map(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text(json.dumps({ID: {"private": False, "name": "x"}}))
    assert load_network(path).name == "x"
    path.write_text(json.dumps({"1122334455": {"authorized": True}}))
    assert [m.label for m in load_network(path).members] == ["1122334455"]


def test_terraforms_own_language_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "main.tf"
    path.write_text('resource "zerotier_network" "office" {\n  name = "office"\n}\n')
    with pytest.raises(NetworkError, match="Terraform's configuration, not a network") as caught:
        load_network(path)
    assert "terraform show -json" in (caught.value.diagnostics[0].help or "")


def test_rules_text_is_no_network(tmp_path: Path) -> None:
    assert "not its rules" in one(tmp_path, "accept;\n")


@pytest.mark.parametrize("key", ["deleted", "permanentlyDeleted"])
def test_members_that_ztnet_marks_deleted_are_none(key: str, tmp_path: Path) -> None:
    rows = json.loads((DATA / "07c-ztnet-members-db.json").read_text())
    rows[0][key] = True
    path = tmp_path / "net.json"
    path.write_text(json.dumps(rows))
    assert [member.name for member in load_network(path).members] == ["ben"]
    rows[0][key] = 1
    assert f"[0].{key}: 1 is not true or false" in one(tmp_path, rows)


def test_a_folder_of_several_networks_lists_them_and_one_of_none_says_so(tmp_path: Path) -> None:
    shutil.copytree(DATA / "controller.d", tmp_path / "c")
    (tmp_path / "c" / "network" / f"{OTHER}.json").write_text("{}")
    with pytest.raises(NetworkError, match=rf"2 networks \({ID}.json, {OTHER}.json\)"):
        load_network(tmp_path / "c")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NetworkError, match=r"without a network's file"):
        load_network(tmp_path / "empty")


def test_hostile_variants_are_errors_of_ours_or_read(tmp_path: Path) -> None:
    odd = [None, True, -1, 1.5, "", "x" * 5000, [], [[]], {}, {"": {}}, [None], {"data": 3}]
    path = tmp_path / "net.json"
    tried = refused = 0
    for file in sorted(DATA.glob("*.json")):
        text = file.read_text()
        if not text.startswith(("{", "[")):
            continue
        value = json.loads(text)
        for place in places(value)[::5]:
            for new in odd:
                tried += 1
                path.write_text(json.dumps(changed(value, place, new)))
                try:
                    load_network(path)
                except ZtfastError as error:
                    refused += 1
                    assert len(str(error)) < 5000  # noqa: PT017 - the error's form is the test
    assert tried > 200
    assert refused > 60


def places(value: Any, depth: int = 2) -> list[tuple[Any, ...]]:
    """Paths to depth 2, of lists only the first two items."""
    inner: list[Any] = list(value.items()) if isinstance(value, dict) else []
    inner = list(enumerate(value))[:2] if isinstance(value, list) else inner
    if not depth:
        return [()]
    return [(), *((key, *rest) for key, item in inner for rest in places(item, depth - 1))]


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[place[0]] = changed(value[place[0]], place[1:], new)
    return copied


@pytest.mark.parametrize("text", ["[" * 90 + "]" * 90, '{"network":' * 90 + "1" + "}" * 90])
def test_deep_nesting(tmp_path: Path, text: str) -> None:
    assert "net.json" in one(tmp_path, text)
