"""Running `ztfast`: in this process, its output left to capfd, or as a program of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ztfast.cli import main


def ztfast(*words: Any) -> int:
    """Run the command line with these words; its exit status."""
    before, sys.argv = sys.argv, ["ztfast", *map(str, words)]
    try:
        main()
    except SystemExit as done:
        code = done.code
        return code if isinstance(code, int) else int(code is not None)
    finally:
        sys.argv = before
        sys.stdout.flush()
    return 0


@contextmanager
def stdin_from(path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard input is that file meanwhile."""
    with open(path) as file:
        monkeypatch.setattr(sys, "stdin", file)
        yield


def run(
    *arguments: str, stdin: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it as a user does; the status and both streams."""
    return subprocess.run(
        [sys.executable, "-m", "ztfast", *arguments],
        input=stdin,
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
