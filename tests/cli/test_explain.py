"""`ztfast explain` as a user runs it, and what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.running import run
from ztfast.cli.explain import command

RULES = """\
tag department
  id 1
  enum 10 sales
  enum 20 lab
;
cap web
  id 5
  accept dport 80;
;
drop not ethertype ipv4;
drop chr tcp_syn and not dport 443 and tdiff department 0;
tee 64 3344556677 ipprotocol udp;
accept dport 443;
accept ipprotocol udp;
"""


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "r.ztrules"
    path.write_text(RULES)
    return str(path)


def said(*arguments: str) -> str:
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def explained(*arguments: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(said(*arguments, "--json"))
    return made


def test_accepted_with_lines(rules: str) -> None:
    text = said(rules, "--frame", "tcp 10.1.1.2:5555 > 10.1.1.7:443 syn")
    assert text.startswith(
        "tcp 10.1.1.2:5555 > 10.1.1.7:443 syn, 40 bytes of payload\n"
        "accepted by both sides: line 13, `accept`\n"
    )
    assert "     11    not dport 443       false        dport is 443\n" in text
    assert "     11    tdiff department 0  skipped      the set is false already\n" in text
    assert "2 more entries, not reached" in text
    assert "assumed: unknown ZeroTier addresses" in text


def test_dropped_at_the_end(rules: str) -> None:
    found = explained(rules, "--frame", "tcp 10.1.1.2 > 10.1.1.7:80 ack")
    sender, receiver = found["sides"]
    assert (found["verdict"], sender["by"], receiver["asked"]) == ("drop", None, False)
    assert any("holds no capability" in note for note in sender["notes"])
    text = said(rules, "--frame", "tcp 10.1.1.2 > 10.1.1.7:80 ack")
    assert "receiver (in): not asked, the frame never gets there" in text


def test_unknown_tags_decide(rules: str) -> None:
    found = explained(
        *(rules, "--frame", "tcp 10.1.1.2 > 10.1.1.7:80 syn"),
        *("--from-tag", "department=sales", "--cap", "web"),
    )
    sender, receiver = found["sides"]
    assert sender["by"] == {
        "rule_set": "capability web",
        "entry": 1,
        "line": 8,
        "included": None,
        "text": "accept",
    }
    assert any("skipDrop is armed" in note for note in sender["notes"])
    assert any("passed over because skipDrop" in note for note in sender["notes"])
    assert not any("skipDrop" in note for note in receiver["notes"])
    # An engine before 1.14 knows no skipDrop: the drop is taken.
    old = explained(
        *(rules, "--engine", "1.12", "--frame", "tcp 10.1.1.2 > 10.1.1.7:80 syn"),
        *("--from-tag", "department=sales", "--cap", "web"),
    )
    assert (old["verdict"], old["sides"][0]["by"]["line"]) == ("drop", 11)


def test_tags_of_both_sides(rules: str) -> None:
    options = ("--from-tag", "department=sales", "--to-tag", "1=20", "--cap", "5")
    found = explained(rules, "--frame", "tcp 10.1.1.2 > 10.1.1.7:80 syn", *options)
    entry = found["sides"][0]["rule_sets"][0]["entries"][4]
    assert entry["why"] == (
        "the sender's department is sales (10), the receiver's department is lab (20)"
    )
    assert (entry["status"], entry["set"]) == ("false", False)
    assert found["verdict"] == "accept"


def test_copies(rules: str) -> None:
    found = explained(rules, "--frame", "udp 10.0.0.1 > 10.0.0.2:53 zt 1122334455 > 2222222222")
    copies = [(c["to"], c["kind"], c["flags"]) for side in found["sides"] for c in side["copies"]]
    assert copies == [("3344556677", "tee", 2), ("3344556677", "tee", 8)]
    assert "sends: tee of 28 bytes of payload to 3344556677 (flags 0x02)" in said(
        rules, "--frame", "udp 10.0.0.1 > 10.0.0.2:53"
    )


def test_super_accept(rules: str) -> None:
    frame = "udp 10.0.0.1 > 10.0.0.2:53 zt 1122334455 > 3344556677"
    receiver = explained(rules, "--frame", frame)["sides"][1]
    assert (receiver["super_accept"], receiver["by"]["line"]) == (True, 12)
    armed = explained(rules, "--frame", frame.replace("udp", "tcp").replace(":53", ":443"))
    assert any("super-accept is armed" in note for note in armed["sides"][1]["notes"])
    assert armed["sides"][1]["super_accept"]


@pytest.mark.parametrize(("ipauth", "verdict"), [("yes", "accept"), ("no", "drop")])
def test_ipauth(tmp_path: Path, ipauth: str, verdict: str) -> None:
    path = tmp_path / "r.ztrules"
    path.write_text("drop not chr ipauth;\naccept;\n")
    for frame in (
        "udp 10.0.0.1 > 10.0.0.2:53",
        "arp 10.0.0.1 > 10.0.0.2",
        "icmp fd00::1 > fd00::2 neighbour-advertisement len 72",
    ):
        found = explained(str(path), "--frame", frame, "--ipauth", ipauth)
        assert found["verdict"] == verdict, frame


def test_a_network_and_a_capture(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "policy-repo"
    rules, network = str(example / "office.ztrules"), str(example / "network.toml")
    capture = str(example / "tests" / "sample.pcap")
    verdicts = []
    for number in ("1", "2", "3"):
        found = explained(rules, "--network", network, "--capture", capture, "--number", number)
        assert found["sides"][0]["assumed"] == []
        verdicts.append(found["verdict"])
    assert verdicts == ["accept", "accept", "drop"]
    missing = run("explain", rules, "--capture", capture, "--number", "4")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "has 3 frames, so there is no frame 4" in missing.stderr


def test_multicast_has_every_receiver() -> None:
    example = Path(__file__).parents[2] / "examples" / "policy-repo"
    found = explained(
        str(example / "office.ztrules"),
        *("--network", str(example / "network.toml")),
        *("--frame", "udp 10.147.20.11 > 224.0.0.251:53 zt 1122334401 > 0000000000"),
    )
    receivers = [side for side in found["sides"] if side["direction"] == "in"]
    assert sum(side["members"] for side in receivers) == 4
    assert found["sides"][0]["destination"] == "0000000000"


def test_side_brief_and_output(rules: str, tmp_path: Path) -> None:
    frame = ("--frame", "tcp 10.1.1.2 > 10.1.1.7:443")
    only = explained(rules, *frame, "--side", "in")
    assert [side["side"] for side in only["sides"]] == ["receiver"]
    brief = said(rules, *frame, "--brief")
    assert "skipped" not in brief
    assert "`accept`" in brief
    out = tmp_path / "out"
    assert said(rules, *frame, "--brief", "-o", str(out)) == ""
    assert out.read_text() == brief


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--frame", "tcp 1.1.1.1 > 2.2.2.2 snn"], "'snn' is not understood here"),
        ([], "give the frame"),
        (["--frame", "x", "--capture", "y"], "give the frame"),
        (["--frame", "tcp 1.1.1.1 > 2.2.2.2", "--from-tag", "x=1"], "no tag of this name"),
        (["--frame", "tcp 1.1.1.1 > 2.2.2.2", "--from-tag", "department"], "is not NAME=VALUE"),
        (
            ["--frame", "tcp 1.1.1.1 > 2.2.2.2", "--to-tag", "department=x"],
            "not a value of this tag",
        ),
        (["--frame", "tcp 1.1.1.1 > 2.2.2.2", "--cap", "x"], "no capability of this name"),
        (
            ["--frame", "tcp 1.1.1.1 > 2.2.2.2", "--network", "x", "--cap", "web"],
            "leave out --cap",
        ),
    ],
)
def test_wrong_usage(rules: str, arguments: list[str], words: str) -> None:
    done = run("explain", rules, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_rules_of_json_have_entries_for_lines(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text('{"rules": [{"type": "ACTION_ACCEPT"}]}')
    text = said(str(path), "--frame", "tcp 1.1.1.1 > 2.2.2.2")
    assert "accepted by both sides: line 1, `accept`" in text or "entry 0, `accept`" in text


def test_brief_shows_the_nearest_misses_only(tmp_path: Path) -> None:
    sets = [f"drop\n  ipprotocol tcp\n  and dport {port}\n;\n" for port in range(1, 101)]
    sets[70] = "drop\n  ipprotocol tcp\n  and sport 50000\n  and dport 71\n;\n"
    path = tmp_path / "r.ztrules"
    path.write_text("".join(sets) + "accept ethertype ipv4;\n")
    text = said(str(path), "--frame", "tcp 1.1.1.1 > 2.2.2.2:9999", "--brief", "--side", "out")
    assert text.count("ipprotocol tcp") == 12
    assert "sport 50000" in text
    assert "88 more sets with some true matches" in text
    assert "accepted here" in text


OFFICE = Path(__file__).parents[2] / "examples" / "office.toml"


def test_members_and_services_by_name_and_the_networks_own_rules() -> None:
    text = said("--network", str(OFFICE), "--frame", "tcp anna > files:smb syn")
    lines = text.splitlines()
    assert lines[0] == "tcp 10.147.20.11:50000 > 10.147.20.2:445 syn, 40 bytes of payload"
    assert lines[2] == "arrives at files; copies arrive at sensor"
    by = "line 22 (included in line 66), `accept`"
    assert f"sender (out) anna 1d71939404: accepted, {by}" in lines
    assert "  sends: tee of 40 bytes of payload to sensor 8e30f50a25 (flags 0x02)" in lines
    found = explained("--network", str(OFFICE), "--frame", "arp anna ? files")
    assert found["deliveries"][0]["kind"] == "multicast"
    assert found["sides"][0]["name"] == "anna"


def test_no_rules_at_all_is_said() -> None:
    done = run("explain", "--frame", "ping 10.0.0.1 > 10.0.0.2")
    assert done.returncode == 2
    assert "no rules are named" in done.stderr
