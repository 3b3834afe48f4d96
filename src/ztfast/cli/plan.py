"""`ztfast plan`: what rules would do on a controller, tested and with what they would close.

Contract: the report is on standard output, but on standard error where the plan goes there (-o -).
Exit 0 for a plan that may be applied, also where nothing changes; 1 where it is refused (cases
fail, ways close that nobody allowed, rules or answers are refused), 2 for wrong usage.
Tested by tests/cli/test_plan.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.fetch import read_live, token_option
from ztfast.cli.options import version_option

if TYPE_CHECKING:
    from ztfast.deploy.plan import Findings, Plan
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network

_SHOWN = 12


@click.command()
@click.argument("rules", metavar="RULES")
@click.argument("target", metavar="TARGET")
@click.option("--test", "tests", metavar="FILE", multiple=True, help="Cases that must pass.")
@click.option(
    "--allow-loss",
    "allow",
    metavar="FROM>TO:SERVICE",
    multiple=True,
    help="A way that may close; * is anyone or any service.",
)
@click.option(
    "--service",
    "services",
    metavar="NAME,…",
    multiple=True,
    help="Services to check (default: as `ztfast reach`).",
)
@version_option
@click.option("--time-limit", type=click.FloatRange(0), default=5.0, help="Seconds to prove in.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.option(
    "-o",
    "--output",
    metavar="PLAN",
    help="Write the plan there, for ztfast apply.",
)
@token_option
@click.pass_context
def command(ctx: click.Context, /, rules: str, target: str, **options: Any) -> None:
    """Say what deploying RULES to TARGET would change, and write a plan for it.

    Nothing is changed. TARGET is as for `ztfast fetch`. Shown is what each edit does, and for whom
    which services open and close. A plan is refused if a case of --test fails, or if a way closes
    that --allow-loss does not name.

    Exit status: 0 the plan may be applied (or nothing changes); 1 it is refused; 2 usage.

    \b
    Examples:
      ztfast plan rules.ztrules controller:8056c2e21c000001 -o office.plan
      ztfast plan rules.ztrules central:8056c2e21c000001 --test tests.toml --allow-loss 'guest>*:*'
    """
    from ztfast.cli.inputs import note_engine, read_policy
    from ztfast.cli.reach import split_names
    from ztfast.deploy.plan import make_plan, readable
    from ztfast.diagnostics.render import harmless_lines
    from ztfast.sinks.text import write_text

    policy = read_policy(rules)
    note_engine(policy, options["engine"])
    live = read_live(target, options["token_file"])
    plan, findings = make_plan(
        live,
        policy,
        text=_source(policy),
        allow=options["allow"],
        services=split_names(options["services"]),
        engine=options["engine"],
    )
    failed = list(_failures(options["tests"], policy, findings.network))
    report = _Report(plan, findings, failed, readable(live.read_policy(), policy), options)
    output = options["output"]
    if report.refused and output:
        report.note = f"{'the plan' if output == '-' else output} is not written"
    elif output:
        write_text(output, json.dumps(plan.to_json(), indent=2) + "\n", [rules])
        report.note = f"ztfast apply {output} deploys it"
    click.echo(
        json.dumps(report.as_json(), indent=2)
        if options["as_json"]
        else harmless_lines(report.lines()).rstrip("\n"),
        err=output == "-",
    )
    ctx.exit(1 if report.refused else 0)


def _source(policy: Policy) -> str:
    """The text that Central is to keep: the rules' own, or one that says the same."""
    from ztfast.lang import print_policy
    from ztfast.lang.sources import is_json

    source = policy.source
    return print_policy(policy) if source is None or is_json(source.text) else source.text


def _failures(tests: tuple[str, ...], policy: Policy, network: Network) -> Iterator[str]:
    """The names of cases that fail with these rules on this network."""
    from ztfast.pipeline.read import frame_batches
    from ztfast.suite.file import read_suite
    from ztfast.suite.run import run_suite

    for name in tests:
        suite = read_suite(name, policy, network)
        for result in run_suite(suite, policy, frame_batches):
            if not result.passed:
                yield f"{name}: {result.name}"


@dataclass
class _Report:
    plan: Plan
    findings: Findings
    failed: list[str]
    before: Policy
    options: dict[str, Any]
    note: str = ""

    @property
    def refused(self) -> bool:
        return bool(self.failed or self.findings.lost)

    def lines(self) -> Iterator[str]:
        """The answer first, then what the edits do, then members."""
        yield self._answer()
        if self.findings.lockout:
            yield f"WARNING: {self.findings.lockout}"
        yield from (f"fails: {name}" for name in self.failed)
        if self.findings.lost != self.findings.closed:  # some are allowed: these are not
            lost = self.findings.texts(self.findings.lost)
            yield from (f"closes, not allowed: {text}" for text in lost[:_SHOWN])
            if len(lost) > _SHOWN:
                yield f"closes, not allowed: {len(lost) - _SHOWN:,} more (--json lists them)"
        if self.plan.changes:
            yield ""
            yield from self._edits()
            yield from self._members()
        if self.note:
            yield ""
            yield self.note

    def _answer(self) -> str:
        where = f"{self.plan.target}"
        if not self.plan.changes:
            return f"nothing changes on {where}: these rules are in force"
        reasons: list[str] = []
        if self.failed:
            reasons.append(f"{len(self.failed)} cases fail")
        if self.findings.lost:
            reasons.append(
                f"{len(self.findings.lost):,} ways close that --allow-loss does not name"
            )
        if reasons:
            return f"refused for {where}: {' and '.join(reasons)}"
        return f"may be applied to {where}"

    def _edits(self) -> Iterator[str]:
        from ztfast.cli.diff_texts import ByEdit
        from ztfast.cli.interrupts import ended_at_once
        from ztfast.errors import BackendError
        from ztfast.proof.edit_effects import compare_edits

        policies = self.before, self.plan.policy
        try:
            with ended_at_once():
                report = compare_edits(
                    *policies, time_limit=self.options["time_limit"], usual=False
                )
        except BackendError as error:
            yield f"what the edits do is not proved: {error.diagnostics[0].message}"
            return
        made = ByEdit(*policies, report, _SHOWN, False)
        yield from made.write("text", None, None, self.findings.network).splitlines()

    def _members(self) -> Iterator[str]:
        from ztfast.report.reach_grid import change_lines

        yield ""
        if self.findings.ways is None:
            yield "no members are known: nobody was asked about"
            return
        yield from change_lines(*self.findings.ways)

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        from ztfast.pipeline.reach import change_cells

        ways = self.findings.ways
        return {
            "version": 1,
            "target": str(self.plan.target),
            "changes": self.plan.changes,
            "refused": self.refused,
            "live": self.plan.live,
            "goal": self.plan.goal,
            "failed_cases": self.failed,
            "lost": self.findings.texts(self.findings.lost),
            "closes": self.findings.texts(self.findings.closed),
            "members": change_cells(*ways) if ways is not None else None,
            "lockout": self.findings.lockout or None,
        }
