"""Files from outside: bytes up to a bound, the one network's file of a folder, or why not."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ztfast.lang.files import Unreadable, Why, network_file, read_file

ID, OTHER = "8056c2e21c000001", "8056c2e21c000002"


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert read_file(str(path), 5) == b"12345"
    with pytest.raises(Unreadable, match="more than 4 bytes") as caught:
        read_file(str(path), 4)
    assert (caught.value.why, caught.value.path) == (Why.TOO_LARGE, str(path))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(b"abc"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert read_file("-", 3) == b"abc"
    assert network_file("-") == "-"


@pytest.mark.parametrize("name", ["none", "a\0b", "."])
def test_what_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read: ") as caught:
        read_file(str(tmp_path / name), 9)
    assert caught.value.why is Why.MISSING
    assert caught.value.help


def controller(tmp_path: Path, *ids: str) -> Path:
    """A folder as a controller keeps it."""
    network = tmp_path / "controller.d" / "network"
    for id in ids:
        (network / id / "member").mkdir(parents=True)
        (network / f"{id}.json").write_text("{}")
    (network / "notes.json").write_text("{}")
    return network


@pytest.mark.parametrize(
    "place", [".", "controller.d", "controller.d/network", f"controller.d/network/{ID}"]
)
def test_the_one_network_of_a_folder(place: str, tmp_path: Path) -> None:
    network = controller(tmp_path, ID)
    found = network_file(str(tmp_path / place))
    assert Path(found) == network / f"{ID}.json"
    assert network_file(found) == found


def test_a_networks_own_folder_tells_it_from_the_others(tmp_path: Path) -> None:
    network = controller(tmp_path, ID, OTHER)
    assert network_file(str(network / OTHER)) == str(network / f"{OTHER}.json")
    with pytest.raises(Unreadable, match=rf"2 networks \({ID}.json, {OTHER}.json\)") as caught:
        network_file(str(tmp_path))
    assert (caught.value.why, caught.value.path) == (Why.OTHER_FOLDER, str(network))
    assert f"{ID}.json" in caught.value.help


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="without a network's file"):
        network_file(str(tmp_path))
    assert network_file("a\0b") == "a\0b"  # which reading refuses
