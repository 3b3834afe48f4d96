"""One side's columns: made when asked for, once, with the dtype that the table names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ztfast.engine.side_verdicts import SIDE_COLUMNS, SideVerdicts

ENTRY = np.array([4, -1], dtype=np.int32)


def test_a_column_is_made_when_first_asked_for_and_kept() -> None:
    asked: list[str] = []

    def derive(name: str) -> Any:
        asked.append(name)
        return np.array([7, 9], dtype=np.int64)

    side = SideVerdicts("out", {"entry": ENTRY}, derive)
    assert len(side) == 2
    assert side.entry is ENTRY
    assert asked == []
    assert side.qos is side.qos
    assert side.qos.dtype == SIDE_COLUMNS["qos"][0]
    assert asked == ["qos"]


def test_what_is_no_column_or_cannot_be_made_is_not_there() -> None:
    side = SideVerdicts("out", {"entry": ENTRY})
    for name in ("colour", "_entry", "qos"):
        with pytest.raises(AttributeError, match=name):
            getattr(side, name)


def test_a_mirror_says_the_same_but_for_the_first_qos() -> None:
    side = SideVerdicts("out", {"entry": ENTRY, "accept": np.array([1, 0], np.uint8)})
    mirror = side.mirrored()
    assert (mirror.direction, mirror.mirrors) == ("in", side)
    assert mirror.accept.tolist() == [1, 0]
    assert mirror.qos.tolist() == [255, 255]


def test_uncertain_is_of_bytes_not_of_assumptions() -> None:
    reads = np.array([0, 1, 0x1000, 0x2000], dtype=np.uint16)
    side = SideVerdicts("out", {"entry": np.zeros(4, np.int32), "reads": reads})
    assert side.uncertain.tolist() == [False, True, True, False]
