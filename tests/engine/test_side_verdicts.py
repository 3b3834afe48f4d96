"""One side's columns: made when asked for, once, with the dtype that the table names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ztfast.engine.side_verdicts import SIDE_COLUMNS, SideVerdicts, nothing_decided

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


def test_patches_replace_some_frames_columns() -> None:
    plain = {name: np.zeros(4, dtype) for name, (dtype, _) in SIDE_COLUMNS.items()}
    made = SideVerdicts("out", plain, noteworthy=False, sends=False, redirects=False)
    first = (np.array([1, 3]), {"entry": np.array([5, 6]), "reads": np.array([1, 2])})
    second = (np.array([3]), {"entry": np.array([7])})
    found = made.patched([first, second], noteworthy=True)
    assert found.entry.tolist() == [0, 5, 0, 7]
    assert found.reads.tolist() == [0, 1, 0, 2]
    assert found.qos.tolist() == [0, 0, 0, 0]
    assert {name: getattr(found, name).dtype.str for name in SIDE_COLUMNS} == {
        name: column.dtype.str for name, column in plain.items()
    }
    assert made.entry.tolist() == [0, 0, 0, 0]
    assert (found.noteworthy, found.sends, found.redirects, found.raw) == (True, False, False, None)


def test_what_no_rule_was_asked_about() -> None:
    for direction, bucket in (("out", 0), ("in", 255)):
        found = nothing_decided(direction, 2)
        assert list(found) == list(SIDE_COLUMNS)
        nobody = ("capability", "entry", "copy_entry", "capability_copy_entry")
        for name, column in found.items():
            expected = -1 if name in nobody else bucket if name == "qos" else 0
            assert column.tolist() == [expected] * 2, name
