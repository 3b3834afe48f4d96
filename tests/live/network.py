"""Network namespaces joined by veth pairs, and a tap that runs in the middle one.

    source (out) ── (in) tap (to) ── (from) sensor

Contract: everything is made for one test and removed with it; no frame leaves the namespaces.
`can_have_networks` says why not, where these are not permitted.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds for something that should come at once
_Made = TypeVar("_Made")
_numbers = itertools.count()


@cache
def why_no_networks() -> str:
    """Why namespaces and veth pairs cannot be made here; empty: they can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "ip (iproute2) is not installed"
    name = f"zt{os.getpid()}probe"
    made = _ip("netns", "add", name)
    try:
        if made or _ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "two"):
            return "veth pairs in network namespaces are not permitted here"
        return ""
    finally:
        _ip("netns", "del", name)


def _ip(*words: str) -> int:
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode


class Namespace:
    """A network namespace; its interfaces send nothing by themselves."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ip_outside("netns", "add", name)
        self.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        self.ip("link", "set", "lo", "up")

    @staticmethod
    def ip_outside(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def ip(self, *words: str) -> None:
        """`ip` in this namespace."""
        self.ip_outside("-n", self.name, *words)

    def command(self, *words: str) -> list[str]:
        """A command line that runs here."""
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words: str, timeout: float = 120) -> str:
        """Run a program here; what it printed."""
        done = subprocess.run(
            self.command(*words), check=True, capture_output=True, text=True, timeout=timeout
        )
        return done.stdout + done.stderr

    def made_here(self, make: Callable[[], _Made]) -> _Made:
        """What a function gives that is called in this namespace."""
        found: list[_Made] = []

        def enter() -> None:
            with open(f"/var/run/netns/{self.name}") as place:
                assert ctypes.CDLL(None, use_errno=True).setns(place.fileno(), 0) == 0
            found.append(make())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return found[0]

    def remove(self) -> None:
        self.ip_outside("netns", "del", self.name)


def _sender(interface: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.bind((interface, 0))
    return made


def _receiver(interface: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.setsockopt(263, 23, 1)  # PACKET_IGNORE_OUTGOING
    made.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    made.bind((interface, 3))
    made.setblocking(False)
    return made


class Network:
    """The three namespaces."""

    def __init__(self) -> None:
        number = f"zt{os.getpid()}n{next(_numbers)}"
        self._all: list[Namespace] = []
        for place in ("source", "tap", "sensor"):
            self._all.append(Namespace(f"{number}{place}"))
        self.source, self.tap, self.sensor = self._all
        self.join(self.source, "out", self.tap, "in")
        self.join(self.tap, "to", self.sensor, "from")
        self._sockets: list[socket.socket] = []

    def join(self, one: Namespace, name: str, other: Namespace, its: str) -> None:
        """A veth pair between two namespaces."""
        peer = ("type", "veth", "peer", "name", its, "netns", other.name)
        one.ip("link", "add", "name", name, *peer)
        one.ip("link", "set", "dev", name, "up")
        other.ip("link", "set", "dev", its, "up")

    def set_mtu(self, mtu: int, incoming: tuple[str, str] = ("out", "in")) -> None:
        """The MTU of all four ends; incoming: what the two of the first pair are called."""
        ends = ((self.source, incoming[0]), (self.tap, incoming[1]))
        for where, name in (*ends, (self.tap, "to"), (self.sensor, "from")):
            where.ip("link", "set", "dev", name, "mtu", str(mtu))

    def send(self, frames: list[bytes]) -> None:
        """Let frames come in."""
        sender = self.source.made_here(lambda: _sender("out"))
        with sender:
            for frame in frames:
                sender.send(frame)

    def listen(self, interface: str = "from") -> Callable[[], list[bytes]]:
        """Call what is returned for the frames that came to the sensor since."""
        receiver = self.sensor.made_here(lambda: _receiver(interface))
        self._sockets.append(receiver)

        def received() -> list[bytes]:
            found: list[bytes] = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    found.append(receiver.recv(1 << 17))
            return found

        return received

    def remove(self) -> None:
        for each in self._sockets:
            each.close()
        for each in self._all:
            each.remove()


class Tap:
    """`ztfast tap` as a program; `figures` are those at its end, as JSON."""

    def __init__(self, where: Namespace, *words: str, **rest: Any) -> None:
        ready, told = os.pipe()
        options = ("--json", "--ready-fd", str(told))
        command = where.command(sys.executable, "-m", "ztfast", "tap", *words, *options)
        self.process = subprocess.Popen(
            command,
            stdout=rest.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            pass_fds=(told,),
            text=True,
            **rest,
        )
        os.close(told)
        self.said: list[str] = []
        self._unread = ""  # of standard error
        try:
            with open(ready) as file:
                assert file.readline() == "ready\n", self.process.communicate()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait_for(self, text: str) -> str:
        """The next line on standard error that has this text."""
        assert self.process.stderr is not None
        pipe = self.process.stderr.fileno()
        while True:
            while "\n" in self._unread:
                line, _, self._unread = self._unread.partition("\n")
                self.said.append(line + "\n")
                if text in line:
                    return line
            if not select.select([pipe], [], [], PATIENCE)[0]:
                break
            more = os.read(pipe, 1 << 16).decode()
            if not more:
                break
            self._unread += more
        raise AssertionError(f"{text!r} was not said, but: {''.join(self.said)}")

    def figures_now(self) -> dict[str, Any]:
        """What SIGUSR1 prints."""
        self.signal(signal.SIGUSR1)
        found: dict[str, Any] = json.loads(self.wait_for('{"seconds"'))
        return found

    def resident(self) -> int:
        """Memory that it has, its ring excluded, in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0])

    def stop(self) -> dict[str, Any]:
        """End it; the figures, which add up."""
        self.signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=PATIENCE)
        self.said += (self._unread + err).splitlines(keepends=True)
        assert self.process.returncode == 0, "".join(self.said)
        last = [line for line in (*self.said, *(out or "").splitlines()) if line.startswith("{")][
            -1
        ]
        figures: dict[str, Any] = json.loads(last)
        for counts in (*figures["inputs"].values(), *figures["outputs"].values()):
            assert counts["missing"] == 0, figures
        return figures

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        self.process.wait()


@contextlib.contextmanager
def tapping(where: Namespace, *words: object, **rest: Any) -> Iterator[Tap]:
    """A tap that is ready, and gone behind the block."""
    tap = Tap(where, *map(str, words), **rest)
    try:
        yield tap
    finally:
        tap.kill()


def refused(where: Namespace, *words: object) -> tuple[int, str]:
    """(status, what it said) of a tap that cannot be meant."""
    command = where.command(sys.executable, "-m", "ztfast", "tap", *map(str, words))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr
