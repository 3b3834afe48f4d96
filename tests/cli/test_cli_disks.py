"""Disks that take no more, or nothing at all, and pipes that nobody reads: for every output.

What is said names the file, nothing half has a final name, and the exit status is 1; 2 where it is
seen before the work that nothing can be written.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import pages
from tests.cli import writing

OFFICE = [str(pages.EXAMPLES / f"office.{kind}") for kind in ("ztrules", "pcap", "toml")]


def mounted(folder: Path, options: str) -> bool:
    """Is there a small disk now?"""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, Path]]:
    """A disk of 24 KiB, one that is read-only, and a folder with a capture."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("small disks are mounted by root on Linux only")
    top = tmp_path_factory.mktemp("disks")
    found = [top / "small", top / "locked"]
    there = [mounted(found[0], "size=24k"), mounted(found[1], "size=24k,ro")]
    try:
        if not all(there):
            pytest.skip("mounting a tmpfs is not allowed here")
        yield found[0], found[1], top
    finally:
        for folder, is_there in zip(found, there, strict=True):
            if is_there:
                subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("mode", [mode for mode in writing.modes() if mode != "text"])
def test_full_and_locked(mode: str, disks: tuple[Path, Path, Path]) -> None:
    small, locked, top = disks
    capture = top / "many.pcap"
    if not capture.exists():
        writing.capture(top, 6_000)  # all else is larger than the disk, however it is compressed
    for disk in (small, locked):
        if disk is small and mode in ("rotated", "split", "delivered"):
            (disk / "filled").write_bytes(bytes(12_000))
        done = subprocess.run(
            writing.words(mode, capture, disk), capture_output=True, text=True, check=False
        )
        assert done.returncode == (1 if disk is small else 2), (disk, done.stderr)
        assert "Traceback" not in done.stderr
        what = "No space left on device" if disk is small else "Read-only file system"
        assert what in done.stderr, (disk, done.stderr)
        assert str(disk) in done.stderr
        for name in writing.files(disk):
            (disk / name).unlink()
        for part in disk.rglob("*.part"):
            part.unlink()


@pytest.mark.parametrize(
    "words",
    [
        ["filter", *OFFICE[:2], "--list"],
        ["filter", *OFFICE[:2], "--jsonl"],
        ["filter", *OFFICE[:2], "-w", "-"],
        ["filter", *OFFICE[:2], "--count", "--json"],
        ["deliver", *OFFICE[:2], "--network", OFFICE[2]],
        ["compile", OFFICE[0]],
        ["explain", "--network", OFFICE[2], "--frame", "tcp ben > files:ssh syn"],
        ["reach", "--network", OFFICE[2], "--json"],
        ["explain-code"],
        ["--help"],
    ],
    ids=lambda words: " ".join(word for word in words if word not in OFFICE),
)
def test_a_pipe_that_nobody_reads(words: list[str]) -> None:
    reading, writing_end = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ztfast", *words],
            stdout=writing_end,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing_end)
    assert done.returncode in (1, 141), done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
