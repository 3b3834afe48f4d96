"""The command's options and refusals; what it serves is tested in tests/serve."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.running import run
from tests.needs import needs
from tests.serve.running import NEEDED, NETWORK, RULES, running
from ztfast.cli import serve
from ztfast.errors import UsageError

office = needs(*NEEDED)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "name the one address"),
        (["--host", "::"], "name the one address"),
        (["--host", "192.0.2.1"], "--allow-remote"),
        (["--port", "65536"], "65536"),
        (["--max-upload", "much"], "no size"),
        (["--tests", "missing.toml"], "missing.toml: no such file"),
    ],
)
@office
def test_what_makes_no_sense_is_refused(words: list[str], said: str) -> None:
    done = CliRunner().invoke(serve.command, [str(RULES), *words])
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize("rules", [None, "-", "git:HEAD:rules.ztrules"])
def test_only_a_file_can_be_saved(rules: str | None) -> None:
    done = CliRunner().invoke(serve.command, ["--write", *([] if rules is None else [rules])])
    assert done.exit_code == 2
    assert "name one" in done.output


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_NEEDED", ("json", "no_such_library"))
    with pytest.raises(UsageError, match="no_such_library") as caught:
        CliRunner().invoke(serve.command, [str(RULES)], catch_exceptions=False)
    assert caught.value.diagnostics[0].help == "pip install 'ztfast[serve]'"


@office
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.ztrules"], "missing.ztrules"),
        (["main.tf"], "Terraform"),
        ([], "no rules are named"),
        ([str(RULES), "--network", "missing.toml"], "missing.toml"),
        ([str(RULES), "--against", "missing.ztrules"], "missing.ztrules"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_served(words: list[str], said: str) -> None:
    done = run("serve", *words)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "http" not in done.stdout


@office
def test_broken_rules_are_served_to_be_mended(tmp_path: Path) -> None:
    rules = tmp_path / "broken.ztrules"
    rules.write_text("accept nonsense\n", encoding="utf-8")
    cases = tmp_path / "cases.toml"
    cases.write_text("", encoding="utf-8")
    words = ["--against", RULES, "--network", NETWORK, "--tests", cases, "--max-upload", "2k"]
    with running(rules, *words) as server:
        server.log_in()
        start = server.ask("GET", "/api/start").json
        given = {name: start[name] for name in ("rules", "against", "tests", "most_upload")}
        assert given == {
            "rules": "accept nonsense\n",
            "against": str(RULES),
            "tests": [str(cases)],
            "most_upload": 2000,
        }
        asked = json.dumps({"rules": start["rules"], "frame": "arp"}).encode()
        assert server.ask("POST", "/api/explain", asked).status == 422
