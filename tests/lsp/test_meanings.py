from __future__ import annotations

import re
from pathlib import Path

from ztfast.lang.matches import MATCHES
from ztfast.lsp.meanings import ACTIONS_MEAN, MATCHES_MEAN, OTHERS_MEAN
from ztfast.model.names import ACTION_WORDS, DEFINITION_WORDS

PAGE = Path(__file__).parents[2] / "docs" / "language.md"


def test_every_word_has_a_meaning() -> None:
    assert set(MATCHES_MEAN) == set(MATCHES)
    assert set(ACTIONS_MEAN) == ACTION_WORDS
    assert set(OTHERS_MEAN) > DEFINITION_WORDS


def test_the_page_has_the_same_words() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    words = {word for row in rows for word in re.findall(r"`(\w+)", row)}
    assert words == {*MATCHES_MEAN, *ACTIONS_MEAN, "include"}
