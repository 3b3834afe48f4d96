"""Scans in several threads: what one thread finds, whatever looks like a record in a payload."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.needs import needs_loops
from tests.pipeline.hostile_captures import (
    MEMBERS_RULES,
    RULES,
    capture_of,
    frames_between,
    network_of,
    whole_capture,
)
from ztfast import dispatch
from ztfast.capture import open_capture
from ztfast.capture.pcap_scan import PLAIN, scan_records
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text
from ztfast.pipeline import threaded_scan
from ztfast.pipeline.judge import judgements
from ztfast.pipeline.tally import Tally
from ztfast.pipeline.threaded_scan import ThreadedScan

pytestmark = needs_loops
SEED = 11


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threaded_scan, "_LEAST", 2000)


def found(path: Path, engine: Engine, threads: int, counts: bool, keeps: bool) -> Any:
    """(figures, places of accepted frames) of a capture."""
    tally, kept = Tally(engine.policy), []
    with open_capture(path) as capture:
        for item in judgements(engine, capture, counts=counts, keeps=keeps, threads=threads):
            tally.count(item)
            if item.verdicts is not None:
                accepted = item.packets.offsets[item.verdicts.accepted]
            else:
                accepted = item.packets.offsets if keeps else np.zeros(0, np.int64)
            kept += (accepted + item.packets.base).tolist()
    return tally.to_json(), kept


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_nothing(rules: str, threads: int, tmp_path: Path) -> None:
    engine, path = Engine(compile_text(RULES[rules])), tmp_path / "capture.pcap"
    for number, made in enumerate((capture_of, capture_of, whole_capture, whole_capture)):
        rng = random.Random(f"{SEED} {rules} {threads} {number}")
        order = {"order": rng.choice("<>")} if made is whole_capture else {}
        path.write_bytes(made(rng, 3000, rng.choice([40, 900]), **order))
        for counts, keeps in ((False, False), (True, False), (True, True)):
            expected = found(path, engine, 1, counts, keeps)
            assert found(path, engine, threads, counts, keeps) == expected


@pytest.mark.parametrize("members", [0, 60])
def test_nor_with_members(members: int, tmp_path: Path) -> None:
    network, path = network_of(members), tmp_path / "capture.pcap"
    engine = Engine(compile_text(MEMBERS_RULES), network=network)
    path.write_bytes(frames_between(random.Random(SEED), network, 5000))
    for counts, keeps in ((False, False), (True, False), (True, True)):
        assert found(path, engine, 2, counts, keeps) == found(path, engine, 1, counts, keeps)


def test_a_wrong_guess_is_scanned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every guess is a place in a payload: only the first part of each call counts."""
    data = whole_capture(random.Random(SEED), 2000, 300, "<")
    asked: list[int] = []

    core: Any = dispatch.require()

    class Loops:
        """The compiled loops, but for their guesses."""

        def __getattr__(self, name: str) -> Any:
            return getattr(core, name)

        def guess_record(self, buffer: object, start: int, at: int, *rest: object) -> int:
            asked.append(at)
            return at + 1

    def plain(*window: Any) -> Any:
        return scan_records(*window)

    scan, expected = ThreadedScan(lambda: plain, 2), scan_records(data, 24, len(data))
    places: list[int] = []
    at = 24
    monkeypatch.setattr(dispatch, "require", Loops)
    while at < len(data):
        some = scan(data, at, len(data), max_frames=200)
        assert some.next > at
        places += some.offsets.tolist()
        at = some.next
    assert places == expected.offsets.tolist()
    assert asked


def test_a_guess_is_a_place_or_none() -> None:
    data = whole_capture(random.Random(SEED), 400, 100, "<")
    offsets = (scan_records(data, 24, len(data)).offsets - 16).tolist()
    guess = dispatch.require().guess_record
    place = guess(data, 24, offsets[200] + 1, len(data), PLAIN)
    assert place > offsets[200]
    assert guess(data, 24, len(data) - 20, len(data), PLAIN) == -1
    assert guess(data, 24, 0, len(data), PLAIN) == -1
    with pytest.raises(ValueError, match="outside the buffer"):
        guess(data, 24, 30, len(data) + 1, PLAIN)
