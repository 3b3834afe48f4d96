"""`ztfast check --fix` and `--diff`: findings' fixes made in files, again until none is left.

Contract: only rules texts are changed (no JSON, no `.tf`, no standard input), whole or not at all;
a fix after which a text that compiled no longer does is not made.  Of each round of fixes those
are made that touch no place twice.  Tested by tests/cli/test_check_fix.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from ztfast.diagnostics.fixes import apply, chosen, compatible, unified_diff
from ztfast.errors import Diagnostic, Fix, RulesError, Severity, Source
from ztfast.lang.revisions import is_revision

MOST_ROUNDS = 20

Check = Callable[[Source], list[Diagnostic]]


def fix_files(names: Sequence[str], check: Check, unsafe: bool, write: bool) -> str:
    """Fix each file; what changes, as a diff, where it is not to be written."""
    if "-" in names:
        raise click.UsageError("standard input cannot be fixed: name a file")
    for name in filter(is_revision, names):
        raise click.UsageError(f"{name} cannot be fixed, as it was committed: name a file")
    diffs: list[str] = []
    for name in names:
        source = _text_of(name)
        if source is None:
            continue
        text, made = _fixed(source, check, unsafe)
        diffs.append(unified_diff(source.name, source.text, text))
        if made and write:
            from ztfast.sinks.text import write_text

            write_text(name, text)
            what = f"{made} fix{'es' * (made != 1)} made"
            click.echo(f"ztfast check: {source.name}: {what}", err=True)
    return "".join(diffs)


def _text_of(name: str) -> Source | None:
    """The rules text of a file, None for what cannot be fixed: `check` says what is wrong."""
    from ztfast.lang.sources import is_json, read_source, rules_texts

    try:
        source = read_source(name)
        if is_json(source.text):
            return None
        texts, _ = rules_texts(source)
    except RulesError:
        return None
    return source if len(texts) == 1 and texts[0].text == source.text else None


def _fixed(source: Source, check: Check, unsafe: bool) -> tuple[str, int]:
    """The text with all fixes made that can be, and how many they were."""
    made = 0
    refused: set[Fix] = set()
    for _ in range(MOST_ROUNDS):
        findings = check(source)
        fixes = [fix for fix in chosen(findings, unsafe=unsafe) if fix not in refused]
        fixes = compatible(fixes)
        if not fixes:
            break
        source, done = _apply(source, fixes, _broken(findings))
        made += done
        refused = set() if done else refused | set(fixes)
    return source.text, made


def _broken(findings: Sequence[Diagnostic]) -> int:
    return sum(finding.severity == Severity.ERROR for finding in findings)


def _apply(source: Source, fixes: Sequence[Fix], errors: int) -> tuple[Source, int]:
    """The fixes made together; where that breaks the text, each that does not, from behind."""
    together = Source(source.name, apply(source.text, fixes))
    if _compiles(together, errors):
        return together, len(fixes)
    done = 0
    for fix in sorted(fixes, key=lambda one: one.edits[0].start, reverse=True):
        alone = Source(source.name, apply(source.text, [fix]))
        if _compiles(alone, errors):
            source, done = alone, done + 1
    return source, done


def _compiles(source: Source, errors: int) -> bool:
    """Has a text no more errors than before?"""
    from ztfast.lang.lint import check

    return _broken(check(source)[1]) <= errors
