"""Edits in plain words, a line each."""

from __future__ import annotations

import pytest

import ztfast
from tests.needs import needs
from ztfast.proof.edit_effects import EditEffect, EditReport, compare_edits
from ztfast.proof.edit_lines import EditWriter, closing_line

pytestmark = needs("z3")

TAGS = "tag team id 1 default 1 enum 1 staff enum 2 guests;\n"
TAIL = "drop;\n"


def said(old: str, new: str, **options: object) -> list[str]:
    first, second = ztfast.compile(TAGS + old), ztfast.compile(TAGS + new)
    report = compare_edits(first, second, usual=False, **options)  # type: ignore[arg-type]
    lines = EditWriter(first, second, {0x1122334455: "sensor"}).lines(report)
    return [*map(str, lines), closing_line(report, lines)]


PROVED = "no other frame is judged otherwise: proved"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "drop ipprotocol tcp and dport 23;\naccept tdiff team 0;\n" + TAIL,
            "accept tdiff team 0;\n" + TAIL,
            [
                "line 2 removed: some telnet is now accepted between members of one team (line 2)",
                PROVED,
            ],
        ),
        (
            TAIL,
            "accept ipprotocol tcp and dport 80 and tseq team guests;\n" + TAIL,
            [
                "line 2 added: http from members whose team is guests is now accepted",
                PROVED,
            ],
        ),
        (
            "accept dport 80;\n" + TAIL,
            "accept dport 81;\n" + TAIL,
            [
                "line 2 changed: frames to port 80 are now dropped by line 3; "
                "frames to port 81 are now accepted",
                PROVED,
            ],
        ),
        (
            "accept;\n",
            "tee 64 1122334455 ethertype arp;\n"
            "redirect 1122334455 ipprotocol tcp and dport 80;\naccept;\n",
            [
                "line 2 added: ARP is teed to sensor",
                "line 3 added: http is now redirected to sensor at the sender",
                PROVED,
            ],
        ),
        (
            "tee 64 1122334455 ethertype arp;\naccept;\n",
            "accept;\n",
            ["line 2 removed: ARP is no longer teed to sensor", PROVED],
        ),
        (
            "accept dport 1;\naccept dport 2;\n" + TAIL,
            "accept dport 2;\naccept dport 1;\n" + TAIL,
            [
                "line 3 moved to line 2: changes nothing",
                "no difference: proved for every frame (1 edit without effect)",
            ],
        ),
        (  # a copy's target takes what is for itself: that does not decide for the others
            "tee 64 1122334455 ipprotocol tcp;\n" + TAIL,
            "tee 64 1122334455 ipprotocol tcp;\naccept ipprotocol tcp and dport 22;\n" + TAIL,
            ["line 3 added: ssh is now accepted, and teed to sensor", PROVED],
        ),
        (
            "accept tdiff team 0 and chr inbound;\n" + TAIL,
            "accept tdiff team 0 and chr inbound;\naccept ipprotocol tcp and dport 22;\n" + TAIL,
            [
                "line 3 added: ssh is now accepted: by this rule, "
                "between members of one team (line 2)",
                PROVED,
            ],
        ),
        ("accept;\n", "accept;\n", ["no difference: proved for every frame"]),
        (
            "accept dport 7;\n",
            "",
            ["line 2 removed: frames to port 7 are now dropped as no rule accepts them", PROVED],
        ),
    ],
)
def test_lines(old: str, new: str, expected: list[str]) -> None:
    assert said(old, new) == expected


def test_a_setting() -> None:
    rules = "drop tseq team guests;\naccept;\n"
    first = ztfast.compile(TAGS + rules)
    second = ztfast.compile(TAGS.replace("default 1", "default 2") + rules)
    lines = EditWriter(first, second).lines(compare_edits(first, second, usual=False))
    assert [str(line) for line in lines] == [
        "tag team: its default is 2 (was 1): some frames are now dropped "
        "from members whose team is guests (line 2)"
    ]


def test_time_that_ran_out() -> None:
    lines = said("drop ipprotocol tcp and dport 23;\naccept;\n", "accept;\n", time_limit=0.0)
    assert lines[0] == "line 2 removed: not decided in time"
    assert lines[-1].startswith("not everything is proved: the time limit of 0 seconds")


def test_many_rules_are_counted() -> None:
    many = "".join(f"accept sport {port};\n" for port in range(10, 34, 4))
    (line, *_) = said("drop ipprotocol tcp and dport 23;\n" + many + TAIL, many + TAIL)
    assert line == (
        "line 2 removed: some telnet is now accepted: "
        "by line 2, by line 3, by line 4, by 3 more rules"
    )


def test_nothing_of_nothing() -> None:
    policy = ztfast.compile("accept;\n")
    empty = EditReport((), EditEffect(None, (), True))
    assert EditWriter(policy, policy).lines(empty) == []
    assert closing_line(empty, []) == "no difference: proved for every frame"
