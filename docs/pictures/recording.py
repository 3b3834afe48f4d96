"""`python -m docs.pictures.recording`: a terminal in which real commands ran, as an SVG.

Contract: prints docs/pictures/recording.svg.  Each of COMMANDS runs in a terminal of its own (a
pty, so on POSIX alone) in a folder with the example's files; what it prints, colours too, is drawn.
Nothing moves: whoever looks, at whatever moment, sees all of it.
Tested by tests/docs/test_pictures.py.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
COLUMNS, ROWS = 66, 50
COMMANDS = (
    "ztfast explain --frame 'tcp ben > files:ssh syn' | head -2",
    "ztfast reach --service ssh,smb --to files,printer",
)
SETTINGS = 'rules = "office.ztrules"\nnetwork = "office.toml"\n'
FONT, LINE, EDGE = 13, 19, 14
ADVANCE = 0.602  # of the fonts below, a letter's width by its size

STYLE = """
.page { fill: #f6f8fa }
text { fill: #1b1f24; font: 13px "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre }
.prompt { fill: #1f6f5c } .bold { font-weight: 700 } .dim { fill: #6e7781 }
.red { fill: #b3261e } .green { fill: #1a7f37 } .yellow { fill: #8a6100 } .cyan { fill: #0b6e7f }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117 } text { fill: #e6edf3 }
  .prompt { fill: #56d3a8 } .dim { fill: #9198a1 }
  .red { fill: #ff7b72 } .green { fill: #56d364 } .yellow { fill: #e3b341 } .cyan { fill: #76e3ea }
}
""".strip()
KINDS = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
_COLOUR = re.compile(r"\x1b\[([\d;]*)m")


def run(command: str, folder: Path) -> list[str]:
    """The lines that a command prints on a terminal of COLUMNS, with their colours."""
    import fcntl
    import pty
    import struct
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    unwanted = re.compile(r"NO_COLOR|FORCE_COLOR|COLUMNS|LINES|ZTFAST_CONFIG")
    kept = {name: value for name, value in os.environ.items() if not unwanted.fullmatch(name)}
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
        env={**kept, "PATH": path, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
    )
    os.close(its)
    printed = b"".join(_read(ours))
    os.close(ours)
    process.wait()
    return printed.decode().replace("\r\n", "\n").splitlines()


def _read(terminal: int) -> Iterator[bytes]:
    """What comes from a terminal until nobody has it open any more."""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux's way of saying so
            return
        if not piece:
            return
        yield piece


def lay_out(folder: Path) -> None:
    """A project with the example's rules and network, and a `ztfast` on the path."""
    for name in ("office.ztrules", "office.toml"):
        shutil.copy(EXAMPLES / name, folder)
    (folder / "ztfast.toml").write_text(SETTINGS, encoding="utf-8")
    script = folder / "bin" / "ztfast"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ztfast "$@"\n', encoding="utf-8")
    script.chmod(0o755)


def spans(line: str) -> str:
    """A line's text as SVG, each colour a tspan."""
    drawn, kinds = [], ""
    for at, piece in enumerate(_COLOUR.split(line)):
        if at % 2:
            kinds = " ".join(KINDS[code] for code in piece.split(";") if code in KINDS)
        elif piece:
            text = escape(piece, quote=False)
            drawn.append(f'<tspan class="{kinds}">{text}</tspan>' if kinds else text)
    return "".join(drawn)


def recorded() -> Iterator[str]:
    """The lines of the terminal as SVG: each command and what it prints."""
    with tempfile.TemporaryDirectory() as name:
        lay_out(Path(name))
        for command in COMMANDS:
            words = escape(command, quote=False)
            yield f'<tspan class="prompt">$</tspan> <tspan class="bold">{words}</tspan>'
            yield from map(spans, run(command, Path(name)))
            yield ""


def picture() -> str:
    """The SVG, whole."""
    lines = list(recorded())[:-1]
    width = round(COLUMNS * FONT * ADVANCE) + 2 * EDGE
    height = len(lines) * LINE + 2 * EDGE
    drawn = [
        f'<text x="{EDGE}" y="{EDGE + 14 + LINE * at}">{line}</text>'
        for at, line in enumerate(lines)
        if line
    ]
    size = f'viewBox="0 0 {width} {height}" width="{width}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>A terminal: {escape(', then '.join(COMMANDS), quote=False)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" rx="6" class="page"/>',
            *drawn,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    print(picture(), end="")
