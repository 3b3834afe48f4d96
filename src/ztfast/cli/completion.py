"""Shell completion of what is a file: click completes commands, options and choices by itself.

Contract: `complete_files` is called only where a shell asks (`_ZTFAST_COMPLETE`, click's protocol).
The scripts in completions/ ask `ztfast` for what the installed click has for a shell; wheels put
them where bash, zsh and fish look.  Tested by tests/cli/test_completion.py.
"""

from __future__ import annotations

import re

import click

VARIABLE = "_ZTFAST_COMPLETE"
_FILES = re.compile(r"RULES|FILE|CAPTURE|SOURCE|TESTS|CASES|OLD|NEW|PLAN|DIR|FOLDER")


def complete_files(command: click.Command) -> None:
    """Parameters whose value is a file, by their metavar, are completed by files."""
    for parameter in command.params:
        metavar = parameter.metavar or ""
        if isinstance(parameter.type, type(click.STRING)) and _FILES.search(metavar):
            folder = metavar in ("DIR", "FOLDER")
            parameter.type = click.Path(file_okay=not folder, allow_dash=not folder)
