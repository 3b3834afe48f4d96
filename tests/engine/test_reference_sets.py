"""docs/spec/evaluation.md sections 1 and 9: sets, actions, `not` and `or`, hard answers."""

from __future__ import annotations

import pytest

from tests.engine.cases import ACCEPT, BREAK, DROP, FALSE, IPV6, TRUE, answer, result, run

SPORT = {"type": "MATCH_IP_SOURCE_PORT_RANGE", "start": 0, "end": 65535}
PROTOCOL = {"type": "MATCH_IP_PROTOCOL", "ipProtocol": 17}


def alternative(match: dict[str, object]) -> dict[str, object]:
    return {**match, "or": True}


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        ([], True),
        ([TRUE], True),
        ([FALSE], False),
        ([TRUE, FALSE], False),
        ([FALSE, TRUE], False),
        ([FALSE, alternative(TRUE)], True),
        ([TRUE, FALSE, alternative(TRUE)], True),
        ([FALSE, alternative(TRUE), FALSE], False),  # no precedence: (false or true) and false
        ([alternative(FALSE)], True),  # the set starts true
        ([TRUE, alternative(FALSE)], True),
        ([{**FALSE, "not": True}], True),
        ([{**TRUE, "not": True}], False),
        ([FALSE, {**FALSE, "not": True, "or": True}], True),
    ],
)
def test_matches_fold_left_to_right(matches: list[object], expected: bool) -> None:
    assert result([*matches, ACCEPT]) == ("ACCEPT" if expected else "NO_MATCH")


def test_log_tells_of_skipped_ands_and_of_ors() -> None:
    out = run([FALSE, TRUE, alternative(TRUE), TRUE, ACCEPT, TRUE])
    assert out["log"] == [[0, 1], "S0", [1, 0], [1, 1], None, None]


def test_the_set_is_true_again_after_an_action_that_was_not_taken() -> None:
    assert result([FALSE, DROP, ACCEPT]) == "ACCEPT"
    assert run([FALSE, DROP, FALSE, ACCEPT])["log"] == [[0, 1], None, [0, 1], None]


def test_the_set_stays_true_after_an_action_that_does_not_end() -> None:
    tee = {"type": "ACTION_TEE", "address": "3333333333", "length": 0}
    assert run([TRUE, tee, FALSE, ACCEPT])["log"] == [[1, 1], None, [0, 1], None]
    assert result([TRUE, tee, ACCEPT]) == "ACCEPT"


@pytest.mark.parametrize(
    ("action", "expected"), [(ACCEPT, "ACCEPT"), (DROP, "DROP"), (BREAK, "NO_MATCH")]
)
def test_actions_that_end(action: dict[str, str], expected: str) -> None:
    assert result([action, {"type": "ACTION_ACCEPT"}]) == expected
    assert result([{**action, "not": True, "or": True}, ACCEPT]) == expected


@pytest.mark.parametrize(("bucket", "qos"), [(0, 0), (1, 1), (8, 8), (9, 4), (255, 4), (256, 0)])
@pytest.mark.parametrize("direction", ["out", "in"])
def test_priority_accepts_and_sets_the_bucket(bucket: int, qos: int, direction: str) -> None:
    out = run([{"type": "ACTION_PRIORITY", "qosBucket": bucket}, DROP], direction=direction)
    assert (out["result"], out["accept"], out["qos"]) == ("ACCEPT", 1, qos)


def test_the_bucket_starts_at_0_out_and_255_in() -> None:
    assert run([ACCEPT])["qos"] == 0
    assert run([ACCEPT], direction="in")["qos"] == 255


def test_the_end_of_the_list_is_no_match() -> None:
    assert run([])["result"] == "NO_MATCH"
    assert run([TRUE])["accept"] == 0


def test_hard_answers_do_not_turn_with_not_since_1_14() -> None:
    assert answer(PROTOCOL, ethertype=IPV6 + 1) == "hardNo"
    assert answer(PROTOCOL, ethertype=IPV6 + 1, engine="1.12") == "no"
    icmp = {"type": "MATCH_ICMP", "icmpType": 8, "icmpCode": None}
    from tests.engine.cases import ipv4

    assert answer(icmp, frame=ipv4(1, b"\x08\0")) == "hardYes"
    assert answer(icmp, frame=ipv4(1, b"\x08\0"), engine="1.12") == "yes"


def test_log_of_hard_answers_is_what_not_turns_into_the_answer() -> None:
    hard_no = {**PROTOCOL, "not": True}
    assert run([hard_no, ACCEPT], ethertype=1)["log"] == [[1, 1], None]
    assert run([PROTOCOL, ACCEPT], ethertype=1)["log"] == [[0, 1], None]
    assert run([hard_no, ACCEPT], ethertype=1, engine="1.12")["log"] == [[0, 1], None]


def test_random_draws_only_where_it_is_evaluated() -> None:
    random = {"type": "MATCH_RANDOM", "probability": 5}
    assert result([random, ACCEPT], prng=5) == "ACCEPT"
    assert result([random, ACCEPT], prng=6) == "NO_MATCH"
    assert run([FALSE, random, ACCEPT], prng=0)["log"] == [[0, 1], "S0", None]
