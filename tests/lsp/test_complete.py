from __future__ import annotations

import pytest

from tests.lsp.texts import RULES, cursor
from ztfast.lang.matches import MATCHES
from ztfast.lsp.complete import complete
from ztfast.model.names import CHARACTERISTICS, ETHERTYPES, PROTOCOLS
from ztfast.network.members import Member, Network

ACTIONS = ["accept", "drop", "break", "tee", "watch", "redirect"]
WORDS = [*MATCHES, "and", "or", "not"]
TOP = [*ACTIONS, "include", "macro", "tag", "cap"]


def labels(text: str, network: Network | None = None) -> list[str]:
    document, offset = cursor(text)
    return [item.label for item in complete(document, offset, network).items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|", TOP),
        ("acc|", TOP),
        ("drop dport 23; |", TOP),
        ("accept |", WORDS),
        ("accept not |", list(MATCHES)),
        ("accept dport 80 |\n;", WORDS),
        ("accept dport 80|\n;", []),
        ("accept ethertype |;", list(ETHERTYPES)),
        ("accept ipprotocol t|\n;", list(PROTOCOLS)),
        ("accept chr tcp_syn,|", list(CHARACTERISTICS)),
        (RULES + "accept teq |", ["department", "access"]),
        (RULES + "accept teq department |", ["sales", "engineering"]),
        (RULES + "accept tand access e|", ["printers", "servers", "everything"]),
        (RULES + "accept teq 1000 |", []),
        (RULES + "include |", ["web"]),
        ("tag |", []),
        ("tag t |", ["id", "default", "enum", "flag"]),
        ("tag t id 1 enum 1 one default |;", ["one"]),
        ("tag t enum 1 |;", []),
        ("cap |", []),
        ("cap c |", [*ACTIONS, "include", "id", "default"]),
        ("cap c id 1 default |", [*ACTIONS, "include", "id", "default"]),
        ("macro m Drop |", [*ACTIONS, "include"]),
        ("macro m($a) accept dport 80 |", WORDS),
        ("drop; # acc|", []),
    ],
)
def test_what_may_stand_there(text: str, expected: list[str]) -> None:
    assert labels(text) == expected


def test_members_insert_their_address() -> None:
    members = (Member(0x8E30F50A25, name="sensor"), Member(0x1, authorized=False, name="gone"))
    network = Network(members=members)
    for text in ("accept ztsrc |", "tee 128 |", "redirect |", "watch -1 se|"):
        document, offset = cursor(text)
        (item,) = complete(document, offset, network).items
        assert (item.label, item.insert, item.detail) == ("sensor", "8e30f50a25", "8e30f50a25")
    assert labels("tee |", network) == []
    assert labels("accept ztsrc |") == []


def test_the_word_at_the_cursor_is_replaced() -> None:
    document, offset = cursor("accept chr tcp_syn,tcp_a|")
    found = complete(document, offset)
    assert document.text[found.start : found.end] == "tcp_a"
    document, offset = cursor("drop dport 23;acc|")
    found = complete(document, offset)
    assert document.text[found.start : found.end] == "acc"
    assert complete(*cursor(RULES + "include |")).items[0].insert == "web($port)"
