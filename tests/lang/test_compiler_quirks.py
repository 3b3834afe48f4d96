"""What the official compiler takes and how it reads it, where no vector shows it."""

from __future__ import annotations

from typing import Any

import pytest

from ztfast.errors import RulesError
from ztfast.lang import compile_text


def ports(text: str) -> list[Any]:
    return [rule.json["start"] for rule in compile_text(text).rules if "start" in rule.json]


@pytest.mark.parametrize(
    ("head", "include", "found"),
    [
        ("m($a,$b)", "m(1,2)", [1, 2]),
        ("m($a,$b", "m(1,2", [1, 2]),
        ("m($a)$b)", "m(1)2", [1, 2]),
        ("m($a),$b", "m(1),2)", [1, 2]),
        ("m($a,,$b)", "m(,1,,2,)", [1, 2]),
        ("m(,$a,$b)", "m(1,2,3)", [2, 3]),
        ("m(,,$a,$b)", "m(1,2,3)", [2, 3]),
        ("m()$a,$b", "m(1,2,3)", [2, 3]),
        ("m($a,$b,$a)", "m(1,2,3)", [3, 2]),
        ("m($a,$b", "m(1", None),
        ("m(($a,$b)", "m(1,2)", None),
        ("m($a$b)", "m(1,2)", None),
        ("m)$a,$b)", "m(1,2)", None),
        ("m($a,$b)", "m)1,2)", None),
    ],
)
def test_parentheses_of_macros(head: str, include: str, found: list[int] | None) -> None:
    text = f"macro {head} accept dport $a and dport $b ; ;\ninclude {include}"
    if found is None:
        with pytest.raises(RulesError):
            compile_text(text)
    else:
        assert ports(text) == found


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("größe", True),
        ("Größe", True),
        ("日本", True),
        ("ΑΣ", True),
        ("K", True),  # the Kelvin sign, lowered to k
        ("\u1c90", True),  # a Georgian capital of Unicode 11; lowered, one of 1.1
        ("\u1885", True),  # a letter up to Unicode 8
        ("\ud55c", True),
        ("Ⅷ", False),
        ("a٣", False),
        ("e\u0301", False),
        ("İ", False),  # lowered to i and a combining dot
        ("ᏣᎳ", False),  # Cherokee small letters are of Unicode 8
        ("\u0529", False),  # of Unicode 7
        ("\u312e", False),  # of Unicode 10
        ("\U0001d49c", False),  # a letter beyond U+FFFF
    ],
)
def test_letters_of_names(text: str, taken: bool) -> None:
    for rules in (f"tag {text} id 1 ;", f"macro x{text} ;", f"tag t id 1 enum 1 {text} ;"):
        if taken:
            compile_text(rules)
        else:
            with pytest.raises(RulesError):
                compile_text(rules)


@pytest.mark.parametrize(
    ("parts", "enums", "flags"),
    [
        ("flag 1 Top flag TOP,0 b", {}, {"top": 2, "b": 3}),
        ("flag 3,,5 a", {}, {"a": 40}),
        ("enum 1 icmp flag 2 Drop flag DROP x", {"icmp": 1}, {"drop": 4, "x": 4}),
        ("enum 1 default flag 2 id flag 3 flag", {"default": 1}, {"id": 4, "flag": 8}),
        ("flag ,3 a", None, None),
        ("flag 3, a", None, None),
        ("flag 1 a flag 2 A", None, None),
        ("enum 1 constructor", None, None),
    ],
)
def test_values_of_tags(
    parts: str, enums: dict[str, int] | None, flags: dict[str, int] | None
) -> None:
    text = f"tag t id 1 {parts} ;"
    if enums is None:
        with pytest.raises(RulesError):
            compile_text(text)
    else:
        (tag,) = compile_text(text).tags
        assert (tag.enums, tag.flags) == (enums, flags)


@pytest.mark.parametrize(
    ("text", "value"), [("-0x5", 5), ("0x0x5", 0), ("\xa00x5", 5), ("0x-5", 0), ("-7x", 7)]
)
def test_defaults_of_tags_in_hexadecimal(text: str, value: int) -> None:
    assert compile_text(f"tag t id 1 default {text} ;").tags[0].default == value
