"""A plan applied to a real `zerotier-one`, where one is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.controller import MEMBERS, OLD
from tests.deploy.deploying import WIDER
from tests.deploy.zerotier_one import PROGRAM, zerotier_one
from ztfast.deploy.apply import Applied, apply_plan
from ztfast.deploy.controllers import Controller
from ztfast.deploy.http import Api, DeployError
from ztfast.deploy.meaning import meaning_digest
from ztfast.deploy.plan import Plan, make_plan
from ztfast.deploy.target import Target
from ztfast.errors import ZtfastError
from ztfast.lang import compile_text
from ztfast.model.policy import Policy

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="zerotier-one is not installed")
ANYTHING = {"rules": [{"type": "ACTION_ACCEPT"}], "tags": [], "capabilities": []}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Controller, Api]]:
    """A network with members on a controller of its own."""
    with zerotier_one(tmp_path_factory.mktemp("zerotier")) as (url, token, address):
        api = Api(Target("controller", "0" * 16, url), token)
        try:
            made: Any = api.post(f"/controller/network/{address}______", {"name": "office"})
        except ZtfastError as error:
            pytest.skip(f"this zerotier-one was built without a controller: {error}")
        network = str(made["id"])
        for member in MEMBERS:
            kept = {key: member[key] for key in ("authorized", "name", "ipAssignments", "tags")}
            api.post(f"/controller/network/{network}/member/{member['address']}", kept)
        yield Controller(Target("controller", network, url), token), api


def plan(controller: Controller, rules: str) -> Plan:
    return make_plan(controller.read(), compile_text(rules), text=rules, allow=["*>*:*"])[0]


def in_force(controller: Controller) -> str:
    return meaning_digest(controller.read().read_policy())


def test_members_and_rules_are_read(real: tuple[Controller, Api]) -> None:
    live = real[0].read()
    assert {member.address for member in live.read_network().members} == {
        int(str(member["address"]), 16) for member in MEMBERS
    }


def test_a_plan_is_applied_and_read_back(real: tuple[Controller, Api]) -> None:
    controller, api = real
    api.post(f"/controller/network/{controller.target.network}", ANYTHING)
    for rules in (OLD, WIDER):
        assert apply_plan(controller, plan(controller, rules)).applied is Applied.APPLIED
        assert in_force(controller) == meaning_digest(compile_text(rules))
    assert apply_plan(controller, plan(controller, WIDER)).applied is Applied.NOTHING


def test_what_another_changed_is_not_written_over(real: tuple[Controller, Api]) -> None:
    controller, api = real
    made = plan(controller, OLD)
    api.post(f"/controller/network/{controller.target.network}", ANYTHING)
    assert apply_plan(controller, made).applied is Applied.CHANGED
    assert in_force(controller) == meaning_digest(compile_text("accept;"))


def test_what_it_keeps_otherwise_is_taken_back(
    real: tuple[Controller, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    controller, api = real
    before, made = in_force(controller), plan(controller, WIDER)

    def write(policy: Policy, text: str | None) -> None:
        """Rules with a type that no controller knows: it answers 200 and leaves it out."""
        rules: Any = policy.to_json()["config"]
        rules["rules"] = [*rules["rules"][:2], {"type": "MATCH_TYPO"}, *rules["rules"][3:]]
        api.post(f"/controller/network/{controller.target.network}", rules)

    monkeypatch.setattr(controller, "write", write)
    assert apply_plan(controller, made).applied is Applied.DIFFERED
    assert in_force(controller) == before


def test_another_token_is_refused(real: tuple[Controller, Api]) -> None:
    with pytest.raises(DeployError, match="401"):
        Controller(real[0].target, "another").read()
