"""Suricata behind the tap: the same alerts from a file, a FIFO, an interface and a VXLAN device.

Suricata is used from the folder that `.ci/suricata` makes; without it these are skipped by name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.network import PATIENCE, Namespace, Network, tapping
from ztfast.frames.build import ip_packet, tcp_body, udp_body

FOLDER = Path(os.environ.get("ZTFAST_SURICATA", "/var/cache/ztfast/trixie"))
ALERTS = """\
alert tcp any any -> any 23 (msg:"telnet"; sid:1;)
alert udp any any -> any 53 (msg:"a question"; content:"example"; sid:2;)
alert tcp any any -> any 80 (msg:"web"; flags:S; sid:3;)
"""
RULES = "tee -1 8e30f50a25 not dport 22;\naccept;\n"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "usr/bin/suricata").exists() or os.geteuid() != 0,
    reason="suricata: not installed by .ci/suricata",
)


def frames() -> list[bytes]:
    """Thirty connections tried, ten questions, and logins that the rules do not copy."""
    macs, found = bytes.fromhex("02000000000a 02000000000b"), []
    for at in range(10):
        ends = bytes([10, 0, 0, at + 1]), bytes([10, 0, 1, 9])
        for port in (23, 80, 22):
            found.append(ip_packet(*ends, 6, tcp_body(2000 + at, port, 2)))
        found.append(ip_packet(*ends, 17, udp_body(3000 + at, 53, b"an example of a question")))
    return [macs + b"\x08\x00" + packet for packet in found]


EXPECTED = Counter({"telnet": 10, "a question": 10, "web": 10})


@pytest.fixture
def inside() -> Iterator[Path]:
    """A folder that Suricata can see."""
    path = FOLDER / f"tmp/zt{os.getpid()}"
    path.mkdir(parents=True)
    (path / "alerts").write_text(ALERTS)
    yield path
    shutil.rmtree(path)


def command(inside: Path, *source: str) -> list[str]:
    place = f"/{inside.relative_to(FOLDER)}"
    return [
        *("chroot", str(FOLDER), "suricata", *source, "-k", "none"),
        *("-S", f"{place}/alerts", "-l", place),
    ]


def alerts(inside: Path) -> Counter[str]:
    lines = (inside / "eve.json").read_text().rpartition("\n")[0].splitlines()
    events = [json.loads(line) for line in lines]
    return Counter(event["alert"]["signature"] for event in events if "alert" in event)


@contextmanager
def watching(where: Namespace, inside: Path, interface: str) -> Iterator[None]:
    """Suricata on an interface: ready, and at the end its last flow is written."""
    source = where.command(*command(inside, f"--af-packet={interface}"))
    process = subprocess.Popen(source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        try:
            assert any("Engine started" in line for line in said)
            yield
        finally:
            process.terminate()
            said.read()
            process.wait(PATIENCE)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.ztrules"
    path.write_text(RULES)
    return path


def test_a_file(network: Network, inside: Path, rules: Path) -> None:
    with tapping(network.tap, rules, "-i", "in", "--to", f"pcap:{inside}/day") as tap:
        network.send(frames())
        tap.stop()
    (path,) = (inside / "day").iterdir()
    source = f"/{path.relative_to(FOLDER)}"
    subprocess.run(command(inside, "-r", source), check=True, capture_output=True, timeout=60)
    assert alerts(inside) == EXPECTED


def test_a_fifo(network: Network, inside: Path, rules: Path) -> None:
    feed = inside / "feed"
    os.mkfifo(feed)
    source = command(inside, "-r", f"/{feed.relative_to(FOLDER)}")
    with tapping(network.tap, rules, "-i", "in", "--to", f"fifo:{feed}") as tap:
        tap.wait_for("nobody reads it yet")
        with subprocess.Popen(source, stdout=subprocess.DEVNULL) as reader:
            tap.wait_for(f"{feed}: opened")
            network.send(frames())
            tap.stop()
            assert reader.wait(PATIENCE) == 0
    assert alerts(inside) == EXPECTED


def test_an_interface(network: Network, inside: Path, rules: Path) -> None:
    with watching(network.sensor, inside, "from"):
        with tapping(network.tap, rules, "-i", "in", "--to", "packet:to") as tap:
            network.send(frames())
            tap.stop()
        _settled(inside)
    assert alerts(inside) == EXPECTED


def test_a_vxlan_device(network: Network, inside: Path, rules: Path) -> None:
    network.set_mtu(1600)
    network.tap.ip("link", "set", "dev", "in", "mtu", "1500")
    network.tap.ip("addr", "add", "10.99.0.1/24", "dev", "to")
    network.sensor.ip("addr", "add", "10.99.0.2/24", "dev", "from")
    device = ("name", "vx0", "type", "vxlan", "id", "42", "dstport", "4789", "dev", "from")
    network.sensor.ip("link", "add", *device)
    network.sensor.ip("link", "set", "dev", "vx0", "up")
    with watching(network.sensor, inside, "vx0"):
        with tapping(network.tap, rules, "-i", "in", "--to", "vxlan:10.99.0.2/42") as tap:
            network.send(frames())
            tap.stop()
        _settled(inside)
    assert alerts(inside) == EXPECTED


def _settled(inside: Path) -> None:
    """Until Suricata has written what it was sent."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while alerts(inside) != EXPECTED and time.monotonic() < end:
        pause.wait(0.05)
