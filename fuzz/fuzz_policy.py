"""Policy JSON: an error with a place, or what a controller would make of it, judged the same."""

from __future__ import annotations

from fuzz.checks import refused, same_verdicts
from ztfast.errors import RulesError
from ztfast.lang.controller import load_json, read_json
from ztfast.lang.printer import print_policy


def one(data: bytes) -> None:
    """Read as a controller would, and strictly; judge; print."""
    try:
        policy, findings = read_json(data)
    except RulesError as error:
        refused(error)
        return
    if findings:
        refused(RulesError(*findings))
    try:
        load_json(data)
    except RulesError as error:
        refused(error)
        assert findings
    same_verdicts(policy)
    try:
        print_policy(policy)
    except RulesError as error:
        refused(error)
