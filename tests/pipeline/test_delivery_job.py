"""Deliveries from Python: counted and written batch by batch, whatever stops it, unprinted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ztfast
from tests.capture.building import pcap
from ztfast.capture import open_captures
from ztfast.errors import UsageError
from ztfast.model.addresses import mac_of
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.deliveries import Fate
from ztfast.pipeline.delivery_job import DeliveryJob

ID = 0x8056C2E21C000001
A, B = 0x1111111111, 0x2222222222


def frame(source: int, dest: int) -> bytes:
    macs = mac_of(dest, ID).to_bytes(6, "big") + mac_of(source, ID).to_bytes(6, "big")
    return (macs + b"\x08\x00\x45").ljust(60, b"\0")


FRAMES = [frame(A, B), frame(B, A), frame(A, B)]


def network(*addresses: int) -> Network:
    return make_network([Member(address) for address in addresses], id=ID)


def job(path: Path, members: Network | None = None, **outputs: str) -> DeliveryJob:
    engine = ztfast.Engine(ztfast.compile("accept;"), network=members or network(A, B))
    return DeliveryJob(engine, open_captures([path]), **outputs)


def test_delivered_shown_and_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, folder, table = tmp_path / "in.pcap", tmp_path / "taps", tmp_path / "t.npy"
    path.write_bytes(pcap(FRAMES))
    made = job(path, split=str(folder), table=str(table))
    shown: list[dict[str, Any]] = []
    made.work(lambda rows, found: shown.append(rows))
    assert (made.complete, made.failed, made.findings()) == (True, False, [])
    assert made.tally.total(Fate.ARRIVED) == 3
    assert shown[0]["to"].tolist() == ["2222222222", "1111111111", "2222222222"]
    assert sorted(file.name for file in folder.iterdir()) == [
        "member-1111111111.pcapng",
        "member-2222222222.pcapng",
    ]
    assert table.exists()
    assert capfd.readouterr() == ("", "")


def test_nothing_is_opened_where_nothing_can_be_read(tmp_path: Path) -> None:
    path, table = tmp_path / "in.pcap", tmp_path / "t.npy"
    path.write_bytes(b"no capture at all")
    table.write_text("older")
    made = job(path, table=str(table), split=str(tmp_path / "taps"))
    made.work()
    assert made.failed
    assert table.read_text() == "older"
    assert not (tmp_path / "taps").exists()


def test_an_empty_capture_gives_an_empty_table(tmp_path: Path) -> None:
    path, table = tmp_path / "in.pcap", tmp_path / "t.npy"
    path.write_bytes(pcap([]))
    made = job(path, table=str(table))
    made.work()
    assert not made.failed
    assert table.exists()


def test_an_output_that_cannot_be_opened_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(FRAMES))
    (tmp_path / "none").mkdir()
    made = job(path, table=str(tmp_path / "none" / "t.npy"), split=str(tmp_path / "taps"))
    (tmp_path / "none").rmdir()  # what is missing from the start is refused
    made.work()
    assert [finding.code for finding in made.findings()] == ["ZT601"]
    assert made.failed
    assert not (tmp_path / "taps").exists() or not list((tmp_path / "taps").iterdir())


def test_damage_and_interrupts_keep_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(FRAMES)[:-10])
    made = job(path)
    made.work()
    assert [finding.code for finding in made.findings()] == ["ZT502"]
    assert made.tally.total(Fate.ARRIVED) == 2

    def interrupt(rows: Any, found: Any) -> None:
        raise KeyboardInterrupt

    stopped = job(path)
    stopped.work(interrupt)
    assert stopped.interrupted
    assert not stopped.complete
    assert stopped.tally.total(Fate.ARRIVED) == 0


def test_without_members_it_has_no_meaning(tmp_path: Path) -> None:
    path, table = tmp_path / "in.pcap", tmp_path / "t.npy"
    path.write_bytes(pcap(FRAMES))
    with pytest.raises(UsageError, match="members"):
        DeliveryJob(ztfast.Engine(ztfast.compile("accept;")), open_captures([path]))
    with pytest.raises(UsageError, match="members"):
        job(path, network(), table=str(table))
    assert sorted(tmp_path.iterdir()) == [path]


def test_an_unknown_link_type_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(FRAMES, linktype=147))
    made = job(path, table=str(tmp_path / "t.npy"))
    made.work()
    (finding,) = made.findings()
    assert (finding.code, finding.path) == ("ZT505", str(path))
    assert finding.message.endswith(f": {len(FRAMES)} frames")
    assert (tmp_path / "t.npy").exists()
