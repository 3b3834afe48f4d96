"""The editors' page and the VS Code extension say what the server and the language have."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ztfast.lang.matches import MATCHES
from ztfast.model.names import ACTION_WORDS, DEFINITION_WORDS

ROOT = Path(__file__).parents[2]
VSCODE = ROOT / "editors" / "vscode"
GRAMMAR = "syntaxes/ztrules.tmLanguage.json"

needs_checkout = pytest.mark.skipif(not VSCODE.exists(), reason="editors/: not in a checkout")


def read(name: str) -> Any:
    return json.loads((VSCODE / name).read_text(encoding="utf-8"))


def scopes(line: str) -> list[tuple[str, str]]:
    """(scope, text) of a line, as a TextMate grammar of plain patterns gives them."""
    patterns = [(one["name"], re.compile(one["match"])) for one in read(GRAMMAR)["patterns"]]
    found, at = [], 0
    while True:
        hits = [
            (hit, -number)
            for number, (_, one) in enumerate(patterns)
            if (hit := one.search(line, at))
        ]
        if not hits:
            return found
        hit, number = min(hits, key=lambda pair: (pair[0].start(), -pair[1]))
        found.append((patterns[-number][0].split(".")[0], hit.group()))
        at = hit.end()


@needs_checkout
def test_the_grammar_knows_every_word() -> None:
    for word in MATCHES:
        assert scopes(f"{word} x;") == [("support", word), ("punctuation", ";")]
    for word in ACTION_WORDS:
        assert scopes(word.capitalize()) == [("keyword", word.capitalize())]
    for word in DEFINITION_WORDS:
        assert scopes(word) == [("storage", word)]


@needs_checkout
def test_words_are_whole_and_comments_start_where_a_word_would() -> None:
    assert scopes("accepted dport80 x#y") == []
    assert scopes("accept dport $p; # drop") == [
        ("keyword", "accept"),
        ("support", "dport"),
        ("variable", "$p"),
        ("punctuation", ";"),
        ("comment", "# drop"),
    ]


@needs_checkout
def test_the_extension_names_files_that_are_there() -> None:
    package = read("package.json")
    contributed = package["contributes"]
    paths = [package["main"], contributed["languages"][0]["configuration"]]
    for path in [*paths, contributed["grammars"][0]["path"]]:
        assert (VSCODE / path).is_file()
    assert contributed["configuration"]["properties"]["ztfast.command"]["default"] == [
        "ztfast",
        "lsp",
    ]
    script = (VSCODE / "extension.js").read_text(encoding="utf-8")
    settings = {f"ztfast.{name}" for name in re.findall(r'settings\.get\("(\w+)"\)', script)}
    assert settings == set(contributed["configuration"]["properties"])


def test_every_editor_on_the_page_starts_the_server() -> None:
    page = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:lua|toml|elisp)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    assert all('"ztfast"' in block and '"lsp"' in block and "network" in block for block in blocks)


@needs_checkout
def test_vsce_packages_the_extension(tmp_path: Path) -> None:
    """With what npm has already: nothing is loaded, unless ZTFAST_VSCE=1 says that it may be."""
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("no npm")
    folder = tmp_path / "vscode"
    shutil.copytree(VSCODE, folder, ignore=shutil.ignore_patterns("node_modules", "*.vsix"))
    away = [] if os.environ.get("ZTFAST_VSCE") == "1" else ["--offline"]
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    for words in (
        ["npm", "install", "--omit=dev", *quiet, *away],
        ["npx", "--yes", *away, "@vscode/vsce@3", "package", "--out", "made.vsix"],
    ):
        program = shutil.which(words[0])
        assert program is not None
        done = subprocess.run(
            [program, *words[1:]], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode and ("ENOTCACHED" in done.stderr or "cache" in done.stderr):
            pytest.skip("npm has no copy of vsce: ZTFAST_VSCE=1 loads it")
        assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(folder / "made.vsix") as package:
        names = set(package.namelist())
    main = read("package.json")["main"].removeprefix("./")
    assert {f"extension/{main}", f"extension/{GRAMMAR}", "extension/package.json"} <= names
    assert any(name.startswith("extension/node_modules/vscode-languageclient/") for name in names)
