"""Cases that pass and could never happen, as their ends do not find each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from ztfast.lang import compile_text
from ztfast.suite.file import read_suite
from ztfast.suite.run import run_suite

MEMBERS = """
[[member]]
name = "anna"
ips = ["10.0.0.1", "fd00::1"]
tags = { hub = 1 }
[[member]]
name = "ben"
ips = ["10.0.0.2", "fd00::2"]
[[member]]
name = "carl"
ips = ["10.0.0.3"]
tags = { hub = 1 }
"""
TAG = "tag hub id 4 enum 1 yes;\n"
WEB = 'from = "anna"\nto = "{}"\nproto = "tcp"\nport = 80\nexpect = "accept"'
REST = "accept ipprotocol tcp;\ndrop;\n"


def lost(rules: str, tmp_path: Path, case: str = WEB.format("ben")) -> list[str]:
    path = tmp_path / "t.toml"
    path.write_text(f"{MEMBERS}\n[[case]]\n{case}\n")
    policy = compile_text(TAG + rules)
    (result,) = run_suite(read_suite(str(path), policy), policy, lambda path: ())
    assert result.passed
    return [text.rpartition(": ")[2] for text in result.unresolved]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (REST, ["no ARP request gets through"]),
        ("accept ethertype arp;\n" + REST, []),
        ("accept ethertype arp and chr broadcast;\n" + REST, ["no ARP answer gets through"]),
        # the request reaches carl, and not the member that the case is about
        ("accept ethertype arp and chr multicast and treq hub 1;\n" + REST,
         ["no ARP request gets through"]),
    ],
)  # fmt: skip
def test_requests_and_answers(rules: str, expected: list[str], tmp_path: Path) -> None:
    assert lost(rules, tmp_path) == expected


def test_the_receiver_that_is_meant_counts(tmp_path: Path) -> None:
    rules = "accept ethertype arp and treq hub 1;\n" + REST
    assert lost(rules, tmp_path, WEB.format("carl")) == []


@pytest.mark.parametrize(
    "case",
    [
        WEB.format("10.9.9.9"),  # nobody known
        WEB.format("fd00::2").replace('"anna"', '"fd00::1"'),
        WEB.format("ben") + '\ndirection = "out"',
        WEB.format("ben").replace('"tcp"\nport = 80', '"icmp"').replace("accept", "drop"),
    ],
)
def test_other_cases_are_not_asked(case: str, tmp_path: Path) -> None:
    assert lost(REST, tmp_path, case) == []
