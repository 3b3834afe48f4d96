"""Our own TOML: names, numbers, and errors with a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.network.building import ANNA, BERT, NETWORK_ID
from tests.network.written import DOCUMENT, write
from ztfast.errors import NetworkError, RulesError
from ztfast.network.load import load_network


def test_everything(tmp_path: Path) -> None:
    network = load_network(write(tmp_path, DOCUMENT))
    assert (network.id, network.name) == (NETWORK_ID, "office")
    assert network.assigns_rfc4193
    assert network.policy is not None
    anna, bert = network.members
    assert (anna.address, anna.name, anna.authorized) == (ANNA, "anna", True)
    assert anna.ips == (b"\x0a\0\0\1", b"\x0a\0\0\2")
    assert anna.tags == {1000: 200, 17: 4}
    assert anna.capabilities == {7, 9}
    assert (bert.address, bert.authorized, bert.mac) == (BERT, False, 0x020000000001)
    assert bert.tags == {1000: 1}


def test_nothing_but_an_id(tmp_path: Path) -> None:
    network = load_network(write(tmp_path, 'id = "8056c2e21c000001"\n'))
    assert (network.members, network.policy) == ((), None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id = ", "office.toml:1:"),
        ("\n\nwhat", "office.toml:3:"),
        ("id = 7", "at id: 7 is not a text"),
        ("idd = 7", "at idd: an unknown key (known are 6plane, id, member"),
        ("[[member]]\nname = 'x'", "at member[0]: a member without `address`"),
        ("[[member]]\naddress = '1'", "at member[0].address: '1' is not a ZeroTier address"),
        ("[member]\naddress = '1122334455'", "at member: {'address'"),
        ("[[member]]\naddress = '1122334455'\nx = 1", "at member[0].x: an unknown key"),
        (
            "[[member]]\naddress = '1122334455'\ntags = {department = 1}",
            "no tag of this name (name the rules with",
        ),
        (
            "rules='office.ztrules'\n[[member]]\naddress='1122334455'\ntags={department='hr'}",
            "at member[0].tags.department: 'hr' is not a value of this tag (known are boss, lab,",
        ),
        (
            "rules='office.ztrules'\n[[member]]\naddress='1122334455'\ntags={department=1, 1000=1}",
            "the tag 1000 is given twice",
        ),
        (
            "rules='office.ztrules'\n[[member]]\naddress='1122334455'\ncapabilities=['mail']",
            "at member[0].capabilities[0]: no capability of this name (known are web",
        ),
        ("private = 1", "at private: 1 is not true or false"),
        ("a = " + "[" * 100_000, "office.toml"),
        ("a = " + "1" * 100_000, "office.toml"),
    ],
)
def test_refused_with_a_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(NetworkError) as caught:
        load_network(write(tmp_path, text))
    assert says in str(caught.value)


def test_rules_that_are_missing_or_wrong(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"none\.ztrules"):
        load_network(write(tmp_path, "rules = 'none.ztrules'"))
    with pytest.raises(RulesError, match=r"office\.ztrules"):
        load_network(write(tmp_path, "rules = 'office.ztrules'", "nonsense;"))
