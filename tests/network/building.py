"""Small networks and policies for tests."""

from __future__ import annotations

import json
from typing import Any

from ztfast.lang import load_json
from ztfast.model.policy import Policy
from ztfast.network.members import Member

NETWORK_ID = 0x8056C2E21C000001
ANNA, BERT, CARL = 0x1122334455, 0x8E30F50A25, 0x99AABBCCDD


def policy(rules: list[dict[str, Any]], **parts: Any) -> Policy:
    """A policy out of JSON entries, capabilities and tags."""
    return load_json(json.dumps({"rules": rules, **parts}), "test")


def member(address: int, **facts: Any) -> Member:
    """An authorised member."""
    return Member(address=address, **facts)
