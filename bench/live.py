"""The live tap beside tcpdump, Suricata and bare sending: CPU a frame and loss at one offered rate.

Frames of 60, 576 and 1,400 bytes between members of the office come through a veth pair, sent by
tests/live/generator.py; the sides take turns.  CPU is what the kernel says that a process's threads
ran.  Without root, `ip` or veth pairs there are no rows.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.live.network import Network, why_no_networks

import ztfast
from bench.rows import Row
from ztfast.frames.build import ip_packet, tcp_body, udp_body

ROOT = Path(__file__).parents[1]
OFFICE = ROOT / "examples"
SURICATA = Path(os.environ.get("ZTFAST_SURICATA", "/var/cache/ztfast/trixie"))
RATE, COUNT, ROUNDS = 200_000, 400_000, 3
_FRAMES = 20_000
_SETTLE = 0.3


class Measured(NamedTuple):
    """Nanoseconds of CPU a frame, the share of frames lost, and what the tap said at its end."""

    ns: float
    loss: float
    figures: dict[str, Any]


def live_goals() -> Iterator[Row]:
    """T1–T3: judging, sending on, and how long that takes."""
    why = why_no_networks()
    if why:
        yield Row("T1", f"the live tap: not measured, {why}", "", "", None)
        return
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(Path(folder))
        try:
            yield from bench.rows()
        finally:
            bench.network.remove()


class _Bench:
    """The three namespaces, with what runs in the middle one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.network = folder, Network()
        self.capture = folder / "mix.pcap"
        _write_mix(self.capture)
        self.all = self._rules("all", "accept;\n")
        self.tee = self._rules("tee", "tee -1 8e30f50a25;\naccept;\n")

    def _rules(self, name: str, text: str) -> str:
        path = self.folder / f"{name}.ztrules"
        path.write_text(text)
        return str(path)

    def rows(self) -> Iterator[Row]:
        yield from self._judging()
        yield from self._sending()
        yield from self._waiting()

    # --- T1 ----------------------------------------------------------------------------------

    def _judging(self) -> Iterator[Row]:
        members = ("--network", str(OFFICE / "office.toml"))
        ways: dict[str, Callable[[], Measured]] = {
            "tcpdump": self.tcpdump,
            "judge": lambda: self.tap(self.all),
            "members": lambda: self.tap(str(OFFICE / "office.ztrules"), *members),
            "judge10": lambda: self.tap(self.all, "--retire-ms", "10"),
            "members10": lambda: self.tap(
                str(OFFICE / "office.ztrules"), *members, "--retire-ms", "10"
            ),
        }
        if (SURICATA / "usr/bin/suricata").exists():
            ways["suricata"] = self.suricata
        found = _in_turn(ways)
        base = found["tcpdump"]
        rate = f"{RATE:,} frames/s offered"
        yield Row("T1", f"tcpdump -w /dev/null, {rate}", "", _told(base), None)
        for name, what in (
            ("judge", "ring and judge, accept"),
            ("members", "ring and judge, the office with members"),
            ("judge10", "… accept, --retire-ms 10"),
            ("members10", "… the office with members, --retire-ms 10"),
        ):
            ratio, limit = found[name].ns / base.ns, 1.2
            asked = f"≤ {limit}×" if not name.endswith("10") else ""
            met = ratio <= limit if asked else None
            yield Row("T1", f"{what}, against tcpdump", asked, _ratio(ratio, found[name]), met)
        if "suricata" in found:
            ratio = found["judge"].ns / found["suricata"].ns
            told = f"{ratio:.2f}× ({_told(found['suricata'])})"
            yield Row("T1", "ring and judge against Suricata", "≤ 0.167×", told, ratio <= 1 / 6)

    # --- T2 ----------------------------------------------------------------------------------

    def _sending(self) -> Iterator[Row]:
        found = _in_turn(
            {
                "bare": self.bare,
                "judge": lambda: self.tap(self.tee),
                "packet": lambda: self.tap(self.tee, "--to", "packet:to"),
                "fifo": self.fifo,
            }
        )
        fifo = found["fifo"]
        what = "full tee to a FIFO, ring and judge included"
        yield Row("T2", what, "≤ 450 ns", _told(fifo), fifo.ns <= 450)
        ratio = (found["packet"].ns - found["judge"].ns) / found["bare"].ns
        told = f"{ratio:.2f}× ({found['packet'].ns:.0f} ns in all, bare {found['bare'].ns:.0f})"
        what = "full tee to an interface above judging, against bare sendmmsg"
        yield Row("T2", what, "≤ 1.15×", told, ratio <= 1.15)
        long = self.fifo(5 * RATE)
        asked = f"none lost at {RATE:,} frames/s for 5 s"
        lost = long.loss
        yield Row("T2", "full tee to a FIFO", asked, f"{lost:.2%} lost", lost == 0)

    # --- T3 ----------------------------------------------------------------------------------

    def _waiting(self) -> Iterator[Row]:
        for rate in (1_000, 50_000, RATE):
            found = self.tap(self.tee, "--to", "packet:to", count=rate * 2, rate=rate)
            median = found.figures["latency_us"]["0.5"] / 1000
            what = f"from the kernel's time stamp to behind sending, median, {rate:,} frames/s"
            yield Row("T3", what, "≤ 1 ms", f"{median:.2f} ms", median <= 1)

    # --- who takes part ----------------------------------------------------------------------

    def generate(self, count: int, rate: int) -> int:
        """Let frames come in; how many were sent."""
        words = (sys.executable, "-m", "tests.live.generator", "out", str(self.capture))
        told = self.network.source.run(*words, str(count), str(rate), "20")
        time.sleep(_SETTLE)
        return int(told.split()[0])

    def tap(self, rules: str, *words: str, count: int = COUNT, rate: int = RATE) -> Measured:
        command = (sys.executable, "-m", "ztfast", "tap", rules, "-i", "in", *words, "--json")
        process = self._started(*command, ready="--ready-fd")
        ns, _ = self._fed(process, count, rate)
        out, _ = process.communicate()
        figures = json.loads(out.splitlines()[-1])
        counts = figures["inputs"]["in"]
        refused = sum(sum(output["refused"].values()) for output in figures["outputs"].values())
        return Measured(ns, (counts["dropped"] + refused) / counts["received"], figures)

    def fifo(self, count: int = COUNT) -> Measured:
        feed = self.folder / f"feed{time.monotonic_ns()}"
        os.mkfifo(feed)
        with subprocess.Popen(["cat", str(feed)], stdout=subprocess.DEVNULL):
            return self.tap(self.tee, "--to", f"fifo:{feed}", count=count)

    def tcpdump(self) -> Measured:
        process = self._started("tcpdump", "-i", "in", "-w", "/dev/null", said="listening on")
        ns, sent = self._fed(process, COUNT, RATE)
        _, said = process.communicate()
        lost = int(
            next(line for line in said.splitlines() if "dropped by kernel" in line).split()[0]
        )
        return Measured(ns, lost / sent, {})

    def suricata(self) -> Measured:
        alerts, logs = SURICATA / "tmp/none.rules", SURICATA / "tmp/bench"
        alerts.write_text('alert tcp any any -> any 23 (msg:"telnet"; sid:1;)\n')
        logs.mkdir(exist_ok=True)
        words = ("suricata", "--af-packet=in", "-S", "/tmp/none.rules", "-l", "/tmp/bench")
        process = self._started("chroot", str(SURICATA), *words, said="Engine started")
        ns, sent = self._fed(process, COUNT, RATE)
        out, _ = process.communicate()
        drops = [line for line in out.splitlines() if "drops:" in line]
        lost = int(drops[-1].split("drops:")[1].split()[0].strip("(,")) if drops else 0
        return Measured(ns, lost / sent, {})

    def bare(self) -> Measured:
        code = (
            "import sys, time; from tests.live.generator import Generator; "
            "made = Generator(*sys.argv[1:3]); begun = time.thread_time_ns(); "
            "sent, _ = made.run(int(sys.argv[3]), 0, 20); "
            "print((time.thread_time_ns() - begun) / sent)"
        )
        words = (sys.executable, "-c", code, "to", str(self.capture), str(COUNT))
        return Measured(float(self.network.tap.run(*words)), 0.0, {})

    def _started(self, *command: str, said: str = "", ready: str = "") -> subprocess.Popen[str]:
        """A program in the middle namespace that is ready."""
        reading, writing = os.pipe()
        words = [*command, ready, str(writing)] if ready else list(command)
        process = subprocess.Popen(
            self.network.tap.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if not said.startswith("Engine") else subprocess.STDOUT,
            text=True,
            pass_fds=(writing,),
        )
        os.close(writing)
        with open(reading) as file:
            if ready:
                file.readline()
        stream = process.stdout if said.startswith("Engine") else process.stderr
        assert stream is not None
        if said:
            for line in stream:
                if said in line:
                    break
        return process

    def _fed(self, process: subprocess.Popen[str], count: int, rate: int) -> tuple[float, int]:
        """(CPU a frame, frames sent) while frames come, after which it is ended."""
        before = _ran(process.pid)
        sent = self.generate(count, rate)
        after = _ran(process.pid)
        process.send_signal(signal.SIGINT)
        return (after - before) / sent, sent


def _ran(pid: int) -> int:
    """Nanoseconds that a process's threads ran."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def _in_turn(ways: dict[str, Callable[[], Measured]]) -> dict[str, Measured]:
    """The medians of some rounds, in each of which everybody has a turn."""
    rounds = [{name: way() for name, way in ways.items()} for _ in range(ROUNDS)]
    return {
        name: Measured(
            statistics.median(one[name].ns for one in rounds),
            statistics.median(one[name].loss for one in rounds),
            rounds[-1][name].figures,
        )
        for name in ways
    }


def _told(found: Measured) -> str:
    return f"{found.ns:.0f} ns, {found.loss:.2%} lost"


def _ratio(ratio: float, found: Measured) -> str:
    return f"{ratio:.2f}× ({_told(found)})"


def _write_mix(path: Path) -> None:
    """Frames between the office's members, as many connections as there are frames."""
    network = ztfast.load_network(OFFICE / "office.toml")
    drawn = random.Random(5)
    members = [member for member in network.members if member.name != "sensor"]
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
    for number in range(_FRAMES):
        ends = drawn.sample(members, 2)
        size = drawn.choices([60, 576, 1400], [2, 1, 1])[0]
        ips = [next(ip for ip in member.ips if len(ip) == 4) for member in ends]
        ports = 40_000 + number % 2000, drawn.choice([22, 53, 80, 443, 443, 445, 631, 5005])
        data = number.to_bytes(4, "big") * ((size - 54) // 4)
        tcp = drawn.random() < 0.75
        body = (
            tcp_body(*ports, drawn.choice([2, 16, 16, 24]), data) if tcp else udp_body(*ports, data)
        )
        macs = b"".join((network.mac(member) or 0).to_bytes(6, "big") for member in ends[::-1])
        frame = macs + b"\x08\x00" + ip_packet(*ips, 6 if tcp else 17, body)
        parts.append(struct.pack("<IIII", 1_700_000_000, number, len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(parts))


if __name__ == "__main__":
    for row in live_goals():
        print(f"| {row.goal} | {row.what} | {row.asked} | {row.measured} | {row.met} |", flush=True)
