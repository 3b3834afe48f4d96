"""Names that would steer a terminal, from files and from the command line; streams named twice."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.needs import needs

EVIL = "c\x1b[31m\u202e\ud800"
FRAME = "tcp 10.0.0.1 > 10.0.0.2"
RULES = {
    "config": {
        "rules": [{"type": "ACTION_BREAK"}],
        "capabilities": [{"id": 1, "default": False, "rules": [{"type": "ACTION_ACCEPT"}]}],
        "tags": [{"id": 1, "default": None}],
    },
    "capabilitiesByName": {EVIL: 1},
    "tagsByName": {EVIL: {"id": 1, "default": None, "enums": {EVIL: 1}, "flags": {}}},
}


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(RULES))
    (tmp_path / "none.ztrules").write_text("drop;\n")
    return str(path)


@needs("z3")
@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("search", "--verdict", "accept"),
        ("explain", "--frame", FRAME, "--cap", "1", "--from-tag", "1=1"),
        ("explain", "--frame", FRAME, "--cap", "none"),
        ("explain", "--frame", FRAME, "--from-tag", "none=1"),
    ],
)
def test_names_in_rules_json_stay_words(rules: str, words: tuple[str, ...]) -> None:
    done = run(words[0], rules, *words[1:])
    shown = done.stdout + done.stderr
    assert "c\\x1b[31m\\u202e\\ud800" in shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


@needs("z3")
def test_names_in_a_difference_stay_words(rules: str, tmp_path: Path) -> None:
    shown = run("diff", rules, str(tmp_path / "none.ztrules")).stdout
    assert "entry 0 of capability c\\x1b[31m\\u202e\\ud800 removed" in shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


def test_a_surplus_argument_stays_a_word() -> None:
    done = run("diff", "a", "b", "c\x1b]0;title\x07")
    assert done.returncode == 2
    assert "unexpected extra argument (c\\x1b]0;title\\x07)" in done.stderr


def test_rules_without_names_say_that_numbers_do(tmp_path: Path) -> None:
    path = tmp_path / "plain.ztrules"
    path.write_text("accept;\n")
    done = run("explain", str(path), "--frame", FRAME, "--from-tag", "team=1")
    assert done.returncode == 2
    assert "use numbers" in done.stderr


@pytest.mark.parametrize("words", [("diff", "-", "-"), ("check", "-", "-")])
def test_standard_input_is_read_once(words: tuple[str, ...]) -> None:
    done = run(*words, stdin="accept;\n")
    assert done.returncode == 2
    assert "standard input can be" in done.stderr


NAMES = ["a\x1b[31mb", "a\udcffb"]  # an escape sequence; a byte that is not UTF-8


@pytest.mark.skipif(os.name != "posix", reason="file names of any bytes")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "words",
    [
        ("check", "RULES"),
        ("check", "RULES", "--format", "github"),
        ("check", "RULES", "--format", "sarif"),
        ("check", "RULES", "--format", "junit"),
        ("check", "RULES", "--format", "json"),
        ("fmt", "RULES", "--check"),
        ("fmt", "RULES", "--diff"),
        ("fmt", "RULES", "--write"),
        ("test", "RULES", "CASES", "--coverage"),
        ("test", "RULES", "CASES", "--format", "junit"),
    ],
)
def test_names_of_files_stay_words(tmp_path: Path, name: str, words: tuple[str, ...]) -> None:
    files = {"RULES": f"{name}.ztrules", "CASES": f"{name}.toml"}
    (tmp_path / files["RULES"]).write_text("accept  ethertype arp;\naccept vlan 5;\n")
    (tmp_path / files["CASES"]).write_text(
        '[[case]]\nname = "x"\nframe = "arp 10.0.0.1 > 10.0.0.2"\nexpect = "accept"\n'
    )
    done = run(words[0], *(files.get(word, word) for word in words[1:]), cwd=tmp_path)
    assert "Traceback" not in done.stderr
    shown = done.stdout + done.stderr
    if "github" not in words:  # an annotation is for a program
        assert all(letter.isprintable() or letter == "\n" for letter in shown)
