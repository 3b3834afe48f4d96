"""Judging as frames pass: the same verdicts, copies and sums as the engine's own."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import ztfast
from tests.live.building import frames_of
from tests.needs import BACKENDS
from ztfast.engine.engine import Engine
from ztfast.live import loops, plain_loops
from ztfast.live.frames import Frames, Judged
from ztfast.live.judge import LiveJudge
from ztfast.pipeline.deliver import deliver
from ztfast.pipeline.tally import Tally

EXAMPLES = Path(__file__).parents[2] / "examples"
NETWORK = EXAMPLES / "office.toml"
RULES = {
    "office": (EXAMPLES / "office.ztrules").read_text(encoding="utf-8"),
    "tee": "tee -1 8e30f50a25; accept;",
    "two": "tee 64 8e30f50a25; cap all id 1 tee 10 6b4d5e6f70; accept; ; drop chr inbound; break;",
    "redirect": "redirect 6b4d5e6f70 ipprotocol tcp; accept;",
    "random": "drop random 0.5; accept;",
    "drop": "drop;",
}


def office() -> Frames:
    with ztfast.open_capture(EXAMPLES / "office.pcap") as capture:
        batches = [batch for batch in capture.batches() if len(batch)]
    frames = [frame for batch in batches for frame in batch.frames()]
    lengths = np.concatenate([batch.lengths for batch in batches]).tolist()
    return frames_of(frames, lengths)


FRAMES = office()


def rows_of(judged: Judged, judge: LiveJudge) -> list[tuple[int, int, int]]:
    count = judged.rows
    targets = judge.addresses[judged.row_target[:count]].tolist()
    limits = judged.row_limit[:count].tolist()
    return list(zip(judged.row_frame[:count].tolist(), targets, limits, strict=True))


def expected_rows(engine: Engine) -> list[tuple[int, int, int]]:
    """By the engine's own columns; frames for several members by what is delivered."""
    batch = FRAMES.batch()
    verdicts = engine.evaluate(batch)
    several = verdicts.undirected if engine.can_deliver else None
    rows = []
    for copy in verdicts.copy_columns():
        for at in np.flatnonzero(copy.sent).tolist():
            if several is None or not several[at]:
                rows.append((at, int(copy.target[at]), int(copy.length[at]) + 14))
    if several is not None and engine.forwards:
        found = deliver(engine, batch, only=np.flatnonzero(several)).copies
        rows += list(
            zip(found.frame.tolist(), found.to.tolist(), found.length.tolist(), strict=True)
        )
    return rows


def whole(rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """A limit over the frame's length says no more than that length."""
    lengths = FRAMES.columns.lengths
    return sorted((at, to, min(limit, int(lengths[at]))) for at, to, limit in rows)


# the reference needs none of the tap's loops
WAYS = [
    pytest.param(backend, module, id=f"{backend}-{module.__name__.rpartition('.')[2]}")
    for backend in BACKENDS
    for module in ([plain_loops, loops] if loops.compiled else [plain_loops])
    if backend == "native" or module is plain_loops
]


@pytest.mark.parametrize(("backend", "module"), WAYS)
@pytest.mark.parametrize("network", [None, NETWORK], ids=["unknown", "members"])
@pytest.mark.parametrize("side", ["both", "out", "in"])
@pytest.mark.parametrize("name", RULES)
def test_verdicts_copies_and_sums(
    name: str,
    side: str,
    network: Path | None,
    backend: str,
    module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ztfast.live.judge.loops", module)
    members = None if network is None else ztfast.load_network(network)
    policy = ztfast.compile(RULES[name])
    engine = Engine(policy, network=members, side=side, backend=backend)
    judge = LiveJudge(engine)
    judged = judge.judge(FRAMES)
    verdicts = engine.evaluate(FRAMES.batch())
    assert judged.action[: FRAMES.size].tolist() == verdicts.action.tolist()
    assert whole(rows_of(judged, judge)) == whole(expected_rows(engine))
    assert (np.diff(judged.row_frame[: judged.rows]) >= 0).all()
    tally = Tally(policy)
    tally.add(verdicts, FRAMES.batch().lengths)
    assert judge.tally().deciders == tally.deciders
    assert judge.uncertain == tally.uncertain


def test_sums_grow_with_every_batch() -> None:
    judge = LiveJudge(Engine(ztfast.compile("drop ethertype arp; accept;")))
    for size in (3, 0, FRAMES.size, 1):
        judge.judge(FRAMES._replace(size=size))
    assert judge.tally().total.frames == FRAMES.size + 4
