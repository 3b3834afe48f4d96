from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.lsp.texts import RULES
from tests.needs import needs
from ztfast.lang.matches import MATCHES
from ztfast.model.names import ACTION_WORDS

pytestmark = needs("pygments")

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def tokens(text: str) -> list[tuple[str, str]]:
    from ztfast.lsp.lexer import RulesLexer

    return [(str(kind)[6:], part) for kind, part in RulesLexer().get_tokens(text) if part.strip()]


def test_kinds() -> None:
    assert tokens("Drop not dport $p; # x\ntee 128 8e30f50a25 accepted 80#x") == [
        ("Keyword", "Drop"),
        ("Operator.Word", "not"),
        ("Name.Builtin", "dport"),
        ("Name.Variable", "$p"),
        ("Punctuation", ";"),
        ("Comment.Single", "# x"),
        ("Keyword", "tee"),
        ("Literal.Number", "128"),
        ("Literal.Number", "8e30f50a25"),
        ("Name", "accepted"),
        ("Name", "80#x"),
    ]


def test_every_word_is_known() -> None:
    assert {kind for word in MATCHES for kind, _ in tokens(word)} == {"Name.Builtin"}
    assert {kind for word in ACTION_WORDS for kind, _ in tokens(word)} == {"Keyword"}
    assert "Error" not in {kind for kind, _ in tokens(RULES)}


@given(st.text(alphabet="a;# \n$(0ä😀\x00"))
def test_nothing_is_lost(text: str) -> None:
    from ztfast.lsp.lexer import RulesLexer

    found = list(RulesLexer(ensurenl=False, stripnl=False).get_tokens(text))
    assert "".join(part for _, part in found) == text
    assert "Token.Error" not in {str(kind) for kind, _ in found}


def test_the_entry_point_is_declared() -> None:
    text = PROJECT.read_text(encoding="utf-8")
    assert 'ztrules = "ztfast.lsp.lexer:RulesLexer"' in text
