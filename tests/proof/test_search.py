"""Searches: witnesses that get what was asked, proofs that there are none."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

import ztfast
from tests import seeds
from tests.needs import needs
from tests.proof.drawing import drawn_policy
from ztfast.errors import UsageError, ZtfastError
from ztfast.frames.headers import read_header
from ztfast.proof.query_text import read_tag, where_entries
from ztfast.proof.search import SearchQuery, search

TEXT = """tag role id 5 enum 1 guest enum 2 staff flag 3 odd;
cap boss id 9 accept ethertype arp; ;
drop tseq role guest and ipdest 10.1.1.7/32 and not dport 80;
tee 64 1122334455 ipprotocol udp;
redirect 2233445566 ipprotocol sctp;
break ethertype arp;
accept;
"""
POLICY = ztfast.compile(TEXT)
SSH = "ipprotocol tcp and dport 22 and ipdest 10.1.1.7/32"


@needs("z3")
@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        (SearchQuery("accept", SSH), "accepted"),
        (SearchQuery("accept", SSH, from_tags=("role=staff",)), "accepted"),
        (SearchQuery("accept", SSH, from_tags=("role=guest",)), None),
        (SearchQuery("accept", SSH, from_tags=("5=1",)), None),
        (SearchQuery("accept", "ipdest 10.1.1.7/32", from_tags=("role=guest",)), "accepted"),
        (SearchQuery("drop", to_tags=("role=guest",)), "dropped"),
        (SearchQuery("drop", "ipprotocol udp and dport 80"), None),
        (SearchQuery("tee"), "tee of 60 bytes to 1122334455"),
        (SearchQuery("tee:1122334455", side="in"), "tee of"),
        (SearchQuery("tee:1122334456"), None),
        (SearchQuery("watch"), None),
        (SearchQuery("redirect:2233445566"), "redirected to 2233445566"),
        (SearchQuery("redirect", "ipprotocol tcp"), None),
        (SearchQuery("accept", "ethertype arp"), "accepted"),
        (SearchQuery("accept", "ethertype ipv4 and ethertype ipv6"), None),
    ],
)
def test_questions(query: SearchQuery, verdict: str | None) -> None:
    result = search(POLICY, query)
    if verdict is None:
        assert result is None
    else:
        assert result is not None
        assert verdict in str(result.verdict)


@needs("z3")
def test_the_witness_is_what_was_asked_for() -> None:
    result = search(POLICY, SearchQuery("accept", SSH))
    assert result is not None
    header = read_header(result.frame)
    assert (header.dest, header.dest_port, header.protocol) == ("10.1.1.7", 22, 6)
    assert "line 7" in result.verdict.by


@pytest.mark.parametrize(
    ("query", "where"),
    [
        (SearchQuery("allow"), "--verdict"),
        (SearchQuery("tee:12"), "ZeroTier address"),
        (SearchQuery("drop:1122334455"), "--verdict"),
        (SearchQuery("accept", "dport"), "--where:1:0"),
        (SearchQuery("accept", "dport 22 and frob 1"), "--where:1:13"),
        (SearchQuery("accept", "tseq rol 1"), "--where:1:5"),
        (SearchQuery("accept", "dport 22; drop"), "--where"),
        (SearchQuery("accept", "dport 22 ; accept dport 3"), "--where"),
        (SearchQuery("accept", "random 0.5"), "random"),
        (SearchQuery("accept", from_tags=("role",)), "NAME=VALUE"),
        (SearchQuery("accept", from_tags=("rol=1",)), "no tag"),
        (SearchQuery("accept", to_tags=("role=chief",)), "not a value"),
        (SearchQuery("accept", side="up"), "side"),
    ],
)
def test_bad_questions(query: SearchQuery, where: str) -> None:
    with pytest.raises(UsageError, match=where):
        search(POLICY, query)


def test_names_of_the_rules_are_known_in_questions() -> None:
    assert read_tag("--from-tag", "role=odd", POLICY.tags) == (5, 8)
    assert [entry.value for entry in where_entries("tseq role guest", POLICY.tags)[:-1]] == [(5, 1)]


KIOSK = ztfast.compile("tag kiosk id 7 default 0 enum 1 desk;\nbreak not tor kiosk 1;\naccept;\n")
HUB = ztfast.compile("tag hub id 7 default 0;\ndrop not treq hub 1 and not chr inbound;\naccept;\n")
BROADCAST = "ethertype arp and chr broadcast"


@needs("z3")
@pytest.mark.parametrize(
    ("policy", "query", "found"),
    [
        # its sender knows no receiver's tags: the `break` is taken, and nothing else accepts it
        (KIOSK, SearchQuery("accept", BROADCAST, from_tags=("kiosk=0",)), False),
        (KIOSK, SearchQuery("accept", BROADCAST, to_tags=("kiosk=desk",)), False),
        (KIOSK, SearchQuery("accept", "chr multicast"), False),
        (KIOSK, SearchQuery("accept", BROADCAST, engine="1.12"), True),
        (KIOSK, SearchQuery("accept", "ethertype arp", to_tags=("kiosk=desk",)), True),
        # the first pass over a multicast takes the unknown tag as true; the second knows it
        (HUB, SearchQuery("accept", BROADCAST, to_tags=("hub=1",)), True),
        (HUB, SearchQuery("accept", BROADCAST, to_tags=("hub=2",)), False),
        (HUB, SearchQuery("accept", "ethertype ipv4", to_tags=("hub=2",)), False),
        # one side alone: tags are asked of a receiver that the sender knows
        (HUB, SearchQuery("accept", BROADCAST, "out"), True),
        (HUB, SearchQuery("accept", BROADCAST, "out", to_tags=("hub=1",)), False),
        (HUB, SearchQuery("accept", "ethertype arp", "out", to_tags=("hub=1",)), True),
    ],
)
def test_multicasts_have_no_one_receiver(
    policy: ztfast.Policy, query: SearchQuery, found: bool
) -> None:
    assert (search(policy, query) is not None) == found


@needs("z3")
def test_a_recipient_of_a_multicast_is_named() -> None:
    result = search(HUB, SearchQuery("accept", BROADCAST, to_tags=("hub=1",)))
    assert result is not None
    assert "receiver tags hub=1" in result.circumstances


@needs("z3")
def test_a_witness_that_explain_judges_otherwise_is_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ztfast.proof.explained.Explainer.verdict", lambda *_: "drop")
    with pytest.raises(ztfast.BackendError, match="explain says drop"):
        search(POLICY, SearchQuery("accept", SSH))


SEED = seeds.seed(0)
ROUNDS = seeds.rounds(40)
WHERE = (
    "",
    BROADCAST,
    "chr multicast and ethertype ipv6",
    "ethertype arp",
    "dport 80",
    "icmp 135 -1",
)


@needs("z3")
@pytest.mark.parametrize("round_", range(ROUNDS))
def test_explain_is_asked_about_random_witnesses(round_: int) -> None:
    """Multicast, broadcast, NDP, ARP, ztdest and tags of both sides: `explain` says the same.

    That the two may differ is ZT291, which any of these questions would raise.
    """
    rng = random.Random(SEED * 4099 + round_)
    policy = drawn_policy(rng)
    for verdict in ("accept", "drop", "redirect"):
        to_tags = (f"{rng.choice([1, 2, 3])}={rng.choice([0, 1, 5])}",) * rng.randrange(2)
        query = SearchQuery(verdict, rng.choice(WHERE), rng.choice(["both", "out", "in"]))
        result = search(policy, replace(query, to_tags=to_tags), None)
        assert result is None or str(result.verdict).startswith(verdict)


@needs("z3")
def test_no_time_is_an_error() -> None:
    with pytest.raises(ZtfastError, match="not enough"):
        search(POLICY, SearchQuery("accept", SSH), time_limit=0.0)
