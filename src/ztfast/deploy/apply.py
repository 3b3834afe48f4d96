"""Applying a plan: written, read back, compared in meaning, and taken back where it is not so.

Contract: `apply_plan` ends in an `Applied` that says what is in force then; an error that leaves it
unknown is a DeployError.  Nothing is written where the rules in force are not those of the plan,
and rules that somebody else put there meanwhile are left.  A signal waits while rules are written
and checked; one before ends it with nothing written, one while a confirmation is awaited is "no".
Tested by tests/deploy/test_apply.py, with every failure on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from ztfast.deploy.controllers import Controller, Deployed
from ztfast.deploy.http import DeployError, refuse
from ztfast.deploy.meaning import first_difference, meaning_digest
from ztfast.deploy.plan import Plan
from ztfast.sinks.signals import Held, held

Confirm = Callable[[], bool]
_UNKNOWN = "it is not known which rules are in force"
_BY_HAND = "plan and apply the file with the old rules, as docs/deploy.md says"


class Applied(Enum):
    """What became of a plan; the value says it in words."""

    APPLIED = "applied, and read back with the same meaning"
    NOTHING = "nothing to do: these rules are in force already"
    CHANGED = "refused: the rules in force are not those that the plan was made against"
    INTERRUPTED = "interrupted: nothing was written"
    NOT_WRITTEN = "not applied: the controller kept the rules as they were"
    DIFFERED = "taken back: what the controller kept means something else"
    UNCONFIRMED = "taken back: it was not confirmed"
    OTHERS = "other rules are in force: somebody changed them meanwhile"

    @property
    def good(self) -> bool:
        """Are the plan's rules in force?"""
        return self in (Applied.APPLIED, Applied.NOTHING)


class Outcome:
    """What became of a plan, and why."""

    def __init__(self, applied: Applied, why: str = "") -> None:
        self.applied, self.why = applied, why

    def __str__(self) -> str:
        return f"{self.applied.value}{': ' if self.why else ''}{self.why}"


def apply_plan(
    controller: Controller,
    plan: Plan,
    *,
    keep: Callable[[Deployed], None] | None = None,
    confirm: Confirm | None = None,
) -> Outcome:
    """Deploy a plan's rules.

    keep: is given what is in force before anything is written, to keep it somewhere.  confirm:
    asks whether all is well, False: no, or nobody answered.  Raises DeployError where the
    controller does not answer, with what is known of its rules then.
    """
    try:
        before = controller.read()
        now = meaning_digest(before.read_policy())
        if now == plan.goal:
            return Outcome(Applied.NOTHING)
        if now != plan.live:
            return Outcome(Applied.CHANGED, "make a new plan")
        if keep is not None:
            keep(before)
    except KeyboardInterrupt:
        return Outcome(Applied.INTERRUPTED)
    try:
        with held() as signals:
            return _deployed(controller, plan, before, confirm, signals)
    except KeyboardInterrupt:  # the second one, which nothing holds back
        refuse(str(controller.target), f"interrupted again: {_UNKNOWN}", _BY_HAND)


def _deployed(
    controller: Controller, plan: Plan, before: Deployed, confirm: Confirm | None, signals: Held
) -> Outcome:
    """What is in force once the rules are written, compared and, where it is asked, confirmed."""
    outcome = _compared(controller, plan, before, _written(controller, plan))
    if outcome.applied is not Applied.APPLIED:
        return outcome
    if confirm is None:
        return Outcome(Applied.APPLIED, "interrupted too late to stop it" if signals.came else "")
    yes, why = _asked(confirm, signals)
    if not yes:
        return Outcome(_unconfirmed(controller, plan, before), why)
    found = meaning_digest(controller.read().read_policy())
    return Outcome(Applied.APPLIED if found == plan.goal else Applied.OTHERS)


def _asked(confirm: Confirm, signals: Held) -> tuple[bool, str]:
    """(was it confirmed, why not); whatever ends the asking is no."""
    try:
        with signals.let_through():
            return confirm(), ""
    except KeyboardInterrupt:
        return False, "interrupted"
    except (OSError, ValueError):  # a terminal that is gone, what is typed there and is no text
        return False, ""


def _unconfirmed(controller: Controller, plan: Plan, before: Deployed) -> Applied:
    """Bring the old rules back, unless the plan's are not there any more."""
    try:
        if meaning_digest(controller.read().read_policy()) != plan.goal:
            return Applied.OTHERS
    except DeployError:
        pass  # whoever is locked out needs the old rules all the more
    _take_back(controller, before)
    return Applied.UNCONFIRMED


def _written(controller: Controller, plan: Plan) -> DeployError | None:
    """Send the rules; an error after which they may be there all the same."""
    try:
        controller.write(plan.policy, plan.text)
    except DeployError as error:
        if not error.unsure:
            raise
        return error
    return None


def _compared(
    controller: Controller, plan: Plan, before: Deployed, failed: DeployError | None
) -> Outcome:
    """What is in force now; where it is neither the old nor the new, the old is brought back."""
    try:
        policy = controller.read().read_policy()
    except DeployError as error:
        _take_back(controller, before)
        return Outcome(
            Applied.DIFFERED, f"it could not be read back: {error.diagnostics[0].message}"
        )
    found = meaning_digest(policy)
    if found == plan.goal:
        return Outcome(Applied.APPLIED)
    why = failed.diagnostics[0].message if failed is not None else ""
    if found == plan.live:
        return Outcome(Applied.NOT_WRITTEN, why)
    difference = first_difference(plan.policy, policy)
    _take_back(controller, before)
    return Outcome(Applied.DIFFERED, difference)


def _take_back(controller: Controller, before: Deployed) -> None:
    """Bring the rules of before back, and see that they are."""
    wanted = meaning_digest(before.read_policy())
    said = f"the old rules could not be restored, and {_UNKNOWN}"
    try:
        controller.restore(before)
    except DeployError as error:
        if not error.unsure:
            refuse(str(controller.target), f"{said}: {error.diagnostics[0].message}", _BY_HAND)
    try:
        found = meaning_digest(controller.read().read_policy())
    except DeployError as error:
        refuse(str(controller.target), f"{said}: {error.diagnostics[0].message}", _BY_HAND)
    if found != wanted:
        refuse(str(controller.target), f"{said}: the controller keeps others", _BY_HAND)
