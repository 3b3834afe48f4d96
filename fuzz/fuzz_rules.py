"""Rules text: an error with a place, or a policy: laid out or printed it stays the same."""

from __future__ import annotations

from fuzz.checks import refused, same_verdicts, scratch
from ztfast.errors import RulesError, Source
from ztfast.lang.compiler import compile_source
from ztfast.lang.format import format_text
from ztfast.lang.lint import check
from ztfast.lang.printer import print_policy
from ztfast.lang.sources import read_source
from ztfast.model.policy import Policy


def one(data: bytes) -> None:
    """Read, check, compile, lay out, print, judge."""
    try:
        source = read_source(scratch(data, "rules"))
    except RulesError as error:
        refused(error)
        return
    checked, findings = check(source)
    if findings:
        refused(RulesError(*findings))
    try:
        policy = compile_source(source)
    except RulesError as error:
        refused(error)
        assert checked is None
        return
    _laid_out(source, policy)
    _printed(policy)
    same_verdicts(policy)


def _laid_out(source: Source, policy: Policy) -> None:
    try:
        laid = format_text(source.text)
    except RulesError as error:
        refused(error)
        if {diagnostic.code for diagnostic in error.diagnostics} != {"ZT061"}:
            raise
        return
    assert compile_source(Source("laid", laid)).to_json() == policy.to_json()
    assert format_text(laid) == laid


def _printed(policy: Policy) -> None:
    try:
        text = print_policy(policy)
    except RulesError as error:
        refused(error)
        return
    assert compile_source(Source("printed", text)).to_json()["config"] == policy.to_json()["config"]
