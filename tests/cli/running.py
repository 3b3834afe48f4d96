"""Running `ztfast` in this process: the exit status, with output left to capfd."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
