from __future__ import annotations

from pathlib import Path

import pytest

from tests.serve.places import TEXT, office, settings
from tests.serve.running import CAPTURE
from ztfast.capture import open_capture
from ztfast.engine.engine import Engine
from ztfast.errors import CaptureError
from ztfast.lang import compile_text
from ztfast.pipeline.run import run
from ztfast.serve import ask_capture
from ztfast.serve.ask_capture import capture_report


def test_the_figures_are_those_of_filter() -> None:
    found = capture_report(settings(), TEXT, str(CAPTURE))
    with open_capture(CAPTURE) as packets:
        tally = run(Engine(compile_text(TEXT), network=office()), packets).finish().to_json()
    assert found["verdicts"] == tally["verdicts"]
    assert found["rules"] == tally["rules"]
    assert {copy["name"] for copy in found["copies"]} == {"sensor", "proxy"}
    assert len(found["dropped"]) == found["verdicts"]["drop"]["frames"]
    assert found["problems"] == []


def test_who_lost_most_comes_first() -> None:
    found = capture_report(settings(), "drop;", str(CAPTURE))
    counts = [pair["frames"] for pair in found["pairs"]]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == ask_capture.MOST_PAIRS
    assert all(pair["from"] != pair["to"] for pair in found["pairs"])
    assert capture_report(settings(network=None), "drop;", str(CAPTURE))["pairs"] == []


def test_no_more_frames_are_kept_than_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_capture, "MOST_FRAMES", 3)
    monkeypatch.setattr(ask_capture, "_PAIRS_KEPT", 2)
    found = capture_report(settings(), "drop;", str(CAPTURE))
    assert [frame["number"] for frame in found["dropped"]] == [1, 2, 3]
    assert len(found["pairs"]) <= 2


def test_what_was_read_before_damage_counts(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(CAPTURE.read_bytes()[:-7])
    found = capture_report(settings(), TEXT, str(cut))
    assert found["frames"] == 220
    assert found["problems"]
    cut.write_bytes(b"nothing of that kind")
    with pytest.raises(CaptureError):
        capture_report(settings(), TEXT, str(cut))
