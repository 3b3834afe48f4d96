"""Tallies of deliveries: sums by kind, target and fate; merged and through JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ztfast.pipeline.count import Count
from ztfast.pipeline.deliveries import Deliveries, Fate, Kind
from ztfast.pipeline.delivery_tally import DeliveryTally, summary

A, B = 0x1111111111, 0x2222222222


def deliveries(rows: list[tuple[int, Kind, int, Fate, int]]) -> Deliveries:
    """(to, kind, length, fate, line that decided) each."""
    to, kind, length, fate, line = zip(*rows, strict=True)
    count = len(rows)
    return Deliveries(
        np.arange(count),
        np.array(to, np.uint64),
        np.array(kind, np.uint8),
        np.full(count, A, np.uint64),
        np.array(length, np.uint32),
        np.zeros(count, np.int32),
        np.array(fate, np.uint8),
        np.array(line, np.int32),
        np.ones(count, np.int64),
    )


ROWS = [
    (A, Kind.FRAME, 60, Fate.ARRIVED, 3),
    (B, Kind.TEE, 40, Fate.ARRIVED, 1),
    (B, Kind.TEE, 40, Fate.RULES, 7),
    (B, Kind.TEE, 30, Fate.RULES, 7),
    (B, Kind.TEE, 30, Fate.RULES, 9),
    (A, Kind.REDIRECT, 60, Fate.NO_MEMBER, 0),
]


def tally(rows: list[tuple[int, Kind, int, Fate, int]]) -> DeliveryTally:
    found = DeliveryTally()
    found.add(len(rows), deliveries(rows))
    return found


def test_an_item_counts_as_often_as_it_was_sent() -> None:
    found, more = DeliveryTally(), DeliveryTally()
    found.add(1, deliveries(ROWS)._replace(times=np.array([1, 3, 1, 1, 2, 1])))
    more.add(1, deliveries([*ROWS, ROWS[1], ROWS[1], ROWS[4]]))
    assert found.to_json() == more.to_json()


def test_sums() -> None:
    found = tally(ROWS)
    assert found.total() == 6
    assert found.total(Fate.ARRIVED) == 2
    assert found.copies() == [
        (Kind.TEE, B, Count(4, 140), Count(1, 40)),
        (Kind.REDIRECT, A, Count(1, 60), Count()),
    ]
    assert [(key[0], key[3], count.frames) for key, count in found.lost()] == [
        (Kind.TEE, 7, 2), (Kind.TEE, 9, 1), (Kind.REDIRECT, 0, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("cut", range(1, len(ROWS)))
def test_parts_merge_and_go_through_json(cut: int) -> None:
    first, second = tally(ROWS[:cut]), tally(ROWS[cut:])
    first.merge(second)
    assert first.to_json() == tally(ROWS).to_json()
    again = DeliveryTally()
    again.read(json.loads(json.dumps(tally(ROWS[:cut]).to_json())))
    again.merge(second)
    assert again.to_json() == tally(ROWS).to_json()


@pytest.mark.parametrize(
    "document",
    [None, {}, {"frames": -1, "sent": []}, {"frames": 1, "sent": [{"kind": "mail"}]}],
)
def test_what_is_no_tally_is_refused(document: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        DeliveryTally().read(document)


def test_the_summary_says_first_what_arrived() -> None:
    assert list(summary(tally(ROWS), {A: "anna", B: "sensor"}.__getitem__)) == [
        "6 frames, 6 sendings, 2 arrived",
        "2 by tee to sensor: dropped by its rules, line 7",
        "1 by tee to sensor: dropped by its rules, line 9",
        "1 by redirect to anna: no such member",
    ]


def test_a_long_list_is_cut() -> None:
    rows = [(B, Kind.TEE, 60, Fate.RULES, line) for line in range(1, 20)]
    assert list(summary(tally(rows), str))[-1] == (
        "7 more did not arrive (--refused shows each)"
    )
