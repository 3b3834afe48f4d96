"""What several commands are given, read in one place: networks, tags, capabilities."""

from __future__ import annotations

from pathlib import Path

import pytest

import ztfast
from ztfast.cli.inputs import read_capabilities, read_network, read_tags
from ztfast.errors import NetworkError, UsageError

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
        (["team=chief"], "no value of this tag"),
    ],
)
def test_tags_that_make_no_sense(given: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_tags(POLICY, "--to-tag", given)


def test_a_capability_that_is_none() -> None:
    with pytest.raises(UsageError):
        read_capabilities(POLICY, "--cap", ["none"])
