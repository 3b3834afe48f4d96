from __future__ import annotations

import pytest

from tests.serve.places import TEXT, office, settings
from ztfast.errors import UsageError
from ztfast.lang import compile_text
from ztfast.pipeline.reach import reach
from ztfast.serve import ask_reach
from ztfast.serve.ask_reach import reach_grid


def test_every_cell_is_what_reach_says() -> None:
    found = reach_grid(settings(), TEXT, ["ssh", "ping"])
    columns = reach(compile_text(TEXT), office(), ["ssh", "ping"]).columns()
    names = ("from", "to", "service", "open")
    rows = zip(*(columns[name].tolist() for name in names), strict=True)
    said = {row[:3]: row[3] for row in rows}
    seen = 0
    for clients, row in zip(found["clients"], found["cells"], strict=True):
        for servers, cell in zip(found["servers"], row, strict=True):
            if cell is None:
                assert clients == servers
                assert len(clients) == 1
                continue
            assert cell["from"] in clients
            assert cell["to"] in servers
            for client in clients:
                for server in servers:
                    for service, one in zip(found["services"], cell["services"], strict=True):
                        if client != server:
                            seen += 1
                            assert one["open"] == said[client, server, service]
    assert seen == found["ways"] == 8 * 7 * 2
    assert found["open"] == sum(said.values())


def test_what_is_closed_has_its_reason() -> None:
    found = reach_grid(settings(), "drop dport 22;\naccept;", ["ssh"])
    cell = found["cells"][0][0]["services"][0]
    assert cell == {
        **{"open": False, "why": "dropped", "step": "request", "line": 1},
        "at": found["cells"][0][0]["from"],
    }


def test_members_who_all_fare_otherwise_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_reach, "MOST_CELLS", 0)
    found = reach_grid(settings(), TEXT, ["ssh"])
    assert "cells" not in found
    assert "ways are open" in found["lines"][0]


def test_without_members_there_is_no_grid() -> None:
    with pytest.raises(UsageError, match="no members are known"):
        reach_grid(settings(network=None), TEXT, [])
