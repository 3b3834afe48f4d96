"""Plans: what they say would be lost, and files of them that are not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deploy.controller import NETWORK, OLD, running
from tests.deploy.deploying import NO_ARP, WIDER, controller, planned
from ztfast.deploy.http import DeployError
from ztfast.deploy.plan import field_digests, read_plan
from ztfast.errors import UsageError
from ztfast.lang import compile_text
from ztfast.network.members import Member


def test_a_plan_changes_nothing() -> None:
    with running() as fake:
        planned(fake, WIDER)
        assert {method for method, _, _ in fake.requests} == {"GET"}


def test_what_would_be_lost() -> None:
    with running() as fake:
        plan, found = planned(fake, WIDER)
        assert plan.changes
        assert not found.lost
        plan, found = planned(fake, NO_ARP)
        assert len(found.lost) == len(found.closed) == 12
        assert "anna>files:https" in found.texts(found.lost)
        plan, found = planned(fake, NO_ARP, allow=["*>*:ping", "anna>*:https"])
        assert len(found.closed) == 12
        assert set(found.texts(found.lost)) == {
            "ben>anna:https", "ben>files:https", "files>anna:https", "files>ben:https",
        }  # fmt: skip
        plan, found = planned(fake, "# only a comment\n" + OLD)
        assert not plan.changes
        with pytest.raises(UsageError):
            planned(fake, WIDER, allow=["nobody>*:*"])


def test_a_network_without_members_loses_nothing() -> None:
    with running() as fake:
        live = controller(fake).read()
        alone = type(live)(live.target, live.network, [])
        from ztfast.deploy.plan import make_plan

        _, found = make_plan(alone, compile_text(NO_ARP))
        assert found.ways is None
        assert not found.lost


def test_this_machine_may_lose_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from ztfast.deploy import plan as module

    ways: list[tuple[str, int]] = []

    def own_way(network: Any, host: str, port: int) -> tuple[Member, Member]:
        ways.append((host, port))
        return network.members[0], network.members[2]

    monkeypatch.setattr(module, "own_way", own_way)
    with running() as fake:
        port = int(fake.url.rpartition(":")[2])
        opened = OLD.replace("drop;", f"accept ipprotocol tcp and dport {port};\ndrop;")
        fake.take(compile_text(opened).to_json())
        _, found = planned(fake, OLD)
        assert found.lockout == ("this machine (anna) would lose its way to the controller (files)")
        assert not planned(fake, opened)[1].lockout
        assert ways[0] == ("127.0.0.1", port)


def test_plans_go_through_files() -> None:
    with running(central=True) as fake:
        plan, _ = planned(fake, WIDER, allow=["*>*:ssh"])
        again = read_plan(json.dumps(plan.to_json()).encode(), "p")
        assert again.to_json() == plan.to_json()
        assert (again.goal, again.live, again.allowed) == (plan.goal, plan.live, plan.allowed)
        assert again.text == WIDER


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with running() as fake:
        plan, _ = planned(fake, WIDER)
    return plan.to_json()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target", f"central:{NETWORK}"),
        ("live", "00"),
        ("goal", "00"),
        ("allowed_losses", ["*>*:*"]),
        ("rules_source", "# the same rules\n" + WIDER),
        ("config", {"rules": [{"type": "ACTION_ACCEPT"}]}),
        ("capabilitiesByName", {"admin": {"id": 1}}),
        ("tagsByName", {}),
    ],
)
@pytest.mark.parametrize("missing", [False, True])
def test_a_plan_that_was_edited(
    document: dict[str, Any], field: str, value: Any, missing: bool
) -> None:
    edited = {**document, field: value}
    if missing:
        del edited[field]
    with pytest.raises(DeployError, match=f"changed by hand: `{field}`") as error:
        read_plan(json.dumps(edited).encode(), "p")
    assert error.value.diagnostics[0].code == "ZT651"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"goal": "00"}, "other rules than `goal`"),
        ({"target": "vault:1"}, "is not a target"),
        ({"live": 5}, "without a target"),
        ({"allowed_losses": None}, "without a target"),
        ({"config": {"rules": [{"type": "ACTION_ACCEPT"}]}}, "other rules than `goal`"),
        ({"config": {"rules": [{"type": "MATCH_TYPO"}]}}, "MATCH_TYPO"),
        ({"config": 7}, "config"),
    ],
)
def test_digests_alone_make_no_plan(
    document: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    edited = {**document, **change}
    edited["digests"] = field_digests(edited)
    with pytest.raises(DeployError, match=says) as error:
        read_plan(json.dumps(edited).encode(), "p")
    assert error.value.diagnostics[0].code == "ZT651"


@pytest.mark.parametrize("change", [{"format": "ztfast plan 9"}, {"digests": None}, {"digests": 7}])
def test_files_that_are_no_plan(document: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(DeployError, match=r"is (not )?a plan"):
        read_plan(json.dumps({**document, **change}).encode(), "p")


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{", b"[" * 100_000])
def test_bytes_that_are_no_plan(data: bytes) -> None:
    with pytest.raises(DeployError):
        read_plan(data, "p")
