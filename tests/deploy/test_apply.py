"""Applying: every failure on the way, and what is in force then."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy.controller import OLD, FakeController, cut_off, refused_silently, running
from tests.deploy.deploying import NO_ARP, WIDER, controller, planned
from ztfast.deploy.apply import Applied, Outcome, apply_plan
from ztfast.deploy.controllers import Deployed
from ztfast.deploy.http import DeployError
from ztfast.deploy.meaning import meaning_digest
from ztfast.lang import compile_text


def in_force(fake: FakeController) -> str:
    return meaning_digest(controller(fake).read().read_policy())


def digest(rules: str) -> str:
    return meaning_digest(compile_text(rules))


def applied(fake: FakeController, rules: str = WIDER, **how: Any) -> Outcome:
    plan, _ = planned(fake, rules)
    return apply_plan(controller(fake), plan, **how)


@pytest.mark.parametrize("how", [{}, {"older": True}, {"central": True}])
def test_applied_and_read_back(how: dict[str, Any]) -> None:
    kept: list[Deployed] = []
    with running(**how) as fake:
        outcome = applied(fake, keep=kept.append)
        assert outcome.applied is Applied.APPLIED
        assert in_force(fake) == digest(WIDER)
        assert meaning_digest(kept[0].read_policy()) == digest(OLD)
        if fake.central:
            assert fake.network["rulesSource"] == WIDER
        assert applied(fake).applied is Applied.NOTHING


def test_somebody_else_changed_the_rules() -> None:
    with running() as fake:
        plan, _ = planned(fake, WIDER)
        fake.take(compile_text(NO_ARP).to_json())
        posts = len(fake.requests)
        assert apply_plan(controller(fake), plan).applied is Applied.CHANGED
        assert all(method == "GET" for method, _, _ in fake.requests[posts:])
        assert in_force(fake) == digest(NO_ARP)


def test_a_token_that_may_not_write() -> None:
    with running() as fake:
        plan, _ = planned(fake, WIDER)
        fake.faults["POST"].append(403)
        with pytest.raises(DeployError, match="may not do that"):
            apply_plan(controller(fake), plan)
        assert in_force(fake) == digest(OLD)


def test_the_answer_is_lost_but_the_rules_are_there() -> None:
    with running() as fake:
        fake.faults["POST"].append(cut_off)
        assert applied(fake).applied is Applied.APPLIED
        assert in_force(fake) == digest(WIDER)


@pytest.mark.parametrize("fault", [refused_silently, 500])
def test_nothing_was_written(fault: Any) -> None:
    with running() as fake:
        fake.faults["POST"].append(fault)
        outcome = applied(fake)
        assert outcome.applied is Applied.NOT_WRITTEN
        assert outcome.why
        assert in_force(fake) == digest(OLD)


def half(handler: Any, made: Any) -> None:
    """What a controller does that keeps only some of the rules."""
    document = made()
    document["rules"] = document["rules"][:2]
    handler._send(200, b"{}")


def test_what_was_kept_means_something_else() -> None:
    with running() as fake:
        fake.faults["POST"].append(half)
        outcome = applied(fake)
        assert outcome.applied is Applied.DIFFERED
        assert outcome.why == "there are 2 rules instead of 15"
        assert in_force(fake) == digest(OLD)


def test_it_cannot_be_read_back() -> None:
    with running() as fake:
        plan, _ = planned(fake, WIDER)

        def then_silent(handler: Any, made: Any) -> None:
            made()
            fake.faults["GET"].append(500)
            handler._send(200, b"{}")

        fake.faults["POST"].append(then_silent)
        outcome = apply_plan(controller(fake), plan)
        assert outcome.applied is Applied.DIFFERED
        assert "status 500" in outcome.why
        assert in_force(fake) == digest(OLD)


@pytest.mark.parametrize("fault", [403, refused_silently, half])
def test_what_was_there_cannot_be_brought_back(fault: Any) -> None:
    with running() as fake:
        fake.faults["POST"].extend([half, fault])
        with pytest.raises(DeployError, match="could not be restored") as error:
            applied(fake)
        assert error.value.diagnostics[0].help is not None
        assert "docs/deploy.md" in error.value.diagnostics[0].help


def test_the_controller_is_gone_after_the_write() -> None:
    with running() as fake:
        plan, _ = planned(fake, WIDER)

        def last(handler: Any, made: Any) -> None:
            made()
            fake.faults["GET"].extend([500] * 9)
            fake.faults["POST"].extend([500] * 9)
            handler._send(200, b"{}")

        fake.faults["POST"].append(last)
        with pytest.raises(DeployError, match="it is not known which rules are in force"):
            apply_plan(controller(fake), plan)


@pytest.mark.parametrize("answer", [True, False, KeyboardInterrupt(), OSError("gone")])
def test_what_somebody_else_put_there_meanwhile_stays(answer: Any) -> None:
    with running() as fake:

        def confirm() -> bool:
            fake.take(compile_text(NO_ARP).to_json() | {"rulesSource": NO_ARP})
            if isinstance(answer, BaseException):
                raise answer
            return bool(answer)

        outcome = applied(fake, confirm=confirm)
        assert outcome.applied is Applied.OTHERS
        assert not outcome.applied.good
        assert in_force(fake) == digest(NO_ARP)


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), OSError("gone"), ValueError("no text")])
def test_whatever_ends_the_asking(raised: BaseException) -> None:
    with running() as fake:

        def confirm() -> bool:
            raise raised

        assert applied(fake, confirm=confirm).applied is Applied.UNCONFIRMED
        assert in_force(fake) == digest(OLD)


def test_who_is_locked_out_gets_the_old_rules_back() -> None:
    """The controller does not say what is in force, when nobody confirmed."""
    with running() as fake:

        def confirm() -> bool:
            fake.faults["GET"].append(500)
            return False

        assert applied(fake, confirm=confirm).applied is Applied.UNCONFIRMED
        assert in_force(fake) == digest(OLD)


@pytest.mark.parametrize("yes", [True, False])
def test_confirmed_or_taken_back(yes: bool) -> None:
    asked: list[str] = []
    with running() as fake:

        def confirm() -> bool:
            asked.append(in_force(fake))
            return yes

        outcome = applied(fake, confirm=confirm)
        assert asked == [digest(WIDER)]
        assert outcome.applied is (Applied.APPLIED if yes else Applied.UNCONFIRMED)
        assert outcome.applied.good is yes
        assert in_force(fake) == digest(WIDER if yes else OLD)
        assert str(outcome).startswith(outcome.applied.value)


def answered(handler: Any, made: Any) -> None:
    made()
    handler._send(200, b"{}")


def interrupting(then: Callable[[Any, Any], None] = answered) -> Callable[[Any, Any], None]:
    """Somebody presses Ctrl-C before the controller answers."""

    def fault(handler: Any, made: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        then(handler, made)

    return fault


def test_interrupted_before_anything_is_written() -> None:
    def keep(_: Deployed) -> None:
        raise KeyboardInterrupt

    with running() as fake:
        assert applied(fake, keep=keep).applied is Applied.INTERRUPTED
        assert all(method == "GET" for method, _, _ in fake.requests)
        plan, _ = planned(fake, WIDER)
        fake.faults["GET"].append(interrupting())
        assert not apply_plan(controller(fake), plan).applied.good
        assert in_force(fake) == digest(OLD)


@pytest.mark.parametrize(
    ("then", "result", "why", "rules"),
    [
        (answered, Applied.APPLIED, "interrupted too late to stop it", WIDER),
        (half, Applied.DIFFERED, "there are 2 rules instead of 15", OLD),
        (refused_silently, Applied.NOT_WRITTEN, "no answer", OLD),
    ],
)
def test_interrupted_while_it_is_written(then: Any, result: Applied, why: str, rules: str) -> None:
    with running() as fake:
        fake.faults["POST"].append(interrupting(then))
        outcome = applied(fake)
        assert outcome.applied is result
        assert outcome.why.startswith(why)
        assert in_force(fake) == digest(rules)


def test_interrupted_while_it_is_written_and_not_asked_any_more() -> None:
    asked: list[bool] = []
    with running() as fake:
        fake.faults["POST"].append(interrupting())
        outcome = applied(fake, confirm=lambda: not asked.append(True))
        assert (outcome.applied, outcome.why) == (Applied.UNCONFIRMED, "interrupted")
        assert not asked
        assert in_force(fake) == digest(OLD)


def test_interrupted_while_it_is_taken_back() -> None:
    with running() as fake:

        def confirm() -> bool:
            fake.faults["POST"].append(interrupting())
            return False

        assert applied(fake, confirm=confirm).applied is Applied.UNCONFIRMED
        assert in_force(fake) == digest(OLD)


def test_interrupted_twice_while_it_is_written() -> None:
    with running() as fake:

        def then(handler: Any, made: Any) -> None:
            fake.faults["GET"].append(interrupting())
            answered(handler, made)

        fake.faults["POST"].append(interrupting(then))
        with pytest.raises(DeployError, match="interrupted again: it is not known"):
            applied(fake)
