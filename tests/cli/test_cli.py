"""The program as a whole: help once where nothing is asked for, and what a mistyped word meant."""

from __future__ import annotations

import pytest

from tests.cli.running import run, ztfast


def test_alone_it_prints_its_help_once() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("Usage:") == done.stderr.count("Commands:") == 1
    assert "Error" not in done.stderr


@pytest.mark.parametrize(
    ("word", "meant"), [("chek", "'check'"), ("filtr", "'filter'"), ("explian", "'explain'")]
)
def test_a_mistyped_command(word: str, meant: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast(word) == 2
    assert f"No such command {word!r}: did you mean {meant}?" in capfd.readouterr().err


def test_a_word_that_is_like_no_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("xyz", "--help") == 2
    assert "ztfast --help lists them" in capfd.readouterr().err


def test_a_mistyped_option(capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("filter", "--cuont", "r", "a") == 2
    assert "--count" in capfd.readouterr().err
