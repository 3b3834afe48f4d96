"""`ztfast tap` as far as no interface is needed: its help, and options that make no sense."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.running import ztfast


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing option '-i'"),
        (["-i", "zt0", "-i", "zt0"], "names an interface twice"),
        (["-i", "zt0", "--to", "a=packet:b", "--send", "all"], "by verdict"),
        (["-i", "zt0", "--rotate-size", "1M"], "--to pcap:DIR"),
        (["-i", "zt0", "--to", "nothing"], "not a place"),
        (["-i", "zt0", "--ring", "5"], "does not hold whole blocks"),
        (["-i", "zt0", "--block-size", "5"], "--block-size 5"),
        (["-i", "zt0", "--dedup", "0"], "--dedup"),
        (["-i", "zt0", "--snaplen", "1"], "--snaplen"),
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the tap needs Linux")
def test_wrong_usage(
    words: list[str], message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "all.ztrules"
    rules.write_text("accept;")
    assert ztfast("tap", rules, *words) == 2
    assert message in capfd.readouterr().err


def test_elsewhere_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert ztfast("tap", "rules", "-i", "en0") == 1
    said = capfd.readouterr().err
    assert "ZT644" in said
    assert "ztfast filter" in said


def test_help_says_what_can_be_written(capfd: pytest.CaptureFixture[str]) -> None:
    assert ztfast("tap", "--help") == 0
    said = capfd.readouterr().out
    assert all(kind in said for kind in ("packet:IFACE", "vxlan:", "fifo:", "pcap:", "SIGHUP"))
