"""Every JSON that people have as rules: read with its names, or refused with what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pages import ROOT
from ztfast.errors import RulesError, Source
from ztfast.lang import load, load_json, read_json
from ztfast.lang.lint import check
from ztfast.lang.sources import rules_texts

DATA = ROOT / "tests" / "data" / "networks"
READ = {
    "02": False, "04b": False, "04c": False, "05": True, "05b": True, "06c": True, "06d": True,
    "07": True, "07b": True, "07d": True, "08": True, "08b": True, "10": True, "10b": True,
    "11": True,
}  # fmt: skip
REFUSED = {
    "03": "addresses and revisions", "03b": "addresses and revisions", "04": "with members",
    "06": "a list of members", "06b": "a list of members", "06e": "a list of members",
    "07c": "a list of members", "09": "zerotier-cli -j listnetworks", "12": "an API's error",
    "12c": "an HTML page", "12d": "a list of members",
}  # fmt: skip


@pytest.mark.parametrize(("number", "named"), READ.items())
def test_read_without_findings(number: str, named: bool) -> None:
    (file,) = DATA.glob(f"{number}-*")
    policy = load(file)
    assert len(policy.rules) == 35
    assert [tag.name for tag in policy.tags] == (["department", "server"] if named else [None] * 2)
    assert policy.tags[0].enums == ({"sales": 10, "engineering": 20, "guests": 30} if named else {})
    assert policy.tags[1].flags == ({"web": 1, "database": 2} if named else {})
    assert [cap.name for cap in policy.capabilities] == (["admin"] if named else [None])
    assert check(Source(str(file), file.read_text()))[1] == []


@pytest.mark.parametrize(("number", "what"), REFUSED.items())
def test_refused_with_what_it_is(number: str, what: str) -> None:
    (file,) = DATA.glob(f"{number}-*")
    with pytest.raises(RulesError) as caught:
        load(file)
    (found,) = caught.value.diagnostics
    assert (found.code, what in found.message) == ("ZT053", True)
    assert found.help


@pytest.mark.parametrize("place", ["controller.d", "controller.d/network"])
def test_a_controllers_folder_holds_its_networks_rules(place: str) -> None:
    assert len(load(DATA / place).rules) == 35


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"a folder without a network's file ID.json, not rules"):
        load(tmp_path)


def test_an_empty_json_is_no_rules(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="an empty file, not JSON"):
        load(DATA / "12b-empty.json")
    text = tmp_path / "empty.ztrules"
    text.write_text("# nothing yet\n")
    assert load(text).rules == ()


@pytest.mark.parametrize("text", ["", "#", " \r\n# a\n\t# b", None])
def test_a_source_of_nothing_is_none(text: str | None) -> None:
    network = {"id": "8056c2e21c000001", "rules": [{"type": "ACTION_ACCEPT"}], "rulesSource": text}
    assert read_json(json.dumps(network))[1] == ()
    with pytest.raises(RulesError, match="no rules in this JSON"):
        load_json(json.dumps({**network, "rules": None, "name": "x"} | {"config": {}}))


def test_several_networks_are_listed() -> None:
    two = [{"id": "8056c2e21c000001", "name": "a"}, {"id": "8056c2e21c000002"}]
    with pytest.raises(RulesError, match=r"2 networks: 8056c2e21c000001 \(a\), 8056c2e21c000002"):
        load_json(json.dumps(two))


@pytest.mark.parametrize(
    ("text", "help"),
    [
        (
            '# us\n\nid = "8056c2e21c000001"\nrules = "office.ztrules"\n',
            "a network's members are given as --network FILE; it names its rules: office.ztrules",
        ),
        ('[[member]]\nname = "anna"\n', "a network's members are given as --network FILE"),
        ('\n[[case]]\nname = "a"\n', "test cases: ztfast test RULES FILE"),
    ],
)
def test_toml_is_no_rules(text: str, help: str) -> None:
    with pytest.raises(RulesError) as error:
        rules_texts(Source("x.toml", text))
    (found,) = error.value.diagnostics
    assert (found.code, found.message, found.help) == ("ZT053", "TOML, not rules", help)


@pytest.mark.parametrize("text", ["accept;\n", "# a = b\ntag x\n id = 1 ;", "[ ]", "", "accept\n"])
def test_rules_are_no_toml(text: str) -> None:
    assert rules_texts(Source("x", text)) == ([Source("x", text)], [])
