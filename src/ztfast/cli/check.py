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
    help="Exit 1 where there is a finding of this severity or above.",
)
@click.option("--no-analysis", is_flag=True, help="Skip the proofs (ZT2xx); only read the text.")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    rules: tuple[str, ...],
    form: str,
    as_json: bool,
    fail_on: str,
    no_analysis: bool,
    output: str | None,
) -> None:
    """Find errors, traps and dead rules in RULES (`-` is standard input).

    Each is rules text, rules JSON, or Terraform's `.tf` with `flow_rules`.

    `# ztfast: ignore ZT101` on a line silences a warning there, `# ztfast: ignore-file
    ZT125` in the whole text; `ztfast explain-code ZT101` explains a code.

    \b
    Example: ztfast check --fail-on warning rules.ztrules
    """
    from ztfast.diagnostics.formats import FORMATS, at_least, counts
    from ztfast.sinks.text import write_text

    if rules.count("-") > 1:
        raise click.UsageError("standard input can be read once: name `-` once")
    if as_json:
        form = "json"
    findings = [(name, _check(name, not no_analysis)) for name in rules]
    if form == "text":
        write_text(output, _as_text(findings, output), rules)
        found = counts(findings)
        if any(found.values()):
            shown = ", ".join(f"{n} {kind}{'s' * (n != 1)}" for kind, n in found.items() if n)
            click.echo(f"ztfast check: {shown}", err=True)
    else:
        write_text(output, FORMATS[form](findings) + "\n", rules)
    failed = any(at_least(finding, fail_on) for _, found in findings for finding in found)
    ctx.exit(1 if failed else 0)


def _check(name: str, analyse: bool) -> list[Diagnostic]:
    from ztfast.errors import RulesError
    from ztfast.lang.sources import is_json, read_source, rules_texts

    try:
        source = read_source(name)
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


def _as_text(findings: list[tuple[str, list[Diagnostic]]], output: str | None) -> str:
    import sys

    from ztfast.diagnostics.render import format_diagnostic

    colour = output is None and sys.stdout.isatty()
    return "".join(
        format_diagnostic(finding, colour) + "\n" for _, found in findings for finding in found
    )
