"""`ztfast filter --list`: frames on standard output, beside what is written; comments in pcapng."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import pages
from tests.capture.building import pcap
from tests.cli.running import run, ztfast
from ztfast.capture import open_capture

KINDS = ("ztrules", "toml", "pcap")
RULES, NETWORK, CAPTURE = (pages.EXAMPLES / f"office.{kind}" for kind in KINDS)
OFFICE = ("filter", RULES, CAPTURE, "--network", NETWORK)


def test_listed_and_counted(capfd: Any) -> None:
    assert ztfast(*OFFICE, "--list", "--verdict", "drop", "--from", "visitor") == 0
    shown, said = capfd.readouterr()
    numbers = [line.split()[0] for line in shown.splitlines()]
    assert numbers == ["number", "217", "218", "219", "220"]
    assert said == "ztfast: 4 of 221 frames listed\n"


def test_objects(capfd: Any) -> None:
    assert ztfast(*OFFICE, "--jsonl", "--line", "48", "--line", "49", "--to", "sensor") == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [(row["number"], row["to_name"], row["line"]) for row in rows] == [(220, "sensor", 49)]


def test_a_macros_line_or_that_of_its_include(capfd: Any) -> None:
    """The table prints "22 (66)": either finds it; a line without a rule is said to have none."""
    shown = {}
    for line in ("22", "65", "66", "67", "3", "29"):
        assert ztfast(*OFFICE, "--jsonl", "--line", line) == 0
        out, said = capfd.readouterr()
        shown[line] = [json.loads(one) for one in out.splitlines()]
        note = f"ztfast: --line {line}: no rule decides in that line"
        assert (note in said) == (line in ("3", "29", "65"))
    assert {(row["line"], row["included"]) for row in shown["66"]} <= {(22, 66), (23, 66)}
    assert {row["number"] for row in shown["66"] if row["line"] == 22} == {
        row["number"] for row in shown["22"] if row["included"] == 66
    }
    assert shown["66"]
    assert shown["67"]
    assert not shown["3"]


def test_a_member_that_is_shown_can_be_chosen(tmp_path: Path, capfd: Any) -> None:
    network = tmp_path / "net.toml"
    text = NETWORK.read_text().replace('name = "visitor"', 'name = "visitor"\nauthorized = false')
    assert text != NETWORK.read_text()
    network.write_text(text.replace('"office.ztrules"', f'"{RULES.as_posix()}"'))
    words = ("filter", RULES, CAPTURE, "--network", network, "--jsonl")
    assert ztfast(*words[:-1], "--count") == 0
    said = capfd.readouterr().err
    assert said.count("not authorized: visitor; nodes deliver nothing from or to them") == 1
    assert ztfast(*words[:-1], "--list") == 0
    said = capfd.readouterr().err
    assert said.count(" frames from no member of the network (visitor, not authorized), ") == 1
    assert said.count("no member") == 2
    for option in ("--from", "--to"):
        assert ztfast(*words) == 0
        rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        key = f"{option[2:]}_name"
        expected = [row["number"] for row in rows if row[key] == "visitor"]
        assert expected
        for who in ("visitor", "9a8b7c6d5e"):
            assert ztfast(*words, option, who) == 0
            found = [json.loads(line)["number"] for line in capfd.readouterr().out.splitlines()]
            assert found == expected
    assert ztfast(*words, "--from", "nobody") == 2
    assert "is not a member" in capfd.readouterr().err


def test_listed_while_written(tmp_path: Path, capfd: Any) -> None:
    out = tmp_path / "out.pcap"
    assert ztfast(*OFFICE, "--list", "-w", out, "--threads", "2") == 0
    assert len(capfd.readouterr().out.splitlines()) == 222
    with open_capture(out) as capture:
        assert sum(map(len, capture)) == 210


def test_damage_is_said_behind_the_list(tmp_path: Path, capfd: Any) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(pcap([bytes(60)] * 3)[:-10])
    assert ztfast("filter", RULES, cut, "--list") == 1
    shown, said = capfd.readouterr()
    assert len(shown.splitlines()) == 3
    assert "ZT502" in said
    assert "2 of 2 frames listed" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--verdict", "drop"), "--verdict chooses what is listed"),
        (("--from", "anna"), "--from chooses what is listed"),
        (("--list", "--count"), "--count prints figures"),
        (("--jsonl", "--json"), "--json prints figures"),
        (("--list", "-w", "-"), "cannot share standard output"),
        (("--list", "--to", "fiels"), "did you mean files?"),
        (("--list", "--line", "0"), "--line"),
        (("--comment",), "add -w or --split"),
        (("--comment", "-w", "a.pcap"), "a classic pcap has no place for comments"),
        (("--comment", "--split", "a", "--format", "pcap"), "a classic pcap has no place"),
    ],
)
def test_what_makes_no_sense(words: tuple[str, ...], said: str, capfd: Any) -> None:
    assert ztfast(*OFFICE, *words) == 2
    assert said in capfd.readouterr().err


@pytest.mark.parametrize("writes", [False, True])
def test_nobody_reads_any_more(writes: bool, tmp_path: Path) -> None:
    """The list ends without a word; what is written is still written."""
    capture, out = tmp_path / "many.pcap", tmp_path / "out.pcap"
    capture.write_bytes(pcap([bytes(60)] * 20_000))
    rules = tmp_path / "rules"
    rules.write_text("accept;\n")
    words = ["filter", str(rules), str(capture), "--list", *(["-w", str(out)] if writes else [])]
    command = [sys.executable, "-m", "ztfast", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"number")
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert "Broken" not in said
    if writes:
        with open_capture(out) as written:
            assert sum(map(len, written)) == 20_000


def comments(path: Path) -> list[bytes]:
    """The text of each comment in a pcapng, by what we write of it."""
    data = path.read_bytes()
    return [part.split(b"\0")[0] for part in data.split(b" by ")[1:]]


def test_comments(tmp_path: Path, capfd: Any) -> None:
    outputs = ("--split", tmp_path / "out", "-w", tmp_path / "a.pcapng")
    assert ztfast(*OFFICE, "--comment", *outputs) == 0
    dropped = comments(tmp_path / "out" / "dropped.pcapng")
    assert len(dropped) == 8
    assert b"sender, line 48: drop ipprotocol tcp and dport 23" in dropped
    assert len(comments(tmp_path / "a.pcapng")) == 210
    # read again, the frames are the same, and a second comment stands before the first
    again = tmp_path / "b.pcapng"
    words = ("filter", RULES, tmp_path / "a.pcapng", "--network", NETWORK)
    assert ztfast(*words, "--comment", "-w", again) == 0
    assert len(comments(again)) == 420
    with open_capture(tmp_path / "a.pcapng") as one, open_capture(again) as other:
        frames = [[frame for batch in each for frame in batch.frames()] for each in (one, other)]
    assert frames[0] == frames[1]


def test_comments_go_to_standard_output_as_pcapng() -> None:
    words = [str(word) for word in (*OFFICE, "--comment", "-w", "-")]
    done = subprocess.run([sys.executable, "-m", "ztfast", *words], capture_output=True, check=True)
    assert done.stdout[:4] == b"\x0a\x0d\x0d\x0a"
    assert done.stdout.count(b"accept by receiver, line") == 210 - done.stdout.count(b", cap ")


def test_rotation_counts_comments(tmp_path: Path) -> None:
    words = ("--comment", "-w", tmp_path / "x.pcapng", "--rotate-size", "10k")
    assert ztfast(*OFFICE, *words) == 0
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) > 3
    assert max(sizes) <= 10_000 + 200  # the section and its interface


def test_help_names_the_list() -> None:
    assert "Listing:" in run("filter", "--help").stdout
