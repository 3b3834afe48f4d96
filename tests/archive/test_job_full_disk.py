"""A full disk: what did not fit fails by name, nothing half is left, and --resume does it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in, filtered
from ztfast.archive import plan
from ztfast.archive.job import ArchiveJob
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text

ENGINE = Engine(compile_text(RANDOM_RULES))


def mount(folder: Path, *words: str) -> None:
    command = ["mount", "-t", "tmpfs", *words, "ztfast-test", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for some of the results."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("a small disk is mounted by root alone")
    try:
        mount(folder, "-o", "size=128k")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    caps = captures_in(tmp_path / "caps", 4, frames=300)
    out = small_disk / "out"

    def job() -> ArchiveJob:
        return plan([caps], ENGINE, out=str(out), outputs={"accepted", "dropped"})

    result = job().run(Here())
    assert result.failed
    assert 0 < result.done < 4
    assert all("No space left" in problem.message for problem in result.problems)
    named = {problem.path for problem in result.problems} - {str(out / "result.json")}
    assert named <= {str(path) for path in caps.iterdir()}
    assert len(named) == 4 - result.done
    assert len(list((out / "segments").iterdir())) == result.done
    assert list((out / "attempts").iterdir()) == []

    mount(small_disk, "-o", "remount,size=4m")
    again = job().run(Here(), resume=True)
    assert again.complete
    expected = filtered(ENGINE, caps)
    assert again.tally.to_json() == {name: expected[name] for name in again.tally.to_json()}
    for row in again.captures:
        assert (out / row["path"]).stat().st_size == row["size"]
