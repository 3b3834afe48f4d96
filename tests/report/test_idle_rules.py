"""Rules that did nothing: each kind of rule, macros, capabilities, copies for recipients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ztfast
from tests.capture.building import pcap
from tests.report.paging import facts
from ztfast.engine.engine import Engine
from ztfast.lang.controller import load_json
from ztfast.report.idle_rules import idle_rules

RULES = """
macro twice($port)
	drop dport $port;
;
cap web id 5
	accept dport 80;
	accept dport 81;
;
tee 10 8e30f50a25 dport 22;
watch 10 8e30f50a25 dport 23;
include twice(22)
include twice(24)
redirect 8e30f50a25 dport 25;
accept dport 26;
break dport 27;
accept;
"""


def frame(port: int) -> bytes:
    head = bytes(12) + b"\x08\x00\x45" + bytes(8) + b"\x06" + bytes(12) + port.to_bytes(2, "big")
    return head.ljust(60, b"\0")


def idle(tmp_path: Path, engine: Engine, *ports: int) -> tuple[list[tuple[str, ...]], int]:
    path = tmp_path / "c.pcap"
    path.write_bytes(pcap([frame(port) for port in ports]))
    found = facts(engine, path)
    rules, count = idle_rules(found.tally, found.overview, found.delivered)
    return [tuple(rule) for rule in rules], count


def test_by_line_and_text(tmp_path: Path, backend: str) -> None:
    engine = Engine(ztfast.compile(RULES), side="out", backend=backend)
    assert idle(tmp_path, engine, 22, 26, 99) == (
        [
            ("9", "", "tee 10 8e30f50a25 dport 22"),
            ("10", "", "watch 10 8e30f50a25 dport 23"),
            ("3 (12)", "", "drop dport 24"),
            ("13", "", "redirect 8e30f50a25 dport 25"),
            ("15", "", "break dport 27"),
            ("6", "web", "accept dport 80"),
            ("7", "web", "accept dport 81"),
        ],
        10,
    )


@pytest.mark.parametrize(("port", "place"), [(23, "10"), (25, "13"), (26, "14"), (27, "15")])
def test_each_kind_does_something(port: int, place: str, tmp_path: Path) -> None:
    rules, _ = idle(tmp_path, Engine(ztfast.compile(RULES), side="out"), port)
    assert place not in {rule[0] for rule in rules}


def test_rules_without_lines(tmp_path: Path) -> None:
    policy = ztfast.compile("tee 10 8e30f50a25 dport 22;\ndrop dport 23;\naccept;")
    engine = Engine(load_json(json.dumps(policy.to_json())))
    rules, count = idle(tmp_path, engine, 99)
    assert [rule[0] for rule in rules] == ["-", "-"]
    assert count == 3
