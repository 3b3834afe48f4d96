"""`ztfast check`: errors, traps and dead rules, for people and for other programs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ztfast.errors import Diagnostic, Source
    from ztfast.model.policy import Policy


@click.command()
@click.argument("rules", metavar="RULES...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif", "junit"]),
    default="text",
    show_default=True,
    help="How findings are written to standard output.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    default="error",
    show_default=True,
    help="Exit 1 if there is a finding of this severity or above.",
)
@click.option("--no-analysis", is_flag=True, help="Skip the proofs (ZT2xx); only read the text.")
@click.option("--fix", is_flag=True, help="Make the safe fixes in the files, then check them.")
@click.option("--unsafe-fixes", is_flag=True, help="Also those that change what gets through.")
@click.option(
    "--diff", "as_diff", is_flag=True, help="Show what --fix would change; write nothing."
)
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    rules: tuple[str, ...],
    form: str,
    as_json: bool,
    fail_on: str,
    no_analysis: bool,
    fix: bool,
    unsafe_fixes: bool,
    as_diff: bool,
    output: str | None,
) -> None:
    """Find errors, traps and dead rules in RULES (`-`: standard input; `git:REVISION:PATH`).

    Each is rules text, rules JSON, or Terraform's `.tf` with `flow_rules`.

    `# ztfast: ignore ZT101` on a line silences a warning there, `# ztfast: ignore-file
    ZT125` in the whole text; `ztfast explain-code ZT101` explains a code.

    A safe fix changes no frame's verdict (or mends a text that does not compile); with
    --unsafe-fixes the others are made too: `ztfast diff` says what they do.

    \b
    Examples:
      ztfast check --fail-on warning rules.ztrules
      ztfast check --diff --unsafe-fixes rules.ztrules
    """
    from ztfast.diagnostics.formats import FORMATS, at_least, counts
    from ztfast.sinks.text import write_text

    if rules.count("-") > 1:
        raise click.UsageError("standard input can be read once: name `-` once")
    if as_json:
        form = "json"
    if fix and as_diff:
        raise click.UsageError("--fix writes, --diff only shows: choose one")
    if unsafe_fixes and not (fix or as_diff):
        raise click.UsageError("--unsafe-fixes goes with --fix or --diff")
    if fix or as_diff:
        from ztfast.cli.check_fix import fix_files

        shown = fix_files(rules, lambda text: _check_text(text, not no_analysis), unsafe_fixes, fix)
        if as_diff:
            from ztfast.cli.fmt import coloured_diff

            write_text(output, shown if output is not None else coloured_diff(shown))
            ctx.exit(1 if shown else 0)
    findings = [(name, _check(name, not no_analysis)) for name in rules]
    if form == "text":
        write_text(output, _as_text(findings, output), rules)
        found = counts(findings)
        if any(found.values()):
            shown = ", ".join(f"{n} {kind}{'s' * (n != 1)}" for kind, n in found.items() if n)
            click.echo(f"ztfast check: {shown}{_fixable(findings)}", err=True)
    else:
        write_text(output, FORMATS[form](findings) + "\n", rules)
    failed = any(at_least(finding, fail_on) for _, found in findings for finding in found)
    ctx.exit(1 if failed else 0)


def _check(name: str, analyse: bool) -> list[Diagnostic]:
    from ztfast.cli.inputs import read_text
    from ztfast.errors import RulesError
    from ztfast.lang.sources import is_json, rules_texts

    try:
        source = read_text(name)
        texts, found = ([source], []) if is_json(source.text) else rules_texts(source)
    except RulesError as error:
        return list(error.diagnostics)
    found += [finding for text in texts for finding in _check_text(text, analyse)]
    return found if len(texts) == 1 else sorted(found, key=lambda f: f.span.start if f.span else 0)


def _check_text(source: Source, analyse: bool) -> list[Diagnostic]:
    from ztfast.lang.lint import check, unsuppressed

    policy, found = check(source)
    if policy is not None and analyse:
        found = unsuppressed(source, [*found, *_analysis(policy)])
    return found


def _analysis(policy: Policy) -> list[Diagnostic]:
    """The findings of the analysis; where it cannot run, notes that say why."""
    import ztfast.proof
    from ztfast.cli.interrupts import ended_at_once
    from ztfast.errors import Severity, ZtfastError

    findings = getattr(ztfast.proof, "findings", None)
    if findings is None:
        return []
    try:
        with ended_at_once():
            return list(findings(policy))
    except ZtfastError as error:
        return [replace(found, severity=Severity.NOTE) for found in error.diagnostics]


def _fixable(findings: list[tuple[str, list[Diagnostic]]]) -> str:
    """How many findings a fix is known for."""
    fixes = [finding.fixes for _, found in findings for finding in found if finding.fixes]
    safe = sum(any(fix.safe for fix in some) for some in fixes)
    if not fixes:
        return ""
    if not safe:
        return f" ({len(fixes)} fixable with --fix --unsafe-fixes)"
    more = f", {len(fixes) - safe} more with --unsafe-fixes" if len(fixes) > safe else ""
    return f" ({safe} fixable with --fix{more})"


def _as_text(findings: list[tuple[str, list[Diagnostic]]], output: str | None) -> str:
    import sys

    from ztfast.cli.terminal import for_terminal
    from ztfast.diagnostics.render import format_diagnostic, wants_colour

    colour = output is None and wants_colour(sys.stdout)
    text = "".join(
        format_diagnostic(finding, colour) + "\n" for _, found in findings for finding in found
    )
    return for_terminal(text, output)
