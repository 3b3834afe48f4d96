"""Runs docs/tutorial.md from top to bottom: `python tutorial.py PAGE FOLDER`.

Contract: needs nothing but the interpreter that runs it, which has ztfast installed: .ci/package
calls it in an environment that holds the wheel alone, the test suite in its own.  `file` blocks
are written into FOLDER, `console` blocks run there; what is printed must be what is shown.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"^```(file|console)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def printed(command: str, folder: Path) -> str:
    """What a `ztfast` or `python` command prints, both streams, as the shell runs it."""
    words = command.split(" ", 1)
    program = {"ztfast": [sys.executable, "-m", "ztfast"], "python": [sys.executable]}[words[0]]
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(program)} {words[1]}"],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def walk(page: str, folder: Path) -> Iterator[tuple[str, str, str]]:
    """(command, shown, printed) of the page's commands, in order; its files are written before."""
    for kind, name, body in BLOCK.findall(page):
        if kind == "file":
            (folder / name.strip()).write_text(body, encoding="utf-8")
            continue
        parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
        for command, shown in zip(parts[1::2], parts[2::2], strict=True):
            yield command, shown, printed(command, folder)


def main(page: Path, folder: Path) -> None:
    """Run the page; exit with the first command that prints something else."""
    count = 0
    for command, shown, found in walk(page.read_text(encoding="utf-8"), folder):
        if shown != found:
            sys.exit(f"{command}\n--- shown\n{shown}--- printed\n{found}")
        count += 1
    print(f"{count} commands of {page.name} print what it shows")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
