"""Choosing the compiled loops; every instruction level gives the same verdicts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ztfast import native
from ztfast.engine.select import choose
from ztfast.errors import BackendError, UsageError

ROOT = Path(__file__).parents[1]
# What runs the compiled loops; the rest of the suite does not depend on the level.
LOOPS = [
    "tests/program",
    "tests/differential/test_random.py",
    "tests/engine/test_case_vectors.py",
    "tests/capture/test_hop.py",
    "tests/cli/test_judging.py",
]


@pytest.mark.skipif(native.core is None, reason="the extension is not built")
@pytest.mark.parametrize("level", [name for name in native.runnable() if name != native.simd])
def test_every_other_level_passes_what_runs_the_loops(level: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *LOOPS],
        cwd=ROOT,
        env={**os.environ, "ZTFAST_SIMD": level},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_best_level_is_chosen() -> None:
    levels = native.runnable()
    if native.core is None:
        assert native.simd == "none"
    else:
        assert native.simd == os.environ.get("ZTFAST_SIMD", levels[0])


def test_a_level_that_cannot_run_here_is_refused() -> None:
    with pytest.raises(BackendError, match="not available"):
        native.load("sse9")


def test_a_forced_level_that_is_not_there_is_an_error_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ztfast", "bench", "--frames", "10"],
        env={**os.environ, "ZTFAST_SIMD": "sse9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ZT421" in done.stderr
    assert "Traceback" not in done.stderr


def test_asking_for_native_where_it_is_missing_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(native, "core", None)
    monkeypatch.delenv("ZTFAST_BACKEND", raising=False)
    assert choose("auto") == "reference"
    with pytest.raises(BackendError, match="C compiler"):
        choose("native")


def test_the_environment_names_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZTFAST_BACKEND", "reference")
    assert choose() == "reference"
    monkeypatch.setenv("ZTFAST_BACKEND", "fastest")
    with pytest.raises(UsageError, match="unknown backend"):
        choose()
