"""The Dockerfile: its syntax, and that all it copies is there and sent to the builder.

Building it needs a daemon and a network; docs/settings.md says how.
"""

from __future__ import annotations

import fnmatch
import re

import pytest

from tests.pages import ROOT

KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) with continued lines joined, comments left out."""
    path = ROOT / "Dockerfile"
    if not path.exists():
        pytest.skip("not in a source tree")
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found = [line.split(None, 1) for line in lines if line.strip()]
    return [(word, rest) for word, rest in found]


def test_instructions() -> None:
    words = [word for word, _ in instructions()]
    assert set(words) <= KNOWN
    assert words[0] == "FROM"
    assert words.count("ENTRYPOINT") == 1
    rest = dict(instructions())
    assert rest["ENTRYPOINT"] == '["ztfast"]'
    assert rest["USER"] != "root"


def test_what_is_copied_is_there_and_sent() -> None:
    lines = instructions()  # skips outside of a source tree
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = [line[1:] for line in ignored if line.startswith("!")]
    stages = [rest.split(" AS ")[1] for word, rest in lines if " AS " in f"{word} {rest}"]
    for word, rest in lines:
        if word != "COPY":
            continue
        *sources, _ = rest.split()
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
            continue
        for name in sources:
            assert (ROOT / name).exists(), name
            assert any(fnmatch.fnmatch(name, pattern) for pattern in sent), name
