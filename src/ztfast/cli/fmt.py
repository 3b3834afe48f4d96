"""`ztfast fmt`: rules texts in canonical layout."""

from __future__ import annotations

import difflib
import sys

import click


@click.command()
@click.argument("files", metavar="FILES...", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Name the files that would change; exit 1 if any.")
@click.option("--diff", is_flag=True, help="Print what would change, as a unified diff.")
@click.option("-w", "--write", is_flag=True, help="Write the files that change.")
@click.pass_context
def command(
    ctx: click.Context, files: tuple[str, ...], check: bool, diff: bool, write: bool
) -> None:
    """Lay rules texts out canonically; comments stay, the compiled JSON stays the same.

    Prints the result; with --check, --diff or --write, only what these ask for. `-` is
    standard input. A text that does not compile is reported and left alone (exit 1).

    \b
    Example: ztfast fmt --write rules.ztrules
    """
    from ztfast.diagnostics.render import print_diagnostics
    from ztfast.errors import UsageError, ZtfastError

    failed = False
    for name in files:
        try:
            failed |= _one(name, check, diff, write)
        except UsageError:
            raise
        except ZtfastError as error:
            print_diagnostics(error.diagnostics)
            failed = True
    ctx.exit(1 if failed else 0)


def _one(name: str, check: bool, diff: bool, write: bool) -> bool:
    """Lay one file out; True where it counts as a failure."""
    from ztfast.diagnostics.render import harmless
    from ztfast.lang.format import format_text
    from ztfast.lang.sources import is_json, read_source
    from ztfast.lang.terraform import is_terraform
    from ztfast.sinks.text import write_text

    source = read_source(name)
    shown = harmless(source.name, keep="")
    if is_json(source.text):
        raise _is_json(source.name)
    if is_terraform(source.name):
        raise _is_terraform(source.name)
    made = format_text(source.text, source.name)
    changed = made != source.text
    if diff and changed:
        text = _diff(shown, source.text, made)
        write_text(None, coloured_diff(text))
    if check and changed and not diff:
        write_text(None, f"{shown}\n")
    if write and name == "-":
        write_text(None, made)
    elif write and changed and not check:
        write_text(name, made)
        click.echo(f"ztfast fmt: wrote {shown}", err=True)
    if not (check or diff or write):
        write_text(None, made)
    return check and changed


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, name
    )
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
    )


_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def coloured_diff(diff: str) -> str:
    """The lines of a diff in the colours that git gives them, where a terminal wants colours."""
    from ztfast.diagnostics.render import wants_colour

    if not wants_colour(sys.stdout):
        return diff
    return "".join(
        click.style(line, fg=_COLOURS.get(line[:1]), bold=line.startswith(("+++", "---")) or None)
        for line in diff.splitlines(keepends=True)
    )


def _is_json(name: str) -> Exception:
    from ztfast.errors import Diagnostic, RulesError

    help = "`ztfast compile --decompile` makes rules text of it"
    return RulesError(Diagnostic("ZT061", "fmt only formats rules text", path=name, help=help))


def _is_terraform(name: str) -> Exception:
    from ztfast.errors import Diagnostic, RulesError

    help = 'keep the rules in a file of their own: flow_rules = file("office.ztrules")'
    return RulesError(
        Diagnostic("ZT061", "a Terraform file has other things", path=name, help=help)
    )
