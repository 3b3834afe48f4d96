"""Layout: canonical, its own layout, comments kept, JSON unchanged."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from tests import seeds
from tests.lang.vectors import vectors
from ztfast.errors import RulesError
from ztfast.lang import compile_text, print_policy
from ztfast.lang.format import format_text
from ztfast.lang.tokens import scan


def comments(text: str) -> list[str]:
    return sorted(word.text.rstrip() for word in scan(text) if word.text[0] == "#")


def check_laws(text: str) -> str:
    made = format_text(text)
    assert compile_text(made).to_json() == compile_text(text).to_json()
    assert format_text(made) == made
    assert comments(made) == comments(text)
    return made


@pytest.mark.slow
def test_every_vector_keeps_its_meaning() -> None:
    refused = []
    done = 0
    for case in vectors("compile") + vectors("compile-edge"):
        if "error" in case:
            continue
        try:
            check_laws(case["source"])
            done += 1
        except RulesError as error:
            refused.append((case["id"], error.diagnostics[0].code))
    # Texts that lose a part of themselves, or have a macro that ended early.
    assert {code for _, code in refused} == {"ZT061"}
    assert len(refused) <= 9
    assert done >= 1807


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("", ""),
        ("\n\n# a\n\n\n# b  \n", "# a\n\n# b\n"),
        ("accept;", "accept;\n"),
        ("accept ; # last\n", "accept; # last\n"),
        ("accept ;\n;\n; # end", "accept; # end\n"),
        ("; # only", "# only\n"),
        ("; # one\n; # two", "# one\n# two\n"),
        ("ACCEPT\ndrop", "Accept\ndrop;\n"),
        ("accept DPORT 80 ;", "accept dport 80;\n"),
        ("accept dport 80 # web\n;", "accept\n  dport 80 # web\n;\n"),
        ("accept dport 80; # web", "accept dport 80; # web\n"),
        ("accept # a\ndport # b\n80 ; # c", "accept # a\n  dport 80 # b\n; # c\n"),
        ("accept or not and dport 80 not NOT sport 1 and ;",
         "accept\n  or not dport 80\n  and not sport 1\n;\n"),
        ("drop not ;\n\n\naccept;", "Drop\n\naccept;\n"),
        ("tee -1 8e30f50a25 ;", "tee -1 8e30f50a25;\n"),
        ("tee -1 8e30f50a25 # x\n;", "tee -1 8e30f50a25 # x\n;\n"),
        ("tag T ID 1 flag 0,a b enum 2 C", None),
        ("tag T ID 1 flag 0 a flag a b enum 2 C",
         "tag T\n  id 1\n  flag 0 a\n  flag a b\n  enum 2 C\n;\n"),
        ("tag t id 1 enum 2 drop", "tag t\n  id 1\n  enum 2 Drop\n;\n"),
        ("cap c accept dport 1 ; DEFAULT include id 5 m ; macro m Accept ;",
         "cap c\n  accept dport 1;\n  default\n  include\n  id 5\n  m\n;\nmacro m\n  Accept\n;\n"),
        ("macro m($a)\n\n # in\n\n accept dport $a ;\n # end\n;\ninclude m(1)",
         "macro m($a)\n  # in\n\n  accept dport $a;\n  # end\n;\ninclude m(1)\n"),
        ("cap c id 1 ACCEPT # x", "cap c\n  id 1\n  Accept # x\n;\n"),
        ("macro m accept dport 1; ; include # a\nm # b",
         "macro m\n  accept dport 1;\n;\n# a\ninclude m # b\n"),
        ("accept dport 1 # end", "accept\n  dport 1 # end\n;\n"),
        ("accept dport 1\r\nor dport 2 ;\r\n\r\ndrop;\r\n",
         "accept\n  dport 1\n  or dport 2\n;\n\ndrop;\n"),
    ],
)  # fmt: skip
def test_layout(text: str, made: str | None) -> None:
    if made is None:
        with pytest.raises(RulesError):
            format_text(text)
    else:
        assert check_laws(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "drop dport 80\naccept ;\n",
        "macro m accept accept x ; ; ;",
        "macro m frob drop x ; ;\naccept;",
        "accept ipsrc 10.0.0.0/8;;",
        "accept icmp 8 ;; ",
        "macro m priority; ",
    ],
)
def test_texts_that_are_left_alone(text: str) -> None:
    compile_text(text)
    with pytest.raises(RulesError, match=r"lost|laid out"):
        format_text(text)


def test_the_printer_writes_this_layout() -> None:
    cases = [case for case in vectors("compile")[:300] if "output" in case]
    assert len(cases) > 50
    for case in cases:
        printed = print_policy(compile_text(case["source"]))
        assert format_text(printed) == printed


WORDS = """
accept drop break tee watch redirect macro tag cap include id default enum flag m t c
dport sport 80 1-2 and or not chr tcp_syn 8e30f50a25 -1 64 ; ; ; ;; accept; drop; 80; m;
Accept DROP # $a m($a) m(1) teq t 1 0x10 ipsrc 10.0.0.0/8 ::1/128;
"""


def test_random_texts() -> None:
    seed = seeds.seed(20261122)
    print("seed", seed)
    source, words = random.Random(seed), WORDS.split()
    compiled = 0
    for _ in range(4000):
        parts = []
        for _ in range(source.randint(1, 14)):
            parts.append(source.choice(words))
            parts.append(source.choice([" ", " ", "\n", "\r\n", " # x\n", "\n# y ;\n\n", "\t"]))
        text = "".join(parts[: len(parts) - source.randint(0, 1)])
        try:
            compile_text(text)
        except RulesError:
            with pytest.raises(RulesError):
                format_text(text)
            continue
        compiled += 1
        with suppress(RulesError):  # texts that lose a part of themselves
            check_laws(text)
    assert compiled > 50
