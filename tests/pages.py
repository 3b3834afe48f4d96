"""Pages of documentation: their blocks, and a folder in which their commands run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of a kind on a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for name, body in _BLOCK.findall(text) if name == kind]


def commands(page: str) -> list[tuple[str, str]]:
    """(command, output) of the page's console blocks."""
    found = []
    for body in blocks(page, "console"):
        parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
        found += list(zip(parts[1::2], parts[2::2], strict=True))
    return found


def lay_out(folder: Path) -> None:
    """The example's files, beside and in `examples`, and a `ztfast` to be found on the path."""
    for place in (folder, folder / "examples"):
        place.mkdir(exist_ok=True)
        for path in EXAMPLES.glob("office.*"):
            shutil.copy(path, place)
    shutil.copy(folder / "office.ztrules", folder / "rules.ztrules")
    shutil.copy(folder / "office.toml", folder / "net.toml")
    shutil.copy(folder / "office.pcap", folder / "capture.pcap")
    (folder / "build").mkdir()
    (folder / "bin").mkdir()
    script = folder / "bin" / "ztfast"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ztfast "$@"\n')
    script.chmod(0o755)


def run(command: str, folder: Path) -> str:
    """What a command prints, standard output and standard error together."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout
