"""`ztfast init`: each template is without findings, and its cases pass and cover it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ztfast as library
from tests.cli.running import ztfast
from tests.needs import needs
from ztfast.cli.init import rules_of
from ztfast.cli.templates import TEMPLATES
from ztfast.errors import Source
from ztfast.lang.lint import check


def test_the_list(capfd: Any) -> None:
    assert ztfast("init") == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*TEMPLATES]
    assert lines[0] == "open         everybody reaches everybody, by IP alone"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_passes_its_own_cases(name: str, tmp_path: Path, capfd: Any) -> None:
    """Every outcome of every entry but few: what no case has is said."""
    folder = tmp_path / "new"
    assert ztfast("init", name, folder) == 0
    assert "next: ztfast test" in capfd.readouterr().out
    words = (folder / "rules.ztrules", folder / "tests.toml")
    assert ztfast("test", *words, "--fail-under", "80") == 0
    assert capfd.readouterr().err == ""  # no case that could not happen either


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_without_findings(name: str) -> None:
    policy, findings = check(Source(name, rules_of(name)))
    assert policy is not None
    assert findings == []
    assert policy.digest == library.compile(TEMPLATES[name].rules).digest


@needs("z3")
@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_proved_against_a_template(name: str) -> None:
    from ztfast.proof import findings

    found = findings(library.compile(TEMPLATES[name].rules), time_limit=None)
    assert [one.message for one in found] == []


def test_nothing_is_written_over(tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "tests.toml").write_text("mine")
    assert ztfast("init", "open", tmp_path) == 1
    assert "is there already" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["tests.toml"]
    assert ztfast("init", "none", tmp_path) == 2


def test_rules_are_shown(capfd: Any) -> None:
    assert ztfast("init", "ids", "--show") == 0
    assert capfd.readouterr().out == rules_of("ids")
