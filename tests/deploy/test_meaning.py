"""One meaning in several forms, and meanings that differ."""

from __future__ import annotations

import json

import pytest

from tests.deploy.controller import kept
from ztfast.deploy.meaning import first_difference, meaning_digest
from ztfast.lang import compile_text, load_json

RULES = """\
tag a id 1 default 3;
cap admin id 7 accept ipprotocol tcp; ;
drop not ethertype ipv4 and not ethertype arp;
accept teq a 3 or dport 80;
accept;
"""


def test_what_a_controller_keeps_means_the_same() -> None:
    policy = compile_text(RULES)
    config = policy.to_json()["config"]
    stored = {
        "rules": kept(config["rules"]),
        "capabilities": [{**one, "rules": kept(one["rules"])} for one in config["capabilities"]],
        "tags": config["tags"],
    }
    again = load_json(json.dumps(stored), "stored")
    assert meaning_digest(again) == meaning_digest(policy)
    assert first_difference(policy, again) == ""
    assert meaning_digest(compile_text("# a comment\n" + RULES)) == meaning_digest(policy)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("accept;\n", "drop;\n", "rule 7"),
        ("accept;\n", "", "there are 6 rules instead of 7"),
        ("dport 80", "dport 81", "rule"),
        ("default 3", "default 4", "tag 1"),
        ("id 7 accept", "id 7 default accept", "capability 7"),
        ("ipprotocol tcp", "ipprotocol udp", "capability 7"),
        ("or dport", "and dport", "rule"),
    ],
)
def test_other_meanings(old: str, new: str, says: str) -> None:
    one, other = compile_text(RULES), compile_text(RULES.replace(old, new))
    assert meaning_digest(one) != meaning_digest(other)
    assert says.split(maxsplit=1)[0] in first_difference(one, other)
