"""`ztfast init`: rules to start from, with cases that they pass.

Contract: without a name the templates are listed; with one, two files are written into a folder,
both or none, and nothing that is there is written over.  Tested by tests/cli/test_init.py.
"""

from __future__ import annotations

import os

import click

from ztfast.cli.templates import TEMPLATES

RULES, CASES = "rules.ztrules", "tests.toml"


@click.command()
@click.argument("name", metavar="[TEMPLATE]", required=False, type=click.Choice([*TEMPLATES]))
@click.argument("folder", metavar="[FOLDER]", default=".")
@click.option("--show", is_flag=True, help="Print the rules; write nothing.")
@click.pass_context
def command(ctx: click.Context, name: str | None, folder: str, show: bool) -> None:
    """Write rules to start from, and test cases for them, into FOLDER (here by default).

    Without TEMPLATE: list them.

    \b
    Example: ztfast init strict
    """
    if name is None:
        wide = max(map(len, TEMPLATES))
        for known, template in TEMPLATES.items():
            click.echo(f"{known:{wide}}  {template.title}")
        return
    if show:
        click.echo(rules_of(name), nl=False)
        return
    _write(name, folder)
    rules, cases = (os.path.join(folder, file) for file in (RULES, CASES))
    click.echo(f"{rules}: {TEMPLATES[name].title}")
    click.echo(f"next: ztfast test {rules} {cases}")


def rules_of(name: str) -> str:
    """A template's rules in the layout of `ztfast fmt`."""
    from ztfast.lang.format import format_text

    return format_text(TEMPLATES[name].rules, name)


def _write(name: str, folder: str) -> None:
    """Both files, or none where one of them is there."""
    from ztfast.errors import Diagnostic, OutputError
    from ztfast.sinks.text import write_text

    texts = {
        os.path.join(folder, RULES): rules_of(name),
        os.path.join(folder, CASES): TEMPLATES[name].cases,
    }
    for path in texts:
        if os.path.lexists(path):
            help = "name another folder, or move it away"
            raise OutputError(Diagnostic("ZT003", "is there already", path=path, help=help))
    os.makedirs(folder, exist_ok=True)
    for path, text in texts.items():
        write_text(path, text)
