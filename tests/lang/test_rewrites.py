"""Fixes of findings: each text compiles afterwards, and what the fix says is what it does."""

from __future__ import annotations

import pytest

import ztfast
from ztfast.diagnostics.codes import CODES
from ztfast.diagnostics.fixes import apply, chosen
from ztfast.errors import Diagnostic, Severity, Source
from ztfast.lang.lint import check

TAG = "tag t id 1 default {} enum 1 a;\naccept teq t 1;\n"


def fixed(text: str, code: str, *, unsafe: bool = True) -> str:
    """The text with the fixes of one code made."""
    _, findings = check(Source("t", text))
    mine = [one for one in findings if one.code == code]
    assert mine, [one.code for one in findings]
    return apply(text, chosen(mine, unsafe=unsafe))


@pytest.mark.parametrize(
    ("code", "safe", "before", "after"),
    [
        ("ZT111", True, "accept ipsrc 10.0.0.1/8;\n", "accept ipsrc 10.0.0.0/8;\n"),
        ("ZT110", False, "accept ipdest fd00::1/64;\n", "accept ipdest fd00::/64;\n"),
        ("ZT117", True, "tag T id 1;\naccept teq t 1;\n", "tag t id 1;\naccept teq t 1;\n"),
        ("ZT114", False, TAG.format("A"), TAG.format("a")),
        ("ZT106", False, "accept or dport 1 or dport 2;\n", "accept dport 1 or dport 2;\n"),
        ("ZT106", False, "accept or not dport 1;\n", "accept not dport 1;\n"),
        ("ZT130", False, "drop chr macauth;\naccept;\n", "drop chr ipauth;\naccept;\n"),
        ("ZT126", False, "accept dport 80–90;\n", "accept dport 80-90;\n"),
        ("ZT010", True, "allow dport 80;\nDeny\n", "accept dport 80;\ndrop\n"),
        ("ZT011", True, "accept;\ndrop dport 1;\n", "Accept\ndrop dport 1;\n"),
        ("ZT011", True, "accept ;\ndrop dport 1;\n", "Accept \ndrop dport 1;\n"),
        ("ZT103", False, "cap c id 1 accept;\ndrop dport 80;\n",
         "cap c id 1 Accept\ndrop dport 80;\n"),
        ("ZT037", False, "tag t id 1\naccept dport 1;\n", "tag t id 1\n;\naccept dport 1;\n"),
        ("ZT037", False, "tag t id 1\r\naccept dport 1;\r\n",
         "tag t id 1\r\n;\r\naccept dport 1;\r\n"),
    ],
)  # fmt: skip
def test_fixes(code: str, safe: bool, before: str, after: str) -> None:
    assert fixed(before, code) == after
    assert (fixed(before, code, unsafe=False) == after) == safe


def test_odd_blanks_become_spaces() -> None:
    text = "accept\u00a0ethertype\u200barp;\n"
    _, findings = check(Source("t", text))
    assert apply(text, chosen(findings)) == "accept ethertype arp;\n"


@pytest.mark.parametrize(
    "text",
    [
        "macro m($x)\n  accept ipsrc $x;\n;\ninclude m(10.0.0.1/8)\n",  # not where it is used
        "tag t id 1 default nothing;\naccept teq t 1;\n",
        "accept dport 80,443;\n",
    ],
)
def test_what_has_no_simple_edit_has_no_fix(text: str) -> None:
    _, findings = check(Source("t", text))
    assert findings
    assert not any(one.fixes for one in findings)


def broken(text: str) -> int:
    return sum(one.severity == Severity.ERROR for one in check(Source("t", text))[1])


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code].example is not None])
def test_no_example_is_made_worse(code: str) -> None:
    """Where a text compiled, it does with each of its safe fixes; meaning stays as it was."""
    text = CODES[code].example or ""
    policy, findings = check(Source("t", text))
    for finding in findings:
        for fix in finding.fixes:
            after = apply(text, [fix])
            assert after != text
            if fix.safe:
                assert broken(after) <= broken(text), (code, fix)
            if fix.safe and policy is not None:
                assert ztfast.compile(after).to_json()["config"] == policy.to_json()["config"] or (
                    finding.code == "ZT111"
                )


def test_a_finding_without_a_fix_says_so_with_an_empty_tuple() -> None:
    assert Diagnostic("ZT001", "x").fixes == ()
