"""The bundled example: its capture is what its script makes, and meets every rule."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

import ztfast
from tests.cli.running import ztfast as run
from ztfast.pipeline.tally import known_rules

EXAMPLES = Path(__file__).parents[2] / "examples"
RULES, NETWORK, CAPTURE = (EXAMPLES / f"office.{kind}" for kind in ("ztrules", "toml", "pcap"))


def test_capture_is_what_the_script_makes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_capture", EXAMPLES / "make_capture.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main([str(tmp_path / "again.pcap")])
    assert (tmp_path / "again.pcap").read_bytes() == CAPTURE.read_bytes()


def figures(capfd: Any, *options: Any) -> Any:
    assert run("filter", RULES, CAPTURE, "--network", NETWORK, "--json", *options) == 0
    return json.loads(capfd.readouterr().out)


def test_every_rule_is_met(capfd: pytest.CaptureFixture[str]) -> None:
    found = figures(capfd)
    met = {row["line"] for row in found["rules"]}
    policy = ztfast.load(RULES)
    rules = [policy.rules, *(capability.rules for capability in policy.capabilities)]
    actions = {
        rule.span.line: rule.json["type"]
        for one in rules
        for rule in known_rules(one)
        if rule.json["type"].startswith("ACTION_")
    }
    copying = {line for line, kind in actions.items() if kind in ("ACTION_TEE", "ACTION_WATCH")}
    assert set(actions) - met == copying  # these do not decide
    assert {copy["kind"] for copy in found["copies"]} == {"tee", "watch", "redirect"}
    assert all(copy["frames"] for copy in found["copies"])
    assert found["uncertain"] == 0
    assert not any(found["assumed"].values())


@pytest.mark.parametrize("option", [("--backend", "reference"), ("--threads", "2")])
def test_the_same_either_way(capfd: pytest.CaptureFixture[str], option: tuple[str, str]) -> None:
    assert figures(capfd, *option) == figures(capfd)
