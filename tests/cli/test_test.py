"""`ztfast test` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.running import run

RULES = "accept\n  ipprotocol tcp\n  and dport 80\n;\ndrop;\n"
CASES = """
[[member]]
name = "anna"
ips = ["10.0.0.1"]
[[member]]
name = "ben"
ips = ["10.0.0.2"]

[[case]]
name = "web is open"
from = "anna"
to = "ben"
proto = "tcp"
port = 80
expect = "accept"

[[case]]
name = "ssh <is> open"
from = "anna"
to = "ben"
proto = "tcp"
port = 22
expect = "accept"
"""
NO_ARP = (
    "ztfast test: warning: 1 case passes and its ends cannot find each other, so that nothing is "
    "sent: web is open: tcp 10.0.0.1:50000 > 10.0.0.2:80 syn: no ARP request gets through\n"
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    rules, cases = tmp_path / "r.ztrules", tmp_path / "t.toml"
    rules.write_text(RULES)
    cases.write_text(CASES)
    return str(rules), str(cases)


def test_table_with_explanation(files: tuple[str, str]) -> None:
    rules, cases = files
    done = run("test", rules, cases, "--coverage")
    assert (done.returncode, done.stderr) == (1, NO_ARP)
    assert done.stdout == (
        f"{cases}\n"
        "  PASS  web is open    accept\n"
        "  FAIL  ssh <is> open  expected accept, got drop\n"
        "          tcp 10.0.0.1:50000 > 10.0.0.2:22 syn, 40 bytes of payload\n"
        "          dropped by the sender: line 5, `drop`\n"
        "\n"
        "          sender (out) anna 7e57000001: dropped, line 5, `drop`\n"
        "            base rules: drop\n"
        "                2    ipprotocol tcp  true         it is tcp\n"
        "                3    dport 80        false        dport is 22\n"
        "                5  drop              taken        dropped here\n"
        "\n"
        "          receiver (in) ben 7e57000002: not asked, the frame never gets there\n"
        "\n"
        "2 cases: 1 passed, 1 failed\n"
        "\n"
        "coverage: 83.3 %: 5 of 6 outcomes, 4 of 4 entries evaluated\n"
        f"  {rules}:2: `ipprotocol tcp` was never false\n"
    )


def test_exit_status(files: tuple[str, str]) -> None:
    assert run("test", *files).returncode == 1
    passing = run("test", *files, "--only", "web")
    assert (passing.returncode, "1 case: 1 passed, 0 failed" in passing.stdout) == (0, True)
    low = run("test", *files, "--only", "web", "--fail-under", "90")
    assert low.returncode == 1
    assert low.stderr == NO_ARP + "ztfast test: the coverage is 50.0 %, under 90 %\n"
    assert run("test", *files, "--only", "web", "--fail-under", "50").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["RULES"], 2, "Missing argument"),
        (["RULES", "CASES", "--only", "nothing"], 2, "no case has such a name"),
        (["RULES", "CASES", "--fail-under", "101"], 2, "fail-under"),
        (["-", "-"], 2, "not both"),
        (["RULES", "-", "--watch"], 2, "cannot be watched"),
        (["RULES", "none.toml"], 1, "ZT440"),
        (["none.ztrules", "CASES"], 1, "ZT05"),
    ],
)
def test_wrong_usage_and_files(
    files: tuple[str, str], arguments: list[str], status: int, words: str
) -> None:
    names = {"RULES": files[0], "CASES": files[1]}
    done = run("test", *(names.get(argument, argument) for argument in arguments))
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_json(files: tuple[str, str]) -> None:
    made = json.loads(run("test", *files, "--json", "--coverage").stdout)
    assert (made["passed"], made["failed"]) == (1, 1)
    assert made["cases"][1]["failures"] == ["expected accept, got drop"]
    assert made["cases"][1]["explanations"][0]["verdict"] == "drop"
    assert made["coverage"]["percent"] == 83.33
    assert [entry["missing"] for entry in made["coverage"]["entries"]] == [["false"], [], [], []]
    assert json.loads(run("test", *files, "--json").stdout)["coverage"] is None


def test_junit(files: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "junit.xml"
    done = run("test", *files, "--format", "junit", "--coverage", "-o", str(out))
    assert (done.returncode, done.stdout) == (1, "")
    root = ET.fromstring(out.read_text())
    assert (root.attrib["tests"], root.attrib["failures"]) == ("2", "1")
    (suite,) = root
    assert suite.find("properties/property").attrib["value"] == "83.33"  # type: ignore[union-attr]
    failed = suite.findall("testcase")[1]
    assert failed.attrib["name"] == "ssh <is> open"
    failure = failed.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "expected accept, got drop"
    assert "dropped by the sender" in (failure.text or "")


def test_standard_input(files: tuple[str, str]) -> None:
    assert "2 cases" in run("test", files[0], "-", stdin=CASES).stdout
    assert "2 cases" in run("test", "-", files[1], stdin=RULES).stdout


def replace(path: str, text: str) -> None:
    """Change a file at once, as editors do: nobody sees it empty."""
    new = Path(path + ".new")
    new.write_text(text)
    new.replace(path)


def _replace(path: str, text: str) -> None:
    """A change in one step: writing in place empties the file first, a change of its own."""
    beside = Path(f"{path}.new")
    beside.write_text(text)
    beside.replace(path)


def test_watch_runs_again_after_a_change(files: tuple[str, str]) -> None:
    rules, cases = files
    watching = subprocess.Popen(
        [sys.executable, "-m", "ztfast", "test", rules, cases, "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert watching.stderr is not None
        assert watching.stdout is not None
        assert watching.stderr.readline() == NO_ARP
        assert "waiting for a change" in watching.stderr.readline()
        replace(rules, "frob\n# longer than it was, so that it counts as changed\n" * 3)
        while "waiting" not in (line := watching.stderr.readline()):
            assert line, "it ended"
        replace(rules, "accept;\n")
        assert "waiting" in watching.stderr.readline()
    finally:
        watching.terminate()
        out, _ = watching.communicate(timeout=30)
    assert "2 cases: 1 passed, 1 failed" in out
    assert "2 cases: 2 passed, 0 failed" in out


def test_members_of_a_network_that_the_command_names(tmp_path: Path) -> None:
    cases = tmp_path / "cases.toml"
    cases.write_text(
        '[[case]]\nfrom = "anna"\nto = "files"\nproto = "tcp"\nport = 445\nexpect = "accept"\n'
    )
    office = Path(__file__).parents[2] / "examples" / "office.toml"
    words = ("test", str(office.with_suffix(".ztrules")), str(cases))
    done = run(*words, "--network", str(office))
    assert (done.returncode, "1 passed" in done.stdout) == (0, True)
    assert "'anna' is neither a member nor" in run(*words).stderr


def test_rules_may_be_left_to_the_network(files: tuple[str, str]) -> None:
    rules, cases = files
    network = Path(rules).with_name("net.toml")
    network.write_text('rules = "r.ztrules"\n')
    done = run("test", cases, "--network", str(network))
    assert (done.returncode, "1 passed, 1 failed" in done.stdout) == (1, True)
    done = run("test", cases)
    assert (done.returncode, "no rules are named" in done.stderr) == (2, True)


def test_notes_on_network_and_engine(files: tuple[str, str]) -> None:
    rules, cases = files
    network = Path(rules).with_name("net.json")
    network.write_text(
        '{"id": "8056c2e21c000001", "routes": [{"target": "10.0.0.0/8"}], "rules": [],'
        ' "members": [{"address": "1122334455", "authorized": true,'
        ' "ipAssignments": ["192.168.9.9"]}]}'
    )
    Path(rules).write_text("drop macsrc 02:00:00:00:00:01;\naccept;\n")
    own = ("test", rules, cases)
    assert run(*own).stderr == ""
    assert "note[ZT557]" in run(*own, "--network", str(network)).stderr
    Path(cases).write_text('engine = "1.12"\n' + CASES)
    assert "[ZT129]" in run(*own).stderr
