"""Words that were pasted, or that other rules languages have: the help says what to write."""

from __future__ import annotations

import pytest

from ztfast.errors import Source
from ztfast.lang.lint import check
from ztfast.lang.pasted import blank_help, range_help


def helps(text: str) -> list[tuple[str, str | None]]:
    """(code, help) of each finding."""
    return [(found.code, found.help) for found in check(Source("r", text))[1]]


NO_BREAK = "a no-break space (U+00A0) is part of the word: type an ordinary space instead"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "accept ethertype\xa0arp;\naccept ipprotocol tcp\xa0and dport 22;",
            [("ZT011", NO_BREAK), ("ZT013", NO_BREAK)],
        ),
        ("accept\xa0dport 80;", [("ZT010", NO_BREAK)]),
        (
            "allow ethertype arp;\ndeny dport 23;",
            [("ZT010", "did you mean `accept`?"), ("ZT010", "did you mean `drop`?")],
        ),
        ("accept dport 80–90;", [("ZT126", "a range has a plain `-`: write `80-90`")]),
        ("accept dport 80->90;", [("ZT014", "a range has a plain `-`: write `80-90`")]),
        (
            "drop icmp6 134 -1;",
            [
                (
                    "ZT011",
                    "`icmp TYPE CODE` is for both versions: write `ethertype ipv6 and icmp 134 -1`"
                    " (or ipv4; -1 is any code), or `ipprotocol icmp6` for every type",
                )
            ],
        ),
    ],
)
def test_findings_say_what_to_write(text: str, found: list[tuple[str, str]]) -> None:
    assert helps(text) == found


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("->", "`sport` and `dport`"),
        ("&&", "joined by the words `and`"),
        ("!", "joined by the words `and`"),
        ("port", "write `dport`"),
        ("Proto", "write `ipprotocol`"),
        ("src", "write `ipsrc"),
        ("any", "leave it out"),
    ],
)
def test_words_of_other_rules_languages(word: str, said: str) -> None:
    ((code, help),) = helps(f"accept ipprotocol tcp {word} dport 22;")
    assert code == "ZT011"
    assert help is not None
    assert said in help


@pytest.mark.parametrize("dash", ["–", "—", "−", "‐", ":", "..", "...", "->"])
def test_ranges_are_written_with_a_dash(dash: str) -> None:
    assert range_help(f"80{dash}90") == "a range has a plain `-`: write `80-90`"


@pytest.mark.parametrize("text", ["80", "80-90", "80,90", "80.90", "a:b", "80:", ":90", "80:90:1"])
def test_other_texts_are_no_ranges(text: str) -> None:
    assert range_help(text) is None


@pytest.mark.parametrize("blank", ["\x0b", "\xa0", "\u2009", "\u200b", "\u202f", "\u3000"])
def test_blanks_that_are_none(blank: str) -> None:
    help = blank_help(f"dport{blank}80")
    assert help is not None
    assert f"U+{ord(blank):04X}" in help
    assert blank_help("dport 80\t\r\n") is None
