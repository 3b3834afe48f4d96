"""`ztfast test`: named cases against a policy, with explanations and coverage.

Contract: exit 0 where every case passes (and the coverage is as wanted), 1 where one does
not or a file is refused, 2 for wrong usage.  Tested by tests/cli/test_test.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.options import seed_option

if TYPE_CHECKING:
    from ztfast.model.policy import Policy
    from ztfast.suite.run import CaseResult

_INTERVAL = 0.5
_TESTS = (".toml", ".yaml", ".yml")


@click.command()
@click.argument("words", metavar="[RULES] TESTS...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="How results are written to standard output.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--network", metavar="FILE", help="Members for cases whose file names no network.")
@click.option("--only", metavar="TEXT", help="Only cases whose name contains this text.")
@click.option("--coverage", is_flag=True, help="Say which outcomes of which entries no case has.")
@click.option(
    "--fail-under",
    metavar="PCT",
    type=click.FloatRange(0, 100),
    help="Exit 1 if the coverage is lower (implies --coverage).",
)
@click.option("--watch", is_flag=True, help="Run again whenever a file changes, until Ctrl-C.")
@seed_option
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **options: Any) -> None:
    """Run the cases of TESTS (TOML or YAML files) against RULES.

    Each failure comes with its explanation. docs/test.md has the form of the cases. RULES may be
    left out if the file of --network has or names them.

    \b
    Example: ztfast test rules.ztrules tests.toml --coverage --fail-under 90
    """
    if options["as_json"]:
        options["form"] = "json"
    rules, tests = _rules_and_tests(words)
    if rules == "-" and "-" in tests:
        raise click.UsageError("standard input can be the rules or the cases, not both")
    if options["watch"]:
        if "-" in (rules, *tests):
            raise click.UsageError("standard input cannot be watched: name files")
        _watch(rules, tests, options)
        return
    ctx.exit(0 if _run(rules, tests, options, []) else 1)


def _rules_and_tests(words: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The first word is RULES, unless it is called as tests are."""
    if words[0].lower().endswith(_TESTS):
        return None, words
    if len(words) == 1:
        raise click.UsageError("Missing argument 'TESTS...': a TOML or YAML file with cases")
    return words[0], words[1:]


def _run(
    rules: str | None, tests: Iterable[str], options: dict[str, Any], files: list[str]
) -> bool:
    """Run everything once and report; False where something failed.  Adds to `files`."""
    from ztfast.cli.inputs import note_engine, read_rules
    from ztfast.pipeline.read import frame_batches
    from ztfast.suite.coverage import Coverage
    from ztfast.suite.file import read_suite
    from ztfast.suite.run import run_suite

    policy, network = read_rules(rules, options["network"], needs_id=False)
    files += _sources(policy, options["network"])
    engines: set[str] = set()
    covers = options["coverage"] or options["fail_under"] is not None
    coverage = Coverage(policy) if covers else None
    results: list[CaseResult] = []
    for name in tests:
        suite = _chosen(read_suite(name, policy, network), options["only"])
        files.extend(suite.files)
        engines.update(case.engine for case in suite.cases)
        results += run_suite(suite, policy, frame_batches, options["seed"], coverage)
    if not results:
        raise click.UsageError("no case has such a name: see --only")
    note_engine(policy, *engines)
    _report(results, coverage, options, files)
    _warn_unresolved(results)
    low = coverage is not None and _is_low(coverage.percent, options["fail_under"])
    return all(result.passed for result in results) and not low


def _warn_unresolved(results: list[CaseResult]) -> None:
    """One line on standard error for all cases that could not happen."""
    found = [(one.name, text) for one in results for text in one.unresolved]
    if not found:
        return
    from ztfast.diagnostics.render import harmless

    name, text = found[0]
    cases = len({one.place for one in results if one.unresolved})
    which = "1 case passes and its ends" if cases == 1 else f"{cases} cases pass and their ends"
    message = f"{which} cannot find each other, so that nothing is sent: {name}: {text}"
    click.echo(f"ztfast test: warning: {harmless(message, keep='')}", err=True)


def _sources(policy: Policy, network: str | None) -> Iterator[str]:
    """The files that rules and network were read from."""
    if policy.source is not None:
        yield policy.source.name
    if network is not None:
        yield network


def _chosen(suite: Any, only: str | None) -> Any:
    from dataclasses import replace

    if only is None:
        return suite
    return replace(suite, cases=tuple(case for case in suite.cases if only in case.name))


def _is_low(percent: float, wanted: float | None) -> bool:
    if wanted is None or percent >= wanted:
        return False
    click.echo(f"ztfast test: the coverage is {percent:.1f} %, under {wanted:g} %", err=True)
    return True


def _report(results: Any, coverage: Any, options: dict[str, Any], read: list[str]) -> None:
    import sys

    from ztfast.diagnostics.render import wants_colour
    from ztfast.sinks.text import write_text
    from ztfast.suite.render import FORMATS, cases_text

    if options["form"] == "text":
        colour = options["output"] is None and wants_colour(sys.stdout)
        shown = coverage if options["coverage"] or options["fail_under"] is not None else None
        text = cases_text(results, shown, colour)
    else:
        text = FORMATS[options["form"]](results, coverage)
    write_text(options["output"], text, read)


def _watch(rules: str | None, tests: tuple[str, ...], options: dict[str, Any]) -> None:
    """Run, wait for a change, run again; what is wrong in a file is said and waited out."""
    from ztfast.diagnostics.render import print_diagnostics
    from ztfast.errors import ZtfastError

    while True:
        files = [*tests] if rules is None else [rules, *tests]
        before = _stamps(files)
        try:
            _run(rules, tests, options, files)
        except ZtfastError as error:
            print_diagnostics(error.diagnostics)
        except click.UsageError as error:
            error.show()
        before = {**_stamps(files), **before}
        click.echo("ztfast test: waiting for a change (Ctrl-C ends)", err=True)
        while _stamps(files) == before:
            time.sleep(_INTERVAL)


def _stamps(files: Iterable[str]) -> dict[str, tuple[int, int]]:
    """(time, size) of each file that is there."""
    found: dict[str, tuple[int, int]] = {}
    for name in files:
        try:
            state = os.stat(name)
            found[name] = state.st_mtime_ns, state.st_size
        except OSError:
            found[name] = (0, 0)
    return found
