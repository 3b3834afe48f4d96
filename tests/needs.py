"""Tests that need an optional library skip by its name where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs(*libraries: str) -> pytest.MarkDecorator:
    """A mark for a test, a parameter or (as `pytestmark`) a module; libraries: what is imported."""
    missing = [library for library in libraries if find_spec(library) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)}: not installed")


def packed(*names: str) -> list[object]:
    """Names of files as parameters; those of a compression whose library is missing skip."""
    libraries = {".zst": "zstandard", ".lz4": "lz4"}
    return [
        pytest.param(name, marks=[needs(libraries[end]) for end in libraries if name.endswith(end)])
        for name in names
    ]
