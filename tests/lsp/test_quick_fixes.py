from __future__ import annotations

import pytest

from ztfast.diagnostics.fixes import apply
from ztfast.errors import Fix, Source
from ztfast.lang.lint import check
from ztfast.lsp.document import Document
from ztfast.lsp.quick_fixes import quick_fixes, touched


def fixed(text: str, number: int = 0) -> tuple[str, str]:
    """The title of a fix, and the text with it made."""
    document = Document("x", text)
    fix = quick_fixes(document, document.findings)[number]
    return fix.title, apply(text, [Fix("", fix.edits)])


def test_a_findings_own_fix_comes_first() -> None:
    title, text = fixed("accept;\ndrop dport 80;\naccept;")
    assert title.startswith("Write `Accept` without `;`")
    assert text.startswith("Accept\n")


def test_a_safe_fix_is_preferred_and_another_says_so() -> None:
    document = Document("x", "accept ipsrc 10.0.0.1/8;")
    (fix, _) = quick_fixes(document, document.findings)
    assert fix.preferred == document.findings[0].fixes[0].safe
    document = Document("x", "accept or dport 80;")
    (fix, *_) = quick_fixes(document, document.findings)
    assert not fix.preferred
    assert fix.title.endswith("(changes what gets through)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accept dport 80,443;\r\ndrop;", "accept dport 80,443;  # ztfast: ignore ZT126\r\ndrop;"),
        ("accept dport 80,443; # web", "accept dport 80,443; # ztfast: ignore ZT126 # web"),
        (
            "accept dport 80,443; # ztfast: ignore ZT101",
            "accept dport 80,443; # ztfast: ignore ZT101 ZT126",
        ),
    ],
)
def test_a_warning_can_be_ignored_on_its_line(text: str, expected: str) -> None:
    title, made = fixed(text, -1)
    assert title == "Ignore ZT126 on this line"
    assert made == expected
    assert "ZT126" not in {finding.code for finding in check(Source("x", made))[1]}


def test_errors_cannot_be_ignored() -> None:
    document = Document("x", "accept dport eighty;")
    assert document.findings
    assert quick_fixes(document, document.findings) == []


def test_only_what_the_selection_touches() -> None:
    document = Document("x", "accept dport 80,443;\naccept dport 90,91;")
    assert len(document.findings) == 2
    assert touched(document.findings, 15, 15) == document.findings[:1]
    assert touched(document.findings, 0, 40) == document.findings
    assert touched(document.findings, 20, 20) == []
