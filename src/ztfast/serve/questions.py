"""What the page asks, read with suspicion: JSON of a bounded size, values of the right kind.

Contract: `read_question` takes the body of a request as it comes and stops where it is too long;
`text_of` and `number_of` give a value or raise BadQuestion, which knows its HTTP status.
Tested by tests/serve/test_questions.py.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable
from typing import Any, cast

Question = dict[str, Any]
_MOST_NUMBER = 1 << 40


class BadQuestion(Exception):
    """A question that the page does not ask: a status, and what is wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def object_of(value: Any) -> Question | None:
    """A JSON object, None for any other value."""
    return cast(Question, value) if isinstance(value, dict) else None


def parsed(data: str | bytes) -> Question | None:
    """The JSON object of a text, None where it is none."""
    try:
        return object_of(json.loads(data))
    except (ValueError, RecursionError):
        return None


async def read_question(chunks: AsyncIterable[bytes], most: int) -> Question:
    """The JSON object of a request's body; raises BadQuestion."""
    data = bytearray()
    async for chunk in chunks:
        data += chunk
        if len(data) > most:
            raise BadQuestion(413, f"more than {most:,} bytes")
    found = parsed(bytes(data))
    if found is None:
        raise BadQuestion(400, "a JSON object is expected")
    return found


def text_of(asked: Question, name: str) -> str:
    """A text of a question; raises BadQuestion."""
    value = asked.get(name)
    if not isinstance(value, str):
        raise BadQuestion(400, f"`{name}` must be a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadQuestion(400, f"`{name}` has half a character") from None
    return value


def number_of(asked: Question, name: str) -> int:
    """A number of a question, from 1; raises BadQuestion."""
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _MOST_NUMBER:
        raise BadQuestion(400, f"`{name}` must be a number from 1")
    return value
