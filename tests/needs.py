"""What a test needs and may not be there: it skips by name where it is not installed or built."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from ztfast import dispatch

# For a test, a parameter or (as `pytestmark`) a module of what only the compiled loops do.
needs_loops = pytest.mark.skipif(dispatch.core is None, reason="the compiled loops are not built")

# For tests that compare evaluators with one another; what each of them does alone is tested with
# the fixture `backend` (tests/conftest.py).
BACKENDS = ("reference",) if dispatch.core is None else ("reference", "native")


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
