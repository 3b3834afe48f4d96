"""A controller to deploy to, and what is planned there."""

from __future__ import annotations

from typing import Any

from tests.deploy.controller import NETWORK, OLD, TOKEN, FakeController
from ztfast.deploy.controllers import Controller
from ztfast.deploy.plan import Findings, Plan, make_plan
from ztfast.deploy.target import parse_target
from ztfast.lang import compile_text

WIDER = OLD.replace("drop;", "accept ipprotocol udp and dport 53;\ndrop;")
NO_ARP = OLD.replace("accept ethertype arp;\n", "")


def controller(fake: FakeController) -> Controller:
    """The client of a fake controller."""
    kind = "central" if fake.central else "controller"
    return Controller(parse_target(f"{kind}:{NETWORK}@{fake.url}"), TOKEN)


def planned(fake: FakeController, rules: str, **how: Any) -> tuple[Plan, Findings]:
    """A plan to deploy a rules text."""
    return make_plan(controller(fake).read(), compile_text(rules), text=rules, **how)
