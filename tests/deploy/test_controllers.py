"""What is read from each kind of controller, and what it makes of what is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.controller import NETWORK, OLD, running
from tests.deploy.deploying import controller
from ztfast.deploy.http import DeployError
from ztfast.deploy.meaning import meaning_digest
from ztfast.lang import compile_text
from ztfast.network.load import load_network


@pytest.mark.parametrize("how", [{}, {"older": True}, {"central": True}])
def test_rules_and_members_are_read(how: dict[str, Any], tmp_path: Path) -> None:
    with running(**how) as fake:
        live = controller(fake).read()
        assert meaning_digest(live.read_policy()) == meaning_digest(compile_text(OLD))
        network = live.read_network()
        assert [member.name for member in network.members] == ["anna", "ben", "files"]
        assert network.id == int(NETWORK, 16)
        path = tmp_path / "network.json"
        path.write_text(json.dumps(live.document))
        assert load_network(path).members == network.members


def test_central_keeps_the_source_and_a_controller_does_not() -> None:
    with running(central=True) as fake:
        policy = controller(fake).read().read_policy()
        assert policy.source is not None
        assert policy.source.text == OLD
        assert policy.tags[0].name == "department"
    with running() as fake:
        assert controller(fake).read().read_policy().tags[0].name is None


def test_a_source_that_says_something_else_is_not_believed() -> None:
    with running(central=True) as fake:
        fake.network["rulesSource"] = "accept;"
        found = controller(fake).read().read_policy()
        assert meaning_digest(found) == meaning_digest(compile_text(OLD))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"[]", "is not a network"),
        (b'{"id": "0000000000000001"}', "of the network '0000000000000001'"),
        (b"{}", "of the network None"),
    ],
)
def test_what_is_no_network(answer: bytes, says: str) -> None:
    with running() as fake:
        fake.faults["GET"].append(answer)
        with pytest.raises(DeployError, match=says):
            controller(fake).read()


def test_rules_in_force_that_nobody_can_read() -> None:
    with running() as fake:
        fake.network["rules"] = [{"type": "MATCH_TYPO"}]
        with pytest.raises(DeployError, match="the rules in force"):
            controller(fake).read().read_policy()


@pytest.mark.parametrize("central", [False, True])
def test_rules_are_written_and_brought_back(central: bool) -> None:
    new = OLD.replace("dport 443", "dport 22")
    with running(central=central) as fake:
        there = controller(fake)
        before = there.read()
        there.write(compile_text(new), new)
        assert meaning_digest(there.read().read_policy()) == meaning_digest(compile_text(new))
        there.restore(before)
        assert there.read() == before
