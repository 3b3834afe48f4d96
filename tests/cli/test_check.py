"""`ztfast check` and `ztfast explain-code` as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import ztfast.proof
from tests.cli.running import run
from ztfast.cli.check import command as check
from ztfast.cli.explain_code import command as explain_code
from ztfast.errors import BackendError, Diagnostic


def invoke(*arguments: str, stdin: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(check, arguments, input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout


@pytest.mark.parametrize(
    ("text", "fail_on", "status"),
    [
        ("accept;", "note", 0),
        ("drop;", "error", 0),
        ("drop;", "warning", 1),
        ("frob", "error", 1),
    ],
)
def test_exit_status(text: str, fail_on: str, status: int) -> None:
    assert invoke("-", "--no-analysis", "--fail-on", fail_on, stdin=text)[0] == status


def test_text_for_people(tmp_path: Path) -> None:
    path = tmp_path / "r.ztrules"
    path.write_text("accept or dport 1 ;\n")
    done = run("check", str(path), str(tmp_path / "none"), "--no-analysis")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}:1:10: warning[ZT106]: a first match with `or`")
    assert "error[ZT051]" in done.stdout
    assert done.stderr == (
        "ztfast check: 1 error, 1 warning (1 fixable with --fix --unsafe-fixes)\n"
    )
    assert run("check").returncode == 2
    assert run("check", "--format", "no", str(path)).returncode == 2


@pytest.mark.parametrize("form", ["json", "github", "sarif", "junit"])
def test_formats(form: str, tmp_path: Path) -> None:
    made = invoke("-", "--no-analysis", "--format", form, stdin="drop;")[1]
    assert "ZT125" in made
    path = tmp_path / "out"
    assert invoke("-", "--no-analysis", "--format", form, "-o", str(path), stdin="drop;")[1] == ""
    assert path.read_text() == made


def test_json_flag() -> None:
    assert json.loads(invoke("-", "--json", stdin="frob")[1])["counts"]["error"] == 1


def test_analysis_is_asked_unless_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def findings(policy: object) -> list[Diagnostic]:
        asked.append(policy)
        return [Diagnostic("ZT201", "a proof", "warning", help="x")]

    monkeypatch.setattr(ztfast.proof, "findings", findings, raising=False)
    assert "ZT201" in invoke("-", stdin="accept;")[1]
    assert "ZT201" not in invoke("-", "--no-analysis", stdin="accept;")[1]
    assert "ZT201" not in invoke("-", stdin="frob")[1]
    assert "ZT201" not in invoke("-", stdin="# ztfast: ignore-file ZT201\naccept;")[1]
    assert len(asked) == 2

    def missing(policy: object) -> list[Diagnostic]:
        raise BackendError(Diagnostic("ZT299", "no solver"))

    monkeypatch.setattr(ztfast.proof, "findings", missing, raising=False)
    status, made = invoke("-", stdin="accept;")
    assert status == 0
    assert "note[ZT299]" in made


def test_explain_code() -> None:
    one = CliRunner().invoke(explain_code, ["zt101"])
    assert one.stdout.startswith("ZT101: an empty block swallows what follows\n\n")
    assert "Example:\n\n    accept;\n" in one.stdout
    every = CliRunner().invoke(explain_code, [])
    assert len(every.stdout.splitlines()) > 60
    listed = json.loads(CliRunner().invoke(explain_code, ["--json", "ZT101"]).stdout)
    assert listed[0]["code"] == "ZT101"
    wrong = run("explain-code", "ZT999")
    assert wrong.returncode == 2
    assert "there is no code" in wrong.stderr
