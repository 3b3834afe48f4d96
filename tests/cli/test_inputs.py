"""What several commands are given, read in one place: networks, tags, capabilities."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ztfast
from tests.capture.building import pcap
from tests.cli.running import run
from tests.pages import ROOT
from ztfast.cli.inputs import note_engine, read_capabilities, read_network, read_tags
from ztfast.errors import Diagnostic, NetworkError, UsageError

POLICY = ztfast.compile(
    "tag team id 7 enum 20 sales flag 3 odd;\ncap web id 5 accept dport 80; ;\naccept;\n"
)


def test_a_network_is_a_file_or_an_id(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('id = "8056c2e21c000001"\n[[member]]\naddress = "1122334455"\n')
    network = read_network(str(path))
    assert network is not None
    assert (network.id, len(network.members)) == (0x8056C2E21C000001, 1)
    bare = read_network("8056c2e21c000001")
    assert bare is not None
    assert (bare.id, bare.members) == (0x8056C2E21C000001, ())
    assert read_network(None) is None
    with pytest.raises(NetworkError):
        read_network(str(tmp_path / "none.toml"))


def test_what_members_do_not_have_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.json"
    anna = {"address": "1122334455", "authorized": True, "ipAssignments": ["192.168.9.9"],
            "capabilities": []}  # fmt: skip
    rules = [{"type": "ACTION_ACCEPT"}]
    caps = [{"id": 5, "default": True, "rules": rules}]
    document = {"id": "8056c2e21c000001", "routes": [{"target": "10.0.0.0/8"}], "members": [anna]}
    path.write_text(json.dumps({**document, "rules": rules, "capabilities": caps}))
    read_network(str(path))
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[2][:11] for line in said if "note" in line] == [
        "note[ZT557]", "note[ZT558]"
    ]  # fmt: skip
    read_network(str(path), POLICY)  # whose capability is no default
    assert "ZT558" not in capsys.readouterr().err
    read_network("8056c2e21c000001")
    assert not capsys.readouterr().err


def test_old_engines_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    macs = ztfast.compile("drop macsrc 02:00:00:00:00:01;\naccept;\n")
    note_engine(macs, "1.14")
    note_engine(POLICY, "1.12")
    assert not capsys.readouterr().err
    note_engine(macs, "1.14", "1.12")
    assert "note[ZT129]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "RULES", "--engine", "1.12", "--frame", "tcp 10.0.0.1:1 > 10.0.0.2:2"],
        ["diff", "RULES", "--engines", "1.12", "1.14"],
        ["search", "RULES", "--engine", "1.12", "--verdict", "drop"],
        ["filter", "RULES", "CAPTURE", "--engine", "1.12", "--count"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_command_that_takes_an_engine_says_it(arguments: list[str], tmp_path: Path) -> None:
    rules, capture = tmp_path / "r.ztrules", tmp_path / "c.pcap"
    rules.write_text("drop macsrc 02:00:00:00:00:01;\naccept;\n")
    capture.write_bytes(pcap([b"\2" * 60]))
    names = {"RULES": str(rules), "CAPTURE": str(capture)}
    result = run(*(names.get(one, one) for one in arguments))
    assert result.stderr.count("note[ZT129]") == 1
    assert str(rules) in result.stderr


DOCUMENTS = sorted((ROOT / "tests" / "data" / "networks").iterdir())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_document_is_a_network_with_members_or_something_is_said(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never again no members without a word."""
    refused: tuple[Diagnostic, ...] = ()
    network = None
    try:
        network = read_network(str(path))
    except NetworkError as error:
        refused = error.diagnostics
    assert bool(refused) == (network is None)
    assert all(found.code == "ZT555" and found.help for found in refused)
    if network is not None:
        said = "ZT559" in capsys.readouterr().err
        assert said == (not network.active_members())


def test_tags_and_capabilities_by_name_and_number() -> None:
    assert read_tags(POLICY, "--from-tag", ["team=sales"]) == {7: 20}
    assert read_tags(POLICY, "--from-tag", ["7=3"]) == {7: 3}
    assert read_tags(POLICY, "--from-tag", []) == {}
    assert read_capabilities(POLICY, "--cap", ["web", "9"]) == {5, 9}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["team"], "--to-tag 'team' is not NAME=VALUE"),
        (["team="], "--to-tag 'team=' is not NAME=VALUE"),
        (["=1"], "--to-tag '=1' is not NAME=VALUE"),
        (["team=1", "team=2"], "--to-tag gives 'team' twice"),
        (["none=1"], "no tag of this name"),
        (["team=chief"], "not a value of this tag"),
    ],
)
def test_tags_that_make_no_sense(given: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_tags(POLICY, "--to-tag", given)


def test_a_capability_that_is_none() -> None:
    with pytest.raises(UsageError):
        read_capabilities(POLICY, "--cap", ["none"])


def test_an_id_with_a_digit_missing_is_said_to_have_16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for wrong in ("8056c2e21c00000", "8056c2e21c0000011"):
        with pytest.raises(UsageError, match=f"16 hex digits, not {len(wrong)}"):
            read_network(wrong)
    Path("8056c2e21c00000").write_text('id = "8056c2e21c000001"\n')
    assert read_network("8056c2e21c00000") is not None
