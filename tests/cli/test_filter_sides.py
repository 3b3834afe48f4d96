"""One side of a network judged: the same figures whatever else is asked for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import ztfast
from tests.pages import ROOT

OFFICE = [ROOT / "examples" / f"office.{kind}" for kind in ("ztrules", "pcap")]
NETWORK = ("--network", ROOT / "examples" / "office.toml")


def figures(capfd: pytest.CaptureFixture[str], *words: Any) -> dict[str, Any]:
    assert ztfast("filter", *OFFICE, *NETWORK, "--json", *words) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    del found["files"]
    return found


@pytest.mark.parametrize("side", ["out", "in", "both"])
def test_figures_do_not_depend_on_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], side: str
) -> None:
    monkeypatch.chdir(tmp_path)
    counted = figures(capfd, "--side", side, "--count")
    assert counted["frames"] == 221
    assert counted["copies"]
    for words in (
        ("-w", "accepted.pcapng", "--comment"),
        ("--split", "out"),
        ("--split", "members", "--split-by", "member"),
        ("--report", "page.html"),
        ("--table", "rows.csv"),
    ):
        assert figures(capfd, "--side", side, *words) == counted, words


@pytest.mark.parametrize("side", ["out", "in", "both"])
def test_a_list_says_what_is_counted(
    capfd: pytest.CaptureFixture[str], backend: str, side: str
) -> None:
    words = ("--side", side, "--backend", backend)
    rules = Counter[tuple[Any, ...]]()
    keys = ("verdict", "side", "line", "included", "rule")
    for row in figures(capfd, *words)["rules"]:
        rules[tuple(row[key] for key in keys)] += row["frames"]
    assert ztfast("filter", *OFFICE, *NETWORK, *words, "--jsonl") == 0
    listed = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    if side == "in":  # a copy that comes to its target, which figures count as accepted
        assert [row["line"] for row in listed if row["verdict"] == "super-accept"] == [37]
    for row in listed:
        row["verdict"] = row["verdict"].removeprefix("super-")
    assert Counter(tuple(row[key] for key in keys) for row in listed) == rules
    assert {"anna", "files"} <= {row["from_name"] for row in listed}
    assert ztfast("filter", *OFFICE, *NETWORK, *words, "--list", "--from", "visitor") == 0
    shown = capfd.readouterr().out.splitlines()
    assert len(shown) == 1 + sum(row["from_name"] == "visitor" for row in listed) > 5
