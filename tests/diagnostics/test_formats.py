"""Findings in the formats of other programs."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from ztfast.diagnostics.formats import to_github, to_json, to_junit, to_sarif
from ztfast.errors import Source
from ztfast.lang.lint import check

TEXT = "accept or dport 1 and\n  dport 2,3 ;\ndrop dport\n  90% ; frob\x00 ;"


def findings() -> list[tuple[str, list]]:  # type: ignore[type-arg]
    return [
        ("a b,1.ztrules", check(Source("a b,1.ztrules", "accept or dport\n 1 and dport 2,3 ;"))[1]),
        ("bad", check(Source("bad", "frob\x00 ; <&> ;"))[1]),
        ("none", check(Source("none", "accept;"))[1]),
        ("empty", check(Source("empty", ""))[1]),
    ]


def test_json() -> None:
    made = json.loads(to_json(findings()))
    assert made["counts"] == {"error": 1, "warning": 3, "note": 0}
    first = made["findings"][0]
    assert (first["code"], first["file"], first["severity"]) == (
        "ZT106",
        "a b,1.ztrules",
        "warning",
    )
    assert [first[key] for key in ("line", "column", "end_line", "end_column")] == [1, 10, 2, 2]
    assert made["findings"][-1]["line"] is None


def test_github() -> None:
    lines = to_github(findings()).split("\n")
    assert lines[0].startswith(
        "::warning file=a b%2C1.ztrules,line=1,endLine=2,title=ZT106::a first"
    )
    assert lines[1].startswith(
        "::warning file=a b%2C1.ztrules,line=2,endLine=2,col=8,endColumn=17,title=ZT126::only"
    )
    assert lines[2].startswith("::error file=bad,line=1,endLine=1,col=1,endColumn=6,title=ZT010::")
    assert lines[3].startswith("::warning file=empty,title=ZT125::")
    assert len(lines) == 4


def test_sarif() -> None:
    (run,) = json.loads(to_sarif(findings()))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["ZT010", "ZT106", "ZT125", "ZT126"]
    result = run["results"][1]
    assert (result["ruleId"], result["level"]) == ("ZT126", "warning")
    assert rules[result["ruleIndex"]]["id"] == "ZT126"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b%2C1.ztrules"
    assert place["region"] == {"startLine": 2, "startColumn": 8, "endLine": 2, "endColumn": 17}


def test_junit() -> None:
    root = ElementTree.fromstring(to_junit(findings()))
    suites = {suite.get("name"): suite for suite in root}
    assert {name: suite.get("failures") for name, suite in suites.items()} == {
        "a b,1.ztrules": "2",
        "bad": "1",
        "none": "0",
        "empty": "1",
    }
    assert len(suites["none"]) == 1
    failure = suites["bad"].find("testcase/failure")
    assert failure is not None
    assert "\ufffd" in (failure.text or "")
