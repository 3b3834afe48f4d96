"""Choosing the compiled loops; every instruction level gives the same verdicts."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.engine.backends import choose
from ztfast.errors import BackendError, UsageError

ROOT = Path(__file__).parents[1]
# What runs the compiled loops; the rest of the suite does not depend on the level.
LOOPS = [
    "tests/program",
    "tests/differential/test_random.py",
    "tests/engine/test_case_vectors.py",
    "tests/capture/test_pcap_scan.py",
    "tests/pipeline/test_judge.py",
]


@pytest.mark.slow
@needs_loops
@pytest.mark.parametrize(
    "level", [name for name in dispatch.runnable() if name != dispatch.simd_level]
)
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
    levels = dispatch.runnable()
    if dispatch.core is None:
        assert dispatch.simd_level == "none"
    else:
        assert dispatch.simd_level == os.environ.get("ZTFAST_SIMD", levels[0])


@pytest.mark.parametrize("parts", [True, False])
def test_the_folder_of_the_source_is_no_built_level(tmp_path: Path, parts: bool) -> None:
    """A package without extensions in which the parts of `_core.pyx` lie, or do not."""
    package = Path(dispatch.__file__).parent
    bare = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "_core")
    shutil.copytree(package, tmp_path / "ztfast", ignore=bare)
    if parts:
        (tmp_path / "ztfast" / "_core").mkdir()
        (tmp_path / "ztfast" / "_core" / "types.pxi").touch()
    code = (
        "import ztfast\nfrom ztfast import dispatch\n"
        "print(dispatch.__file__, dispatch.runnable(), dispatch.core, dispatch.simd_level, "
        "ztfast.backend)"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("ZTFAST_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**env, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    place = tmp_path / "ztfast" / "dispatch.py"
    assert done.stdout == f"{place} () None none reference\n", done.stderr


@needs_loops
def test_the_extension_comes_before_the_folder_of_its_source() -> None:
    module = importlib.import_module("ztfast._core")
    assert module.__file__ is not None
    assert Path(module.__file__).suffix in (".so", ".pyd")


def test_a_level_that_cannot_run_here_is_refused() -> None:
    with pytest.raises(BackendError, match="not available"):
        dispatch.load("sse9")


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
    monkeypatch.setattr(dispatch, "core", None)
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
