"""docs/spec/evaluation.md sections 5, 6 and 7: copies, super-accept, tags, the verdict."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import (
    ACCEPT,
    BREAK,
    DEST,
    DROP,
    FALSE,
    NODE,
    OTHER,
    TRUE,
    answer,
    result,
    run,
)

ZERO = "0" * 10
FOURTH = "4444444444"
IN = {"direction": "in", "node": DEST, "zt_source": OTHER, "zt_dest": DEST}


def act(kind: str, address: str, length: int = 0) -> dict[str, Any]:
    return {"type": f"ACTION_{kind}", "address": address, "length": length}


def cap(*rules: dict[str, Any], id: int = 0) -> dict[str, Any]:
    return {"id": id, "rules": list(rules)}


FORWARDING = ["TEE", "WATCH", "REDIRECT"]


@pytest.mark.parametrize("kind", FORWARDING)
def test_to_the_source_nothing(kind: str) -> None:
    out = run([act(kind, NODE), ACCEPT])
    assert (out["result"], out["copies"], out["destination"]) == ("ACCEPT", [], DEST)
    out = run([act(kind, OTHER), ACCEPT], **IN)
    assert (out["result"], out["copies"], out["destination"]) == ("ACCEPT", [], DEST)
    # the source comes before this node
    assert run([act(kind, DEST)], **{**IN, "zt_source": DEST})["result"] == "NO_MATCH"


@pytest.mark.parametrize("kind", FORWARDING)
def test_to_this_node(kind: str) -> None:
    assert run([act(kind, FOURTH), BREAK], node=FOURTH)["copies"] == []
    out = run([act(kind, DEST), DROP], **IN)
    assert (out["result"], out["accept"], out["copies"]) == ("SUPER_ACCEPT", 2, [])


@pytest.mark.parametrize("kind", FORWARDING)
def test_to_the_destination_nothing(kind: str) -> None:
    out = run([act(kind, DEST), ACCEPT])
    assert (out["result"], out["copies"], out["destination"]) == ("ACCEPT", [], DEST)


@pytest.mark.parametrize(("changes", "flags"), [({}, 0x04), (IN, 0x0A)])
def test_redirect_ends_and_is_not_delivered_here(changes: dict[str, Any], flags: int) -> None:
    out = run([act("REDIRECT", FOURTH), DROP], **changes)
    assert (out["result"], out["accept"], out["destination"]) == ("REDIRECT", 0, FOURTH)
    assert out["copies"] == [{"to": FOURTH, "flags": flags, "length": 28}]


def test_redirect_to_address_0_is_accepted_as_usual() -> None:
    out = run([act("REDIRECT", ZERO)])
    assert (out["result"], out["accept"], out["copies"]) == ("REDIRECT", 1, [])
    assert out["destination"] == ZERO


@pytest.mark.parametrize(
    ("kind", "changes", "flags"),
    [("TEE", {}, 0x02), ("WATCH", {}, 0x16), ("TEE", IN, 0x08), ("WATCH", IN, 0x1C)],
)
def test_copies_have_flags(kind: str, changes: dict[str, Any], flags: int) -> None:
    out = run([act(kind, FOURTH), ACCEPT], **changes)
    assert out["copies"] == [{"to": FOURTH, "flags": flags, "length": 28}]


@pytest.mark.parametrize(
    ("length", "sent"), [(0, 28), (1, 1), (27, 27), (28, 28), (29, 28), (-1, 28), (65536, 28)]
)
def test_lengths_of_copies(length: int, sent: int) -> None:
    assert run([act("TEE", FOURTH, length), ACCEPT])["copies"][0]["length"] == sent


def test_minus_1_is_65535() -> None:
    frame = "00" * 70_000
    assert run([act("TEE", FOURTH, -1), ACCEPT], frame=frame)["copies"][0]["length"] == 65535
    assert run([act("TEE", FOURTH, 0), ACCEPT], frame=frame)["copies"][0]["length"] == 70_000


def test_a_later_copy_replaces_and_address_0_clears() -> None:
    first, second = act("TEE", FOURTH), act("WATCH", "5555555555", 9)
    out = run([first, second, ACCEPT])
    assert out["copies"] == [{"to": "5555555555", "flags": 0x16, "length": 9}]
    assert run([first, act("TEE", ZERO), ACCEPT])["copies"] == []
    # where the destination is 0 too, that is nothing again
    assert len(run([first, act("TEE", ZERO), ACCEPT], zt_dest=ZERO)["copies"]) == 1


def test_copies_are_sent_only_if_accepted() -> None:
    assert run([act("TEE", FOURTH), DROP])["copies"] == []
    assert run([act("TEE", FOURTH)])["copies"] == []
    assert run([FALSE, act("TEE", FOURTH), ACCEPT])["copies"] == []


@pytest.mark.parametrize("kind", FORWARDING)
def test_not_matched_and_for_this_node_arms_super_accept(kind: str) -> None:
    rules = [FALSE, act(kind, DEST), ACCEPT]
    assert (run(rules, **IN)["result"], run(rules, **IN)["accept"]) == ("SUPER_ACCEPT", 2)
    assert result([FALSE, act(kind, FOURTH), ACCEPT], **IN) == "ACCEPT"
    assert result([FALSE, act(kind, NODE), ACCEPT]) == "ACCEPT"  # not when out
    # armed even where the target is the source
    assert result(rules, **{**IN, "zt_source": DEST}) == "SUPER_ACCEPT"
    priority = {"type": "ACTION_PRIORITY", "qosBucket": 1}
    assert result([FALSE, act(kind, DEST), priority], **IN) == "ACCEPT"
    assert result([FALSE, act(kind, DEST), DROP], **IN) == "DROP"


# --- tags ----------------------------------------------------------------------------------

ARM = [FALSE, act("TEE", DEST)]


def tag(kind: str, value: int = 0, id: int = 1) -> dict[str, Any]:
    return {"type": f"MATCH_TAG{kind}", "id": id, "value": value}


PAIRS = ["S_DIFFERENCE", "S_BITWISE_AND", "S_BITWISE_OR", "S_BITWISE_XOR", "S_EQUAL"]


@pytest.mark.parametrize(
    ("kind", "local", "remote", "value", "expected"),
    [
        ("S_DIFFERENCE", 5, 9, 4, "yes"),
        ("S_DIFFERENCE", 9, 5, 4, "yes"),
        ("S_DIFFERENCE", 9, 5, 3, "no"),
        ("S_DIFFERENCE", 0, 0xFFFFFFFF, 0xFFFFFFFE, "no"),
        ("S_DIFFERENCE", 0, 0xFFFFFFFF, 0xFFFFFFFF, "yes"),
        ("S_BITWISE_AND", 6, 3, 2, "yes"),
        ("S_BITWISE_AND", 6, 3, 6, "no"),
        ("S_BITWISE_OR", 6, 3, 7, "yes"),
        ("S_BITWISE_OR", 6, 3, 2, "no"),
        ("S_BITWISE_XOR", 6, 3, 5, "yes"),
        ("S_BITWISE_XOR", 6, 3, 7, "no"),
        ("S_EQUAL", 6, 6, 6, "yes"),
        ("S_EQUAL", 6, 6, 7, "no"),
        ("S_EQUAL", 6, 7, 6, "no"),
        ("S_EQUAL", 7, 6, 6, "no"),
    ],
)
@pytest.mark.parametrize("changes", [{}, IN], ids=["out", "in"])
def test_pairs(
    kind: str, local: int, remote: int, value: int, expected: str, changes: dict[str, Any]
) -> None:
    tags = {"local_tags": {"1": local}, "remote_tags": {"1": remote}}
    assert answer(tag(kind, value), **tags, **changes) == expected


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("remote", [None, {}, {"2": 0}])
def test_pairs_with_a_tag_missing(kind: str, remote: dict[str, int] | None) -> None:
    there, match = {"local_tags": {"1": 0}, "remote_tags": remote}, tag(kind)
    assert answer(match, local_tags={}, remote_tags={"1": 0}) == "hardNo"
    assert answer(match, local_tags={}, remote_tags=remote) == "hardNo"
    assert answer(match, **there) == "hardYes"
    assert answer(match, **there, **IN) == "hardNo"
    assert result([*ARM, match, ACCEPT], **there, **IN) == "SUPER_ACCEPT"  # counts as out
    assert result([*ARM, {**match, "not": True}, ACCEPT], **there, **IN) == "SUPER_ACCEPT"
    assert result([*ARM, match, ACCEPT], local_tags={}, remote_tags=remote, **IN) == "NO_MATCH"
    assert answer(match, **there, engine="1.12") == "yes"
    assert answer(match, **there, engine="1.12", **IN) == "no"


def test_the_senders_tag() -> None:
    match = tag("_SENDER", 5)
    assert answer(match, local_tags={"1": 5}, remote_tags={"1": 4}) == "yes"
    assert answer(match, local_tags={"1": 4}, remote_tags={"1": 5}) == "no"
    assert answer(match, local_tags={}, remote_tags={"1": 5}) == "hardNo"
    assert answer(match, local_tags={"1": 4}, remote_tags={"1": 5}, **IN) == "yes"
    assert answer(match, local_tags={"1": 5}, remote_tags={}, **IN) == "hardNo"
    assert answer(match, local_tags={"1": 5}, remote_tags=None, **IN) == "hardNo"


def test_the_receivers_tag() -> None:
    match = tag("_RECEIVER", 5)
    assert answer(match, local_tags={"1": 5}, remote_tags={"1": 4}, **IN) == "yes"
    assert answer(match, local_tags={"1": 4}, remote_tags={"1": 5}, **IN) == "no"
    assert answer(match, local_tags={}, remote_tags={"1": 5}, **IN) == "hardNo"
    assert answer(match, local_tags={"1": 4}, remote_tags={"1": 5}) == "yes"
    assert answer(match, local_tags={"1": 5}, remote_tags={"1": 4}) == "no"
    assert answer(match, local_tags={"1": 5}, remote_tags={}) == "hardYes"
    assert answer(match, local_tags={"1": 5}, remote_tags=None) == "hardYes"


@pytest.mark.parametrize("kind", ["_SENDER", "_RECEIVER"])
def test_one_sided_matches_under_super_accept_are_true_and_arm_skip_drop(kind: str) -> None:
    tags = {"local_tags": {"1": 1}, "remote_tags": {"1": 1}}
    match = tag(kind, 7)
    for inverted in (False, True):
        rules = [*ARM, {**match, "not": inverted}, DROP, ACCEPT]
        assert result(rules, **tags, **IN) == "SUPER_ACCEPT"
    # armed, used up by the DROP whose set is true; the next one drops
    assert result([*ARM, match, DROP, DROP, ACCEPT], **tags, **IN) == "DROP"
    # 1.12 has no skipDrop, and `not` turns the answer
    assert result([*ARM, match, DROP, ACCEPT], engine="1.12", **tags, **IN) == "DROP"
    assert result([*ARM, {**match, "not": True}, DROP, ACCEPT], engine="1.12", **tags, **IN) == (
        "SUPER_ACCEPT"
    )


MISSING = {"local_tags": {"1": 0}, "remote_tags": None}
LENIENT = [tag(kind) for kind in (*PAIRS, "_RECEIVER")]


@pytest.mark.parametrize("match", LENIENT)
def test_skip_drop(match: dict[str, Any]) -> None:
    assert result([match, DROP, ACCEPT], **MISSING) == "ACCEPT"
    assert result([match, DROP, DROP, ACCEPT], **MISSING) == "DROP"
    # armed by an evaluated match whether the set ends true or not, used by a later DROP
    assert result([match, FALSE, DROP, DROP, ACCEPT], **MISSING) == "ACCEPT"
    assert result([match, FALSE, DROP, TRUE, DROP, DROP], **MISSING) == "DROP"
    # a skipped match arms nothing
    assert result([FALSE, match, DROP, DROP, ACCEPT], **MISSING) == "DROP"
    assert result([TRUE, {**match, "or": True}, DROP, ACCEPT], **MISSING) == "ACCEPT"
    # the set stays true after the DROP that was passed over
    assert run([match, DROP, FALSE, ACCEPT], **MISSING)["log"][2] == [0, 1]
    assert result([match, DROP, ACCEPT], engine="1.12", **MISSING) == "DROP"


def test_skip_drop_and_super_accept_live_for_one_rule_set() -> None:
    match = tag("_RECEIVER")
    out = run([match, FALSE, BREAK], capabilities=[cap(DROP, ACCEPT), cap(ACCEPT)], **MISSING)
    assert out["capability"] == 1
    out = run([*ARM], capabilities=[cap(ACCEPT)], **IN)
    assert (out["accept"], out["capability"]) == (1, 0)
    out = run([], capabilities=[cap(*ARM, DROP), cap(*ARM, ACCEPT)], **IN)
    assert (out["result"], out["accept"], out["capability"]) == ("NO_MATCH", 2, 1)


# --- the network's verdict -----------------------------------------------------------------


def test_capabilities_are_tried_in_turn_where_there_was_no_match() -> None:
    caps = [cap(DROP), cap(BREAK), cap(FALSE, ACCEPT), cap(ACCEPT), cap(ACCEPT)]
    out = run([], capabilities=caps)
    assert (out["accept"], out["capability"], out["result"]) == (1, 3, "NO_MATCH")
    assert run([DROP], capabilities=caps)["accept"] == 0
    assert run([ACCEPT], capabilities=caps)["capability"] is None
    assert run([], capabilities=caps[:3])["accept"] == 0


def test_order_given_is_order_tried() -> None:
    caps = [cap(ACCEPT, id=9), cap(ACCEPT, id=1)]
    assert run([], capabilities=caps)["capability"] == 0


@pytest.mark.parametrize("changes", [{}, IN], ids=["out", "in"])
def test_a_capability_redirects(changes: dict[str, Any]) -> None:
    out = run([], capabilities=[cap(act("REDIRECT", FOURTH))], **changes)
    assert (out["accept"], out["capability"], out["destination"]) == (0, 0, FOURTH)
    assert len(out["copies"]) == 1


def test_copies_of_both_the_capabilitys_first_then_the_redirected_frame() -> None:
    base = [act("TEE", FOURTH, 5), BREAK]
    fifth, sixth = "5555555555", "6666666666"
    out = run(base, capabilities=[cap(act("WATCH", fifth, 6), act("REDIRECT", sixth))])
    assert out["copies"] == [
        {"to": fifth, "flags": 0x16, "length": 6},
        {"to": FOURTH, "flags": 0x02, "length": 5},
        {"to": sixth, "flags": 0x04, "length": 28},
    ]
    # of a capability that did not accept, nothing is sent
    out = run(base, capabilities=[cap(act("WATCH", fifth)), cap(ACCEPT)])
    assert [copy["to"] for copy in out["copies"]] == [FOURTH]


def test_qos_is_the_last_bucket_set() -> None:
    priority = {"type": "ACTION_PRIORITY", "qosBucket": 3}
    out = run([], capabilities=[cap(FALSE, priority), cap(priority)])
    assert (out["qos"], out["capability"]) == (3, 1)


def test_no_tee_suppresses_copies_out_and_no_redirects() -> None:
    rules = [act("TEE", FOURTH), act("REDIRECT", "5555555555")]
    assert [copy["flags"] for copy in run(rules, no_tee=True)["copies"]] == [0x04]
    assert [copy["flags"] for copy in run(rules, no_tee=True, **IN)["copies"]] == [0x08, 0x0A]
    capabilities = [cap(act("TEE", FOURTH), ACCEPT)]
    assert run([], capabilities=capabilities, no_tee=True)["copies"] == []


def test_accept_is_1_out_whatever_accepts() -> None:
    assert run([ACCEPT])["accept"] == 1
    assert run([ACCEPT], direction="in")["accept"] == 1
