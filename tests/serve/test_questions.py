from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ztfast.serve.questions import BadQuestion, number_of, parsed, read_question, text_of


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_a_question_comes_in_pieces() -> None:
    assert asyncio.run(read_question(chunks(b'{"a"', b': "\xc3', b'\xbc"}'), 100)) == {"a": "ü"}


@pytest.mark.parametrize(
    ("body", "status"), [(b"[1]", 400), (b"{", 400), (b"", 400), (b" " * 11, 413)]
)
def test_what_is_none_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(BadQuestion) as caught:
        asyncio.run(read_question(chunks(body), 10))
    assert caught.value.status == status


def test_deep_nesting_is_no_object() -> None:
    assert parsed("[" * 100_000) is None
    assert parsed('{"a":' * 100_000) is None


@pytest.mark.parametrize("value", [None, 1, ["x"], {}, "\ud800"])
def test_a_text_is_a_text(value: Any) -> None:
    assert text_of({"x": "ü"}, "x") == "ü"
    with pytest.raises(BadQuestion, match="`x`"):
        text_of({"x": value}, "x")


@pytest.mark.parametrize("value", [None, "1", True, 0, -1, 1.5, 1 << 70])
def test_a_number_counts_from_one(value: Any) -> None:
    assert number_of({"n": 7}, "n") == 7
    with pytest.raises(BadQuestion, match="`n`"):
        number_of({"n": value}, "n")
