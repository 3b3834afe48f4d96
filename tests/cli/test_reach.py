"""`ztfast reach` as a user runs it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.running import run
from ztfast.cli.reach import split_names
from ztfast.network.members import Member, make_network

OFFICE = Path(__file__).parents[2] / "examples" / "office.toml"
RULES = OFFICE.with_suffix(".ztrules")


def test_the_networks_own_rules() -> None:
    done = run("reach", "--network", str(OFFICE), "--service", "ssh,ipp", "--to", "printer")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "11 of 14 ways are open (8 members; ssh, ipp)",
        "",
        "from \\ to        printer",
        "anna, ben +1     ipp",
        "files, proxy +2  all",
        "",
        "not open:",
        "  ssh  capability  line 70  2 ways  anna to printer",
        "  ssh  tag         line 63  1 way   visitor to printer",
    ]


def test_json_and_csv() -> None:
    words = (
        "reach",
        str(RULES),
        "--network",
        str(OFFICE),
        "--service",
        "ssh",
        "--from",
        "ben,carla",
    )
    made = json.loads(run(*words, "--json").stdout)
    assert (made["ways"], len(made["cells"]), made["services"]) == (14, 14, ["ssh"])
    cell = {
        "from": "ben",
        "to": "anna",
        "service": "ssh",
        "open": False,
        "why": "capability",
        "step": "request",
        "at": "ben",
        "line": 70,
    }
    assert cell in made["cells"]
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv").stdout)))
    assert {name: str(value) for name, value in cell.items()} in rows
    assert len(rows) == 14


def test_against_another_policy(tmp_path: Path) -> None:
    new = tmp_path / "new.ztrules"
    new.write_text(RULES.read_text().replace("drop ipprotocol tcp and dport 23", "accept dport 23"))
    words = ("reach", str(new), "--network", str(OFFICE), "--service", "telnet", "--from", "anna")
    done = run(*words, "--to", "ben", "--against", str(RULES))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "opens: 1, closes: 0, of 1 ways (telnet)",
        "",
        "telnet opens (line 48); it was closed: dropped, line 48",
        "  anna to ben",
    ]
    made = json.loads(run(*words, "--against", str(RULES), "--json").stdout)
    assert {cell["was"] for cell in made["cells"]} == {"dropped"}
    same = run(*words, "--against", str(new))
    assert (same.returncode, same.stdout) == (0, "nothing changes: 6 of 7 ways are open\n")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["anna, ben"], ["anna, ben"]),  # the member of that name, rather than two
        (["ben,anna"], ["ben", "anna"]),
        (['"anna, ben",anna'], ["anna, ben", "anna"]),
        (["ben", " anna , ben "], ["ben", "anna", "ben"]),
        ([], None),
    ],
)
def test_names_between_commas(given: list[str], found: list[str] | None) -> None:
    members = [Member(n, name=name) for n, name in enumerate(("anna", "ben", "anna, ben"), 1)]
    assert split_names(tuple(given), make_network(members)) == found


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--network", str(OFFICE), "--service", "sssh"), 2, "did you mean ssh?"),
        (("--network", str(OFFICE), "--to", "fils"), 2, "did you mean files?"),
        (("--network", str(OFFICE), "--json", "--csv"), 2, "--json or --csv"),
        (("--network", "8056c2e21c000001"), 2, "names no rules"),
        ((str(RULES), "--network", "8056c2e21c000001"), 2, "members and its id"),
        ((str(RULES),), 2, "--network"),
        ((str(RULES), "--network", "/nonexistent"), 1, "nonexistent"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], status: int, said: str) -> None:
    done = run("reach", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
