"""Files of test cases: what is read, and what is refused with a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztfast.errors import ZtfastError
from ztfast.lang import compile_text
from ztfast.model.reads import Reads
from ztfast.suite.file import CaptureCase, CaseError, FlowCase, Suite, read_suite

POLICY = compile_text(
    "tag department id 1 enum 10 sales ;\ncap web id 5 accept dport 1 ; ;\naccept dport 2 ;\n"
)
MEMBERS = """
[[member]]
name = "anna"
ips = ["10.0.0.1", "fd00::1"]
tags = { department = "sales" }
capabilities = ["web"]
[[member]]
name = "ben"
address = "1122334455"
ips = ["fd00::2", "10.0.0.2"]
"""


def suite(text: str, tmp_path: Path, name: str = "t.toml") -> Suite:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_suite(str(path), POLICY)


def flow(case: str, tmp_path: Path) -> FlowCase:
    found = suite(f"{MEMBERS}\n[[case]]\n{case}\n", tmp_path).cases[0]
    assert isinstance(found, FlowCase)
    return found


@pytest.mark.parametrize(
    ("case", "there", "back"),
    [
        (
            'from = "anna"\nto = "ben"\nproto = "tcp"\nport = 443\n'
            'expect = "accept"\nreply = "drop"',
            "tcp 10.0.0.1:50000 > 10.0.0.2:443 syn",
            "tcp 10.0.0.2:443 > 10.0.0.1:50000 syn,ack",
        ),
        (
            'from = "anna"\nto = "ben"\nproto = "tcp"\nport = 1\nsport = 2\nflags = "ack,psh"\n'
            'len = 100\ntos = 16\nexpect = "drop"',
            "tcp 10.0.0.1:2 > 10.0.0.2:1 ack,psh len 100 tos 16",
            "tcp 10.0.0.2:1 > 10.0.0.1:2 ack len 100 tos 16",
        ),
        (
            'from = "fd00::1"\nto = "ben"\nproto = "udp"\nport = 53\nexpect = "drop"',
            "udp [fd00::1]:50000 > [fd00::2]:53",
            "udp [fd00::2]:53 > [fd00::1]:50000",
        ),
        (
            'from = "anna"\nto = "1122334455"\nproto = "icmp"\nexpect = "drop"',
            "icmp 10.0.0.1 > 10.0.0.2 echo-request",
            "icmp 10.0.0.2 > 10.0.0.1 echo-reply",
        ),
        (
            'from = "anna"\nsource = "10.9.9.9"\nto = "ben"\nproto = 47\nexpect = "drop"',
            "ip 10.9.9.9 > 10.0.0.2 proto 47",
            "ip 10.0.0.2 > 10.9.9.9 proto 47",
        ),
        (
            'from = "anna"\nto = "ben"\nproto = "icmp"\ntype = 3\ncode = 4\nexpect = "drop"',
            "icmp 10.0.0.1 > 10.0.0.2 type 3 code 4",
            "",
        ),
        ('from = "anna"\nto = "ben"\nethertype = "ipx_a"\nexpect = "drop"', "ethertype ipx_a", ""),
    ],
)
def test_frames(case: str, there: str, back: str, tmp_path: Path) -> None:
    found = flow(case, tmp_path)
    assert (found.text, found.reply_text) == (there, back)
    assert found.frame.unknown == Reads(0) or "fd00::1" in case
    if found.reply is not None:
        assert (found.reply.mac_source, found.reply.mac_dest) == (
            found.frame.mac_dest,
            found.frame.mac_source,
        )


def test_members(tmp_path: Path) -> None:
    text = f'{MEMBERS}\n[[case]]\nframe = "ethertype 1"\nexpect = "drop"'
    network = suite(text, tmp_path).network
    anna = next(member for member in network.members if member.name == "anna")
    assert (anna.address, anna.tags, anna.capabilities) == (
        0x7E57000001,
        {1: 10},
        frozenset((5,)),
    )


def test_expectations(tmp_path: Path) -> None:
    head = 'frame = "ethertype 1"\n'
    assert flow(head + 'expect = "drop"', tmp_path).copies is None
    assert flow(head + 'expect = "drop"\ntee = false', tmp_path).copies == ()
    made = flow(head + 'redirect = "ben"\ntee = ["anna", "0000000001"]', tmp_path)
    assert (made.expect, made.redirect, made.copies) == (
        "redirect",
        0x1122334455,
        (0x7E57000001, 1),
    )


def test_a_name_that_two_members_have(tmp_path: Path) -> None:
    (tmp_path / "n.toml").write_text('[[member]]\naddress = "1122334455"\nname = "x"\n')
    head = 'network = "n.toml"\n[[member]]\nname = "x"\n[[case]]\nexpect = "drop"\n'
    fine = suite(head + 'frame = "ethertype 1"', tmp_path)
    assert len(fine.network.members) == 2
    with pytest.raises(CaseError, match="two members have the name 'x'"):
        suite(head + 'from = "x"\nto = "10.0.0.1"\nproto = "icmp"', tmp_path)


def test_captures(tmp_path: Path) -> None:
    found = suite('[[case]]\ncapture = "x.pcap"\naccepted = 3\nside = "out"\n', tmp_path)
    case = found.cases[0]
    assert isinstance(case, CaptureCase)
    assert (case.path, case.counts, case.side) == (str(tmp_path / "x.pcap"), {"accepted": 3}, "out")
    assert str(tmp_path / "x.pcap") in found.files


def test_yaml_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    text = """
engine: 1.12
member:
  - {name: anna, ips: [10.0.0.1], tags: {1: 10}, capabilities: [5]}
case:
  - {name: one, from: anna, to: 10.0.0.2, proto: tcp, port: 0x50, expect: accept}
"""
    found = suite(text, tmp_path, "t.yaml")
    (case,) = found.cases
    assert isinstance(case, FlowCase)
    assert (case.engine, case.text) == ("1.12", "tcp 10.0.0.1:50000 > 10.0.0.2:80 syn")


FINE = 'from = "anna"\nto = "ben"\nproto = "tcp"\nport = 1\nexpect = "drop"\n'


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (FINE + "prot = 1", "case[0].prot: an unknown key"),
        (FINE.replace("drop", "no"), "case[0].expect: 'no' is none of accept, drop, redirect"),
        (FINE.replace("port = 1", 'port = "x"'), "case[0].port: 'x' is not a port"),
        (FINE.replace("port = 1", "port = 70000"), "case[0].port: 70000 is not an integer"),
        (FINE.replace("port = 1\n", ""), "case[0]: no `port`"),
        (FINE.replace('"ben"', '"bob"'), "case[0].to: 'bob' is neither a member nor"),
        (FINE.replace('expect = "drop"\n', ""), "no `expect`"),
        (FINE + 'flags = "syn,x"', "'x' is not a TCP flag"),
        (FINE.replace("tcp", "udp") + 'flags = "syn"', "only TCP has flags"),
        (FINE + 'frame = "ethertype 1"', "`frame` says that already"),
        ('frame = "ethertype x"\nexpect = "drop"', "case[0].frame: 'x' is not an ethertype"),
        ('frame = "ethertype 1"\nexpect = "drop"\nreply = "drop"', "this frame has no reply"),
        (FINE + 'tee = "nobody"', "'nobody' is neither a member nor"),
        (FINE + 'redirect = "ben"', "a frame that is redirected is not kept"),
        (FINE + 'direction = "up"', "'up' is none of both, out, in"),
        (FINE + 'engine = "1.13"', "'1.13' is none of"),
        ('capture = "x"', "a capture without an expected number"),
        ('capture = "x"\naccepted = -1', "case[0].accepted: -1"),
        ('capture = "x"\naccepted = 1\nport = 1', "case[0].port: an unknown key"),
        ('from = "anna"\nto = "10.0.0.2"\nproto = "ipx"\nexpect = "drop"', "'ipx' is not"),
        (FINE.replace('"anna"', '"fd00::1"').replace('"ben"', '"10.0.0.9"'), "of one family"),
    ],
)
def test_wrong_cases_name_the_key(case: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError) as raised:
        flow(case, tmp_path)
    assert words in str(raised.value)
    assert {found.code for found in raised.value.diagnostics} == {"ZT440"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.toml", "[[case]\n", "t.toml:1:"),
        ("t.toml", "", "no cases"),
        ("t.toml", "x = 1\n", "x: an unknown key"),
        ("t.toml", 'case = "x"\n', "case: 'x' is not a list"),
        ("t.toml", '[[member]]\nname = "a"\nx = 1\n', "member[0].x: an unknown key"),
        ("t.toml", 'network = "none.toml"\n', "none.toml"),
        (
            "t.toml",
            '[[member]]\nname = "a"\n[[member]]\nname = "a"\n[[case]]\nframe = "ethertype 1"\n',
            "two members have this name",
        ),
        ("t.yaml", "case: [\n", "t.yaml:2:"),
        ("t.yaml", "case: 1\ncase: 2\n", "t.yaml:2:0: is not YAML: the key 'case' is given twice"),
        ("t.yaml", "a: &x 1\nb: *x\n", "t.yaml:2:3: is not YAML: aliases are not read"),
        ("t.yaml", "? [1]\n: 2\n", "a key that is not text"),
        ("t.yaml", "- 1\n", "is not an object"),
        ("t.yaml", "case: !!python/object:os.system {}\n", "case: {} is not a list"),
        ("t.yaml", "a: " + "9" * 5000, "too many digits"),
        ("t.yaml", "[" * 5000, "nested too deep"),
    ],
)
def test_wrong_files_have_a_place(name: str, text: str, words: str, tmp_path: Path) -> None:
    if name.endswith(".yaml"):
        pytest.importorskip("yaml")
    with pytest.raises(ZtfastError) as raised:
        suite(text, tmp_path, name)
    assert words in str(raised.value)


LINES = st.lists(st.sampled_from(FINE.split()), max_size=30).map("\n".join)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from(["t.toml", "t.yaml"]),
    st.one_of(st.text(max_size=80), LINES),
)
def test_any_text_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str
) -> None:
    folder = tmp_path_factory.mktemp("cases")
    (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = read_suite(str(folder / name), POLICY)
    except ZtfastError as error:
        found = None
        text = str(error)
    assert found is not None or text


def test_broken_toml_gets_the_help_of_a_test_file(tmp_path: Path) -> None:
    path = tmp_path / "w2.toml"
    path.write_text("[[case]\n")
    with pytest.raises(CaseError) as caught:
        read_suite(str(path), compile_text("accept;"))
    (found,) = caught.value.diagnostics
    assert found.code == "ZT440"
    assert found.help is not None
    assert "[[case]]" in found.help
    assert "network" not in found.help


def test_all_that_is_wrong_with_a_case_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_text('[[case]]\nfrom = "nobody"\nto = "no one"\nproto = "tcp"\nport = 5\n')
    with pytest.raises(CaseError) as caught:
        read_suite(str(path), compile_text("accept;"))
    messages = [found.message for found in caught.value.diagnostics]
    for place in ("case[0].from", "case[0].to", "no `expect`"):
        assert sum(place in message for message in messages) == 1
    path.write_text(path.read_text() + 'expect = "maybe"\nfoo = 1\nbar = 2\n')
    with pytest.raises(CaseError) as caught:
        read_suite(str(path), compile_text("accept;"))
    messages = [found.message for found in caught.value.diagnostics]
    for key in ("from", "to", "expect", "foo", "bar"):
        assert sum(f"case[0].{key}:" in message for message in messages) == 1
