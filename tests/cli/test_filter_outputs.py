"""What `ztfast filter` writes and says of it: rotated, compressed, and on a full disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import pages
from tests.capture import building
from tests.cli.running import ztfast
from ztfast.capture import open_capture

KINDS = ("ztrules", "toml", "pcap")
RULES, NETWORK, CAPTURE = (pages.EXAMPLES / f"office.{kind}" for kind in KINDS)
SENSOR, PROXY = "8e30f50a25", "6b4d5e6f70"
ACCEPTED, DROPPED, REDIRECTED, TEES, WATCHES = 210, 8, 3, 8, 4
SNAPLEN, TEE, ETHERNET = 128, 96, 14


def judge(*options: Any, capture: Path = CAPTURE, status: int = 0) -> None:
    words = ("filter", RULES, capture, "--network", NETWORK, *options)
    assert ztfast(*words) == status


def frames(path: Path) -> list[tuple[int, int, bytes]]:
    """(captured, length, bytes) of each frame."""
    with open_capture(path) as capture:
        return [
            (int(captured), int(length), data)
            for batch in capture
            for captured, length, data in zip(
                batch.captured, batch.lengths, batch.frames(), strict=True
            )
        ]


def counts(folder: Path) -> dict[str, int]:
    return {path.name: len(frames(path)) for path in sorted(folder.iterdir())}


def test_nothing_filtered_is_the_same_file(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("accept;\n")
    for name in ("out.pcap", "out.pcap.gz"):
        assert ztfast("filter", rules, CAPTURE, "-w", tmp_path / name) == 0
    assert (tmp_path / "out.pcap").read_bytes() == CAPTURE.read_bytes()
    import gzip

    assert gzip.decompress((tmp_path / "out.pcap.gz").read_bytes()) == CAPTURE.read_bytes()


@pytest.mark.parametrize(
    ("by", "form", "first"),
    [
        ((), (), "accepted.pcapng"),
        (("--split-by", "rule"), ("--format", "pcap"), "redirect-6b4d5e6f70.pcap"),
        (("--split-by", "member"), (), "member-1d71939404.pcapng"),
    ],
)
def test_split(tmp_path: Path, by: tuple[str, ...], form: tuple[str, ...], first: str) -> None:
    judge("--split", tmp_path / "out", *by, *form)
    assert next(iter(counts(tmp_path / "out"))) == first


def test_rotation(tmp_path: Path, capfd: Any) -> None:
    judge("-w", tmp_path / "out.pcap", "--rotate-frames", "100", "--json")
    files = json.loads(capfd.readouterr().out)["files"]
    assert [file["frames"] for file in files] == [100, 100, 10]
    assert [Path(file["path"]).name for file in files] == [
        "out_00001.pcap",
        "out_00002.pcap",
        "out_00003.pcap",
    ]
    assert [file["size"] for file in files] == [os.path.getsize(file["path"]) for file in files]


@pytest.mark.parametrize(("said", "left"), [("--force", 21), ("--clean", 3)])
def test_rotation_beside_an_earlier_run(capfd: Any, tmp_path: Path, said: str, left: int) -> None:
    out = tmp_path / "q.pcap"
    judge("-w", out, "--rotate-frames", "10")
    before = counts(tmp_path)
    judge("-w", out, "--rotate-frames", "100", status=2)
    assert "ZT610" in capfd.readouterr().err
    assert counts(tmp_path) == before
    judge("-w", out, "--rotate-frames", "100", said)
    assert len(counts(tmp_path)) == left
    judge("-w", out, said, status=2)  # a single file is replaced as it is


def test_rotation_by_size_and_seconds(tmp_path: Path) -> None:
    for option, value in (("--rotate-size", "10k"), ("--rotate-seconds", "1.5")):
        folder = tmp_path / option
        folder.mkdir()
        judge("-w", folder / "x.pcap", option, value)
        found = counts(folder)
        assert len(found) > 1
        assert sum(found.values()) == ACCEPTED
        sizes = [path.stat().st_size for path in folder.iterdir()]
        assert option != "--rotate-size" or max(sizes) <= 24 + 10_000


def test_all_at_once(tmp_path: Path, capfd: Any) -> None:
    judge("-w", tmp_path / "o.pcap.gz", "--split", tmp_path / "s", "--table", tmp_path / "t.npy")
    assert "s/accepted.pcapng" in capfd.readouterr().out
    assert len(frames(tmp_path / "o.pcap.gz")) == ACCEPTED
    assert len(np.load(tmp_path / "t.npy")) == ACCEPTED + DROPPED + REDIRECTED


def test_a_second_link_type_in_a_classic_pcap(tmp_path: Path, capfd: Any) -> None:
    raw = tmp_path / "raw.pcap"
    raw.write_bytes(building.pcap([b"\x45" + bytes(40)], linktype=101))
    rules = tmp_path / "rules"
    rules.write_text("accept;\n")
    out = tmp_path / "out.pcap"
    assert ztfast("filter", rules, CAPTURE, raw, "-w", out) == 1
    assert "a classic pcap holds one link type" in capfd.readouterr().err
    assert ztfast("filter", rules, CAPTURE, raw, "-w", tmp_path / "out.pcapng") == 0
    assert len(frames(tmp_path / "out.pcapng")) == 222


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("a small disk is mounted by root on Linux only")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk(small_disk: Path, tmp_path: Path, capfd: Any) -> None:
    capture = tmp_path / "large.pcap"
    capture.write_bytes(building.pcap([bytes(1500)] * 400))
    rules, beside = tmp_path / "rules", tmp_path / "beside.npy"
    rules.write_text("accept;\n")
    out = small_disk / "out.pcap"
    words = ("filter", rules, capture, "-w", out, "--table", beside, "--json")
    assert ztfast(*words) == 1
    shown, err = capfd.readouterr()
    assert f"{out}: error[ZT601]: No space left on device" in err
    assert "are kept in" in err
    assert json.loads(shown)["complete"] is False
    assert not out.exists()
    np.load(beside)  # the other file is whole


@pytest.mark.parametrize("option", ["-w", "--table", "--split"])
def test_no_place_for_an_output_is_seen_before_anything_is_judged(
    capfd: Any, tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    older = tmp_path / "older.npy"
    older.write_bytes(b"older")
    other = ("-w",) if option == "--table" else ("--table",)
    judge(option, tmp_path / "file" / "x.csv", *other, older, status=2)
    out, err = capfd.readouterr()
    assert not out
    assert "ZT601" in err
    assert "x.csv" in err
    assert older.read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "older.npy"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is not there")
@pytest.mark.parametrize("listed", [(), ("--list",)])
def test_an_output_that_fails_at_once_leaves_no_figures_of_zero(
    capfd: Any, tmp_path: Path, listed: tuple[str, ...]
) -> None:
    page = tmp_path / "page.html"
    judge("-w", "/dev/full", "--report", page, *listed, status=1)
    out, err = capfd.readouterr()
    assert not out
    assert "no frame was counted" in err
    assert "0 of 0" not in err
    assert not page.exists()
