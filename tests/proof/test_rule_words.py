"""Rules in plain words: their frames, and whom they mean."""

from __future__ import annotations

import pytest

import ztfast
from ztfast.proof.rule_words import RuleWords

TAGS = "tag team id 1 enum 1 guests enum 2 staff;\n"


def words(rule: str) -> tuple[str, str]:
    policy = ztfast.compile(TAGS + rule)
    told = RuleWords(policy.tags, {0x1122334455: "sensor"})
    assert told.text(policy.rules).startswith(rule.partition(" ")[0].strip(";"))
    return told.frames_text(policy.rules), told.members_text(policy.rules)


@pytest.mark.parametrize(
    ("rule", "frames", "members"),
    [
        ("drop;", "every frame", ""),
        ("drop dport 23;", "frames to port 23", ""),
        ("drop ipprotocol tcp and dport 23;", "telnet", ""),
        ("drop ipprotocol udp and dport 53;", "dns", ""),
        ("drop ipprotocol udp and dport 23;", "UDP to port 23", ""),
        ("accept ipprotocol tcp and sport 443;", "answers of https", ""),
        ("accept dport 5000-5010;", "frames to ports 5000-5010", ""),
        ("accept ethertype arp;", "ARP", ""),
        ("accept icmp 8 -1;", "ping", ""),
        ("accept ethertype ipv4 and icmp 8 -1;", "ping with `ethertype ipv4`", ""),
        (
            "accept ethertype ipv6 and ipprotocol tcp and dport 22;",
            "ssh with `ethertype ipv6`",
            "",
        ),
        (
            "accept ethertype ipv4 and dport 22 and ipdest 10.0.0.1/32;",
            "IPv4 to port 22 to 10.0.0.1",
            "",
        ),
        ("accept ethertype ipv4 and dport 9999;", "IPv4 to port 9999", ""),
        ("accept icmp 3 4;", "ICMP type 3 code 4", ""),
        ("accept dport 22 and ipsrc 10.1.1.2/32;", "frames to port 22 from 10.1.1.2", ""),
        ("accept ipdest fd00::/64;", "every frame to fd00::/64", ""),
        ("break chr tcp_syn and not chr tcp_ack;", "new connections", ""),
        (
            "break ipprotocol tcp and chr tcp_syn and not chr tcp_ack;",
            "new TCP connections",
            "",
        ),
        ("drop chr tcp_fin;", "every frame with `chr tcp_fin`", ""),
        ("drop not ethertype ipv4;", "every frame with `not ethertype ipv4`", ""),
        ("accept tdiff team 0;", "every frame", "between members of one team"),
        ("accept not tdiff team 0;", "every frame", "between members of different team"),
        (
            "accept dport 22 and tseq team guests;",
            "frames to port 22",
            "from members whose team is guests",
        ),
        ("accept treq team 7;", "every frame", "to members whose team is 7"),
        ("accept teq team 2;", "every frame", "between members whose team is staff"),
        ("accept ztdest 1122334455;", "every frame", "to sensor"),
        ("accept not ztsrc 1122334455;", "every frame", "from anybody but sensor"),
        ("accept dport 1 or dport 2;", "frames of `dport 1 or dport 2`", ""),
    ],
)
def test_words(rule: str, frames: str, members: str) -> None:
    assert words(rule) == (frames, members)


def test_the_text_of_a_rule() -> None:
    policy = ztfast.compile("drop dport 1 or not dport 2 and chr inbound;\n")
    told = RuleWords(policy.tags)
    assert told.text(policy.rules) == "drop dport 1 or not dport 2 and chr inbound"
    assert told.text(policy.rules[:1]) == "dport 1"
