"""What `check` proves: each kind of finding by a case, and random frames against every claim."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

import ztfast
from tests import seeds
from tests.needs import needs
from tests.proof.drawing import add_integers, draw_assignment, random_entry, random_frame
from ztfast.engine.context import Outcome
from ztfast.engine.reference import evaluate
from ztfast.frames.frame import Frame
from ztfast.lang import load_json
from ztfast.model.policy import Capability, Policy, Rule
from ztfast.model.view import make_view
from ztfast.proof import findings
from ztfast.proof.formula import Formulas
from ztfast.proof.witness import SideNames, context_of

pytestmark = needs("z3")

SEED = seeds.seed(5)
ROUNDS = seeds.rounds(60)
FRAMES = seeds.frames(40)

CASES = {
    "shadowed": (
        "accept dport 22;\naccept dport 22 and ipdest 10.1.0.0/16;\naccept;\n",
        {"ZT201:2:`accept` in line 1 decides all its frames"},
    ),
    "together": (
        "accept ethertype ipv4;\naccept not ethertype ipv4;\ndrop;\n",
        {
            "ZT201:3:`accept` in line 1 and `accept` in line 2 decides every frame",
            "ZT202:2:always true",
        },
    ),
    "first of many": (
        "Accept\nDrop\naccept;\n",
        {"ZT201:2:nor 1 more behind it (1 of them accept)"},
    ),
    "contradiction": (
        "drop ethertype ipv4 and ipprotocol tcp and not ethertype ipv4;\naccept;\n",
        {"ZT203:1:always false"},
    ),
    "contradiction of ranges": (
        "drop dport 1-9 or dport 5 and dport 20-30;\naccept;\n",
        {"ZT203:1:always false"},
    ),
    "always true": (
        "drop not ethertype ipv4;\naccept ethertype ipv4 and ipprotocol udp;\naccept;\n",
        {"ZT202:2:always true"},
    ),
    "one port only": (
        "drop ipprotocol tcp and dport 443 and not chr broadcast and dport 9987;\naccept;\n",
        {"ZT203:1:a frame has one destination port, and `dport` before it asks for another"},
    ),
    "idle in a capability, whatever the base rules leave to it": (
        "cap c id 1 accept ipprotocol tcp and dport 22 and dport 20-30; ;\n"
        "break chr tcp_syn and not chr tcp_ack;\naccept;\n",
        {"ZT202:1:always true"},
    ),
    "never sends": (
        "tee -1 1122334455 ipprotocol udp;\ndrop ipprotocol udp;\naccept;\n",
        {"ZT204:1:never accepted afterwards"},
    ),
    "replaced": (
        "tee -1 1122334455 ipprotocol udp;\nwatch 64 1122334455 ipprotocol udp;\naccept;\n",
        {"ZT204:1:a later one always replaces it"},
    ),
    "nothing": (
        "cap c id 1 drop ipprotocol udp ; ;\nbreak dport 1;\naccept;\n",
        {"ZT205:1:it accepts nothing"},
    ),
    "not asked": ("cap c id 1 accept dport 1; ;\naccept;\n", {"ZT205:1:before it is asked"}),
    "everything": ("cap c id 1 accept;\nbreak dport 1;\naccept;\n", {"ZT206:1:grants everything"}),
    "nothing accepted": ("Drop\naccept;\n", {"ZT201:2:", "ZT207:0:"}),
    "replies": (
        "accept ipprotocol tcp and dport 22;\ndrop;\n",
        {"ZT208:1:dropped by `drop` in line 2"},
    ),
    "replies to a capability": (
        "cap ssh id 1 accept dport 22; ;\nbreak ipprotocol tcp;\naccept;\n",
        {"ZT208:1:dropped since no rule accepts it"},
    ),
    "replies to a capability beside base rules that end": (
        "cap ssh id 1 accept ipprotocol tcp and dport 22; ;\naccept ethertype arp;\n",
        {"ZT208:1:dropped since no rule accepts it"},
    ),
    "replies to a capability alone": (
        "cap ssh id 1\n accept dport 22;\n;\n",
        {"ZT208:2:dropped since no rule accepts it"},
    ),
    "replies to a capability that drops": (
        "cap ssh id 1\n accept dport 22;\n drop;\n;\n",
        {"ZT208:2:dropped since no rule accepts it"},
    ),
    "replies to a capability, dropped by base rules": (
        "cap ssh id 1 accept dport 22; ;\n"
        "drop ipprotocol tcp and not dport 1-1023;\nbreak ipprotocol tcp;\naccept;\n",
        {"ZT208:1:dropped by `drop` in line 2"},
    ),
    "answers of UDP": (
        "accept ipprotocol udp and dport 53;\ndrop;\n",
        {"ZT212:1:its answer `udp 10.0.0.2:53 > 10.0.0.1:40000, 60 bytes` is dropped by `drop`"},
    ),
    "answers of UDP from a port above 1023": (
        "accept ipprotocol udp and ipdest 10.1.0.5/32 and dport 1194;\ndrop;\n",
        {"ZT212:1:its answer `udp 10.1.0.5:1194 > 10.0.0.1:40000, 60 bytes` is dropped by `drop`"},
    ),
    "one finding where TCP and UDP are lost": (
        "accept dport 53;\ndrop;\n",
        {"ZT208:1:dropped by `drop` in line 2"},
    ),
    "one include of many": (
        "macro web($to) accept ipdest $to and dport 80; ;\n"
        "include web(10.0.0.0/8)\ninclude web(10.1.0.0/16)\ninclude web(11.0.0.0/8)\naccept;\n",
        {
            "ZT201:3:line 1 as included here: this action is never taken: `accept` in line 1"
            " (included in line 2) decides all its frames"
        },
    ),
    "replies of a tag": (
        "tag role id 1;\ndrop not tseq role 1 and ipprotocol tcp;\naccept;\n",
        {"ZT208:3:dropped by `drop` in line 2"},
    ),
}
SILENT = {
    "default rules": "drop not ethertype ipv4 and not ethertype arp"
    " and not ethertype ipv6;\naccept;\n",
    "state by flags": "accept ipprotocol tcp and dport 22;\n"
    "accept ipprotocol tcp and chr tcp_ack;\ndrop;\n",
    "both ports": "accept ipprotocol tcp and dport 22;\n"
    "accept ipprotocol tcp and sport 22;\ndrop;\n",
    "a protocol in a capability": "cap ssh id 1 accept ipprotocol tcp and dport 22; ;\n"
    "break chr tcp_syn and not chr tcp_ack;\naccept;\n",
    "inbound": "drop chr inbound and ethertype arp;\naccept;\n",
    "unknown tags": "tag t id 1;\naccept tseq t 1;\naccept treq t 1;\naccept;\n",
    "short headers": "accept framesize 20 and dport 80;\naccept;\n",
    "programs that talk from a port to the same": "accept ipprotocol udp and dport 5000-5010;\n"
    "accept ipprotocol udp and ipdest 10.0.0.0/8 and dport 6000;\ndrop;\n",
    "UDP from a high port and back": "accept ipprotocol udp and ipdest 10.1.0.5/32\n"
    " and dport 1194;\n"
    "accept ipprotocol udp and ipsrc 10.1.0.5/32 and sport 1194;\ndrop;\n",
    "NetFlow, which nobody answers": "accept ipprotocol udp and ipdest 10.1.0.5/32\n"
    " and dport 2055;\ndrop;\n",
    "UDP that nobody answers": "accept ipprotocol udp and dport 514;\n"
    "accept ipprotocol udp and dport 5000-5010;\ndrop;\n",
    "copies": "tee 64 1122334455 ipprotocol udp;\naccept;\n",
}


def said(policy: Policy, **options: Any) -> list[str]:
    """All findings but those of address resolution, which test_resolution_findings.py has."""
    return [
        f"{found.code}:{found.span.line if found.span else 0}:{found.message}"
        for found in findings(policy, **options)
        if found.code not in ("ZT210", "ZT211")
    ]


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str) -> None:
    text, expected = CASES[name]
    found = said(ztfast.compile(text))
    for wanted in expected:
        code, line, words = wanted.split(":", 2)
        assert any(item.startswith(f"{code}:{line}:") and words in item for item in found), (
            wanted,
            found,
        )
    codes = {item[:5] for item in found} - {"ZT208"}
    assert codes <= {wanted[:5] for wanted in expected}, found


@pytest.mark.parametrize("name", SILENT)
def test_no_finding(name: str) -> None:
    assert said(ztfast.compile(SILENT[name])) == []


def test_many_that_say_the_same_are_one() -> None:
    """The base rules leave a capability nothing: it is said once, with the lines."""
    ports = "".join(f"  accept ipprotocol tcp and dport {port};\n" for port in range(20, 26))
    rules = f"cap many id 1\n{ports}  accept ipprotocol udp;\n;\naccept ipprotocol tcp;\n"
    found = said(ztfast.compile(rules + "accept ethertype arp;\n"))
    assert [one for one in found if "ZT203" in one] == [
        "ZT203:2:this match is always false where it stands, and so are 5 more of the capability"
        " many (lines 3, 4, 5, 6 and more)"
    ]


def test_what_the_base_rules_decide_is_said_of_a_capability() -> None:
    text = "cap web id 1\n accept dport 80;\n accept dport 443;\n accept dport 7 and dport 8;\n;\n"
    rules = text + "accept ethertype arp;\naccept dport 443;\n"
    helps = {
        found.span.line: found.help
        for found in findings(ztfast.compile(rules))
        if found.code == "ZT203" and found.span
    }
    assert helps[3] is not None
    assert helps[3].startswith("the base rules decide all such frames")
    assert helps[4] == "for alternatives write `or`"
    assert set(helps) == {3, 4}


def test_json_policies_have_places_in_words() -> None:
    rules = '[{"type": "ACTION_ACCEPT"}, {"type": "ACTION_DROP"}]'
    found = findings(load_json(rules))
    assert [item.code for item in found] == ["ZT201"]
    assert found[0].message.startswith("entry 1 of the base rules: this action is never reached")
    assert "entry 0 (ACTION_ACCEPT)" in found[0].message


def test_time_limit_is_said() -> None:
    found = findings(ztfast.compile(long_rules(20, 1)), time_limit=0.0)
    assert found[-1].code == "ZT209"
    assert found[-1].severity == "note"
    assert "0 seconds" in found[-1].message


def long_rules(sets: int, seed: int) -> str:
    rng = random.Random(seed)
    lines = [
        f"{rng.choice(['accept', 'drop'])} ipprotocol {rng.choice(['tcp', 'udp'])}"
        f" and ipdest 10.{rng.randrange(4)}.{rng.randrange(256)}.0/24"
        f" and dport {rng.randrange(65536)};"
        for _ in range(sets)
    ]
    return "\n".join([*lines, "drop;\n"])


@pytest.mark.slow
def test_a_full_policy_is_analysed() -> None:
    """1,021 entries; no time is asserted, but every question must be decided."""
    found = said(ztfast.compile(long_rules(255, 1)), time_limit=None)
    assert not [item for item in found if item.startswith("ZT209")]
    doubled = long_rules(127, 2).replace("drop;\n", "") + long_rules(127, 2)
    dead = [item for item in said(ztfast.compile(doubled), time_limit=None) if "ZT201" in item]
    assert len(dead) >= 127


def _port_by_bytes(at: int, *, alternative: bool = False) -> dict[str, Any]:
    """INTEGER_RANGE: the 16 bits at byte `at` of the payload are 445."""
    words = {"idx": at - 6, "bits": 16, "start": 445, "end": 445, "or": alternative}
    return {"type": "INTEGER_RANGE", **words}


@pytest.mark.parametrize(("both_ports", "lost"), [(False, True), (True, False)])
def test_the_answer_has_bytes_of_its_own(both_ports: bool, lost: bool) -> None:
    """Its destination port stands where the SYN had its own: INTEGER_RANGE sees that one."""
    tcp = [
        {"type": "MATCH_ETHERTYPE", "etherType": 0x0800},
        {"type": "MATCH_IP_PROTOCOL", "ipProtocol": 6},
    ]
    ports_there = [_port_by_bytes(22), *([_port_by_bytes(20, alternative=True)] * both_ports)]
    rules = [*ports_there, *tcp, {"type": "ACTION_ACCEPT"}]
    found = findings(Policy(tuple(Rule(rule) for rule in rules)))
    traps = [item.message for item in found if item.code == "ZT208"]
    assert bool(traps) == lost, found
    assert not lost or ":445 syn, 60 bytes` is accepted here" in traps[0]


# --- random frames against every claim


def random_policy(rng: random.Random) -> Policy:
    lists = [
        [random_entry(rng) for _ in range(rng.choice([2, 5, 12, 25]))]
        for _ in range(rng.choice([1, 1, 2, 3]))
    ]
    return Policy(
        tuple(Rule(rule) for rule in lists[0]),
        tuple(
            Capability(number, False, tuple(Rule(rule) for rule in rules))
            for number, rules in enumerate(lists[1:], 1)
        ),
    )


def observed(policy: Policy, rng: random.Random) -> list[tuple[str, Outcome, Frame]]:
    seen = []
    for _ in range(FRAMES):
        frame = random_frame(rng)
        for direction in ("out", "in"):
            view = make_view(policy, direction)
            assignment = draw_assignment(rng, view, frame)
            for number in view.capability_ids:
                assignment[f"from.holds.{number}"] = 1
            add_integers(assignment, frame, list(Formulas().widths))
            context = context_of(assignment, view, frame, SideNames(direction))
            seen.append((direction, evaluate(view, frame, context, want_log=True), frame))
    return seen


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_no_frame_contradicts_a_claim(round_: int) -> None:
    rng = random.Random(SEED * 7919 + round_)
    policy = random_policy(rng)
    claims = findings(policy, time_limit=20)
    base = {
        (claim.code, int(found[1]))
        for claim in claims
        if (found := re.match(r"entry (\d+) of the base rules", claim.message))
    }
    grants_nothing = {
        int(found[1])
        for claim in claims
        if claim.code == "ZT205" and (found := re.match(r"the capability (\d+)", claim.message))
    }
    seen = observed(policy, rng)
    assert len(seen) == 2 * FRAMES
    nothing = [claim.message for claim in claims if claim.code == "ZT207"]
    for direction, outcome, _ in seen:
        where = (SEED, round_, direction)
        if outcome.capability is None:
            assert ("ZT201", outcome.entry) not in base, where
        else:
            assert outcome.capability + 1 not in grants_nothing, where
        if outcome.copy is not None:
            assert ("ZT204", outcome.copy.entry) not in base, where
        side = {"out": "the sender's", "in": "the receiver's"}[direction]
        if nothing and side in nothing[0]:
            assert not outcome.accepted, where
        assert outcome.log is not None
        for index, item in enumerate(outcome.log):
            if isinstance(item, list):
                inverted = bool(policy.rules[index].json.get("not"))
                matched = bool(item[0]) != inverted
                assert not (matched and ("ZT203", index) in base), (where, index)
                assert not (not matched and ("ZT202", index) in base), (where, index)


@pytest.mark.parametrize("round_", range(seeds.rounds(20)))
def test_policies_of_capabilities_alone(round_: int) -> None:
    """Base rules that hold nothing have no entry that a finding could name."""
    rng = random.Random(SEED * 104_729 + round_)
    policy = random_policy(rng)
    capabilities = (*policy.capabilities, Capability(9, False, policy.rules))
    for found in findings(Policy((), capabilities), time_limit=20):
        assert "of the base rules" not in found.message, (SEED, round_)


def test_random_policies_give_claims_to_contradict() -> None:
    """Else the test above would say nothing."""
    claims = [
        claim.code
        for round_ in range(12)
        for claim in findings(random_policy(random.Random(SEED * 7919 + round_)), time_limit=20)
    ]
    assert len(claims) > 12, claims
    assert {"ZT201", "ZT202"} <= set(claims)


def test_the_office_example_has_no_dead_rules_and_no_lost_replies() -> None:
    """Tags with defaults and a sensor that takes every frame: neither is a trap."""
    text = (
        "tag department id 1 enum 0 none enum 2 guests default none;\n"
        "tee 96 8e30f50a25 chr tcp_syn and not chr tcp_ack;\n"
        "accept ipprotocol tcp and ipdest 10.0.0.2/32 and dport 445;\n"
        "accept ipprotocol tcp and ipsrc 10.0.0.2/32 and sport 445;\n"
        "drop tseq department guests or treq department guests;\n"
        "accept tdiff department 0;\n"
        "drop;\n"
    )
    assert said(ztfast.compile(text)) == []
