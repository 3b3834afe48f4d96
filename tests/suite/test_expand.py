"""Cases of several frames, names of ports, usual words; all that is wrong in one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ztfast.lang import compile_text
from ztfast.suite.expand import MOST_FRAMES
from ztfast.suite.file import CaseError, FlowCase, read_suite
from ztfast.suite.run import CaseResult, run_suite

POLICY = compile_text("accept ethertype arp;\naccept dport 5000-5002;\naccept icmp 8 -1;\ndrop;\n")
MEMBERS = "".join(
    f'[[member]]\nname = "{name}"\nips = ["10.0.0.{number}"]\n'
    for number, name in enumerate(("anna", "ben", "carl"), 1)
)


def read(tmp_path: Path, *cases: str) -> list[FlowCase]:
    path = tmp_path / "t.toml"
    path.write_text(MEMBERS + "".join(f"[[case]]\n{case}\n" for case in cases))
    found = [case for case in read_suite(str(path), POLICY).cases if isinstance(case, FlowCase)]
    return found


def results(tmp_path: Path, *cases: str) -> list[CaseResult]:
    read(tmp_path, *cases)
    suite = read_suite(str(tmp_path / "t.toml"), POLICY)
    return list(run_suite(suite, POLICY, lambda path: ()))


FINE = 'from = "anna"\nto = "ben"\nproto = "udp"\nport = {}\nexpect = "{}"'


def test_lists_and_ranges(tmp_path: Path) -> None:
    case = 'from = ["anna", "carl"]\nto = "ben"\nproto = "udp"\nport = ["7-9", 22]\nexpect = "drop"'
    found = read(tmp_path, case)
    assert [one.label for one in found] == [
        f"from {name}, port {port}" for name in ("anna", "carl") for port in (7, 8, 9, 22)
    ]
    assert found[5].text == "udp 10.0.0.3:50000 > 10.0.0.2:8"
    assert {one.name for one in found} == {"case[0]"}


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ('port = "ssh"', "tcp 10.0.0.1:50000 > 10.0.0.2:22 syn"),
        ('port = "dns"', "udp 10.0.0.1:50000 > 10.0.0.2:53"),
        ('port = "dns"\nproto = "tcp"', "tcp 10.0.0.1:50000 > 10.0.0.2:53 syn"),
        ('proto = "ping"', "icmp 10.0.0.1 > 10.0.0.2 echo-request"),
        ('proto = "arp"', "arp 10.0.0.1 > 10.0.0.2"),
    ],
)
def test_words(case: str, text: str, tmp_path: Path) -> None:
    (found,) = read(tmp_path, f'from = "anna"\nto = "ben"\n{case}\nexpect = "allow"')
    assert (found.text, found.expect) == (text, "accept")
    (denied,) = read(tmp_path, f'from = "anna"\nto = "ben"\n{case}\nexpect = "deny"')
    assert denied.expect == "drop"


def test_one_result_a_case(tmp_path: Path) -> None:
    passed, failed = results(
        tmp_path, FINE.format('"5000-5002"', "accept"), FINE.format('"4999-5010"', "accept")
    )
    assert (passed.passed, passed.got) == (True, "accept (3 frames)")
    assert failed.got == "drop or accept (12 frames)"
    assert failed.failures == (
        "port 4999: expected accept, got drop",
        *(f"port {port}: expected accept, got drop" for port in range(5003, 5007)),
        "and 4 more",
    )
    assert len(failed.explanations) == 1


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (FINE.format("[]", "drop"), "an empty list"),
        (FINE.format('"9-7"', "drop"), "'9-7' is not a range of ports"),
        (FINE.format('"0-70000"', "drop"), "is not a range of ports"),
        (FINE.format('"0-65535"', "drop"), f"more than {MOST_FRAMES:,} of them"),
        (FINE.format('["0-600"]', "drop").replace('"anna"', '["anna", "carl"]'), "of 1,202 frames"),
        (FINE.format('["ssh", "nope"]', "drop"), "'nope' is not a port"),
        (
            'from = "anna"\nto = "ben"\nproto = "ping"\ntype = 8\nexpect = "drop"',
            "`ping` says that",
        ),
        (FINE.format("1", "drop").replace('"ben"', '["ben", "bob"]'), "'bob' is neither a"),
        (FINE.format("1", "drop").replace('"ben"', "[3]"), "3 is not a text"),
    ],
)
def test_what_is_refused(case: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError) as raised:
        read(tmp_path, case)
    assert said in str(raised.value)


def test_all_errors_of_a_file_at_once(tmp_path: Path) -> None:
    fine, wrong = FINE.format("1", "drop"), FINE.format("1", "perhaps")
    with pytest.raises(CaseError) as raised:
        read(tmp_path, wrong, fine, fine.replace("anna", "nobody"), fine + "\nprot = 1")
    places = [one.message.split(":")[0] for one in raised.value.diagnostics]
    assert places == ["at case[0].expect", "at case[2].from", "at case[3].prot"]
