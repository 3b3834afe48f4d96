"""The tokenizer and parser against a slow reading of the specification, character by character."""

from __future__ import annotations

import random
from typing import Any

from tests import seeds
from ztfast.errors import Source
from ztfast.lang.parser import parse

OPENERS = ["macro", "tag", "cap", "drop", "accept", "tee", "watch", "redirect", "break", "priority"]


def slow_parse(text: str) -> list[Any]:
    """Sections 1 and 2 of the specification, told in another way than the parser's."""
    stack: list[list[Any]] = [[]]
    token = ""
    comment = False

    def finish(end_of_file: bool) -> None:
        nonlocal token
        written, token = token, ""
        if not written:
            return
        word = written[:-1] if written.endswith(";") else written
        if word:
            stack[-1].append(word)
        if end_of_file:
            return
        if written.endswith(";") and len(stack) > 1 and stack[-1]:
            block = stack.pop()
            stack[-1].append(block)
        elif word in OPENERS:
            stack.append([])

    for character in text:
        if comment:
            comment = character not in "\r\n"
        elif character in " \t\r\n":
            finish(False)
        elif character == "#" and not token:
            comment = True
        else:
            token += character
    finish(True)
    if stack[-1]:
        while len(stack) > 1:
            block = stack.pop()
            stack[-1].append(block)
    return stack[0]


def shape(items: list[Any]) -> list[Any]:
    return [shape(item) if isinstance(item, list) else item.text for item in items]


def test_random_texts() -> None:
    seed = seeds.seed(20261122)
    print("seed", seed)
    source = random.Random(seed)
    parts = [
        *OPENERS,
        "x",
        ";",
        ";;",
        "#",
        " ",
        "\n",
        "\r",
        "\t",
        "\x0b",
        "Accept",
        "accept;",
        "id",
    ]
    for _ in range(20_000):
        weights = [1] * len(parts)
        weights[parts.index(" ")] = weights[parts.index(";")] = 12
        text = "".join(source.choices(parts, weights, k=source.randint(0, 30)))
        assert shape(parse(Source("t", text)).items) == slow_parse(text), repr(text)
