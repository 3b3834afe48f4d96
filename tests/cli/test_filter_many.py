"""More files than a process may have open: merged captures, and what --split writes."""

from __future__ import annotations

import os
import shlex
import struct
import subprocess
import sys

import pytest

from tests.capture.building import frame, pcap
from ztfast.capture import open_capture

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ulimit is a POSIX shell's")

FILES = 150
ALLOWED = 40


def with_few_descriptors(folder, words: str) -> None:
    program = shlex.join([sys.executable, "-m", "ztfast"])
    line = f"ulimit -n {ALLOWED} && exec {program} {words}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, check=False, capture_output=True, timeout=120, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def frames(path) -> list[bytes]:
    with open_capture(path) as capture:
        return [data for batch in capture for data in batch.frames()]


def test_merge(tmp_path):
    (tmp_path / "r.ztrules").write_text("accept;\n")
    (tmp_path / "in").mkdir()
    start = 1_600_000_000_000_000_000
    expected = []
    for number in range(FILES):
        times = [start + second * 1_000_000_000 + number * 1000 for second in range(3)]
        mine = [frame(number * 3 + i, 60) for i in range(3)]
        expected += zip(times, mine, strict=True)
        (tmp_path / "in" / f"{number:03}.pcap").write_bytes(pcap(mine, times=times))
    with_few_descriptors(tmp_path, "filter r.ztrules in --merge -w out.pcap")
    assert frames(tmp_path / "out.pcap") == [data for _, data in sorted(expected)]


def test_split(tmp_path):
    rules = "".join(f"accept ethertype {0x1000 + i:#x};\n" for i in range(FILES))
    (tmp_path / "r.ztrules").write_text(rules + "drop;\n")
    several = [bytes(12) + struct.pack(">H", 0x1000 + i % FILES) for i in range(3 * FILES)]
    (tmp_path / "a.pcap").write_bytes(pcap([head + frame(i, 46) for i, head in enumerate(several)]))
    with_few_descriptors(tmp_path, "filter r.ztrules a.pcap --split out --split-by rule")
    written = sorted((tmp_path / "out").iterdir())
    assert len(written) == FILES
    assert [len(frames(path)) for path in written] == [3] * FILES
