"""`ztfast deliver`: rows, JSON, tables, captures a member, and a summary that says what is lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.capture.building import interface, packet, pcap, section
from tests.cli.running import ztfast
from tests.needs import BACKENDS, needs
from ztfast.capture import open_capture
from ztfast.model.addresses import mac_of

NETWORK = """\
id = "8056c2e21c000001"
[[member]]
address = "1111111111"
name = "anna"
[[member]]
address = "2222222222"
name = "files"
[[member]]
address = "3333333333"
name = "sensor"
"""
RULES = "accept chr inbound and iptos 0xff 4;\ntee 20 3333333333 ipprotocol udp;\naccept;\n"
ANNA, FILES, SENSOR = 0x1111111111, 0x2222222222, 0x3333333333


def udp(tos: int, source: int = ANNA, dest: int = FILES) -> bytes:
    def mac(address: int) -> bytes:
        number = address if address >> 40 else mac_of(address, 0x8056C2E21C000001)
        return number.to_bytes(6, "big")

    head = mac(dest) + mac(source) + b"\x08\x00\x45" + bytes([tos]) + bytes(7) + b"\x11"
    return head.ljust(60, b"\0")


FRAMES = [udp(0), udp(4), udp(0, dest=0xFFFFFFFFFFFF)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("r").write_text(RULES)
    Path("net.toml").write_text(NETWORK)
    Path("c.pcap").write_bytes(pcap(FRAMES))
    return tmp_path


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = ztfast("deliver", "r", "c.pcap", "--network", "net.toml", *words)
    out, err = capfd.readouterr()
    return status, out, err


def test_rows_for_people(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capfd, "--backend", "reference")
    assert status == 0
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["number", "to", "kind", "from", "bytes", "line"]
    assert rows[1:] == [
        ["1", "sensor", "tee", "anna", "34", "2"],
        ["1", "files", "frame", "anna", "60", "-"],
        ["1", "sensor", "tee", "files", "34", "2"],
        ["2", "files", "frame", "anna", "60", "-"],
        ["3", "sensor", "tee", "anna", "34", "2"],
        ["3", "files", "multicast", "anna", "60", "-"],
        ["3", "sensor", "multicast", "anna", "60", "-"],
        ["3", "sensor", "tee", "files", "34", "2"],
    ]
    assert err.splitlines()[0] == "ztfast: 3 frames, 9 sendings, 8 arrived"
    assert err.splitlines()[1] == "ztfast: 1 by tee to sensor: not its MAC, no bridge"


def test_what_did_not_arrive_is_shown_on_request(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(capfd, "--refused")
    (lost,) = [line for line in out.splitlines()[1:] if line.split()[6] != "arrived"]
    assert lost.split()[:6] == ["2", "sensor", "tee", "anna", "34", "2"]
    assert lost.endswith("not its MAC, no bridge (line 1)")


def test_json_lines(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capfd, "--json", "--refused", "--limit", "2")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [(row["number"], row["arrived"]) for row in rows] == [
        (1, True), (1, True), (1, True), (2, False), (2, True),
    ]  # fmt: skip
    assert rows[0] == {
        "number": 1, "to": "3333333333", "to_name": "sensor", "kind": "tee",
        "sent_by": "1111111111", "sent_by_name": "anna", "length": 34, "line": 2,
        "fate": "arrived", "fate_line": 2, "arrived": True,
    }  # fmt: skip
    assert rows[1]["line"] is None


def test_a_capture_for_each_member(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capfd, "--count", "--split", "taps")
    assert (status, out) == (0, "")
    assert sorted(path.name for path in Path("taps").iterdir()) == [
        "member-2222222222.pcapng", "member-3333333333.pcapng",
    ]  # fmt: skip
    with open_capture("taps/member-3333333333.pcapng") as capture:
        found = [pair for batch in capture
                 for pair in zip(batch.frames(), batch.lengths.tolist(), strict=True)]  # fmt: skip
    cut = FRAMES[0][:34], FRAMES[2][:34]
    assert found == [
        (cut[0], 34), (cut[0], 34), (cut[1], 34), (FRAMES[2], 60), (cut[1], 34),
    ]  # fmt: skip


@needs("pyarrow")
def test_a_table(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, _, _ = run(capfd, "--count", "--table", "t.csv")
    assert status == 0
    with open("t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    assert rows[0]["to_name"] == "sensor"
    assert [row["fate"] for row in rows if row["number"] == "2"] == [
        "not its MAC, no bridge", "arrived",
    ]  # fmt: skip


def test_copies_that_never_end_are_an_error(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("r").write_text(
        "tee -1 3333333333 ztdest 2222222222 and chr inbound;\n"
        "tee -1 4444444444 ztdest 3333333333 and chr inbound;\n"
        "tee -1 2222222222 ztdest 4444444444 and chr inbound;\naccept;\n"
    )
    Path("net.toml").write_text(f'{NETWORK}[[member]]\naddress = "4444444444"\n')
    status, _, err = run(capfd, "--count")
    assert status == 1
    assert "never ends, given up" in err


def test_damage_ends_the_reading_not_what_was_delivered(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("c.pcap").write_bytes(pcap(FRAMES)[:-5])
    status, out, err = run(capfd)
    assert status == 1
    assert len(out.splitlines()) == 5
    assert "ZT502" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["r", "c.pcap"], "--network is needed"),
        (["r", "c.pcap", "--network", "8056c2e21c000001"], "members"),
        (["r", "c.pcap", "--network", "net.toml", "--side", "out"], "both sides"),
        (["r", "c.pcap", "--network", "net.toml", "--table", "-"], "--count"),
        (["-", "-", "--network", "net.toml"], "not both"),
    ],
)
def test_wrong_usage(
    words: list[str], message: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ztfast("deliver", *words) == 2
    assert message in capfd.readouterr().err


def test_an_unknown_link_type_is_said(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("c.pcap").write_bytes(pcap(FRAMES, linktype=147))
    status, _, err = run(capfd)
    assert status == 1
    assert "c.pcap: error[ZT505]: link type 147 is not known" in err
    data = section() + interface(147) + interface(1) + packet(FRAMES[0]) + packet(FRAMES[0], 1)
    Path("c.pcap").write_bytes(data)
    status, _, err = run(capfd)
    assert status == 1
    assert "interface 0: link type 147" in err
    assert "not judged: 1 frame\n" in err


def test_rules_may_be_left_to_the_network(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    expected = run(capfd, "--count")[2]
    Path("net2.toml").write_text('rules = "r"\n' + NETWORK)
    for words in (["c.pcap"], ["c.pcap", "c.pcap"], ["r", "c.pcap"]):
        assert ztfast("deliver", *words, "--network", "net2.toml", "--count") == 0
        err = capfd.readouterr().err
        assert (err == expected) == (words.count("c.pcap") == 1)
        assert f"{3 * words.count('c.pcap')} frames" in err
    assert ztfast("deliver", "c.pcap", "--network", "net.toml") == 2
    assert "net.toml names no rules" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (0, "none of 2 frames comes from a member of network 8056c2e21c000001: give --network"),
        (1, "1 of 3 frames come from members of network 8056c2e21c000001"),
    ],
)
def test_frames_of_another_network_are_counted(
    folder: Path, capfd: pytest.CaptureFixture[str], own: int, said: str
) -> None:
    strangers = [udp(0, source=0x020000000001), udp(0, source=0x4444444444)]
    Path("c.pcap").write_bytes(pcap(strangers + FRAMES[:own]))
    status, _, err = run(capfd)
    assert (status, said in err.splitlines()[-1]) == (0, True)
    Path("c.pcap").write_bytes(pcap(FRAMES))
    assert "network 8056" not in run(capfd)[2]


def test_headers_alone_leave_deliveries_uncertain(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of 14 bytes neither a protocol nor a TOS is there: what rules ask for is not known."""
    Path("c.pcap").write_bytes(pcap([frame[:14] for frame in FRAMES], lengths=[60, 60, 60]))
    for backend in BACKENDS:
        status, _, err = run(capfd, "--count", "--backend", backend)
        assert status == 0
        assert "ztfast: 3 frames are uncertain: rules look at bytes that were not captured" in err
    Path("c.pcap").write_bytes(pcap(FRAMES))
    assert "uncertain" not in run(capfd, "--count")[2]
