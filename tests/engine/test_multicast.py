"""Frames with several recipients: both passes of the sender, then each recipient's judgement."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ztfast
from tests.differential.rounds import compared
from tests.engine.recipients_cases import NETWORK, A, B, C, X, cases
from tests.engine.recipients_model import Model, Said
from tests.needs import BACKENDS
from ztfast.engine import multicast
from ztfast.engine.network_verdicts import Unasked, Verdicts
from ztfast.frames.batch import FrameBatch
from ztfast.lang import load_json
from ztfast.model.addresses import mac_of, rfc4193
from ztfast.network.members import Member, Network, make_network

DATA = Path(__file__).parents[1] / "data" / "vectors"
EVERYONE, BRIDGED = 0xFFFFFFFFFFFF, 0x00AABBCCDDEE
ROLE = 7


def network(*addresses: int, **settings: Any) -> Network:
    made = make_network([Member(address) for address in addresses], id=NETWORK)
    return Network(NETWORK, made.members, **settings)


def frame(source: int, dest: int = EVERYONE, ethertype: int = 0x88B5) -> bytes:
    mac = source if source >> 40 else mac_of(source, NETWORK)
    return (
        dest.to_bytes(6, "big") + mac.to_bytes(6, "big") + ethertype.to_bytes(2, "big") + bytes(40)
    )


def judged(rules: str, net: Network, backend: str, *frames: bytes, **options: Any) -> Verdicts:
    engine = ztfast.Engine(ztfast.compile(rules), network=net, backend=backend, **options)
    return engine.evaluate(FrameBatch.from_frames(list(frames)))


# --- one sentence at a time -------------------------------------------------------------------


@pytest.mark.parametrize(("sender", "receiving"), [(0, 4), (1, 3)])
def test_each_member_judges_but_not_the_sender(backend: str, sender: int, receiving: int) -> None:
    rules = "tag role id 7;\ndrop chr inbound and not treq role 1;\naccept;\n"
    members = [Member(0x1000000000 + n, tags={ROLE: n % 3}) for n in range(11)]
    net = make_network(members, id=NETWORK)
    found = judged(rules, net, backend, frame(0x1000000000 + sender))
    assert found.receivers.tolist() == [receiving]
    assert found.accepted.tolist() == [True]


def test_what_no_recipient_takes_is_dropped_by_the_lowest(backend: str) -> None:
    rules = f"drop chr inbound and ztdest {B:010x};\ndrop chr inbound;\naccept;\n"
    found = judged(rules, network(A, B, C), backend, frame(A))
    assert found.receivers.tolist() == [0]
    assert (found.accepted.tolist(), found.side.tolist()) == ([False], [1])
    assert found.line.tolist() == [1]


def test_the_lowest_recipient_that_gets_it_decides(backend: str) -> None:
    rules = f"drop chr inbound and ztdest {B:010x};\naccept ztdest {C:010x};\naccept;\n"
    found = judged(rules, network(A, B, C, X), backend, frame(A))
    assert (found.receivers.tolist(), found.line.tolist()) == ([2], [2])
    assert found.destination.tolist() == [C]


def test_the_sender_drops_for_one_recipient(backend: str) -> None:
    rules = f"drop ztdest {B:010x} and not chr inbound;\naccept;\n"
    alone = judged(rules, network(A, B), backend, frame(A))
    assert (alone.accepted.tolist(), alone.receivers.tolist()) == ([False], [0])
    assert (alone.side.tolist(), alone.line.tolist()) == ([0], [1])
    others = judged(rules, network(A, B, C, X), backend, frame(A))
    assert (others.accepted.tolist(), others.receivers.tolist()) == ([True], [2])


def test_a_redirect_of_the_second_pass_leaves_from_the_sender(backend: str) -> None:
    rules = f"redirect {X:010x} ztdest {B:010x};\naccept;\n"
    alone = judged(rules, network(A, B), backend, frame(A))
    assert (alone.action.tolist(), alone.receivers.tolist()) == ([ztfast.Action.REDIRECT], [0])
    assert alone.copies(0) == [("sender", "redirect", X, 4, 40)]
    assert alone.destination.tolist() == [X]
    others = judged(rules, network(A, B, C), backend, frame(A))
    assert (others.action.tolist(), others.receivers.tolist()) == ([ztfast.Action.ACCEPT], [1])
    assert others.copies(0) == [("sender", "redirect", X, 4, 40)]
    (column,) = others.copy_columns()
    assert (column.side, column.kind, column.target.tolist()) == ("sender", "redirect", [X])


def test_the_first_pass_alone_sends_copies(backend: str) -> None:
    rules = f"tee 8 {X:010x};\nwatch 9 {X:010x} chr inbound;\naccept;\n"
    found = judged(rules, network(A, B, C), backend, frame(A))
    assert found.copies(0) == [("sender", "tee", X, 0x02, 8), ("receiver", "watch", X, 0x1C, 9)]
    assert found.receivers.tolist() == [2]


def test_recipients_that_emulate_neighbours_judge_for_themselves(backend: str) -> None:
    """Three take every RFC 4193 source, two want no such address and refuse it."""
    members = [Member(0x1000000000 + n, auto_ips=n % 2 == 0) for n in range(6)]
    described = make_network(members, id=NETWORK, assigns_rfc4193=True)
    source = mac_of(0x1000000000 + 5, NETWORK).to_bytes(6, "big")
    ip = rfc4193(0x99, NETWORK)
    sent = bytes.fromhex("333300000001") + source + b"\x86\xdd" + bytes(8) + ip + bytes(16)
    rules = ztfast.compile("accept chr ipauth;\naccept not chr inbound;\n")
    engine = ztfast.Engine(rules, network=described, backend=backend)
    verdicts = engine.evaluate(ztfast.FrameBatch.from_frames([sent]))
    assert verdicts.receivers.tolist() == [3]


def test_what_the_first_pass_stops_is_not_judged_again(backend: str) -> None:
    rules = f"drop not chr inbound and not ztdest {B:010x};\naccept;\n"
    found = judged(rules, network(A, B), backend, frame(A))
    assert (found.accepted.tolist(), found.side.tolist(), found.line.tolist()) == (
        [False],
        [0],
        [1],
    )
    away = judged(f"redirect {X:010x};\naccept;\n", network(A, B), backend, frame(A))
    assert (away.action.tolist(), away.copies(0)) == ([2], [("sender", "redirect", X, 4, 40)])


def test_each_pass_draws_anew(backend: str) -> None:
    count = 4000
    found = judged("accept random 0.5;\n", network(A, B, C, X), backend, *[frame(A)] * count)
    # both passes of the sender and the recipient's own: an eighth of three times `count`
    assert abs(int(found.receivers.sum()) / (3 * count) - 0.125) < 0.01
    # recipients draw apart: behind the first pass, each gets the frame with 1/4
    several = found.receivers >= 2
    assert abs(float(several.mean()) - 10 / 64 / 2) < 0.01


@pytest.mark.parametrize("side", ["both", "out", "in"])
def test_a_multicast_from_the_only_member_reaches_nobody(backend: str, side: str) -> None:
    found = judged(f"tee 8 {X:010x};\naccept;\n", network(A), backend, frame(A), side=side)
    assert (found.accepted.tolist(), found.receivers.tolist()) == ([False], [0])
    assert (found.entry.tolist(), found.line.tolist()) == ([-1], [0])
    assert len(found.copies(0)) == (side != "in")
    stranger = judged("accept;\n", network(A), backend, frame(X), side=side)
    assert stranger.accepted.tolist() == [True]


def test_with_no_members_nobody_known_judges_once(backend: str) -> None:
    found = judged("accept;\n", Network(id=NETWORK), backend, frame(A))
    assert (found.accepted.tolist(), found.receivers.tolist()) == ([True], [1])


def test_a_foreign_mac_goes_to_active_bridges(backend: str) -> None:
    members = (Member(A), Member(B, bridge=True), Member(C), Member(X, bridge=True))
    net = Network(NETWORK, members)
    sent = frame(A, BRIDGED), frame(B, BRIDGED), frame(0x06AABBCCDDEE, BRIDGED)
    found = judged("accept;\n", net, backend, *sent)
    assert found.receivers.tolist() == [2, 1, 1]  # nobody knows who gets the last one: assumed
    nobody = judged("accept;\n", network(A, B), backend, *sent)
    assert nobody.receivers.tolist() == [0, 0, 1]
    assert nobody.accepted.tolist() == [False, False, True]
    again = judged(f"drop ztdest {B:010x};\naccept;\n", net, backend, *sent)
    assert again.receivers.tolist() == [1, 1, 1]


@pytest.mark.parametrize("side", ["both", "out", "in"])
def test_a_foreign_mac_is_an_active_bridges(backend: str, side: str) -> None:
    """One that is no active bridge neither sends nor takes them."""
    foreign = 0x06AABBCCDDEE
    sent = frame(foreign, mac_of(B, NETWORK)), frame(foreign), frame(foreign, BRIDGED)
    rules = f"drop not ztsrc {A:010x};\naccept;\n"
    none = judged("accept;\n", network(A, B), backend, *sent, side=side)
    assert none.accepted.tolist() == [False, False, True]  # the last was captured beyond a bridge
    assert none.entry.tolist()[:2] == [-1, -1]
    assert none.unasked is not None
    assert none.unasked.tolist() == [Unasked.FOREIGN, Unasked.FOREIGN, Unasked.NOT_SO]
    assert none.assumed.tolist()[:2] == [False, False]
    one = Network(NETWORK, (Member(A, bridge=True), Member(B)))
    found = judged(rules, one, backend, *sent, side=side)
    assert found.accepted.tolist() == [True, True, False]
    assert found.assumed.tolist() == [False, False, True]
    two = Network(NETWORK, (Member(A, bridge=True), Member(B), Member(C, bridge=True)))
    found = judged(rules, two, backend, *sent, side=side)
    assert found.accepted.tolist() == [False, False, False]
    assert found.assumed.tolist() == [True, True, True]


def test_what_the_network_does_not_let_out(backend: str) -> None:
    sent = frame(A), frame(A, ethertype=0x0806), frame(A, 0x333300000001), frame(A, BRIDGED)
    rules = f"tee 8 {X:010x};\naccept;\n"
    quiet = judged(rules, network(A, B, broadcasts=False), backend, *sent)
    assert quiet.receivers.tolist() == [0, 1, 1, 0]
    assert (quiet.side.tolist(), quiet.entry.tolist()[0], quiet.copies(0)) == ([0, 1, 1, 1], -1, [])
    silent = judged(rules, network(A, B, multicast_limit=0), backend, *sent)
    assert silent.receivers.tolist() == [0, 0, 0, 0]
    assert [len(silent.copies(n)) for n in range(4)] == [0, 0, 0, 1]
    inbound = judged(rules, network(A, B, broadcasts=False), backend, *sent[:3], side="in")
    assert inbound.receivers.tolist() == [1, 1, 1]


# --- recorded passes --------------------------------------------------------------------------

PASSES = {  # what the official engine says of each
    "mc-first-pass": ("ACCEPT", 1, []),
    "mc-second-pass-to-2222222222": ("DROP", 0, []),
    "mc-redirect-second-pass": ("REDIRECT", 0, [{"to": f"{X:010x}", "flags": 4, "length": 1}]),
}


def test_recorded_passes(backend: str) -> None:
    """Each is one judgement; an Engine puts those of one multicast together."""
    lines = (DATA / "eval-multicast-second-pass.jsonl").read_text().splitlines()
    cases = {case["id"]: case for case in map(json.loads, lines)}
    assert list(cases) == list(PASSES)
    for name, case in cases.items():
        found = ztfast.evaluate_case(case, backend=backend)
        assert (found["result"], found["accept"], found["copies"]) == PASSES[name]
        policy = load_json(json.dumps({"rules": case["rules"]}), name)
        verdicts = ztfast.Engine(policy, network=network(A, B, C), backend=backend).evaluate(
            FrameBatch.from_frames([frame(A)])
        )
        assert verdicts.receivers.tolist() == [1], name
        redirected = [("sender", "redirect", X, 4, 40)] if "redirect" in name else []
        assert verdicts.copies(0) == redirected, name


# --- against the model ------------------------------------------------------------------------


def said(verdicts: Verdicts, index: int) -> Said:
    """One frame's columns as the model has them."""
    names = ("action", "receivers", "side", "entry", "capability", "destination")
    numbers = [int(getattr(verdicts, name)[index]) for name in names]
    copies = [(copy.target, copy.flags, copy.length) for copy in verdicts.copies(index)]
    super_accepted, reads = bool(verdicts.super_accepted[index]), int(verdicts.reads[index])
    return Said(*numbers, super_accepted, reads, copies)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(200))
def test_the_plain_model_says_the_same(seed: int) -> None:
    ((policy, net, batch, options),) = cases([seed])
    found = [
        ztfast.Engine(policy, network=net, backend=backend, **options).evaluate(batch, first=7)
        for backend in BACKENDS
    ]
    for other in found[1:]:
        assert compared(found[0], other, "backends") is None, f"seed {seed}"
    if not net.members:
        return
    model = Model(net, policy, **options)
    for index in range(len(batch)):
        one = batch.frame(index)
        if model.is_for_several(one):
            assert said(found[0], index) == model.say(one, 7 + index), f"seed {seed}, frame {index}"


def test_the_model_and_the_cases_meet() -> None:
    """The random cases end in every way, or they would prove little."""
    ends: Counter[str] = Counter()
    for policy, net, batch, options in cases(range(200)):
        if not net.members:
            continue
        model = Model(net, policy, **options)
        for index in range(len(batch)):
            one = batch.frame(index)
            if not model.is_for_several(one):
                continue
            found = model.say(one, 7 + index)
            ends[f"action {found.action} by side {found.side}"] += 1
            ends["some but not all"] += 0 < found.receivers < len(model.recipients(one))
            ends["redirected beside"] += found.action == 1 and any(
                copy[1] == 0x04 for copy in found.copies
            )
            ends["read"] += bool(found.reads)
            ends["super"] += found.super_accepted
    assert min(ends.values()) >= 5, ends
    assert len(ends) == 10, ends


@pytest.mark.parametrize("rows", [1, 7])
def test_slices_change_nothing(backend: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for policy, net, batch, options in cases(range(30)):
        engine = ztfast.Engine(policy, network=net, backend=backend, **options)
        whole = engine.evaluate(batch, first=7)
        with monkeypatch.context() as patched:
            patched.setattr(multicast, "MAX_ROWS", rows)
            assert compared(whole, engine.evaluate(batch, first=7), "slices") is None
        for index in range(len(batch)):
            alone = engine.evaluate(batch[index : index + 1], first=7 + index)
            assert said(alone, 0) == said(whole, index)


def test_a_class_is_judged_once() -> None:
    """What members with tags of their own cost: rows, not time."""
    rules = "tag role id 7;\ndrop not tdiff role 10;\naccept;\n"
    members = [Member(0x1000000000 + n, tags={ROLE: 3 * n}) for n in range(3000)]
    net = make_network(members, id=NETWORK)
    engine = ztfast.Engine(ztfast.compile(rules), network=net)
    batch = FrameBatch.from_frames([frame(0x1000000000 + n) for n in range(20)])
    found = engine.evaluate(batch)
    assert found.receivers.tolist() == [3 + min(n, 3) for n in range(20)]
    assert engine._multicast is not None
    classes = engine._multicast.recipients.classes(np.arange(1, 21, dtype=np.int32))
    assert classes.counts.tolist() == [2] * 20
    assert np.all(found.accepted)
