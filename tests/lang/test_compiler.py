"""Errors, spans, macros: what the vectors do not show."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from ztfast.errors import RulesError, Span
from ztfast.lang import compile_text, compiler


def errors(text: str) -> list[tuple[str, int, int]]:
    with pytest.raises(RulesError) as caught:
        compile_text(text, "r.ztrules")
    found = caught.value.diagnostics
    assert all(d.severity == "error" and d.help and str(d).startswith("r.ztrules:") for d in found)
    return [(d.code, d.span.line, d.span.column) for d in found if d.span]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("frob dport 80 ;", [("ZT010", 1, 0)]),
        ("Accept dport 80 ;", [("ZT010", 1, 7)]),
        ("priority 3 ;", [("ZT010", 1, 0)]),
        ("accept dprt 80 ;", [("ZT011", 1, 7)]),
        ("accept ;\ncap c id 5 accept dport 1 ; ;", [("ZT011", 2, 0)]),
        ("accept dport and ;", [("ZT012", 1, 13)]),
        ("accept iptos 3 ;", [("ZT012", 1, 7)]),
        ("accept dport toString ;", [("ZT012", 1, 13)]),
        ("accept ipprotocol icmp ;", [("ZT012", 1, 18)]),
        ("accept vlan -1 ;", [("ZT013", 1, 12)]),
        ("accept icmp 8 256 ;", [("ZT013", 1, 14)]),
        ("accept iptos 256 0 ;", [("ZT013", 1, 13)]),
        ("accept iptos 255 5-4 ;", [("ZT014", 1, 17)]),
        ("accept ztsrc 8e30f50a2 ;", [("ZT015", 1, 13)]),
        ("accept macsrc 1 ;", [("ZT016", 1, 14)]),
        ("accept ipsrc 10.0.0.1 ;", [("ZT017", 1, 13)]),
        ("accept ipsrc 10.0.0/8 ;", [("ZT017", 1, 13)]),
        ("accept chr 64 ;", [("ZT018", 1, 11)]),
        ("accept dport $x ;", [("ZT019", 1, 13)]),
        ("accept teq a 1 ;", [("ZT020", 1, 11)]),
        ("tag a id 1 ;\naccept teq a b ;", [("ZT021", 2, 13)]),
        ("tag a id 1 flag 31 b ;\naccept teq a b ;", [("ZT021", 2, 13)]),
        ("tee 64 ;", [("ZT022", 1, 0)]),
        ("tee -2 8e30f50a25 ;", [("ZT022", 1, 4)]),
        ("TEE 64 8e30f50a25 ;", [("ZT022", 1, 0), ("ZT010", 1, 4)]),
        ("redirect abc ;", [("ZT022", 1, 9)]),
        ("tag ;", [("ZT030", 1, 0)]),
        ("macro m($a, $b) accept ; ", [("ZT030", 1, 0)]),
        ("macro m($a, $b) accept dport 1 ; ;\ninclude m(1)", [("ZT010", 1, 12)]),
        ("include m(1, 2)\nmacro m($a) accept dport $a ; ;", [("ZT010", 1, 13)]),
        ("tag t id 1 default drop dport 1 ; ;", [("ZT033", 1, 24)]),
        ("tag toString id 1 ;", [("ZT031", 1, 4)]),
        ("tee valueOf 8e30f50a25; # valueOf", [("ZT031", 1, 4)]),
        ("macro m accept dport 1 isPrototypeOf; ;", [("ZT031", 1, 23)]),
        ("cap constructor id 1 ;", [("ZT031", 1, 4)]),
        ("tag A id 1 ; tag a id 2 ;", [("ZT032", 1, 17)]),
        ("tag a id 1 colour 3 ;", [("ZT033", 1, 11), ("ZT033", 1, 18)]),
        ("tag a id ;", [("ZT034", 1, 4), ("ZT033", 1, 6)]),
        ("cap a id 1 ; cap b id 1 ;", [("ZT034", 1, 22)]),
        # one error where a `;` is missing, however much is read as part of the definition
        ("tag a id 1\naccept tseq a 1;\naccept;", [("ZT037", 1, 4)]),
        ("tag a id 1 enum 2 b\ntag c id 3;\ninclude d", [("ZT037", 1, 4)]),
        ("tag a id 1\ninclude d", [("ZT037", 1, 4)]),
        ("cap a id 1 accept dport 1;\ntag b id 2;\naccept tseq b 1;", [("ZT037", 1, 4)]),
        ("cap a accept dport 1 ; ;", [("ZT034", 1, 4)]),
        ("tag a id 1 enum -1 y ;", [("ZT035", 1, 16)]),
        ("tag a id 1 default toString ;", [("ZT035", 1, 19)]),
        ("\ufeffaccept dport 1 ;", [("ZT010", 1, 0)]),
        ("tag a id 1 id 2 ;", [("ZT036", 1, 11)]),
        ("cap a id 1 id 2 ;", [("ZT036", 1, 11)]),
        ("include", [("ZT040", 1, 0)]),
        ("include nosuch", [("ZT040", 1, 8)]),
        ("include __proto__", [("ZT040", 1, 8)]),
        ("macro m($p) accept dport $p ; ;\ninclude m()", [("ZT041", 2, 8)]),
        ("macro m include m ;\ninclude m", [("ZT042", 1, 16)]),
    ],
)
def test_errors(text: str, found: list[tuple[str, int, int]]) -> None:
    assert errors(text) == found


def test_several_errors_in_one_run() -> None:
    text = """
tag t id x ;
cap c accept dport 70000 ; ;
macro m accept frob 5 and ipsrc nowhere ; ;
include m
frob 1 2 3
drop dport 90-80 and ztsrc 1 ;
"""
    assert errors(text) == [
        ("ZT034", 2, 9),
        ("ZT034", 3, 4),
        ("ZT011", 4, 15),
        ("ZT017", 4, 32),
        ("ZT010", 6, 0),
        ("ZT014", 7, 11),
        ("ZT015", 7, 27),
    ]


def test_the_same_error_of_two_includes_is_told_once() -> None:
    assert errors("macro m accept dport x ; ;\ninclude m\ninclude m") == [("ZT014", 1, 21)]


def test_too_many_errors_stop_the_run() -> None:
    with pytest.raises(RulesError) as caught:
        compile_text("accept dport x ;\n" * 1000)
    assert len(caught.value.diagnostics) == 51
    assert caught.value.diagnostics[-1].code == "ZT009"


def test_help_points_at_the_block_that_stayed_open() -> None:
    with pytest.raises(RulesError, match=r"the block of `accept` on line 1 .* write `Accept`"):
        compile_text("accept ;\ndrop dport 1 ;")


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("accept dport 80, 443;", "`dport 80 or dport 443`"),
        ("accept not (dport 80);", "no parentheses"),
        ("accept tcp dport 80;", "`ipprotocol tcp`"),
        ("accept arp ;", "`ethertype arp`"),
        ("accept TCP_SYN ;", "`chr tcp_syn`"),
        ("accept dport 80 ;drop;", "put a space after it"),
        ("accept dprot 80 ;", "did you mean `dport`"),
        ("macro m($port) accept dport $port $port ; ; include m(1)", "arguments of matches only"),
        ("macro m($a) accept dport $a ; ; include m(1, 2)", "without spaces"),
    ],
)
def test_help_says_what_may_have_been_meant(text: str, help: str) -> None:
    with pytest.raises(RulesError) as caught:
        compile_text(text)
    assert help in (caught.value.diagnostics[0].help or "")


def test_spans_of_entries_and_of_the_include_that_brought_them() -> None:
    text = "macro a accept dport 1 ; ;\nmacro b include a ;\ninclude b\ntee 1 8e30f50a25 ;"
    match, accept, tee = compile_text(text).rules
    assert (match.span, match.parent) == (Span(15, 22, 1, 15), Span(47, 56, 3, 0))
    assert accept.span == Span(8, 14, 1, 8)
    assert (tee.span, tee.parent) == (Span(57, 73, 4, 0), None)


def test_words_may_stand_among_the_actions_of_a_capability() -> None:
    policy = compile_text("macro m accept dport 1 ; ;\ncap c include DEFAULT m Id 7 ACCEPT ;")
    (cap,) = policy.capabilities
    assert (cap.id, cap.default, len(cap.rules)) == (7, True, 3)


def test_defaults_of_tags() -> None:
    def default(text: str) -> int | None:
        return compile_text(f"tag t id 1 enum 5 a flag 31 a flag 1 b {text} ;").tags[0].default

    assert default("") is None
    assert default("default a") == 5
    assert default("default A") == 0
    assert default("default b") == 2
    assert default("default 4294967295") == -1
    assert default("default 9007199254740993") == 0


BOMB = "".join(f"macro m{i} include m{i + 1} include m{i + 1} ;\n" for i in range(40))


@pytest.mark.parametrize("last", ["macro m40 accept dport 1 ; ;", "macro m40 ;"])
def test_macro_bombs_are_refused(monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    monkeypatch.setattr(compiler, "MAX_EXPANDED", 5000)
    (bomb,) = errors(f"{BOMB}{last}\ninclude m0")
    assert bomb[0] == "ZT043"


def test_long_chains_of_macros_need_no_recursion() -> None:
    chain = "".join(f"macro m{i} include m{i + 1} ;\n" for i in range(3000))
    policy = compile_text(f"{chain}macro m3000 accept dport 1 ; ;\ninclude m0")
    assert len(policy.rules) == 2


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("\0" * 100_000, True),
        ("; " * 100_000, False),
        ("accept " * 100_000, False),
        ("tag x " * 50_000, True),
        ("\ud800 \udfff", True),
    ],
    ids=["nulls", "closes", "opens", "nested tags", "surrogates"],
)
def test_odd_texts_are_refused_or_compiled(text: str, refused: bool) -> None:
    with pytest.raises(RulesError) if refused else nullcontext():
        compile_text(text)
