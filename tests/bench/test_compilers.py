"""What is said of clang's module; building and counting it is `make bench-check`."""

from __future__ import annotations

import pytest

from bench import compilers

GCC = {"scan": 1000, "evaluate": 500}


def counts(monkeypatch: pytest.MonkeyPatch, clang: dict[str, int]) -> None:
    """Let clang be here, and its module take so many instructions."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(compilers, "package_of_clang", lambda folder: folder)
    monkeypatch.setattr(compilers, "counted", lambda source: clang)
    monkeypatch.setattr(compilers, "compiler", lambda source: "x86_64 clang 14")


def test_more_than_a_fifth_over_gcc_is_too_much(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts(monkeypatch, {"scan": 1200, "evaluate": 100})
    assert not compilers.clang_is_worse("x86_64 gcc 12", GCC)
    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()] == [
        ["built", "by", "x86_64", "clang", "14"],
        ["scan", "1.20×", "gcc"],
        ["evaluate", "0.20×", "gcc"],
    ]
    assert not said.err
    counts(monkeypatch, {"scan": 1201, "evaluate": 700})
    assert compilers.clang_is_worse("x86_64 gcc 12", GCC)
    said = capsys.readouterr()
    assert "over 1.2× gcc:\nscan: 1,201 instructions, 1.20×\nevaluate: 700 instr" in said.err


def test_a_missing_clang_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert not compilers.clang_is_worse("x86_64 gcc 12", GCC)
    assert "clang is not compared: not installed" in capsys.readouterr().out


def test_where_gcc_built_nothing_there_is_nothing_to_compare(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts(monkeypatch, {"scan": 9999, "evaluate": 9999})
    assert not compilers.clang_is_worse("arm64 clang 15", GCC)
    assert "gcc did not build the module, but arm64 clang 15" in capsys.readouterr().out
