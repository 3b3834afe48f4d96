"""Rules as they were committed, wherever a command takes rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import ztfast
from tests.lang.revised import repository
from tests.needs import needs
from tests.serve.running import NEEDED

NAME = "git:HEAD:rules.ztrules"
FRAME = ("--frame", "tcp 10.1.1.1 > 10.1.1.2:80")


def committed(folder: Path, text: str) -> Path:
    """Commit the text, change the file; the folder where it is."""
    repository(folder, text)
    (folder / "sub" / "rules.ztrules").write_text("drop;\n")
    return folder / "sub"


def test_each_reads_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(committed(tmp_path, "accept ipsrc 10.0.0.1/31;\naccept;\n"))
    assert ztfast("check", "--no-analysis", "--fail-on", "warning", NAME) == 1
    assert f"{NAME}:1:7: warning[ZT111]" in capfd.readouterr().out
    assert ztfast("compile", NAME) == 0
    assert "ACTION_ACCEPT" in capfd.readouterr().out
    assert ztfast("explain", NAME, *FRAME) == 0
    assert "accepted by" in capfd.readouterr().out


def test_the_settings_path_is_beside_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = committed(tmp_path, "accept;\n")
    (folder / "ztfast.toml").write_text(f'rules = "{NAME}"\n')
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert ztfast("check", "--no-analysis") == 0
    assert ztfast("explain", *FRAME) == 0
    assert "accepted by" in capfd.readouterr().out


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_a_commit_cannot_be_fixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    monkeypatch.chdir(committed(tmp_path, "allow;\n"))
    assert ztfast("check", option, NAME) == 2
    assert f"{NAME} cannot be fixed" in capfd.readouterr().err


@needs(*NEEDED)
@pytest.mark.parametrize("text", ["dorp;\n", '[{"type": "ACTION_ACCEPT"}]'])
def test_a_page_shows_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Also what does not compile, which the page is there to mend, and JSON."""
    from ztfast.cli import serve

    monkeypatch.chdir(committed(tmp_path, text))
    context = serve.command.make_context("serve", [NAME])
    assert serve.read_settings(context.params.pop("rules"), context.params).rules.text == text
