"""Terminals: no line wider than they are, no word broken, colours only where they are wanted."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import needs
from ztfast.cli.terminal import change_colours, fit

OFFICE = Path(__file__).parents[2] / "examples" / "office"
NETWORK = ("--network", f"{OFFICE}.toml")
JUDGED = (f"{OFFICE}.ztrules", f"{OFFICE}.pcap", *NETWORK, "--progress", "none")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

needs_terminals = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


def on_terminal(columns: int, *words: str, **environment: str) -> str:
    """What a command shows on a terminal of so many columns."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    plain = {**os.environ}
    for name in ("COLUMNS", "NO_COLOR"):
        plain.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "ztfast", *words],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={**plain, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so where the other end is closed
            break
        if not part:
            break
        shown += part
    process.wait()
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@needs_terminals
@pytest.mark.parametrize(
    "words",
    [
        ("filter", *JUDGED, "--count"),
        ("filter", *JUDGED, "--list"),
        ("explain", *NETWORK, "--frame", "tcp ben > files:ssh syn"),
        ("reach", *NETWORK, "--service", "ssh,smb"),
        ("filter", "--help"),
        ("--help",),
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_eighty_columns_are_enough(words: tuple[str, ...]) -> None:
    shown = ESCAPE.sub("", on_terminal(80, *words)).splitlines()
    examples = [line for line in shown if line.startswith("    ztfast ") or " | ztfast " in line]
    wide = [line for line in shown if len(line) > 80 and line not in examples]
    assert wide == []
    assert len(shown) > 5


@needs_terminals
def test_a_list_on_eighty_columns_still_says_the_verdict_and_the_line() -> None:
    lines = on_terminal(80, "filter", *JUDGED, "--list", "--verdict", "drop").splitlines()
    assert lines[0].split() == ["number", "time", "(UTC)", "from", "to", "frame", "bytes",
                                "verdict", "line"]  # fmt: skip
    assert re.match(r" +206  06:40:03\.988 +ben +files +tcp 40022 > 2… +54  drop +70$", lines[1])
    wide = on_terminal(200, "filter", *JUDGED, "--list", "--verdict", "drop").splitlines()
    assert "2026-01-12 06:40:03.988454" in wide[1]
    assert wide[1].endswith("break chr tcp_syn and not chr tcp_ack")


@needs_terminals
@needs("z3")
def test_colours_of_a_change_and_none(tmp_path: Path) -> None:
    new = tmp_path / "new.ztrules"
    new.write_text((OFFICE.with_suffix(".ztrules")).read_text().replace("dport 23", "dport 24"))
    words = ("diff", f"{OFFICE}.ztrules", str(new))
    shown = on_terminal(80, *words)
    assert "\x1b[1mline 48 changed\x1b[0m: " in shown
    assert "\x1b[32mnow accepted\x1b[0m" in shown
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert ESCAPE.search(on_terminal(80, *words, **more)) is None


@needs_terminals
def test_help_has_colours() -> None:
    assert "\x1b[1mOptions:\x1b[0m" in on_terminal(80, "check", "--help")
    assert ESCAPE.search(on_terminal(80, "check", "--help", NO_COLOR="1")) is None


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("short", ["short"]),
        ("  help: put it before the others", ["  help: put it", "    before the", "    others"]),
        ("averylongwordthatfitsnowhere x", ["averylongwordthatfitsnowhere", "  x"]),
        ("", [""]),
        ("\x1b[31mdropped\x1b[0m by it all", ["\x1b[31mdropped\x1b[0m by it", "  all"]),
        (" 6 | accept ipprotocol tcp;", [" 6 | accept ipp…"]),
    ],
)
def test_lines_are_broken_between_words(line: str, pieces: list[str]) -> None:
    assert list(fit(line, 16)) == pieces


def test_what_is_let_through_is_green() -> None:
    shown = change_colours("line 3 added: ssh is now dropped\nopens: 2, closes: 1\n")
    assert ESCAPE.sub("", shown) == "line 3 added: ssh is now dropped\nopens: 2, closes: 1\n"
    assert "\x1b[31mnow dropped\x1b[0m" in shown
