"""`ztfast bench`: its figures are all there, for own and for made-up frames."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from ztfast.cli import cli

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["bench", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_figures_for_the_example() -> None:
    rules, capture = EXAMPLES / "office.ztrules", EXAMPLES / "office.pcap"
    figures = json.loads(run(str(rules), str(capture), "--json"))
    assert figures["frames"] > 10
    assert sum(item["hits"] for item in figures["sets"]) <= figures["frames"]
    assert all(item["line"] for item in figures["sets"])


def test_the_default_rules_on_made_up_frames() -> None:
    text = run("--frames", "2000")
    assert "2,000 frames" in text
    assert "accept;" in text
