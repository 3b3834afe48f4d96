"""Backends that other packages add: found by entry point, checked, and asked for by name."""

from __future__ import annotations

import gzip
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ztfast
from tests.cli.running import ztfast as run_cli
from ztfast.engine import backends
from ztfast.engine.backends import Backend
from ztfast.engine.reference import evaluate_batch

VECTORS = Path(__file__).parents[1] / "data" / "vectors"
MODULE = """
from ztfast.engine import reference
from ztfast.engine.side_verdicts import SIDE_COLUMNS, SideVerdicts

class Good:
    calls = 0
    def evaluate_side(self, view, batch, batch_context, seed):
        Good.calls += 1
        return reference.evaluate_batch(view, batch, batch_context, seed)

class Short:
    def evaluate_side(self, view, batch, batch_context, seed):
        right = reference.evaluate_batch(view, batch, batch_context, seed)
        return SideVerdicts(view.direction, {n: getattr(right, n)[1:] for n in SIDE_COLUMNS})

class Nothing:
    def evaluate_side(self, view, batch, batch_context, seed):
        return None

class NoBackend:
    pass

class Failing:
    def __init__(self):
        raise RuntimeError("no such machine")

ready = Good()
"""
POINTS = """[ztfast.backends]
good = ztfast_fake:Good
ready = ztfast_fake:ready
short = ztfast_fake:Short
nothing = ztfast_fake:Nothing
nobackend = ztfast_fake:NoBackend
failing = ztfast_fake:Failing
missing = ztfast_fake:Missing
native = ztfast_fake:Nothing
"""


@pytest.fixture(autouse=True)
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution `ztfast-fake` with backends good and bad."""
    info = tmp_path / "ztfast_fake-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ztfast-fake\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "ztfast_fake.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("ztfast_fake", None)


def batch() -> ztfast.FrameBatch:
    with ztfast.open_capture(VECTORS.parents[2] / "examples" / "office.pcap") as capture:
        found = [ztfast.FrameBatch.from_packets(packets) for packets in capture if len(packets)]
    assert len(found[0]) > 100
    return found[0]


def test_found_by_name() -> None:
    assert {"good", "ready", "short"} <= set(backends.installed())
    assert isinstance(backends.load("good"), Backend)
    assert isinstance(backends.load("ready"), Backend)


def test_an_engine_uses_it() -> None:
    frames = batch()
    network = ztfast.load_network(VECTORS.parents[2] / "examples" / "office.toml")
    wanted = ztfast.Engine(network, backend="reference").evaluate(frames)
    found = ztfast.Engine(network, backend="good").evaluate(frames)
    for column in ("accepted", "action", "line", "destination", "qos", "receivers"):
        np.testing.assert_array_equal(getattr(found, column), getattr(wanted, column))
    assert sys.modules["ztfast_fake"].Good.calls > 0


@pytest.mark.parametrize("name", ["eval-1.14", "eval-1.12", "eval-edge-1.14", "eval-edge-1.12"])
def test_conformance_is_proved_by_the_vectors(name: str) -> None:
    with gzip.open(VECTORS / f"{name}.jsonl.gz", "rt") as lines:
        some = [json.loads(line) for line in itertools.islice(lines, 0, None, 61)]
    assert any("MATCH_RANDOM" in json.dumps(vector) for vector in some) or "edge" in name
    for vector in some:
        found = ztfast.evaluate_case(vector["in"], "good")
        wanted = {**vector["out"], "log": None}
        assert {key: found[key] for key in wanted} == wanted


def test_eval_takes_its_name(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    case = {"direction": "out", "rules": [{"type": "ACTION_ACCEPT"}], "ethertype": 1, "frame": ""}
    (tmp_path / "cases").write_text(json.dumps(case))
    assert run_cli("eval", "--backend", "good", tmp_path / "cases") == 0
    assert json.loads(capfd.readouterr().out)["result"] == "ACCEPT"
    assert run_cli("eval", "--backend", "no such", tmp_path / "cases") == 2
    assert "ready" in capfd.readouterr().err


def test_ours_cannot_be_replaced() -> None:
    assert ztfast.Engine(ztfast.compile("accept;"), backend="auto").backend == ztfast.backend
    if ztfast.backend == "native":
        engine = ztfast.Engine(ztfast.compile("accept;"), backend="native")
        assert engine.evaluate(batch()).accepted.all()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nobackend", "evaluate_side"),
        ("failing", "no such machine"),
        ("missing", "cannot be loaded"),
    ],
)
def test_what_is_none_is_refused_when_asked_for(name: str, says: str) -> None:
    with pytest.raises(ztfast.BackendError, match=says):
        ztfast.Engine(ztfast.compile("accept;"), backend=name)


@pytest.mark.parametrize(("name", "says"), [("short", "column"), ("nothing", "SideVerdicts")])
def test_what_it_owes_is_checked(name: str, says: str) -> None:
    engine = ztfast.Engine(ztfast.compile("accept;"), backend=name)
    with pytest.raises(ztfast.BackendError, match=says):
        engine.evaluate(batch())


def test_an_unknown_name_is_wrong_usage() -> None:
    with pytest.raises(ztfast.UsageError, match="good"):
        ztfast.Engine(ztfast.compile("accept;"), backend="no such")
    with pytest.raises(ztfast.BackendError, match="no such"):
        backends.load("no such")


def test_the_reference_is_one() -> None:
    class Ours:
        evaluate_side = staticmethod(evaluate_batch)

    assert isinstance(Ours(), Backend)
