"""Policies back to text: the text compiles to the same JSON, or there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lang.vectors import vectors
from ztfast.errors import RulesError
from ztfast.lang import compile_text, load_json
from ztfast.lang.matches import MATCHES
from ztfast.lang.printer import entry_printer, print_policy
from ztfast.model.policy import Capability, Policy, Rule, Tag


def test_every_vector_comes_back() -> None:
    count = 0
    for case in vectors("compile") + vectors("compile-edge"):
        if "output" in case:
            policy = compile_text(case["source"])
            text = print_policy(policy)
            assert compile_text(text).to_json() == case["output"], (case["id"], text)
            count += 1
    assert count == 1816


def test_reserved_words_as_names_of_values() -> None:
    text = "tag t\n  id 1\n  enum 5 Drop\n  enum 6 icmp\n  flag 2 Tee\n  flag 3 free\n;\n"
    text += "accept\n  teq t 5\n  and teq t 6\n  and teq t 4\n  and teq t free\n;\n"
    assert print_policy(compile_text(text)) == text


def test_layout() -> None:
    text = """\
tag dept
  id 10
  default 5
  enum 5 sales
  flag 3,4 both
;
cap admin
  id 1
  default
  Accept
  tee -1 8e30f50a25;
;
drop
  not ethertype ipv4
  or chr inbound,tcp_syn
;
break ipprotocol icmp4;
Drop
accept;
"""
    assert print_policy(compile_text(text)) == text
    assert print_policy(Policy(())) == ""


@pytest.mark.parametrize(
    "text",
    [
        "accept ipsrc ::1/8;; drop dport 1 ;",
        "accept dport 1 ipsrc 10.0.0.0/8;;; drop dport 1 ;",
        "cap c id 1 redirect 8e30f50a2;; redirect 8e30f50a25; ; ",
    ],
)
def test_words_that_end_with_a_semicolon(text: str) -> None:
    assert compile_text(print_policy(compile_text(text))).to_json() == compile_text(text).to_json()


@pytest.mark.parametrize("text", ["redirect ipprotocol;\n", "tee 1 $abcdefghi vlan 5;\n"])
def test_targets_are_taken_as_written(text: str) -> None:
    assert print_policy(compile_text(text)) == text


def test_names_are_made_where_there_are_none() -> None:
    policy = load_json('{"rules": [], "capabilities": [{"id": 3}], "tags": [{"id": 1}, {"id": 1}]}')
    assert [tag.name for tag in compile_text(print_policy(policy)).tags] == ["tag_1", "tag_1_1"]


def test_a_controllers_entries_are_completed() -> None:
    rules = [
        {"type": "MATCH_IP_DEST_PORT_RANGE", "start": 80},
        {"type": "ACTION_TEE", "address": "8e30f50a25", "flags": 0, "length": 4, "not": False},
    ]
    assert print_policy(load_json(json.dumps(rules))) == "tee 4 8e30f50a25 dport 80;\n"


ACCEPT = {"type": "ACTION_ACCEPT"}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([{"type": "ACTION_PRIORITY", "qosBucket": 1}], "entry 0 .* ACTION_PRIORITY"),
        ([ACCEPT, {"type": "INTEGER_RANGE"}], "entry 1 .* INTEGER_RANGE"),
        ([ACCEPT, {"type": "MATCH_VLAN_ID", "vlanId": 1}], "no action follows"),
        ([{"type": "MATCH_VLAN_ID", "vlanId": -1}, ACCEPT], "vlanId is -1"),
        ([{"type": "MATCH_VLAN_ID", "vlanId": "1"}, ACCEPT], "vlanId is '1'"),
        ([{"type": "MATCH_ICMP", "icmpType": 256}, ACCEPT], "icmpType"),
        ([{"type": "MATCH_FRAME_SIZE_RANGE", "start": 2, "end": 1}, ACCEPT], "2-1 is empty"),
        ([{"type": "MATCH_CHARACTERISTICS", "mask": "c000000000000000"}, ACCEPT], "no text gives"),
        ([{"type": "MATCH_CHARACTERISTICS", "mask": 1}, ACCEPT], "mask is 1"),
        ([{"type": "MATCH_IPV4_SOURCE", "ip": "::1/8"}, ACCEPT], "ip is"),
        ([{"type": "MATCH_IPV6_SOURCE", "ip": "1.2.3.4/8"}, ACCEPT], "ip is"),
        ([{"type": "MATCH_IPV6_SOURCE", "ip": "::1/ 8"}, ACCEPT], "one word"),
        (
            [
                {"type": "MATCH_IPV6_SOURCE", "ip": "::1/8;"},
                {"type": "MATCH_IPV6_SOURCE", "ip": "::1/8"},
                ACCEPT,
            ],
            "only stand last",
        ),
        ([{"type": "MATCH_MAC_DEST", "mac": "AA:bb:cc:dd:ee:ff"}, ACCEPT], "mac is"),
        ([{"type": "MATCH_SOURCE_ZEROTIER_ADDRESS", "zt": "1"}, ACCEPT], "zt is"),
        ([{"type": "ACTION_REDIRECT", "address": "8e30f50a2"}], "10 characters"),
        ([{"type": "ACTION_REDIRECT", "address": "8e30f50 a2"}], "one word"),
        ([{"type": "ACTION_REDIRECT", "address": "#e30f50a25"}], "one word"),
        ([{"type": "ACTION_TEE", "address": "8e30f50a25", "length": 65536}], "length is 65536"),
        ([{"type": "MATCH_VLAN_ID", "vlanId": 1, "not": 1}, ACCEPT], "true or false"),
    ],
)
def test_what_has_no_text(rules: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(RulesError, match=message):
        print_policy(Policy(tuple(Rule(rule) for rule in rules)))


@pytest.mark.parametrize(
    "policy",
    [
        Policy((), (Capability(1, False, (), "Big"),)),
        Policy((), (Capability(1, False, (), "drop"),)),
        Policy((), (), (Tag(1, None, name="a"), Tag(2, None, name="a"))),
        Policy((), (), (Tag(1, 1 << 31, name="a"),)),
        Policy((), (), (Tag(1, None, {"x y": 1}, name="a"),)),
        Policy((), (), (Tag(1, None, {"x": -1}, name="a"),)),
        Policy((), (), (Tag(1, None, {}, {"x": 0}, name="a"),)),
    ],
)
def test_definitions_that_have_no_text(policy: Policy) -> None:
    with pytest.raises(RulesError, match=r"cannot|same name"):
        print_policy(policy)


@given(st.integers(0, 0xFFFFFFFF))
def test_every_probability_has_a_fraction(value: int) -> None:
    entry = {"type": "MATCH_RANDOM", "not": False, "or": False, "probability": value}
    policy = Policy((Rule(entry), Rule(ACCEPT)))
    assert compile_text(print_policy(policy)).to_json() == policy.to_json()


def test_tags_are_written_with_their_names() -> None:
    text = """\
tag a
  id 1
  enum 1 x
  enum 2 y
  flag 2 y
;
tag b
  id 2
  enum 7 x
;
tag c
  id 2
;
accept
  teq a x
  and teq a y
  and teq a 2
  and teq b x
  and treq 3 1
;
"""
    printed = print_policy(compile_text(text))
    assert "teq a x\n  and teq a y\n  and teq a 2\n  and teq 2 7\n  and treq 3 1" in printed
    assert compile_text(printed).to_json() == compile_text(text).to_json()


@pytest.mark.parametrize("word", sorted(MATCHES))
def test_every_match_can_be_printed(word: str) -> None:
    arguments = {"address": "8e30f50a25", "mac": "020000000001", "address/bits": "::1/128"}
    values = " ".join(arguments.get(name, "1") for name in MATCHES[word].arguments)
    policy = compile_text(f"accept or not {word} {values} ;")
    assert compile_text(print_policy(policy)).to_json() == policy.to_json()


def test_entries_for_messages() -> None:
    text = entry_printer(compile_text("tag t id 1 enum 5 five ;\naccept ;").tags)
    assert text({"type": "MATCH_TAG_SENDER", "id": 1, "value": 5, "or": True}) == "or tseq t five"
    assert text({"type": "ACTION_TEE", "length": -1, "address": "a\x1b[31mabcd"}) == (
        "tee -1 a?[31mabcd"
    )
    assert text({"type": "ACTION_PRIORITY", "qosBucket": 3}) == (
        '{"type": "ACTION_PRIORITY", "qosBucket": 3}'
    )
