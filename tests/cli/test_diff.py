"""`ztfast diff`: in words and as JSON, of files, standard input and revisions, with a capture."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import ztfast
from tests.cli.running import run
from tests.engine.cases import ipv4, ports
from tests.lang.revised import repository
from tests.needs import needs
from ztfast.cli.diff import command

pytestmark = needs("z3")

TAIL = "Drop\n"
OLD = "accept ipprotocol tcp and dport 80;\naccept ipprotocol udp;\n"
NEW = OLD + "accept ipprotocol tcp and dport 22 and ipdest 10.1.1.0/24;\n"


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.ztrules").write_text(text)


def test_command(tmp_path: Path) -> None:
    write(tmp_path, old=OLD + TAIL, new=NEW + TAIL)
    old, new = str(tmp_path / "old.ztrules"), str(tmp_path / "new.ztrules")
    done = run("diff", old, new)
    assert done.returncode == 1
    assert done.stdout == (
        "line 3 added: ssh to 10.1.1.0/24 is now accepted\n"
        "no other frame is judged otherwise: proved\n"
    )
    assert "  such as tcp 10.0.0.1:40000 > 10.1.1." in run("diff", old, new, "-v").stdout
    assert run("diff", old, old).stdout == "no difference: proved for every frame\n"
    assert run("diff", old, "--engines", "1.12", "1.14").returncode == 0
    assert run("diff", old).returncode == 2
    assert run("diff", old, "--engines", "1.12", "1.13").returncode == 2
    missing = run("diff", old, str(tmp_path / "none"))
    assert missing.returncode == 1
    assert "ZT051" in missing.stderr
    document = json.loads(run("diff", old, new, "--json").stdout)
    assert document["complete"]
    assert document["edits"][0]["effect"] == "ssh to 10.1.1.0/24 is now accepted"
    assert document["changes"][0]["new"]["by"] == "by `accept` in line 3"
    assert document["changes"][0]["witness"]["hex"].startswith("hex:")


def test_standard_input(tmp_path: Path) -> None:
    write(tmp_path, old=OLD + TAIL)
    done = CliRunner().invoke(command, [str(tmp_path / "old.ztrules"), "-"], input=NEW + TAIL)
    assert done.exit_code == 1
    assert "ssh to 10.1.1.0/24" in done.stdout


def pcap(frames: list[bytes]) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return head + b"".join(
        struct.pack("<IIII", n, 0, len(frame), len(frame)) + frame for n, frame in enumerate(frames)
    )


def test_captured_frames_are_counted(tmp_path: Path) -> None:
    write(tmp_path, old=OLD + TAIL, new="tee -1 1122334455 dport 80;\n" + NEW + TAIL)
    ethernet = b"\2" * 12 + b"\x08\0"
    frames = [
        ethernet + ipv4(6, ports(4000, port) + b"\0" * 12, dest="0a010105")
        for port in (80, 22, 22, 443)
    ]
    (tmp_path / "c.pcap").write_bytes(pcap(frames))
    names = [str(tmp_path / name) for name in ("old.ztrules", "new.ztrules", "c.pcap")]
    done = run("diff", names[0], names[1], "--capture", names[2], "--json")
    counted = json.loads(done.stdout)["capture"]
    assert (counted["frames"], counted["changed"]) == (4, 3)
    assert counted["by_verdict"][0] == {"old": "dropped", "new": "accepted", "frames": 2}
    text = run("diff", names[0], names[1], "--capture", names[2]).stdout
    assert "of 4 captured frames 3 change:\n  2 dropped → accepted\n" in text
    same = run("diff", names[0], names[0], "--capture", names[2]).stdout
    assert same.endswith("of 4 captured frames 0 change\n")
    broken = run("diff", names[0], names[1], "--capture", names[0])
    assert broken.returncode == 1


def test_revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path, OLD + TAIL)
    monkeypatch.chdir(tmp_path / "sub")
    write(tmp_path / "sub", rules=NEW + TAIL)
    done = run("diff", "git:HEAD:rules.ztrules", "rules.ztrules")
    assert done.returncode == 1
    assert "line 3 added: ssh to 10.1.1.0/24 is now accepted" in done.stdout
    (tmp_path / "sub" / "rules.ztrules").write_bytes(b"\xff")
    assert "ZT050" in run("diff", "git:HEAD:rules.ztrules", "rules.ztrules").stderr


@needs("z3")
def test_members_that_a_change_lets_talk(tmp_path: Path) -> None:
    office = Path(__file__).parents[2] / "examples" / "office.toml"
    rules, new = office.with_suffix(".ztrules"), tmp_path / "new.ztrules"
    new.write_text(rules.read_text().replace("drop ipprotocol tcp and dport 23", "accept dport 23"))
    words = ("diff", str(rules), str(new), "--network", str(office))
    lines = run(*words).stdout.splitlines()
    assert lines[0].startswith("line 48 removed: some telnet is now accepted")
    assert lines[1].startswith("line 48 added: some frames to port 23 are now accepted")
    assert lines[4] == "For members"
    assert lines[5].startswith("opens: 42, closes: 0, of 616 ways (ping, ssh, https, smb, rdp, dns")
    assert lines[7] == "telnet opens (line 48); it was closed: dropped, line 48"
    cells = json.loads(run(*words, "--json").stdout)["members"]
    assert {(cell["service"], cell["open"], cell["was"]) for cell in cells} == {
        ("telnet", True, "dropped")
    }
    assert "members" not in json.loads(run(*words, "--json", "--side", "out").stdout)


def test_every_edit_of_the_office_is_said_at_once(tmp_path: Path) -> None:
    """A rule removed and another changed: a line each, nothing else, all of it proved."""
    rules = Path(__file__).parents[2] / "examples" / "office.ztrules"
    new = tmp_path / "new.ztrules"
    lines = rules.read_text().splitlines(keepends=True)
    new.write_text("".join(lines[:47] + lines[48:]).replace("5000-5010", "5000-5020"))
    done = run("diff", str(rules), str(new), "--network", str(rules.with_suffix(".toml")))
    said = done.stdout.splitlines()
    assert said[0].startswith(
        "line 48 removed: some telnet is now accepted: between members of one department (line 66)"
    )
    assert said[0].endswith("and some of that teed to sensor")
    assert said[1:3] == [
        "line 71 changed (was line 72): some UDP to ports 5000-5020 "
        "other than UDP to ports 5000-5010 is now accepted",
        "no other frame is judged otherwise: proved",
    ]
    assert done.stderr == ""
    assert done.returncode == 1


def invoked(*words: str) -> Result:
    """The command in this process, standard output alone."""
    return CliRunner().invoke(command, list(words))


def said(*words: str) -> str:
    return invoked(*words).stdout


def test_forms(tmp_path: Path) -> None:
    write(tmp_path, old=OLD + TAIL, new=NEW + TAIL)
    words = (str(tmp_path / "old.ztrules"), str(tmp_path / "new.ztrules"))
    shown = said(*words, "--format", "markdown")
    assert "- **line 3 added**: ssh to 10.1.1.0/24 is now accepted\n" in shown
    html = said(*words, "--format", "html", "-v")
    assert html.startswith("<!doctype html>")
    assert "<summary>line 3 added</summary>" in html
    assert json.loads(said(*words, "--format", "json")) == json.loads(
        said(*words, "--json")
    )
    assert invoked(*words, "--json", "--format", "html").exit_code == 2


def test_more_edits_than_are_shown(tmp_path: Path) -> None:
    many = "".join(f"accept dport {port};\n" for port in range(10, 50, 4))
    write(tmp_path, old=TAIL, new=many + TAIL)
    words = (str(tmp_path / "old.ztrules"), str(tmp_path / "new.ztrules"), "--limit", "2")
    lines = said(*words).splitlines()
    assert lines[2:] == [
        "8 more edits: not shown (--limit shows more)",
        "no other frame is judged otherwise: proved",
    ]
    assert lines[0] == "line 1 added: frames to port 10 are now accepted"


def test_engines_in_every_form(tmp_path: Path) -> None:
    write(tmp_path, old="tag r id 1;\ndrop not tseq r 1;\naccept;\n")
    words = (str(tmp_path / "old.ztrules"), "--engines", "1.12", "1.14")
    for form in ("text", "markdown", "html"):
        assert "every frame where the sender has no tag r" in said(*words, "--format", form)
    assert json.loads(said(*words, "--json"))["changes"]


def test_between_two_members(tmp_path: Path) -> None:
    """Proofs, ways and captured frames are of these ends alone, and say so in every form."""
    office = Path(__file__).parents[2] / "examples" / "office.toml"
    rules, new = office.with_suffix(".ztrules"), tmp_path / "new.ztrules"
    new.write_text(rules.read_text().replace("include service(10.147.20.5/32,631)\n", ""))
    words = (str(rules), str(new), "--network", str(office))
    between = ("--from", "visitor", "--to", "printer")
    done = invoked(*words, *between)
    lines = done.stdout.splitlines()
    assert (lines[0], done.exit_code) == ("from visitor to printer:", 1)
    assert "no other frame from visitor to printer is judged otherwise: proved" in lines
    assert lines[-2:] == [
        "ipp closes: tag, line 62",
        "  visitor to printer",
    ]
    shown = said(*words, *between, "--format", "markdown")
    assert shown.startswith("### Flow rules, from visitor to printer\n")
    assert "<h1>Flow rules, from visitor</h1>" in said(*words, *between[:2], "--format", "html")
    document = json.loads(said(*words, *between, "--json"))
    named = {member.name: member.label for member in ztfast.load_network(office).members}
    assert (document["from"], document["to"]) == (named["visitor"], named["printer"])
    new.write_text(rules.read_text().replace("accept dport 3389", "accept dport 3390"))
    none = invoked(*words, "--from", "ben", "--to", "files")  # who is not an administrator
    assert "no difference: proved for every frame from ben to files" in none.stdout
    assert none.exit_code == 0


def test_captured_frames_between_members() -> None:
    office = Path(__file__).parents[2] / "examples" / "office.toml"
    words = (str(office.with_suffix(".ztrules")), "-", "--network", str(office))
    words = (*words, "--capture", str(office.with_suffix(".pcap")), "--json")
    words = (*words, "--time-limit", "0.1")  # what is proved is not asked here
    counted = [
        json.loads(CliRunner().invoke(command, [*words, *more], input="drop;\n").stdout)["capture"]
        for more in ((), ("--from", "ben"), ("--from", "ben", "--to", "files"))
    ]
    assert [(one["frames"], one["changed"]) for one in counted] == [(221, 213), (54, 52), (36, 34)]


def test_ends_that_are_none(tmp_path: Path) -> None:
    office = str(Path(__file__).parents[2] / "examples" / "office.toml")
    write(tmp_path, old=OLD)
    old = str(tmp_path / "old.ztrules")
    for more, why in (
        (("--from", "anna"), "--from needs --network"),
        (("--to", "anna"), "--to needs --network"),
        (("--network", office, "--to", "karla"), "did you mean carla?"),
        (("--network", office, "--from", "anna", "--to", "ANNA"), "are both anna"),
    ):
        done = run("diff", old, old, *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert why in done.stderr
