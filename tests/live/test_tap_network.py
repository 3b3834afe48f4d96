"""The tap between real interfaces, in namespaces of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ztfast
from tests.live.network import ROOT, Network, refused, tapping
from ztfast import dispatch
from ztfast.frames.build import ip_packet, tcp_body
from ztfast.live import loops

MACS = bytes.fromhex("02000000000a 02000000000b")
IPS = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


def frame(number: int, size: int = 60, port: int = 80) -> bytes:
    data = number.to_bytes(4, "big").ljust(max(4, size - 54), b".")
    return MACS + b"\x08\x00" + ip_packet(*IPS, 6, tcp_body(1000, port, 16, data))


FRAMES = [frame(number, 60 + number) for number in range(300)]


def captured(path: Path) -> list[bytes]:
    with ztfast.open_capture(path) as capture:
        return [one for batch in capture.batches() for one in batch.frames()]


def test_copies_go_into_an_interface(network: Network, tee: Path) -> None:
    received = network.listen()
    with tapping(network.tap, tee, "-i", "in", "--to", "packet:to") as tap:
        network.send(FRAMES)
        figures = tap.stop()
    assert received() == FRAMES
    counts = figures["inputs"]["in"]
    assert (counts["received"], counts["judged"], counts["dropped"]) == (300, 300, 0)
    assert figures["outputs"]["packet:to"]["sent"] == 300
    assert figures["verdicts"]["accept"]["frames"] == 300
    assert figures["latency_us"]["0.5"] > 0


def test_copies_by_member_and_streams_at_once(network: Network, tmp_path: Path) -> None:
    rules = tmp_path / "two.ztrules"
    rules.write_text("tee -1 8e30f50a25 dport 80; tee 20 6b4d5e6f70 dport 22; accept;")
    received, out = network.listen(), tmp_path / "out.pcapng"
    to = ("--to", "8e30f50a25=packet:to", "--to", "6b4d5e6f70=-", "--format", "pcapng")
    logins = [frame(number, port=22) for number in range(10)]
    with out.open("wb") as file, tapping(network.tap, rules, "-i", "in", *to, stdout=file) as tap:
        network.send([*FRAMES[:10], *logins])
        tap.stop()
    assert received() == FRAMES[:10]
    assert captured(out) == [one[:34] for one in logins]


def test_a_tag_that_was_taken_out_is_sent(network: Network, tee: Path, tmp_path: Path) -> None:
    tagged = [MACS + bytes.fromhex("8100 2005") + one[12:] for one in FRAMES[:20]]
    out = tmp_path / "out.pcap"
    with (
        out.open("wb") as file,
        tapping(network.tap, tee, "-i", "in", "--to", "-", stdout=file) as tap,
    ):
        network.send(tagged)
        tap.stop()
    assert captured(out) == tagged


def test_jumbo_frames(network: Network, tee: Path) -> None:
    network.set_mtu(2800)
    received = network.listen()
    jumbo = [frame(number, 2814) for number in range(20)]
    with tapping(network.tap, tee, "-i", "in", "--to", "packet:to") as tap:
        network.send(jumbo)
        tap.stop()
    assert received() == jumbo


def test_a_frame_that_is_too_long_costs_itself(network: Network, tee: Path) -> None:
    received = network.listen()
    long = [frame(number, 1400) for number in range(3)]
    with tapping(network.tap, tee, "-i", "in", "--to", "packet:to") as tap:
        network.tap.ip("link", "set", "dev", "to", "mtu", "1000")
        network.send([*FRAMES[:5], *long, *FRAMES[5:10]])
        figures = tap.stop()
    assert received() == FRAMES[:10]
    assert figures["outputs"]["packet:to"]["refused"] == {"too long": 3}


def test_frames_in_vxlan(network: Network, tee: Path) -> None:
    network.set_mtu(1600)
    network.tap.ip("link", "set", "dev", "in", "mtu", "1500")
    network.tap.ip("addr", "add", "10.99.0.1/24", "dev", "to")
    network.sensor.ip("addr", "add", "10.99.0.2/24", "dev", "from")
    device = ("vx0", "type", "vxlan", "id", "42", "dstport", "4789", "dev", "from")
    network.sensor.ip("link", "add", *device)
    network.sensor.ip("link", "set", "vx0", "up")
    network.tap.run("ping", "-c", "1", "-W", "5", "10.99.0.2") if shutil.which("ping") else None
    received = network.listen("vx0")
    with tapping(network.tap, tee, "-i", "in", "--to", "vxlan:10.99.0.2/42") as tap:
        network.send(FRAMES)
        tap.stop()
    assert received() == FRAMES


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-i", "in", "--to", "packet:in"], "ZT642"),
        (["-i", "in", "--to", "packet:to"], "cut frames: --snaplen 1314"),
        (["-i", "in", "--to", "vxlan:10.99.0.2/42"], "cut frames: --snaplen 1264"),
        (["-i", "nowhere"], "ZT640"),
        (["-i", "in", "--to", "packet:nowhere"], "no such interface"),
        (["-i", "in", "--to", "fifo:nowhere"], "mkfifo"),
        (["-i", "in", "--ring", "1M"], "whole blocks"),
        (["-i", "in", "--bpf", "vlan 5"], "VLAN tags are not there"),
        (["-i", "in", "--bpf", "no such thing"], "--bpf"),
        (["-i", "in", "--user", "nobody-of-that-name"], "nobody here"),
        (["-i", "in", "--metrics", ":99999"], "port 99999"),
        (["-i", "in", "-i", "in"], "twice"),
        (["-i", "in", "--to", "a=-", "--send", "all"], "by verdict"),
        (["-i", "in", "--to", "sensor=packet:to", "--snaplen", "200"], "only ZeroTier addresses"),
    ],
)
def test_what_could_never_work_is_refused(
    network: Network, tee: Path, words: list[str], message: str
) -> None:
    network.tap.ip("link", "set", "dev", "to", "mtu", "1300")
    network.tap.ip("addr", "add", "10.99.0.1/24", "dev", "to")
    status, said = refused(network.tap, tee, *words)
    assert status in (1, 2)
    assert message in said
    assert "Traceback" not in said


def test_rules_are_read_again_under_load_and_no_frame_is_lost(
    network: Network, tee: Path, tmp_path: Path
) -> None:
    received = network.listen()
    with tapping(network.tap, tee, "-i", "in", "--to", "packet:to") as tap:
        sending = threading.Thread(target=lambda: [network.send(FRAMES) for _ in range(20)])
        sending.start()
        tee.write_text("tee -1 8e30f50a25; drop;")
        tap.signal(signal.SIGHUP)
        tap.wait_for("judging by the rules as read now")
        tee.write_text("this is not a rule")
        tap.signal(signal.SIGHUP)
        tap.wait_for("the old rules stay")
        sending.join()
        network.send(FRAMES[:7])
        figures = tap.stop()
    counts = figures["outputs"]["packet:to"]
    assert figures["inputs"]["in"]["received"] == figures["inputs"]["in"]["judged"] == 6007
    assert len(received()) == counts["sent"] == counts["copies"] - counts["deduplicated"]
    assert figures["verdicts"]["drop"]["frames"] >= 7
    assert figures["reloads"] == 1


def test_figures_are_printed_when_asked(network: Network, tee: Path) -> None:
    with tapping(network.tap, tee, "-i", "in", "--to", "packet:to") as tap:
        network.send(FRAMES[:5])
        counts = tap.figures_now()["inputs"]["in"]
        assert counts["received"] == 5
        tap.stop()


def test_several_interfaces(network: Network, tee: Path, tmp_path: Path) -> None:
    network.join(network.source, "out2", network.tap, "in2")
    out = tmp_path / "out.pcapng"
    words = ("-i", "in", "-i", "in2", "--to", "-", "--format", "pcapng")
    with out.open("wb") as file, tapping(network.tap, tee, *words, stdout=file) as tap:
        network.send(FRAMES[:5])
        network.source.run(sys.executable, "-c", _SEND.format("out2", FRAMES[5]))
        figures = tap.stop()
    assert {name: counts["judged"] for name, counts in figures["inputs"].items()} == {
        "in": 5,
        "in2": 1,
    }
    with ztfast.open_capture(out) as capture:
        found = [
            (batch.interfaces[number].name, data)
            for batch in capture.batches()
            for number, data in zip(batch.interface_ids.tolist(), batch.frames(), strict=True)
        ]
    assert sorted(found) == sorted([*(("in", one) for one in FRAMES[:5]), ("in2", FRAMES[5])])


_SEND = """
import socket
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
    sender.bind(({!r}, 0))
    sender.send({!r})
"""


def test_the_kernels_filter_and_snap_length(network: Network, tee: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.pcap"
    words = ("-i", "in", "--to", "-", "--snaplen", "64", "--bpf", "tcp dst port 22")
    logins = [frame(number, 100, port=22) for number in range(3)]
    with out.open("wb") as file, tapping(network.tap, tee, *words, stdout=file) as tap:
        network.send([*FRAMES[:5], *logins])
        figures = tap.stop()
    assert figures["inputs"]["in"]["judged"] == 3
    assert captured(out) == [one[:64] for one in logins]


def test_files_appear_when_they_are_whole(network: Network, tee: Path, tmp_path: Path) -> None:
    folder = tmp_path / "day"
    words = ("-i", "in", "--to", f"pcap:{folder}", "--rotate-frames", "100")
    with tapping(network.tap, tee, *words) as tap:
        network.send(FRAMES)
        tap.stop()
    paths = sorted(folder.iterdir())
    assert [path.name[-11:] for path in paths] == [f"_0000{at}.pcap" for at in (1, 2, 3)]
    assert [one for path in paths for one in captured(path)] == FRAMES


def test_an_output_that_vanishes_is_opened_again(network: Network, tee: Path) -> None:
    with tapping(network.tap, tee, "-i", "in", "--to", "packet:to") as tap:
        network.tap.ip("link", "del", "dev", "to")
        network.send(FRAMES[:5])
        tap.wait_for("interface down")
        network.join(network.tap, "to", network.sensor, "from")
        tap.wait_for("opened again")
        received = network.listen()
        network.send(FRAMES[5:10])
        counts = tap.stop()["outputs"]["packet:to"]
    assert received() == FRAMES[5:10]
    assert counts["refused"] == {"interface down": 5}
    assert counts["reopened"] == 1


def test_an_input_that_vanishes_is_opened_again_by_another_user(
    network: Network, tee: Path
) -> None:
    words = ("-i", "in", "--to", "packet:to", "--user", "nobody")
    with tapping(network.tap, tee, *words) as tap:
        status = Path(f"/proc/{tap.process.pid}/status").read_text()
        assert "CapEff:\t0000000000002000" in status
        assert "NoNewPrivs:\t1" in status
        network.send(FRAMES[:5])
        network.tap.ip("link", "del", "dev", "in")
        tap.wait_for("the interface is gone")
        network.join(network.source, "out", network.tap, "in")
        tap.wait_for("opened again")
        network.send(FRAMES[5:7])
        counts = tap.stop()["inputs"]["in"]
    assert (counts["received"], counts["judged"], counts["reopened"]) == (7, 7, 1)


def test_systemd_is_told(network: Network, tee: Path, tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(path))
        environment = {**os.environ, "NOTIFY_SOCKET": str(path)}
        with tapping(network.tap, tee, "-i", "in", env=environment) as tap:
            assert told.recv(100) == b"READY=1"
            tap.signal(signal.SIGHUP)
            assert told.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert told.recv(100) == b"READY=1"
            tap.stop()
        assert told.recv(100) == b"STOPPING=1"


def test_a_tap_whose_only_reader_is_gone_ends(network: Network, tee: Path) -> None:
    with tapping(network.tap, tee, "-i", "in", "--to", "-", stdout=subprocess.PIPE) as tap:
        assert tap.process.stdout is not None
        tap.process.stdout.close()
        network.send(FRAMES[:5])
        assert tap.process.wait(30) == 0


@pytest.mark.skipif(shutil.which("tcpreplay") is None, reason="tcpreplay: not installed")
def test_tcpreplay_is_the_source(network: Network, tee: Path) -> None:
    received = network.listen()
    office = ROOT / "examples" / "office.pcap"
    with tapping(network.tap, tee, "-i", "in", "--to", "packet:to") as tap:
        network.source.run("tcpreplay", "-q", "-t", "-i", "out", str(office))
        tap.stop()
    assert received() == captured(office)


def test_memory_stays_flat(network: Network, tee: Path, tmp_path: Path) -> None:
    """A few seconds; ZTFAST_SOAK=SECONDS makes it longer (at high rates: tests/live/soak.py)."""
    seconds = float(os.environ.get("ZTFAST_SOAK", "3"))
    feed = tmp_path / "feed"
    os.mkfifo(feed)
    reader = subprocess.Popen(["cat", str(feed)], stdout=subprocess.DEVNULL)
    generator = (sys.executable, "-m", "tests.live.generator", "out")
    office = str(ROOT / "examples" / "office.pcap")
    words = ("-i", "in", "--to", f"fifo:{feed}", "--to", "packet:to", "--dedup", "1")
    rate = 20_000 if dispatch.core is not None and loops.compiled else 1_000
    with tapping(network.tap, tee, *words) as tap:
        network.source.run(*generator, office, str(rate), str(rate))
        before = tap.resident()
        sent = network.source.run(
            *generator, office, str(10**9), str(rate), str(seconds), timeout=seconds + 60
        )
        after = tap.resident()
        figures = tap.stop()
    reader.wait(30)
    assert figures["inputs"]["in"]["received"] == rate + int(sent.split()[0])
    assert after - before < 4096
