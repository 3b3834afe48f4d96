"""`ztfast fmt` as a user runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.running import run, ztfast

UGLY = "accept  dport 80 ;\ndrop\n;\n"
NEAT = "accept dport 80;\ndrop;\n"


def test_prints_checks_and_writes(tmp_path: Path) -> None:
    ugly, neat, bad = tmp_path / "ugly", tmp_path / "neat", tmp_path / "bad"
    ugly.write_text(UGLY)
    neat.write_text(NEAT)
    bad.write_text("frob")
    assert run("fmt", "-", stdin=UGLY).stdout == NEAT
    checked = run("fmt", "--check", str(ugly), str(neat))
    assert (checked.returncode, checked.stdout) == (1, f"{ugly}\n")
    assert run("fmt", "--check", str(neat)).returncode == 0
    shown = run("fmt", "--diff", str(ugly))
    assert shown.returncode == 0
    assert "-accept  dport 80 ;\n-drop\n-;\n+accept dport 80;\n+drop;\n" in shown.stdout
    assert run("fmt", "--check", "--diff", str(ugly)).returncode == 1
    assert ugly.read_text() == UGLY
    written = run("fmt", "-w", str(ugly), str(bad), str(neat))
    assert (written.returncode, written.stdout) == (1, "")
    assert "bad:1:0: error[ZT010]" in written.stderr
    assert f"wrote {ugly}" in written.stderr
    assert (ugly.read_text(), bad.read_text()) == (NEAT, "frob")


def test_json_is_not_laid_out() -> None:
    done = run("fmt", "-", stdin="[]")
    assert done.returncode == 1
    assert "--decompile" in done.stderr
    assert run("fmt").returncode == 2


def test_a_terminal_gets_colours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ugly"
    path.write_text(UGLY)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    ztfast("fmt", "--diff", path)
    shown = capfd.readouterr().out
    assert "\x1b[31m-" in shown
    assert "\x1b[32m+" in shown
