from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ztfast.lsp.positions import Place, Positions

TEXT = "aä😀b\r\nc\rd\n\u2028e"


@pytest.mark.parametrize(
    ("offset", "place"),
    [
        (0, (0, 0)),
        (2, (0, 2)),
        (3, (0, 4)),
        (4, (0, 5)),
        (6, (1, 0)),
        (8, (2, 0)),
        (10, (3, 0)),
        (11, (3, 1)),
        (99, (3, 2)),
        (-5, (0, 0)),
    ],
)
def test_places_count_utf16_units(offset: int, place: tuple[int, int]) -> None:
    assert Positions(TEXT).place(offset) == Place(*place)


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 7), ("utf-16", 4), ("utf-32", 3)])
def test_units_are_those_that_were_agreed_on(encoding: str, character: int) -> None:
    positions = Positions(TEXT, encoding)
    assert positions.place(3).character == character
    assert positions.offset(0, character) == 3
    assert len(TEXT[:3].encode(f"{encoding}-le" if encoding != "utf-8" else encoding)) == (
        character * {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    )


@pytest.mark.parametrize(
    ("line", "character", "offset"),
    [(0, 3, 2), (0, 99, 4), (-1, 5, 0), (0, -1, 0), (1, 99, 7), (99, 0, 12), (2, 1, 9)],
)
def test_a_place_that_is_none_is_the_nearest(line: int, character: int, offset: int) -> None:
    assert Positions(TEXT).offset(line, character) == offset


@given(st.text(alphabet="aä😀\r\n\ud800\u2028"), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_every_offset_has_its_place(text: str, encoding: str) -> None:
    positions = Positions(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":  # between the two there is no place
            assert positions.offset(*positions.place(offset)) == offset


def test_lines_of_findings() -> None:
    positions = Positions(TEXT)
    assert positions.of_line(1, 3) == 3
    assert positions.of_line(3, 0) == 8
    assert positions.of_line(99, 99) == len(TEXT)
    assert [positions.line_end(offset) for offset in (0, 6, 12)] == [4, 7, 12]
