"""What a witness says of its circumstances: enough to judge it again."""

from __future__ import annotations

import pytest

import ztfast
from tests.needs import needs
from ztfast.frames.build import ethernet_bytes
from ztfast.frames.notation import parse_frame
from ztfast.proof.diff import compare
from ztfast.proof.search import SearchQuery, search
from ztfast.proof.witness import auth_address

pytestmark = needs("z3")

CAPS = "cap web id 7 accept dport 80; ;\ncap ssh id 8 accept dport 22; ;\nbreak;\n"


@pytest.mark.parametrize(
    ("rules", "query", "circumstances"),
    [
        ("drop not chr ipauth;\naccept;\n", SearchQuery("drop"),
         "sender was not given the address"),
        ("drop not chr ipauth;\naccept;\n", SearchQuery("accept"), ""),
        ("drop not chr macauth;\naccept;\n", SearchQuery("drop"), "sender has another MAC"),
        ("drop chr ipauth;\naccept;\n", SearchQuery("accept", "ethertype arp and framesize 28-28"),
         "sender was not given the address"),
        ("accept chr ipauth;\ndrop;\n", SearchQuery("drop", "ethertype rarp"), ""),
        (CAPS, SearchQuery("accept", "dport 80"), "sender holds web"),
        (CAPS, SearchQuery("accept", "dport 22"), "sender holds ssh"),
        (CAPS, SearchQuery("drop", "dport 80"), ""),
        ("accept vlan 5;\ndrop;\n", SearchQuery("accept"), "VLAN 5"),
        ("accept;\n", SearchQuery("accept", "vlan 6"), "VLAN 6"),
        ("accept macsrc 02:00:00:00:00:77;\ndrop;\n", SearchQuery("accept"),
         "MAC 02:00:00:00:00:77 > 02:00:00:00:00:02"),
        ("accept random 0.5;\ndrop;\n", SearchQuery("accept"),
         "`random` in line 1 true at the sender; `random` in line 1 true at the receiver"),
        ("accept random 0.5;\ndrop;\n", SearchQuery("drop", side="out"),
         "`random` in line 1 false at the sender"),
        ("accept not random 0.5;\ndrop;\n", SearchQuery("accept", side="in"),
         "`random` in line 1 true at the receiver"),
    ],
)
def test_what_a_search_says(rules: str, query: SearchQuery, circumstances: str) -> None:
    answer = search(ztfast.compile(rules), query)
    assert answer is not None
    assert answer.circumstances == circumstances


def test_a_difference_says_it_for_both_policies() -> None:
    old, new = "accept;\n", "drop not chr ipauth;\naccept;\n"
    for pair in ((old, new), (new, old)):
        found = compare(*(ztfast.compile(text) for text in pair))
        assert found.changes
        for change in found.changes:  # a frame that has no address cannot have a forged one
            addressed = auth_address(change.frame) is not None
            assert change.circumstances == "sender was not given the address" * addressed


def test_a_tag_with_a_default_is_never_said_to_be_missing() -> None:
    """Members who were given no other have the default: classes say its value."""
    text = "tag role id 1 enum 1 guest default guest;\n"
    rules = [f"{text}drop teq role {value};\naccept;\n" for value in (1, 2)]
    found = compare(*(ztfast.compile(rule) for rule in rules))
    words = [change.words for change in found.changes]
    assert any("where the sender's tag role is 1" in text for text in words), words
    assert not any("no tag" in text for text in words), words


def test_tags_are_as_from_tag_takes_them() -> None:
    rules = "tag role id 5 enum 1 guest;\naccept tseq role 1 and treq role 7;\ndrop;\n"
    answer = search(ztfast.compile(rules), SearchQuery("accept"))
    assert answer is not None
    assert answer.circumstances == "sender tags role=guest; receiver tags role=7"


def test_the_frame_of_a_witness_is_judged_again_with_its_vlan_and_addresses() -> None:
    frame = parse_frame("tcp 10.0.0.1 > 10.0.0.2:443 mac 02:00:00:00:00:01 > 02:00:00:00:00:02")
    digits = ethernet_bytes(frame.frame).hex()
    spec = parse_frame(f"hex:{digits} vlan 5 zt 1122334455 > 5544332211")
    assert spec.frame == frame.frame._replace(vlan=5)
    assert (spec.zt_source, spec.zt_dest) == (0x1122334455, 0x5544332211)
    with pytest.raises(ztfast.FrameError, match="vlan N, zt A > B"):
        parse_frame(f"hex:{digits} vlan 5 tos 3")
