"""The page's commands, against a server that behaves as a controller does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import pages
from tests.deploy.controller import TOKEN, running
from tests.needs import needs


@needs("z3")
def test_the_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages.lay_out(tmp_path)
    monkeypatch.setenv("ZTFAST_TOKEN", TOKEN)
    with running() as fake:
        found = pages.commands("docs/deploy.md")
        assert len(found) >= 6
        for command, output in found:
            there = command.replace("controller:8056c2e21c000001", f"\\g<0>@{fake.url}")
            there = there.replace("\\g<0>", "controller:8056c2e21c000001")
            if "apply" in command:  # the plan names the controller
                there = command
            got = pages.run(there, tmp_path)
            lines = sorted(got.replace(fake.url, "http://127.0.0.1:9993").splitlines())
            assert lines == sorted(output.splitlines()), command
