"""`ztfast diff`: in words and as JSON, of files, standard input and revisions, with a capture."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

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
    assert done.stdout.startswith("TCP to port 22 from any to 10.1.1.0/24:\n  dropped by `drop`")
    assert "such as tcp 10.0.0.1:40000 > 10.1.1." in done.stdout
    assert run("diff", old, old).stdout == "no difference: proved for every frame\n"
    assert run("diff", old, "--engines", "1.12", "1.14").returncode == 0
    assert run("diff", old).returncode == 2
    assert run("diff", old, "--engines", "1.12", "1.13").returncode == 2
    missing = run("diff", old, str(tmp_path / "none"))
    assert missing.returncode == 1
    assert "ZT051" in missing.stderr
    document = json.loads(run("diff", old, new, "--json").stdout)
    assert document["complete"]
    assert document["changes"][0]["new"]["by"] == "by `accept` in line 3"
    assert document["changes"][0]["witness"]["hex"].startswith("hex:")


def test_standard_input(tmp_path: Path) -> None:
    write(tmp_path, old=OLD + TAIL)
    done = CliRunner().invoke(command, [str(tmp_path / "old.ztrules"), "-"], input=NEW + TAIL)
    assert done.exit_code == 1
    assert "TCP to port 22" in done.stdout


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
    assert "now accepted by `accept` in line 3" in done.stdout
    (tmp_path / "sub" / "rules.ztrules").write_bytes(b"\xff")
    assert "ZT050" in run("diff", "git:HEAD:rules.ztrules", "rules.ztrules").stderr


@needs("z3")
def test_members_that_a_change_lets_talk(tmp_path: Path) -> None:
    office = Path(__file__).parents[2] / "examples" / "office.toml"
    rules, new = office.with_suffix(".ztrules"), tmp_path / "new.ztrules"
    new.write_text(rules.read_text().replace("drop ipprotocol tcp and dport 23", "accept dport 23"))
    words = ("diff", str(rules), str(new), "--network", str(office), "--limit", "1")
    lines = run(*words).stdout.splitlines()
    assert lines[0].startswith("opens: 42, closes: 0, of 504 ways (ping, ssh, https, smb, rdp, dns")
    assert lines[2] == "telnet opens (line 48); it was closed: dropped, line 48"
    cells = json.loads(run(*words, "--json").stdout)["members"]
    assert {(cell["service"], cell["open"], cell["was"]) for cell in cells} == {
        ("telnet", True, "dropped")
    }
    assert "members" not in json.loads(run(*words, "--json", "--side", "out").stdout)
