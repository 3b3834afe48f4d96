"""The table of shapes: one row for every value, a way out wherever one is refused."""

from __future__ import annotations

import pytest

from ztfast.lang.shapes import SHAPES, UNKNOWN, at, is_member, is_network, recognise


def test_the_last_row_fits_everything_and_words_are_unique() -> None:
    assert SHAPES[-1] is UNKNOWN
    assert len({shape.words for shape in SHAPES}) == len(SHAPES)
    for value in (None, 1, "x", [None], {"a": [{}]}, {"data": 3}, {"network": 3}):
        shape = recognise(value)
        for place in shape.networks(value):
            at(value, place)


@pytest.mark.parametrize(
    ("value", "member", "network"),
    [
        ({"id": "8056c2e21c000001"}, False, True),
        ({"config": {"rules": []}}, False, True),
        ({"id": "8056c2e21c000001-1122334455"}, True, False),
        ({"address": "1122334455", "tags": []}, True, False),
        ({"address": "1122334455"}, False, False),
        ({"id": 7, "config": 3}, False, False),
        ([], False, False),
    ],
)
def test_members_and_networks(value: object, member: bool, network: bool) -> None:
    assert (is_member(value), is_network(value)) == (member, network)  # type: ignore[arg-type]
