"""The errors of one rules text, collected so that one run reports many.

Contract: `Errors.add` keeps each place once and stops the run (raises RulesError) after
`MAX_ERRORS`; a hostile text costs no more than that.  Tested by tests/lang/test_errors.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from ztfast.errors import Diagnostic, Fix, RulesError, Severity, Source, Span
from ztfast.lang.pasted import MATCHES_ELSEWHERE, blank_help, plain_blanks
from ztfast.lang.tokens import Lines, Word
from ztfast.model.names import CHARACTERISTICS, ETHERTYPES, PROTOCOLS

MAX_ERRORS = 50


class Errors:
    """Collects error diagnostics of one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = Lines(source.text)
        self.found: list[Diagnostic] = []
        self._places: set[tuple[str, int]] = set()

    def add(
        self,
        code: str,
        word: Word,
        message: str,
        help: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        """An error at a word; a second one of the same code there is dropped."""
        self.add_span(code, self.lines.of(word), message, help, fix)

    def add_span(
        self,
        code: str,
        span: Span,
        message: str,
        help: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        """An error at a span; a second one of the same code there is dropped."""
        if (code, span.start) in self._places:
            return
        self._places.add((code, span.start))
        blanks = blank_help(self.source.text[span.start : span.end])
        if blanks is not None:
            help, fix = blanks, plain_blanks(self.source, span)
        fixes = () if fix is None else (fix,)
        self.found.append(
            Diagnostic(code, message, span=span, source=self.source, help=help, fixes=fixes)
        )
        if len(self.found) >= MAX_ERRORS:
            self._give_up()

    def raise_if_any(self) -> None:
        """Raise RulesError with everything found, in the order of the text."""
        if self.found:
            raise RulesError(*self._sorted())

    def _give_up(self) -> None:
        note = Diagnostic(
            "ZT009",
            f"stopped after {MAX_ERRORS} errors",
            severity=Severity.NOTE,
            source=self.source,
            help="correct these first",
        )
        raise RulesError(*self._sorted(), note)

    def _sorted(self) -> list[Diagnostic]:
        return sorted(self.found, key=lambda error: error.span.start if error.span else -1)


def suggestion(word: str, known: Iterable[str]) -> str:
    """` (did you mean `x`?)` for a word close to a known one, else nothing."""
    if len(word) > 40:
        return ""
    from difflib import get_close_matches  # not needed where all words are known

    close = get_close_matches(word.lower(), list(known), 1)
    return f"; did you mean `{close[0]}`?" if close else ""


_ICMP = {"icmp6": "icmp6", "icmpv6": "icmp6", "icmp4": "icmp4", "icmpv4": "icmp4"}
_NAMES_OF = {
    "ipprotocol": {*PROTOCOLS},
    "ethertype": {*ETHERTYPES},
    "chr": {*CHARACTERISTICS},
}


def match_help(text: str, known: Iterable[str]) -> str:
    """What may have been meant by a word that is no match."""
    if ";" in text:
        return "`;` closes a block only as the last character of a word: put a space after it"
    if "(" in text or ")" in text:
        return "there are no parentheses: split the rule in two actions with fewer matches"
    if text.lower() in MATCHES_ELSEWHERE:
        return MATCHES_ELSEWHERE[text.lower()]
    if text[0] == "$":
        return "a macro's parameters are replaced in the arguments of matches only"
    if text[0].isdecimal():
        return "each value needs a match of its own: `dport 80 or dport 443`"
    if text.lower() in _ICMP:
        return (
            "`icmp TYPE CODE` is for both versions: write `ethertype ipv6 and icmp 134 -1` (or "
            f"ipv4; -1 is any code), or `ipprotocol {_ICMP[text.lower()]}` for every type"
        )
    for match, names in _NAMES_OF.items():
        if text.lower() in names:
            return f"did you mean `{match} {text.lower()}`?"
    help = "expected a match, `and`, `or`, `not` or the closing `;`"
    return help + suggestion(text, known)
