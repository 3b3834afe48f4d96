"""Nothing that is said of an edit is said of frames that have it not."""

from __future__ import annotations

import random

import pytest

import ztfast
from tests import seeds
from tests.needs import needs
from tests.proof.changing import network_assignment, outcomes, random_policy
from tests.proof.drawing import random_entry, random_frame
from ztfast.engine.reference import evaluate
from ztfast.frames.frame import Frame
from ztfast.model.entries import read_entries
from ztfast.model.policy import Policy, Rule
from ztfast.model.view import View
from ztfast.proof.diff import PolicyPair
from ztfast.proof.edit_effects import Effect, _EditEffects, compare_edits
from ztfast.proof.edit_lines import EditWriter
from ztfast.proof.edits import Edit, Statement, edits_between
from ztfast.proof.formula import Assignment
from ztfast.proof.symbolic_policy import SymbolicPolicy
from ztfast.proof.verdict_classes import VerdictText, verdict_text

pytestmark = needs("z3")

SEED = seeds.seed(71)
ROUNDS = seeds.rounds(40)
FRAMES = seeds.frames(30)
CLASSES = {(True, False): "old", (False, True): "new", (True, True): "both"}


def body(old: str, new: str, number: int = 0) -> str:
    first, second = ztfast.compile(old), ztfast.compile(new)
    return EditWriter(first, second).lines(compare_edits(first, second, usual=False))[number].body


NONE = "as no rule accepts them"
TAGS = "tag role id 5 enum 1 guest enum 2 staff;\n"
HELD = "cap x id 1 default accept ipprotocol tcp and dport {}; ;\nbreak ipprotocol tcp;\naccept;\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "accept ethertype ipv4;",
            "accept ethertype arp;",
            f"IPv4 is now dropped {NONE}; ARP is now accepted",
        ),
        ("accept;", "accept ipprotocol tcp;", f"every frame other than TCP is now dropped {NONE}"),
        (
            "accept ipprotocol tcp and dport 80;",
            "accept ipprotocol tcp and dport 8080;",
            f"http is now dropped {NONE}; TCP to port 8080 is now accepted",
        ),
        (
            "accept ipprotocol tcp and dport 80-100;",
            "accept ipprotocol tcp and dport 80-90;",
            f"TCP to ports 80-100 other than TCP to ports 80-90 is now dropped {NONE}",
        ),
        (
            "accept ipprotocol tcp and dport 22;",
            "accept ipprotocol tcp and dport 22 and ipdest 10.1.1.1/32;",
            f"ssh other than ssh to 10.1.1.1 is now dropped {NONE}",
        ),
        (
            TAGS + "accept ipprotocol tcp and tseq role guest;",
            TAGS + "accept ipprotocol tcp and tseq role staff;",
            f"TCP from members whose role is guest is now dropped {NONE}; "
            "TCP from members whose role is staff is now accepted",
        ),
        (
            HELD.format(22),
            HELD.format(23),
            "ssh is now dropped by line 2; telnet is now accepted",
        ),
        (
            "tee 64 1122334455 ipprotocol tcp and dport 80;\naccept;",
            "tee 64 1122334455 ipprotocol tcp and dport 443;\naccept;",
            "http is no longer teed to 1122334455; https is teed to 1122334455",
        ),
        (
            "tee 64 1122334455 ethertype arp;\naccept;",
            "watch 64 1122334455 ethertype arp;\naccept;",
            "ARP is watched to 1122334455, no longer teed to 1122334455",
        ),
        (
            "tee 64 1122334455 ethertype arp;\naccept not vlan 5;",
            "watch 64 1122334455 ethertype arp;\naccept not vlan 5;",
            "some ARP is watched to 1122334455, no longer teed to 1122334455",
        ),
        (
            "drop ipprotocol tcp and dport 80;\naccept;",
            "accept ipprotocol tcp and dport 80;\naccept;",
            "http is now accepted",
        ),
        (
            "accept dport 80 and dport 80;\naccept dport 80-90;",
            "accept dport 80-81 and dport 80;\naccept dport 80-90;",
            "changes nothing",
        ),
        (
            "accept ethertype ipv4 and ipprotocol tcp;",
            "accept ethertype ipv6 and ipprotocol tcp;",
            f"TCP with `ethertype ipv4` is now dropped {NONE}; "
            "TCP with `ethertype ipv6` is now accepted",
        ),
        (
            "accept dport 80;",
            "accept ipprotocol tcp and dport 80;",
            f"frames to port 80 other than http are now dropped {NONE}",
        ),
        (
            "accept chr tcp_syn and chr tcp_fin;",
            "accept chr tcp_syn and chr tcp_fin and chr tcp_rst;",
            "every frame with `chr tcp_syn` and `chr tcp_fin` other than those with "
            f"`chr tcp_syn` and `chr tcp_fin` and `chr tcp_rst` is now dropped {NONE}",
        ),
        (
            "accept dport 80-90 and ethertype ipv4;",
            "drop dport 85-99 and ethertype ipv4;\n",
            "IPv4 to ports 80-90 is now dropped: as no rule accepts them, by line 1",
        ),
    ],
)
def test_what_is_said_of_a_changed_rule(old: str, new: str, expected: str) -> None:
    assert body(old, new) == expected


def test_an_added_rule_does_not_speak_for_all_its_frames() -> None:
    rest = TAGS + "drop tseq role guest;\naccept not vlan 5;\n"
    added = rest.replace("accept not vlan 5;\n", "accept ipprotocol tcp and dport 22;\n")
    assert body(rest.replace("accept not vlan 5;\n", ""), added) == "some ssh is now accepted"
    text = "accept;\n"
    added = "tee 64 1122334455 ethertype arp;\naccept;\n"
    assert body(text, added) == "ARP is teed to 1122334455"
    assert body("drop vlan 5;\n" + text, "drop vlan 5;\n" + added).startswith("some ARP is teed")


# --- random rules


def edited(rng: random.Random, policy: Policy) -> Policy:
    """The policy with an entry replaced, added or gone."""
    rules = list(policy.rules)
    at = rng.randrange(len(rules))
    how = rng.randrange(5)
    rules[at : at + (how > 0)] = [Rule(random_entry(rng))] if how < 4 else []
    return Policy(tuple(rules), policy.capabilities)


def names(
    statement: Statement | None, symbolic: SymbolicPolicy, assignment: Assignment, frame: Frame
) -> bool:
    """Do all matches of a rule hold on any pass, by the reference evaluator?"""
    if statement is None or not str(statement.action.json.get("type")).startswith("ACTION_"):
        return False  # matches that end a list do nothing
    matches = [rule.json for rule in statement.rules[:-1]]
    entries = read_entries([*matches, {"type": "ACTION_ACCEPT"}])
    return any(
        evaluate(
            View(symbolic.passes[name].direction, entries, (), (), "1.14"),
            frame,
            one._replace(held=()),
        ).accept
        for name, one in symbolic.contexts(assignment, frame).items()
    )


def class_of(edit: Edit, pair: PolicyPair, assignment: Assignment, frame: Frame) -> str | None:
    """The class of a frame as `edit_classes` calls it, None where no text of the rule names it."""
    old = names(edit.old, pair.old, assignment, frame)
    new = names(edit.new, pair.new, assignment, frame)
    found = CLASSES.get((old, new))
    return found if edit.kind == "changed" or found is None else ""


def is_plain(policy: Policy) -> bool:
    """Is what a rule's matches say independent of the rules before it?

    A draw of `random` is counted, and a receiver that a copy is meant for matches leniently.
    """
    kinds = {str(rule.json.get("type")) for rule in policy.rules}
    forwarding = {"ACTION_TEE", "ACTION_WATCH", "ACTION_REDIRECT"}
    return "MATCH_RANDOM" not in kinds and not kinds & forwarding


def contradicts(effect: Effect, before: VerdictText, after: VerdictText) -> bool:
    """A frame of the class: does it belie what is said of all of it?"""
    if effect.before == effect.after and not effect.copies:
        return effect.whole and before == after  # "copied or queued otherwise", however it ends
    return effect.whole and not after.action.startswith(effect.after)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_no_frame_belies_what_is_said(round_: int) -> None:
    """A witness is of the class that it is said of; no frame of a whole class belies it."""
    rng = random.Random(SEED * 7919 + round_)
    old = random_policy(rng)
    while not is_plain(old):
        old = random_policy(rng)
    new = edited(rng, old)
    if not is_plain(new):
        new = Policy((*old.rules, Rule({"type": "ACTION_ACCEPT"})), old.capabilities)
    pair = PolicyPair(old, new, ("1.14", "1.14"), "both", 20)
    found = _EditEffects(pair, usual=False).find(edits_between(old, new))
    told = [
        (one.edit, effect)
        for one in found.edits
        if one.edit is not None and one.edit.kind != "setting"
        for effect in one.effects
    ]
    for edit, effect in told:
        where = class_of(edit, pair, effect.assignment, effect.frame)
        assert where == effect.part, (SEED, round_, edit, effect)
        results = [
            verdict_text(outcomes(one, effect.assignment, effect.frame))
            for one in (pair.old, pair.new)
        ]
        assert results[0].action.startswith(effect.before), (SEED, round_)
        assert results[1].action.startswith(effect.after), (SEED, round_)
    for _ in range(FRAMES):
        frame = random_frame(rng)
        first, second = (
            network_assignment(rng, symbolic, frame, list(pair.formulas.widths))
            for symbolic in (pair.old, pair.new)
        )
        assignment = second | first
        before, after = (
            verdict_text(outcomes(one, assignment, frame)) for one in (pair.old, pair.new)
        )
        for edit, effect in told:
            if class_of(edit, pair, assignment, frame) == effect.part:
                assert not contradicts(effect, before, after), (SEED, round_, edit, effect)
