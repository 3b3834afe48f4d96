"""What a rules file says is shown, but never moves the terminal's cursor."""

from __future__ import annotations

import pytest

from ztfast.diagnostics.render import format_diagnostic
from ztfast.errors import Diagnostic, RulesError
from ztfast.lang import compile_text


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x0c", "\x08", "\u202e", "\x9b31m"])
def test_words_of_a_rules_text(hostile: str) -> None:
    with pytest.raises(RulesError) as caught:
        compile_text(f"vl{hostile}an 5;")
    for diagnostic in caught.value.diagnostics:
        text = format_diagnostic(diagnostic)
        assert hostile not in text
        assert all(c.isprintable() or c == "\n" for c in text)


def test_names_of_files_and_help() -> None:
    text = format_diagnostic(Diagnostic("ZT051", "no\x07", path="a\x1b[1m", help="b\rc"))
    assert text == "a\\x1b[1m: error[ZT051]: no\\x07\n  help: b\\rc"
