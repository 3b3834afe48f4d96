"""Recipients by class: compared with a plain grouping of members by what each test says of them."""

from __future__ import annotations

import pickle
import random
from collections import defaultdict

import numpy as np
import pytest

import ztfast
from ztfast.model.view import make_view
from ztfast.network import recipients
from ztfast.network.batch_context import MemberTable
from ztfast.network.member_table import member_table
from ztfast.network.members import Member, make_network
from ztfast.network.recipients import Recipients, joined_ranges

FIRST = 0x1000000000
TESTS = {
    "tdiff": lambda left, right, value: abs(left - right) <= value,
    "tand": lambda left, right, value: left & right == value,
    "tor": lambda left, right, value: left | right == value,
    "txor": lambda left, right, value: left ^ right == value,
    "teq": lambda left, right, value: right == value,  # the sender's half is the same for all
    "treq": lambda left, right, value: right == value,
    "tseq": lambda left, right, value: False,
}
VALUES = (0, 1, 2, 3, 5, 8, 200, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def drawn(rng: random.Random) -> tuple[list[tuple[str, int, int]], list[int], MemberTable, str]:
    """(matches of tags, members that rules name, the members, the rules)."""
    count = rng.choice([1, 2, 3, 40, 200])
    matches = [
        (rng.choice(list(TESTS)), rng.choice([7, 8]), rng.choice(VALUES))
        for _ in range(rng.randrange(7))
    ]
    named = [rng.randrange(count + 3) for _ in range(rng.randrange(3))]
    words = ["accept ztdest", "tee 8", "redirect", "watch 9"]
    rules = [f"accept {word} t{tag} {value};" for word, tag, value in matches]
    rules += [f"{rng.choice(words)} {FIRST + n:010x};" for n in named]
    text = "\n".join(["tag t7 id 7;", "tag t8 id 8;", *rules, "accept;\n"])
    members = [
        Member(FIRST + n, tags={tag: rng.choice(VALUES) for tag in (7, 8) if rng.random() < 0.8})
        for n in range(count)
    ]
    policy = ztfast.compile(text)
    table = member_table(make_network(members, id=1), make_view(policy, "out"), policy)
    return matches, named, table, text


def plain_classes(
    matches: list[tuple[str, int, int]],
    named: list[int],
    table: MemberTable,
    bridges: list[bool],
    sender: int,
) -> list[tuple[int, int, bool]]:
    """(first member, members, bridge) of each class of one sender, member by member."""

    def tag(member: int, number: int) -> int | None:
        if number not in table.tag_ids:
            return None
        row = table.tag_ids.index(number)
        return int(table.tag_value[row, member]) if table.tag_present[row, member] else None

    found: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for member in range(1, len(table.address)):
        outcomes: list[object] = []
        for word, number, value in matches:
            left, right = tag(sender, number), tag(member, number)
            pair = word not in ("teq", "treq", "tseq")
            says = right is not None and not (pair and left is None)
            outcomes.append((right is None, says and TESTS[word](left or 0, right or 0, value)))
        name = member if member - 1 in named else 0
        if member != sender:
            found[(bridges[member], name, *outcomes)].append(member)
    return sorted((min(each), len(each), bridges[min(each)]) for each in found.values())


def listed(made: Recipients, senders: list[int]) -> dict[int, list[tuple[int, int, bool]]]:
    found = made.classes(np.array(senders, np.int32))
    columns = (found.member, found.size, found.bridge)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    spans = zip(senders, found.start.tolist(), found.counts.tolist(), strict=True)
    return {sender: sorted(rows[start : start + count]) for sender, start, count in spans}


@pytest.mark.parametrize("seed", range(120))
def test_members_are_grouped_by_what_tests_say_of_them(seed: int) -> None:
    rng = random.Random(f"recipients {seed}")
    matches, named, table, text = drawn(rng)
    bridges = [False, *(rng.random() < 0.2 for _ in table.address[1:])]
    view = make_view(ztfast.compile(text), "in")
    made = Recipients(view, table, np.array(bridges))
    senders = rng.sample(range(len(table.address)), len(table.address))
    some = senders[: len(senders) // 2 + 1]
    for asked in (some, senders, some, some[:1]):
        for sender, classes in listed(made, asked).items():
            assert classes == plain_classes(matches, named, table, bridges, sender), text


def test_many_tests_and_few_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outcomes are numbered anew, and classes given up and remade."""
    rng = random.Random("limits")
    monkeypatch.setattr(recipients, "MOST_KEPT", 50)
    monkeypatch.setattr(recipients, "_CODES", 4)
    members = [Member(FIRST + n, tags={7: rng.randrange(64)}) for n in range(40)]
    matches = [("tand", 7, 1 << bit) for bit in range(6)] + [("txor", 7, n) for n in range(6)]
    text = "tag t id 7;\n" + "".join(f"accept {word} t {n};\n" for word, _, n in matches)
    policy = ztfast.compile(text)
    view = make_view(policy, "out")
    table = member_table(make_network(members, id=1), view, policy)
    bridges = [False] * len(table.address)
    made = Recipients(view, table, np.array(bridges))
    assert 1 <= made.portion <= 50
    for _ in range(20):
        asked = rng.sample(range(41), rng.choice([1, 3, 41]))
        for sender, classes in listed(made, asked).items():
            assert classes == plain_classes(matches, [], table, bridges, sender)
        again = pickle.loads(pickle.dumps(made))
        assert listed(again, asked) == listed(made, asked)
    monkeypatch.setattr(recipients, "MOST_KEPT", 200)
    made = Recipients(view, table, np.array(bridges))
    assert made.portion > 1
    for _ in range(20):
        asked = rng.sample(range(41), made.portion)
        for sender, classes in listed(made, asked).items():
            assert classes == plain_classes(matches, [], table, bridges, sender)
        assert len(made._kept.member) <= 200


def test_rules_that_draw_see_each_member_apart() -> None:
    policy = ztfast.compile("accept random 0.5;\n")
    view = make_view(policy, "out")
    table = member_table(make_network([Member(FIRST + n) for n in range(9)], id=1), view, policy)
    made = Recipients(view, table, np.zeros(10, np.bool_))
    assert listed(made, [4]) == {4: [(n, 1, False) for n in range(1, 10) if n != 4]}
    assert listed(made, [0]) == {0: [(n, 1, False) for n in range(1, 10)]}


def test_ranges_behind_one_another() -> None:
    start, count = np.array([5, 0, 9], np.int64), np.array([2, 0, 3], np.int64)
    assert joined_ranges(start, count).tolist() == [5, 6, 9, 10, 11]
    assert joined_ranges(start[:0], count[:0]).tolist() == []
