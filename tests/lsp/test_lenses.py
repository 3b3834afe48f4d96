"""Code lenses: what each rule opens and closes between members, as the editor gets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lsp.client import URI, Editor
from tests.needs import needs
from ztfast.lsp.document import Document
from ztfast.lsp.lenses import MOST_WAYS, read_lenses

RULES = """accept ethertype arp;
accept icmp 8 -1 or icmp 0 -1;
accept ipprotocol tcp and dport 22;
accept ipprotocol tcp and sport 22;
drop;
"""
NETWORK = """id = "8056c2e21c000001"
[[member]]
address = "2233445566"
name = "anna"
ips = ["10.1.1.2"]
[[member]]
address = "3344556677"
name = "files"
ips = ["10.1.1.7"]
"""
DOCUMENT = {"uri": URI}


def cell(line: int, is_open: bool, service: str = "ssh") -> dict[str, Any]:
    return {"from": "anna", "to": "files", "service": service, "open": is_open, "why": "no rule",
            "step": "", "at": "", "line": line}  # fmt: skip


def found(*cells: dict[str, Any]) -> dict[str, Any]:
    opened = sum(one["open"] for one in cells)
    return {"members": [{}, {}], "services": ["ssh"], "ways": len(cells), "open": opened,
            "cells": list(cells)}  # fmt: skip


def test_a_lens_for_each_rule_that_decides() -> None:
    elsewhere = [cell(0, True), cell(99, True)]
    cells = [cell(3, True), cell(5, False, "smb"), cell(3, True, "ping"), *elsewhere]
    whole, accept, drop = read_lenses(Document("x", RULES), found(*cells))
    assert whole[:2] == (0, "reach: 4 of 5 ways are open (2 members; ssh)")
    assert accept == (2, "reach: opens 2 ways (ssh, ping)",
                      ("ssh: anna to files", "ping: anna to files"))  # fmt: skip
    assert drop == (4, "reach: closes 1 way (smb)", ("smb: anna to files: no rule",))


def test_many_ways_are_counted() -> None:
    lens = read_lenses(Document("x", RULES), found(*[cell(3, True)] * (MOST_WAYS + 2)))[1]
    assert lens.ways[-1] == "and 2 more"
    assert len(lens.ways) == MOST_WAYS + 1
    assert read_lenses(Document("x", RULES), None) == []


@needs("pygls")
def test_an_editor_shows_them(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NETWORK)
    (tmp_path / "ztfast.toml").write_text('network = "net.toml"\n')
    for options in ({}, {"network": "net.toml"}):  # from the project's settings, or the editor's
        with Editor(tmp_path, options) as editor:
            editor.open(RULES)
            shown = editor.ask("textDocument/codeLens", textDocument=DOCUMENT)
            titles = {one["range"]["start"]["line"]: one["command"]["title"] for one in shown}
            assert titles[0] == (
                "reach: 4 of 12 ways are open (2 members; ping, ssh, https, smb, rdp, dns)"
            )
            assert titles[2] == "reach: opens 2 ways (ssh)"
            assert titles[4].startswith("reach: closes 8 ways (")
            command = shown[-1]["command"]
            assert (
                command["command"]
                in editor.capabilities["capabilities"]["executeCommandProvider"]["commands"]
            )
            editor.ask(
                "workspace/executeCommand",
                command=command["command"],
                arguments=command["arguments"],
            )
            said = editor.wait("window/showMessage")["message"]
            assert "anna to files" in said
            editor.type(RULES + "frob;\n")
            assert editor.ask("textDocument/codeLens", textDocument=DOCUMENT) == []


@needs("pygls")
def test_there_are_none_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "ztfast.toml").write_text('netwrk = "net.toml"\n')
    with Editor(tmp_path) as editor:
        editor.open(RULES)
        assert "`netwrk` is not a setting" in editor.wait("window/showMessage")["message"]
        assert editor.ask("textDocument/codeLens", textDocument=DOCUMENT) == []
