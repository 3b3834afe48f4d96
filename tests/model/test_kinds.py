"""Every type of entry is handled wherever types are handled: a forgotten place fails here.

The places: model/kinds.py (KINDS), model/entries.py, engine/reference*.py,
program/encode.py, lang/printer.py and the language's words, network/member_table.py (tags), and
the vectors.  Adding a type means adding a sample here, and then mending what fails.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.batches import judge, view_of
from ztfast.engine.reference_matches import MATCHES
from ztfast.errors import RulesError
from ztfast.frames.frame import Frame
from ztfast.lang import compile_text, load_json, print_policy
from ztfast.model.entries import read_entry
from ztfast.model.kinds import KINDS, Kind
from ztfast.network.member_table import TAG_MATCHES
from ztfast.program.encode import encode

# kind -> (fields with values that no default has, the words of the rules language or None)
SAMPLES: dict[str, tuple[dict[str, Any], str | None]] = {
    "ACTION_DROP": ({}, "drop"),
    "ACTION_ACCEPT": ({}, "accept"),
    "ACTION_TEE": ({"address": "1122334455", "length": 64}, "tee 64 1122334455"),
    "ACTION_WATCH": ({"address": "1122334455", "length": 64}, "watch 64 1122334455"),
    "ACTION_REDIRECT": ({"address": "1122334455"}, "redirect 1122334455"),
    "ACTION_BREAK": ({}, "break"),
    "ACTION_PRIORITY": ({"qosBucket": 3}, None),
    "MATCH_SOURCE_ZEROTIER_ADDRESS": ({"zt": "1122334455"}, "ztsrc 1122334455"),
    "MATCH_DEST_ZEROTIER_ADDRESS": ({"zt": "1122334455"}, "ztdest 1122334455"),
    "MATCH_VLAN_ID": ({"vlanId": 5}, "vlan 5"),
    "MATCH_VLAN_PCP": ({"vlanPcp": 5}, "vlanpcp 5"),
    "MATCH_VLAN_DEI": ({"vlanDei": 1}, "vlandei 1"),
    "MATCH_MAC_SOURCE": ({"mac": "02:00:00:00:00:01"}, "macsrc 02:00:00:00:00:01"),
    "MATCH_MAC_DEST": ({"mac": "02:00:00:00:00:01"}, "macdest 02:00:00:00:00:01"),
    "MATCH_IPV4_SOURCE": ({"ip": "10.1.0.0/16"}, "ipsrc 10.1.0.0/16"),
    "MATCH_IPV4_DEST": ({"ip": "10.1.0.0/16"}, "ipdest 10.1.0.0/16"),
    "MATCH_IPV6_SOURCE": ({"ip": "fd00::/16"}, "ipsrc fd00::/16"),
    "MATCH_IPV6_DEST": ({"ip": "fd00::/16"}, "ipdest fd00::/16"),
    "MATCH_IP_TOS": ({"mask": 255, "start": 3, "end": 4}, "iptos 255 3-4"),
    "MATCH_IP_PROTOCOL": ({"ipProtocol": 6}, "ipprotocol tcp"),
    "MATCH_ETHERTYPE": ({"etherType": 2048}, "ethertype ipv4"),
    "MATCH_ICMP": ({"icmpType": 8, "icmpCode": 1}, "icmp 8 1"),
    "MATCH_IP_SOURCE_PORT_RANGE": ({"start": 5, "end": 6}, "sport 5-6"),
    "MATCH_IP_DEST_PORT_RANGE": ({"start": 5, "end": 6}, "dport 5-6"),
    "MATCH_CHARACTERISTICS": ({"mask": "8000000000000000"}, "chr inbound"),
    "MATCH_FRAME_SIZE_RANGE": ({"start": 5, "end": 6}, "framesize 5-6"),
    "MATCH_RANDOM": ({"probability": 2147483647}, "random 0.5"),
    "MATCH_TAGS_DIFFERENCE": ({"id": 7, "value": 9}, "tdiff 7 9"),
    "MATCH_TAGS_BITWISE_AND": ({"id": 7, "value": 9}, "tand 7 9"),
    "MATCH_TAGS_BITWISE_OR": ({"id": 7, "value": 9}, "tor 7 9"),
    "MATCH_TAGS_BITWISE_XOR": ({"id": 7, "value": 9}, "txor 7 9"),
    "MATCH_TAGS_EQUAL": ({"id": 7, "value": 9}, "teq 7 9"),
    "MATCH_TAG_SENDER": ({"id": 7, "value": 9}, "tseq 7 9"),
    "MATCH_TAG_RECEIVER": ({"id": 7, "value": 9}, "treq 7 9"),
    "INTEGER_RANGE": (
        {
            "start": "0000000000000002",
            "end": "0000000000000003",
            "idx": 4,
            "bits": 9,
            "little": True,
        },
        None,
    ),
}
EVERY = [pytest.param(kind, id=kind.name) for kind in Kind]
ACCEPT = {"type": "ACTION_ACCEPT"}
TAG = "tag t id 7;\n"


def rule(kind: Kind) -> dict[str, Any]:
    fields = SAMPLES[kind.name][0]
    flags = {} if kind.is_action else {"not": False, "or": False}
    return {"type": kind.name, **flags, **fields}


def rules(kind: Kind) -> list[dict[str, Any]]:
    return [rule(kind)] if kind.is_action else [rule(kind), ACCEPT]


def test_the_samples_are_complete() -> None:
    assert set(SAMPLES) == {kind.name for kind in Kind}
    assert set(KINDS) == set(Kind)


@pytest.mark.parametrize("kind", EVERY)
def test_the_table_and_the_reader_agree(kind: Kind) -> None:
    fields = SAMPLES[kind.name][0]
    assert {field.json for field in KINDS[kind].fields} == set(fields)
    whole = read_entry(rule(kind))
    assert whole is not None
    assert whole.kind is kind
    for name in fields:  # each field that is missing changes what is read
        less = {key: value for key, value in rule(kind).items() if key != name}
        assert read_entry(less) != whole, name


@pytest.mark.parametrize("kind", EVERY)
def test_the_reference_has_it(kind: Kind) -> None:
    # `random` needs the entry's number and is done where the others are looked up.
    handled = kind.is_action or kind is Kind.MATCH_RANDOM
    assert (kind in MATCHES) != handled


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("direction", ["out", "in"])
def test_the_encoder_has_it_and_both_evaluators_agree(kind: Kind, direction: str) -> None:
    view = view_of(rules(kind), [rule(kind), ACCEPT], direction=direction)
    assert len(encode(view).table) > 0
    frames = [Frame(bytes(range(60)), 60, ethertype) for ethertype in (0x800, 0x86DD, 0x806, 0)]
    assert len(judge(view, frames)) == len(frames)


@pytest.mark.parametrize("kind", EVERY)
def test_the_language_writes_what_the_printer_reads(kind: Kind) -> None:
    text = SAMPLES[kind.name][1]
    assert (text is None) == (KINDS[kind].word is None)
    policy = load_json(json.dumps({"rules": rules(kind), "tags": [{"id": 7, "default": None}]}))
    if text is None:
        with pytest.raises(RulesError):
            print_policy(policy)
        return
    assert text.split()[0] == KINDS[kind].word
    source = f"{text};" if kind.is_action else f"accept {text};"
    expected = compile_text(f"{TAG}{source}\n").to_json()["config"]["rules"]
    assert expected == rules(kind)
    assert compile_text(print_policy(policy)).to_json()["config"]["rules"] == expected


def test_every_match_of_tags_gets_its_tag_in_the_members_table() -> None:
    assert {kind for kind in Kind if "_TAG" in kind.name} == TAG_MATCHES


def test_the_vectors_hold_every_type() -> None:
    path = Path(__file__).parents[1] / "data" / "vectors" / "eval-1.14.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = {entry["type"] for line in lines for entry in json.loads(line)["in"]["rules"]}
    assert found >= {kind.name for kind in Kind}
