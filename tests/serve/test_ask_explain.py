from __future__ import annotations

import pytest

from tests.serve.places import TEXT, settings
from tests.serve.running import CAPTURE
from ztfast.errors import UsageError
from ztfast.lang import compile_text
from ztfast.serve.ask_explain import frame_of_capture, frame_of_cell, written_frame


def test_a_written_frame_with_what_the_deployed_rules_say() -> None:
    asked = settings(deployed=compile_text("accept;"))
    found = written_frame(asked, TEXT, "tcp visitor > files:ssh syn")
    assert (found["verdict"], found["deployed"]) == ("drop", "accept")
    assert written_frame(settings(), TEXT, "tcp visitor > files:ssh")["deployed"] is None


def test_members_need_no_names() -> None:
    found = written_frame(settings(network=None), "accept;", "tcp 10.0.0.1 > 10.0.0.2:80 syn")
    assert found["verdict"] == "accept"
    assert found["deliveries"] is None


def test_a_frame_of_a_capture() -> None:
    found = frame_of_capture(settings(), "drop;", str(CAPTURE), 3)
    assert found["verdict"] == "drop"
    assert found["frame"]["payload"]


@pytest.mark.parametrize(
    ("rules", "step", "verdict"),
    [
        ("accept;", "request", "accept"),
        ("drop dport 22; accept;", "request", "drop"),
        ("drop sport 22; accept;", "reply", "drop"),
        ("drop ethertype arp; accept;", "ask", "drop"),
    ],
)
def test_a_cell_is_explained_by_the_frame_that_closes_it(
    rules: str, step: str, verdict: str
) -> None:
    found = frame_of_cell(settings(), rules, "anna", "files", "ssh")
    assert (found["step"], found["verdict"]) == (step, verdict)


def test_a_cell_needs_members() -> None:
    with pytest.raises(UsageError, match="no members"):
        frame_of_cell(settings(network=None), "accept;", "anna", "files", "ssh")
