"""What people paste or bring from other rules languages: what to write instead.

Contract: each function gives the help for a word that it recognises, None for any other; nothing
here changes what compiles.  Tested by tests/lang/test_pasted.py.
"""

from __future__ import annotations

import re

from ztfast.errors import Edit, Fix, Source, Span

ACTIONS_ELSEWHERE = {
    **dict.fromkeys(("allow", "permit", "pass"), "accept"),
    **dict.fromkeys(("deny", "block", "reject"), "drop"),
}

_JOINED = "matches are joined by the words `and`, `or` and `not`"
MATCHES_ELSEWHERE = {
    **dict.fromkeys(
        ("->", "=>", "<-", "from", "to"),
        "no direction is written: `ipsrc` and `ipdest` are for addresses, `sport` and `dport` for"
        " ports, joined by `and`",
    ),
    **dict.fromkeys(("&", "&&", "+", ",", "|", "||", "!", "=", "=="), _JOINED),
    **dict.fromkeys(("port", "ports"), "write `dport` (the port it goes to) or `sport`"),
    **dict.fromkeys(("proto", "protocol"), "write `ipprotocol`"),
    **dict.fromkeys(("src", "source", "saddr"), "write `ipsrc 10.0.0.0/8` (or ztsrc, macsrc)"),
    **dict.fromkeys(("dst", "dest", "daddr"), "write `ipdest 10.0.0.0/8` (or ztdest, macdest)"),
    **dict.fromkeys(("any", "all"), "leave it out: an action without matches takes every frame"),
}

# White space to people, part of a word to the compiler: pasted out of a web page or a document.
_ODD_BLANK = re.compile("[\x0b\x0c\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000]")
_BLANKS = {"\xa0": "a no-break space", "\u200b": "a zero width space"}
_DASHED = re.compile(r"([0-9]+)(?:[\u2010-\u2015\u2212:]|\.{2,3}|->)([0-9]+)")


def blank_help(text: str) -> str | None:
    """What to do about a character in a word that looks like a space; None where there is none."""
    found = _ODD_BLANK.search(text)
    if found is None:
        return None
    name = _BLANKS.get(found[0], "a character that only looks like a space")
    return f"{name} (U+{ord(found[0]):04X}) is part of the word: type an ordinary space instead"


def plain_blanks(source: Source, span: Span) -> Fix:
    """Ordinary spaces for all that only look like some within a span."""
    found = _ODD_BLANK.finditer(source.text, span.start, span.end)
    edits = tuple(Edit(one.start(), one.end(), " ") for one in found)
    return Fix("write ordinary spaces", edits, True)


def range_of(text: str) -> str | None:
    """The range that a text looks like, as the language has it; None for any other text."""
    found = _DASHED.fullmatch(text)
    return None if found is None else f"{found[1]}-{found[2]}"


def range_help(text: str) -> str | None:
    """How a range is written, for a text that looks like one; None for any other."""
    found = range_of(text)
    return None if found is None else f"a range has a plain `-`: write `{found}`"
