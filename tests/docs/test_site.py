"""The site: no fence or comment stands on a page as text; a broken link ends the build."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs
from tests.pages import ROOT

DOCS = ROOT / "docs"
KNOWN = {"", "bash", "console", "elisp", "ini", "json", "lua", "output", "py", "python", "sh"}
KNOWN |= {"sql", "text", "toml", "yaml", "ztrules"}


def hook() -> Any:
    spec = importlib.util.spec_from_file_location("mkdocs_fences", DOCS / "mkdocs_fences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_every_fence_is_one_that_mkdocs_knows(page: Path) -> None:
    text = hook().on_page_markdown(page.read_text(encoding="utf-8"))
    openings = re.findall(r"^```([^\n]*)$", text, re.MULTILINE)[::2]
    for opening in openings:
        kind, _, rest = opening.partition(" ")
        assert kind in KNOWN, opening
        assert not rest or re.fullmatch(r'title="[^"]+"', rest), opening
    assert not text.startswith("<!--")


def test_titles_say_what_a_block_is() -> None:
    render = hook().on_page_markdown
    assert render("```file a.toml\nx\n```\n") == '```text title="a.toml"\nx\n```\n'
    assert render("```rules warns ZT101\n") == '```ztrules title="a warning: ZT101"\n'
    assert render("```rules refused ZT010\n") == '```ztrules title="an error: ZT010"\n'
    assert render("```rules\n") == "```ztrules\n"
    assert render("```console\n$ file x\n```\n") == "```console\n$ file x\n```\n"


def build(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """`make docs` of that folder."""
    (command,) = re.findall(r"-m mkdocs build(.*) --site-dir", (ROOT / "Makefile").read_text())
    words = [sys.executable, "-m", "mkdocs", "build", *command.split(), "--site-dir", str(site)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@needs("mkdocs", "material", "mkdocstrings")
def test_the_built_site(tmp_path: Path) -> None:
    done = build(ROOT, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "```" not in re.sub(r"<code.*?</code>", "", text, flags=re.DOTALL), page
        assert "&lt;!--" not in text, page
        assert "<!-- python" not in text, page


@needs("mkdocs", "material", "mkdocstrings")
def test_a_broken_link_ends_the_build(tmp_path: Path) -> None:
    for name in ("mkdocs.yml", "docs/mkdocs_fences.py", "docs/index.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    settings = (tmp_path / "mkdocs.yml").read_text().partition("nav:")[0]
    (tmp_path / "mkdocs.yml").write_text(settings)
    for text, status in (("# Fine\n", 0), ("# Broken\n\n[gone](gone.md)\n", 1)):
        (tmp_path / "docs" / "index.md").write_text(text)
        assert build(tmp_path, tmp_path / "site").returncode == status, text
