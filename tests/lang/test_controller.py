"""JSON in every form of the ecosystem, and what is refused with a path and a place."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lang.vectors import vectors
from ztfast.errors import RulesError
from ztfast.lang import compile_text, load, load_json, read_json

DROP = {"type": "ACTION_DROP"}
PORT = {"type": "MATCH_IP_DEST_PORT_RANGE", "not": False, "or": False, "start": 1, "end": 2}
TEXT = "tag t id 7 default 3 enum 3 a ;\ncap c id 5 accept dport 1 ; ;\naccept teq t a ;\n"


def refused(value: Any) -> list[tuple[str, str, str | None]]:
    """Code, JSON path, and the text underlined, of each error."""
    data = value if isinstance(value, str) else json.dumps(value)
    with pytest.raises(RulesError) as caught:
        load_json(data, "n.json")
    return [
        (d.code, d.message.partition(":")[0], data[d.span.start : d.span.end] if d.span else None)
        for d in caught.value.diagnostics
    ]


def test_compiler_output_comes_back_as_it_was() -> None:
    tried = 0
    for case in vectors("compile") + vectors("compile-edge"):
        output = case.get("output")
        if output is None or len(output["config"]["rules"]) > 1024:
            continue
        if any(len(cap["rules"]) > 64 for cap in output["config"]["capabilities"]):
            continue
        tried += 1
        assert load_json(json.dumps(output)).to_json() == output, case["id"]
    assert tried > 1500


def test_a_controllers_network() -> None:
    network = {
        "id": "8056c2e21c000001",
        "rules": [{"type": "ACTION_ACCEPT", "not": False, "or": False}],
        "capabilities": {"5": {"rules": [PORT, DROP]}, "six": {"id": 6, "default": True}},
        "tags": [{"id": 1, "default": None}, {"id": 2, "default": 4}],
        "private": True,
    }
    policy = load_json(json.dumps(network))
    assert [(cap.id, cap.default, len(cap.rules)) for cap in policy.capabilities] == [
        (5, False, 2),
        (6, True, 0),
    ]
    assert [(tag.id, tag.default) for tag in policy.tags] == [(1, None), (2, 4)]
    assert policy.rules[0].json == network["rules"][0]  # type: ignore[index]


def test_centrals_network_prefers_the_text_that_says_the_same() -> None:
    output = compile_text(TEXT).to_json()
    central = {"id": "x", "config": output["config"], "rulesSource": TEXT}
    policy, findings = read_json(json.dumps(central))
    assert not findings
    assert policy.to_json() == output
    assert policy.rules[0].span is not None
    assert policy.source is not None
    assert policy.source.name == "<json>:rulesSource"


def test_or_on_an_action_is_no_difference() -> None:
    rules = [{"type": "ACTION_ACCEPT", "not": False, "or": True}]
    policy, findings = read_json(json.dumps({"config": {"rules": rules}, "rulesSource": "accept;"}))
    assert not findings
    assert policy.rules[0].span is not None


@pytest.mark.parametrize("text", ["drop;", "frob"])
def test_centrals_network_uses_the_rules_where_the_text_differs(text: str) -> None:
    central = {"config": compile_text(TEXT).to_json()["config"], "rulesSource": text}
    policy, findings = read_json(json.dumps(central))
    assert [(d.code, d.severity) for d in findings] == [("ZT059", "warning")]
    assert len(policy.rules) == 2


def test_the_text_alone_is_compiled() -> None:
    assert load_json(json.dumps({"rulesSource": TEXT})).to_json() == compile_text(TEXT).to_json()
    assert refused({"config": {}, "rulesSource": "frob"})[0][0] == "ZT010"


def test_a_bare_list_of_rules() -> None:
    assert [dict(rule.json) for rule in load_json(json.dumps([PORT, DROP])).rules] == [PORT, DROP]
    assert load_json(b"\xef\xbb\xbf[]").rules == ()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("{", ("ZT052", "not JSON", "")),
        ('[{"type": x}]', ("ZT052", "not JSON", "x")),
        ("[NaN]", ("ZT052", "not usable as JSON", None)),
        ("[" + "9" * 5000 + "]", ("ZT052", "not usable as JSON", None)),
        ("[" * 100_000, ("ZT058", "the JSON is nested too deep", None)),
        ('{"a":' * 100_000, ("ZT058", "the JSON is nested too deep", None)),
        (
            '[{"not": true, "not": true}]',
            ("ZT055", "the key `not` stands twice in one object", '"not"'),
        ),
        ("3", ("ZT053", "the top level", "3")),
        ({}, ("ZT053", "the top level", "{")),
        ({"config": {"tags": []}}, ("ZT053", "config", "{")),
        ({"network": {"name": "x"}, "members": []}, ("ZT053", "network", "{")),
        ({"rules": {}}, ("ZT053", "rules", "{")),
        ([[]], ("ZT053", "[0]", "[")),
        ([DROP, {}], ("ZT054", "[1].type", "{")),
        ([{"type": "ACTION_DORP"}], ("ZT054", "[0].type", '"ACTION_DORP"')),
        ([{"type": ["x"]}], ("ZT054", "[0].type", "[")),
        ([{**PORT, "start": "1"}], ("ZT053", "[0].start", '"1"')),
        ([{**PORT, "start": True}], ("ZT053", "[0].start", "true")),
        ([{**PORT, "start": 1.5}], ("ZT053", "[0].start", "1.5")),
        ([{**PORT, "start": -1}], ("ZT056", "[0].start", "-1")),
        ([{**PORT, "start": 1 << 32}], ("ZT056", "[0].start", "4294967296")),
        ([{**PORT, "not": 1}], ("ZT053", "[0].not", "1")),
        ([DROP] * 1025, ("ZT057", "[1024]", "{")),
        (
            {"rules": [], "capabilities": [{"id": 1, "rules": [DROP] * 65}]},
            ("ZT057", "capabilities[0].rules[64]", "{"),
        ),
        ({"rules": [], "capabilities": 3}, ("ZT053", "capabilities", "3")),
        ({"rules": [], "capabilities": [{"id": -1}]}, ("ZT056", "capabilities[0].id", "-1")),
        ({"rules": [], "capabilities": [{}]}, ("ZT053", "capabilities[0].id", "{")),
        (
            {"rules": [], "capabilities": {"1": {}, "x": {"id": 1}}},
            ("ZT056", "capabilities.x.id", "1"),
        ),
        (
            {"rules": [], "capabilities": {"4294967296": {}}},
            ("ZT056", "capabilities.4294967296.id", "{"),
        ),
        ({"rules": [], "tags": [{"id": 1, "default": "x"}]}, ("ZT053", "tags[0].default", '"x"')),
        (
            {"rules": [], "tags": [{"id": 1, "default": 1 << 33}]},
            ("ZT056", "tags[0].default", "8589934592"),
        ),
        ({"rules": [], "tagsByName": [1]}, ("ZT053", "tagsByName", "[")),
        ({"rules": [], "capabilitiesByName": {"a": "b"}}, ("ZT053", "capabilitiesByName.a", '"b"')),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_refused(value: Any, found: tuple[str, str, str | None]) -> None:
    assert refused(value)[0] == found


def test_lenient_gives_what_a_controller_would_make() -> None:
    data = json.dumps([{"type": "MATCH_NEW"}, *([DROP] * 1030), 5])
    policy, findings = read_json(data)
    assert len(policy.rules) == 1024
    assert {d.code for d in findings} == {"ZT054", "ZT057", "ZT053"}
    assert load_json(data, strict=False) == policy


def test_errors_do_not_hide_behind_warnings() -> None:
    many = [{**DROP, "colour": 1}] * 60
    assert refused([*many, {"type": "x"}])[0][:2] == ("ZT054", "[60].type")


def test_several_places_with_lines() -> None:
    text = '[\n  {"type": "ACTION_DROP"},\n  {"type": "X"},\n  {"type": "Y"}\n]'
    with pytest.raises(RulesError) as caught:
        load_json(text, "n.json")
    assert [d.place() for d in caught.value.diagnostics] == ["n.json:3:11", "n.json:4:11"]


def test_load_goes_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, network = tmp_path / "a.json", tmp_path / "b.ztrules"
    text.write_text(TEXT, encoding="utf-8")
    network.write_text(" \n" + json.dumps(compile_text(TEXT).to_json()), encoding="utf-8")
    assert load(text).to_json() == load(str(network)).to_json()
    stdin = io.TextIOWrapper(io.BytesIO(TEXT.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert load("-").to_json() == load(text).to_json()
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert load(empty).rules == ()


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(b"accept \xff;")
    with pytest.raises(RulesError) as caught:
        load(bad)
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].offset) == ("ZT050", 7)
    for path in (tmp_path / "none", "a\0b"):
        with pytest.raises(RulesError, match="cannot be read"):
            load(path)
    monkeypatch.setattr("ztfast.lang.sources.MAX_BYTES", 4)
    with pytest.raises(RulesError, match="more than 4 bytes"):
        load(bad)
