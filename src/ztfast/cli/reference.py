"""The reference of commands as a page: every command's own help.

`python -m ztfast.cli.reference > docs/commands.md` writes it; tests/cli/test_reference.py
compares.
"""

from __future__ import annotations

import click

from ztfast.cli import COMMANDS, cli

_WIDTH = 100
_TOP = """\
# Commands

What `ztfast COMMAND --help` prints. `-` is a pipe; results go to standard output, everything else
to standard error; exit 0 is success, 1 a finding or an error in the input, 2 wrong usage.

<!-- python -m ztfast.cli.reference > docs/commands.md -->
"""


def markdown() -> str:
    """The page."""
    parts = [_TOP]
    top = click.Context(cli, info_name="ztfast", **cli.context_settings)
    for name, (_, line) in COMMANDS.items():
        command = cli.get_command(top, name)
        assert command is not None
        context = click.Context(command, top, name, terminal_width=_WIDTH, max_content_width=_WIDTH)
        text = "\n".join(row.rstrip() for row in command.get_help(context).splitlines())
        parts.append(f"\n## ztfast {name}\n\n{line}\n\n```text\n{text}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    print(markdown(), end="")
