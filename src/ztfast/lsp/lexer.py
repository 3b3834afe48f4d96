"""Colours for rules texts wherever Pygments gives them: `ztrules`, an entry point of its own.

Contract: `RulesLexer` splits any text without loss; a word has its kind wherever it stands, as a
line out of a text should have its colours too.  Tested by tests/lsp/test_lexer.py.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, Whitespace

from ztfast.lang.matches import MATCHES
from ztfast.model.names import ACTION_WORDS

_END = r"(?=[\s;]|\Z)"


def _any_case(*known: str) -> Any:
    return words(tuple(known), prefix="(?i:", suffix=f"){_END}")


class RulesLexer(RegexLexer):  # type: ignore[misc]
    """ZeroTier flow rules."""

    name = "ZeroTier rules"
    aliases: ClassVar = ["ztrules"]
    filenames: ClassVar = ["*.ztrules"]
    url = "https://github.com/ztfast/ztfast"
    tokens: ClassVar = {
        "root": [
            (r"#[^\r\n]*", Comment.Single),
            (r"\s+", Whitespace),
            (r";", Punctuation),
            (words(("macro", "tag", "cap"), suffix=_END), Keyword.Declaration),
            (_any_case(*sorted(ACTION_WORDS), "include"), Keyword),
            (_any_case("id", "default", "enum", "flag"), Keyword.Declaration),
            (_any_case("and", "or", "not"), Operator.Word),
            (_any_case(*MATCHES), Name.Builtin),
            (r"\$[^\s;,()]+", Name.Variable),
            (rf"(?:[0-9a-fA-F]{{10}}|0x[0-9a-fA-F]+|-?[0-9][0-9a-fA-F.:/-]*){_END}", Number),
            (r"[^\s;]+", Name),
        ]
    }
