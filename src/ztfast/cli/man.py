"""Manual pages out of the commands' own help: `python -m ztfast.cli.man FOLDER` writes them.

Contract: a page for `ztfast` and one for each command, in man(7)'s language; what stands in help
texts is shown as it is, never read as an instruction of roff.  man/ in the repository holds these
pages, wheels put them where `man` looks.  Tested by tests/cli/test_man.py.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ztfast import __version__
from ztfast.cli import COMMANDS, VARIABLES, cli

_VERBATIM = "\b"  # click's mark of a paragraph whose lines stay


def pages() -> dict[str, str]:
    """The pages by the name of their file."""
    found = {"ztfast.1": "\n".join(_top()) + "\n"}
    context = click.Context(cli, info_name="ztfast")
    for name, (_, line) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        found[f"ztfast-{name}.1"] = "\n".join(_page(name, line, command, context)) + "\n"
    return found


def _top() -> Iterator[str]:
    yield _title("ztfast")
    yield ".SH NAME"
    yield "ztfast \\- check, test and run ZeroTier flow rules"
    yield ".SH SYNOPSIS"
    yield ".B ztfast"
    yield escaped("COMMAND [OPTIONS] [ARGS]...")
    yield ".SH DESCRIPTION"
    yield from _paragraphs(cli.help or "")
    yield ".SH COMMANDS"
    for name, (_, line) in COMMANDS.items():
        yield from _item(f"ztfast-{name}(1)", line)
    yield ".SH ENVIRONMENT"
    for name, line in VARIABLES:
        yield from _item(name, line)
    yield ".SH EXIT STATUS"
    yield escaped("0: success. 1: a finding, or an error in the input. 2: wrong usage.")


def _page(name: str, line: str, command: click.Command, above: click.Context) -> Iterator[str]:
    context = click.Context(command, above, name)
    yield _title(f"ztfast-{name}")
    yield ".SH NAME"
    yield f"{escaped(f'ztfast-{name}')} \\- {escaped(line.rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B ztfast {escaped(name)}"
    yield escaped(" ".join(command.collect_usage_pieces(context)))
    yield ".SH DESCRIPTION"
    yield from _paragraphs(command.help or "")
    yield ".SH OPTIONS"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield from _item(*record)
    yield ".SH SEE ALSO"
    yield ".BR ztfast (1)"


def _title(name: str) -> str:
    return f'.TH "{escaped(name.upper())}" "1" "" "ztfast {__version__}" "ztfast"'


def _item(head: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield f"\\fB{escaped(head)}\\fR"
    yield escaped(" ".join(text.split()))


def _paragraphs(help: str) -> Iterator[str]:
    """Paragraphs between empty lines; verbatim ones keep their lines."""
    for number, part in enumerate(re.split(r"\n\s*\n", help.strip("\n"))):
        lines = [line.rstrip() for line in part.split("\n")]
        yield from [".PP"] * (number > 0)
        if lines and lines[0].strip() == _VERBATIM:
            yield ".nf"
            yield from map(escaped, lines[1:])
            yield ".fi"
        else:
            yield escaped(" ".join(line.strip() for line in lines))


def escaped(text: str) -> str:
    """A line that roff shows as it is."""
    made = text.replace("\\", "\\e").replace("-", "\\-")
    made = "".join(sign if sign.isascii() else f"\\[u{ord(sign):04X}]" for sign in made)
    return f"\\&{made}" if made.startswith((".", "'")) else made


def write(folder: Path) -> None:
    """Write the pages, and remove those of commands that are gone."""
    made = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("ztfast*.1"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
