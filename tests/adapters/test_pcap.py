"""pcapy-ng's reader over libpcap, against the project's own reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.office import CAPTURE, engine, wanted
from tests.capture import building
from ztfast.adapters import pcap as adapter

pcapy = pytest.importorskip("pcapy", reason="pcapy-ng is not installed")


@pytest.mark.parametrize("size", [1, 100, 4096])
def test_groups_have_the_captures_verdicts(size: int) -> None:
    frames, lengths, verdicts = wanted()
    groups = list(adapter.evaluate(engine(), pcapy.open_offline(str(CAPTURE)), size=size))
    assert [frame for group in groups for frame in group.frames] == frames
    assert [head.getlen() for group in groups for head in group.headers] == lengths
    assert [line for group in groups for line in group.verdicts.line.tolist()] == (
        verdicts.line.tolist()
    )


def test_original_lengths_are_libpcaps(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(building.pcap([bytes(60)], lengths=[1014]))
    (group,) = adapter.evaluate(engine(), pcapy.open_offline(str(path)))
    assert group.verdicts._batch.lengths.tolist() == [1014]


def test_live_goes_on_after_a_time_out() -> None:
    class Live:
        """An interface that is silent twice."""

        def __init__(self) -> None:
            self.calls = 0
            self.reader = pcapy.open_offline(str(CAPTURE))

        def datalink(self) -> int:
            return 1

        def dispatch(self, count: int, call: Any) -> int:
            self.calls += 1
            return 0 if self.calls <= 2 else int(self.reader.dispatch(5, call))

    groups = adapter.evaluate(engine(), Live(), live=True)
    assert len(next(groups).frames) == 5
    assert list(adapter.evaluate(engine(), Live())) == []
