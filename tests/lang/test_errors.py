"""Many errors of one text: each place once, in the text's order, and never without end."""

from __future__ import annotations

import pytest

from ztfast.errors import RulesError, Severity, Source
from ztfast.lang.errors import MAX_ERRORS, Errors, match_help, suggestion
from ztfast.lang.tokens import Word

TEXT = "drop dprot 80;\naccept sprot 1;\n"
SOURCE = Source("r.ztrules", TEXT)
DPROT, SPROT = Word("dprot", 5), Word("sprot", 22)


def test_nothing_found_raises_nothing() -> None:
    Errors(SOURCE).raise_if_any()


def test_an_error_has_the_place_of_its_word() -> None:
    errors = Errors(SOURCE)
    errors.add("ZT101", SPROT, "no match", "write sport")
    (found,) = errors.found
    assert found.span is not None
    assert TEXT[found.span.start : found.span.end] == "sprot"
    assert (found.span.line, found.span.column) == (2, 7)
    assert (found.source, found.help, found.severity) == (SOURCE, "write sport", Severity.ERROR)


def test_a_place_is_reported_once_for_each_code() -> None:
    errors = Errors(SOURCE)
    errors.add("ZT101", DPROT, "first")
    errors.add("ZT101", DPROT, "again, as an include does")
    errors.add("ZT102", DPROT, "something else there")
    assert [found.message for found in errors.found] == ["first", "something else there"]


def test_errors_are_raised_in_the_order_of_the_text() -> None:
    errors = Errors(SOURCE)
    errors.add("ZT101", SPROT, "second")
    errors.add("ZT101", DPROT, "first")
    with pytest.raises(RulesError) as raised:
        errors.raise_if_any()
    assert [found.message for found in raised.value.diagnostics] == ["first", "second"]


def test_the_last_error_that_is_kept_ends_the_run() -> None:
    errors = Errors(Source("r", "x " * 2 * MAX_ERRORS))
    for number in range(MAX_ERRORS - 1, 0, -1):
        errors.add("ZT101", Word("x", 2 * number), str(number))
    with pytest.raises(RulesError) as raised:
        errors.add("ZT101", Word("x", 0), "0")
    *kept, note = raised.value.diagnostics
    assert [found.message for found in kept] == [str(number) for number in range(MAX_ERRORS)]
    assert (note.code, note.severity) == ("ZT009", Severity.NOTE)
    assert note.message == f"stopped after {MAX_ERRORS} errors"


def test_repeats_do_not_end_the_run() -> None:
    errors = Errors(SOURCE)
    for _ in range(2 * MAX_ERRORS):
        errors.add("ZT101", DPROT, "the same")
    assert len(errors.found) == 1


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dprot", "; did you mean `dport`?"),
        ("DPROT", "; did you mean `dport`?"),
        ("zzz", ""),
        ("dport" * 9, ""),
    ],
)
def test_a_close_word_is_suggested(word: str, said: str) -> None:
    assert suggestion(word, ["dport", "accept"]) == said


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("drop;accept", "put a space after it"),
        ("(dport", "there are no parentheses"),
        ("80)", "there are no parentheses"),
        ("$port", "in the arguments of matches only"),
        ("443", "`dport 80 or dport 443`"),
        ("tcp", "did you mean `ipprotocol tcp`?"),
        ("ARP", "did you mean `ethertype arp`?"),
        ("tcp_syn", "did you mean `chr tcp_syn`?"),
        ("dprot", "did you mean `dport`?"),
        ("zzz", "expected a match, `and`, `or`, `not` or the closing `;`"),
    ],
)
def test_what_may_have_been_meant(word: str, said: str) -> None:
    assert said in match_help(word, ["dport", "sport"])
