"""Judging while scanning, counting while scanning, and judging batch by batch: the same figures."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.needs import needs_loops
from tests.pipeline.hostile_captures import (
    MEMBERS_RULES,
    RULES,
    blocks_of,
    broken,
    capture_of,
    frames_between,
    network_of,
    random_frame,
    record,
    whole_capture,
)
from ztfast.capture import open_capture
from ztfast.engine.engine import Engine
from ztfast.errors import CaptureError
from ztfast.lang import compile_text
from ztfast.model.policy import Policy
from ztfast.pipeline.judge import judgements
from ztfast.pipeline.scan import Counted
from ztfast.pipeline.tally import Tally

pytestmark = needs_loops
SEED = 5


def figures(path: Path, policy: Policy, how: str) -> tuple[dict[str, object], set[object]]:
    engine, tally = Engine(policy), Tally(policy)
    seen = set()
    with open_capture(path) as capture:
        for item in judgements(
            engine,
            capture.batches() if how == "batches" else capture,
            counts=how in ("counted", "kept"),
            keeps=how == "kept",
        ):
            seen.add(
                Counted
                if isinstance(item.packets.judged, Counted)
                else item.packets.judged is not None
            )
            tally.count(item)
    return tally.to_json(), seen


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(("frames", "most"), [(3, 60), (9000, 40), (6000, 700)])
def test_the_three_ways_give_the_same_figures(
    rules: str, frames: int, most: int, tmp_path: Path
) -> None:
    rng = random.Random(f"{SEED} {frames} {most}")
    path = tmp_path / "capture.pcap"
    path.write_bytes(capture_of(rng, frames, most))
    policy = compile_text(RULES[rules])
    plain, unjudged = figures(path, policy, "batches")
    scanned, judged = figures(path, policy, "scanning")
    counted, _ = figures(path, policy, "counted")
    kept, _ = figures(path, policy, "kept")
    assert plain == scanned == counted == kept
    assert plain["frames"] == frames
    assert True not in unjudged
    assert True in judged


@pytest.mark.parametrize("longest", [(1 << 21) - 1, 1 << 21, (1 << 32) - 1])
def test_bytes_of_any_length_add_up(longest: int, tmp_path: Path) -> None:
    rng, path, frames = random.Random(SEED), tmp_path / "capture.pcap", 9000
    cut = [record(1, random_frame(rng, 40) + bytes(60), longest) for _ in range(frames)]
    path.write_bytes(capture_of(rng, 0, 0) + b"".join(cut))
    policy = compile_text(RULES["ports"])
    plain, _ = figures(path, policy, "batches")
    assert figures(path, policy, "counted")[0] == plain
    assert plain["bytes"] == longest * frames


@pytest.mark.parametrize(("frames", "most"), [(900, 1), (9000, 40), (9000, 900)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_accepted_frames_are_kept_in_their_order(
    frames: int, most: int, order: str, tmp_path: Path
) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(whole_capture(random.Random(f"{SEED} {frames}"), frames, most, order))
    policy = compile_text(RULES["ports"])
    plain, _ = figures(path, policy, "batches")
    assert figures(path, policy, "counted") == (plain, {False, Counted})
    assert figures(path, policy, "kept") == (plain, {False, Counted})
    found: dict[bool, list[int]] = {}
    for keeps in (False, True):
        offsets = found[keeps] = []
        with open_capture(path) as capture:
            engine = Engine(policy)
            for packets, _, verdicts, *_ in judgements(engine, capture, counts=keeps, keeps=keeps):
                chosen = packets.offsets if keeps else packets.offsets[verdicts.accepted]
                offsets += (chosen + packets.base).tolist()
    assert 0 < len(found[True]) < frames
    assert found[True] == found[False]


def test_frames_that_are_copied_stand_apart(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(whole_capture(random.Random(SEED), 500, 40, "<"))
    engine = Engine(compile_text(RULES["copies"]))
    with open_capture(path) as capture:
        found = list(judgements(engine, capture, counts=True, keeps=False))
    apart = [item.apart for item in found if item.apart is not None]
    copied = np.concatenate([item.verdicts.copy_target for item in apart if item.verdicts])
    assert (copied != 0).all()
    assert 0 < len(copied) < 500
    assert sum(item.packets.scanned for item in found) == 500


# --- with members ------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["both", "out", "in"])
@pytest.mark.parametrize("members", [0, 1, 2, 60, 5000])
def test_a_network_gives_the_same_figures_however_it_is_judged(
    members: int, side: str, tmp_path: Path
) -> None:
    network = network_of(members)
    path = tmp_path / "capture.pcap"
    path.write_bytes(frames_between(random.Random(f"{SEED} {members}"), network, 4000))
    policy = compile_text(MEMBERS_RULES)
    engine = Engine(policy, network=network, side=side)
    found = []
    accepted: list[list[int]] = []
    ways = (False, False, False), (True, False, False), (True, True, False), (True, True, True)
    for scans, counts, keeps in ways:
        tally, kept = Tally(policy), []
        with open_capture(path) as capture:
            source = capture if scans else capture.batches()
            for item in judgements(engine, source, counts=counts, keeps=keeps):
                tally.count(item)
                passed = slice(None) if counts else item.verdicts.accepted
                kept += (item.packets.offsets[passed] + item.packets.base).tolist()
        found.append(tally.to_json())
        accepted.append(kept)
    assert found[0] == found[1] == found[2] == found[3]
    assert accepted[0] == accepted[1] == accepted[3]
    assert 0 < len(accepted[0]) < 4000
    if members:
        reference = Tally(policy)
        plain = Engine(policy, network=network, side=side, backend="reference")
        with open_capture(path, limit=400 if members < 100 else 40) as capture:
            for item in judgements(plain, capture):
                reference.count(item)
        again = Tally(policy)
        with open_capture(path, limit=400 if members < 100 else 40) as capture:
            for item in judgements(engine, capture, counts=True):
                again.count(item)
        assert again.to_json() == reference.to_json()


# --- pcapng ------------------------------------------------------------------------------------


def seen(path: Path, engine: Engine, resync: bool, *, scans: bool, counts: bool) -> object:
    """Figures, accepted frames (record, time, interface, number), and what was damaged."""
    tally, kept, told = Tally(engine.policy), [], []
    with open_capture(path, resync=resync, span=1 << 16) as capture:
        source = capture if scans else capture.batches()
        try:
            for item in judgements(engine, source, counts=counts, keeps=counts):
                tally.count(item)
                told.append(item.packets.judged is not None)
                packets = item.packets
                if item.verdicts is not None:
                    packets = packets.chosen(np.flatnonzero(item.verdicts.accepted))
                elif item.counted is None:
                    continue  # not Ethernet
                ids = packets.interface_ids.tolist()
                starts = (packets.record_start + packets.base).tolist()
                ends = (packets.record_end + packets.base).tolist()
                kept += zip(starts, ends, packets.timestamps.tolist(), ids, strict=True)
        except CaptureError as error:
            kept.append(error.diagnostics)
        diagnostics = list(capture.diagnostics)
    return (tally.to_json(), kept, diagnostics), told


@pytest.mark.parametrize("resync", [False, True])
@pytest.mark.parametrize("number", range(12))
def test_packet_blocks_are_judged_as_they_are_read(
    number: int, resync: bool, tmp_path: Path
) -> None:
    rng = random.Random(f"{SEED} {number}")
    path = tmp_path / "capture.pcapng"
    data = blocks_of(rng, 6000, rng.choice([20, 90]), rng.choice("<>"))
    path.write_bytes(broken(rng, data) if number % 2 else data)
    engine = Engine(compile_text(RULES["ports"]))
    plain, never = seen(path, engine, resync, scans=False, counts=False)
    scanned, judged = seen(path, engine, resync, scans=True, counts=False)
    counted, _ = seen(path, engine, resync, scans=True, counts=True)
    assert plain == scanned == counted
    assert not any(never)
    assert any(judged)
