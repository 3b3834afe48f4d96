"""Edits between policies, rule by rule; nothing is proved."""

from __future__ import annotations

import random

import pytest

import ztfast
from tests import seeds
from ztfast.model.policy import Capability, Policy, Rule
from ztfast.proof.edits import Edit, edits_between, statements

SEED = seeds.seed(41)
BASE = "accept dport 1;\naccept dport 2;\naccept dport 3;\ndrop;\n"

MACRO = "macro m($p)\n  accept dport $p;\n;\n"
CAP = "cap c\n  id 1\n  accept ipprotocol tcp and dport 9;\n;\n"


def said(old: str, new: str) -> list[str]:
    return [text(edit) for edit in edits_between(ztfast.compile(old), ztfast.compile(new))]


def text(edit: Edit) -> str:
    if edit.kind == "setting":
        return edit.what
    places = [one.place for one in (edit.old, edit.new) if one is not None]
    return f"{edit.kind} {' to '.join(places)}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (BASE, "# a comment\n" + BASE.replace("\n", "\n\n"), []),
        (BASE, BASE.replace("accept dport 2;\n", ""), ["removed line 2"]),
        (BASE, BASE.replace("drop", "accept dport 9;\ndrop"), ["added line 4"]),
        (BASE, BASE.replace("dport 2", "dport 2-5"), ["changed line 2 to line 2"]),
        (BASE, BASE.replace("accept dport 2;", "Drop"), ["removed line 2", "added line 2"]),
        (
            BASE,
            "accept dport 2;\naccept dport 3;\naccept dport 1;\ndrop;\n",
            ["moved line 1 to line 3"],
        ),
        (BASE, BASE.replace("drop;", "accept;"), ["removed line 4", "added line 4"]),
        (
            MACRO + "include m(1)\ninclude m(2)\ndrop;\n",
            MACRO + "include m(1)\ninclude m(7)\ndrop;\n",
            ["changed line 2 (included in line 5) to line 2 (included in line 5)"],
        ),
        (
            "tag t id 1 default 1;\n" + BASE,
            "tag t id 1 default 2;\n" + BASE,
            ["tag t: its default is 2 (was 1)"],
        ),
        (
            CAP + "drop;\n",
            CAP.replace("id 1", "id 1 default").replace("9", "8-9") + "drop;\n",
            ["changed line 3 to line 3", "capability c: by default everybody holds it"],
        ),
        (CAP + "drop;\n", "drop;\n", ["removed line 3"]),
        (BASE, "drop;\n", ["removed line 1", "removed line 2", "removed line 3"]),
    ],
)
def test_edits(old: str, new: str, expected: list[str]) -> None:
    assert said(old, new) == expected


def test_rules_without_lines_have_entries() -> None:
    tcp = {"type": "MATCH_IP_PROTOCOL", "ipProtocol": 6}
    accept, drop = {"type": "ACTION_ACCEPT"}, {"type": "ACTION_DROP"}
    old = Policy((Rule(drop),), (Capability(7, False, ()),))
    new = Policy((Rule(tcp), Rule(accept), Rule(drop)), (Capability(7, False, (Rule(accept),)),))
    assert [text(edit) for edit in edits_between(old, new)] == [
        "added entry 1",
        "added entry 0 of capability 7",
    ]


def test_edits_make_the_new_of_the_old() -> None:
    """Without what is removed and with what is added, a list is the other, up to its order."""
    rng = random.Random(SEED)
    for round_ in range(200):
        lines = [f"accept dport {rng.randrange(6)};\n" for _ in range(rng.randrange(1, 9))]
        changed = list(lines)
        for _ in range(rng.randrange(4)):
            how, at = rng.randrange(3), rng.randrange(len(changed) + 1)
            if how == 0:
                changed.insert(at, f"accept dport {rng.randrange(9)};\n")
            elif changed:
                line = changed.pop(min(at, len(changed) - 1))
                if how == 1:
                    changed.insert(rng.randrange(len(changed) + 1), line)
        old, new = ztfast.compile("".join(lines)), ztfast.compile("".join(changed))
        edits = edits_between(old, new)
        keys = [one.key for one in statements(old.rules)]
        for edit in edits:
            if edit.old is not None:
                keys.remove(edit.old.key)
        keys += [edit.new.key for edit in edits if edit.new is not None]
        expected = [one.key for one in statements(new.rules)]
        assert sorted(keys) == sorted(expected), (SEED, round_)
        assert (not edits) == (old.digest == new.digest)
