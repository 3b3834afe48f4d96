"""Findings in the formats of other programs."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from ztfast.diagnostics.formats import (
    file_uri,
    slashed,
    to_github,
    to_json,
    to_junit,
    to_sarif,
)
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


@pytest.mark.parametrize(
    ("name", "windows", "shown", "uri"),
    [
        ("rules/a b.ztrules", False, "rules/a b.ztrules", "rules/a%20b.ztrules"),
        ("rules\\a.ztrules", True, "rules/a.ztrules", "rules/a.ztrules"),
        ("rules\\a.ztrules", False, "rules\\a.ztrules", "rules%5Ca.ztrules"),  # a letter
        ("C:\\my rules\\ü.ztrules", True, "C:/my rules/ü.ztrules",
         "file:///C:/my%20rules/%C3%BC.ztrules"),
        ("c:/rules/a.ztrules", True, "c:/rules/a.ztrules", "file:///c:/rules/a.ztrules"),
        ("\\\\server\\share\\a.ztrules", True, "//server/share/a.ztrules",
         "file://server/share/a.ztrules"),
        ("/srv/a.ztrules", False, "/srv/a.ztrules", "/srv/a.ztrules"),
    ],
)  # fmt: skip
def test_names_of_files(name: str, windows: bool, shown: str, uri: str) -> None:
    assert slashed(name, windows) == shown
    assert file_uri(name, windows) == uri


def test_a_drives_path_in_every_format() -> None:
    text = "accept ipsrc 10.0.0.1/31;"
    name = "C:\\rules\\a.ztrules"
    found = [(name, check(Source(name, text))[1])]
    assert "file=C%3A/rules/a.ztrules," in to_github(found)
    places = json.loads(to_sarif(found))["runs"][0]["results"][0]
    place = places["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "file:///C:/rules/a.ztrules"}
    (changed,) = places["fixes"][0]["artifactChanges"]
    assert changed["artifactLocation"] == place
