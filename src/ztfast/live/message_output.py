"""Frames as messages: into an interface (`packet:`), or each in a UDP packet (`vxlan:`, RFC 7348).

Contract: many frames a system call, from where they lie in the ring.  One that is refused costs
itself only.  The kernel's queue is the only one.  Tested by tests/live/test_tap_network.py; what
sends, by tests/live/test_loops.py.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time

import numpy as np

from ztfast.live import loops
from ztfast.live.counters import DOWN, reason
from ztfast.live.frames import Chosen, Frames
from ztfast.live.interfaces import interface
from ztfast.live.output import Output, Say, Waiting
from ztfast.live.ring import PACKET_LEVEL
from ztfast.live.targets import Vxlan

_QDISC_BYPASS = 20  # PACKET_QDISC_BYPASS
_SEND_BUFFER, _SEND_BUFFER_FORCE = 7, 32  # SO_SNDBUF, SO_SNDBUFFORCE
_QUEUE = 16 << 20
_PAUSE = 0.0005  # while a full queue is waited for
_VNI_FLAG = 0x0800_0000
_MTU = 14  # IP_MTU
_MTU_DISCOVER, _ALWAYS = 10, 2  # IP_MTU_DISCOVER, IP_PMTUDISC_DO
_MTU6, _MTU_DISCOVER6 = 24, 23  # the same of IPv6
UDP_AND_VXLAN = 16
IP_HEADERS = {socket.AF_INET: 20, socket.AF_INET6: 40}


class MessageOutput(Output):
    """What both kinds share: a socket that takes a frame a message."""

    why_not = DOWN

    def __init__(self, name: str, waiting: Waiting, say: Say, header: bytes = b"") -> None:
        super().__init__(name, waiting, say)
        self._socket: socket.socket | None = None
        self._errors = np.zeros(256, np.uint64)
        self._header = np.frombuffer(header, np.uint8)  # in front of each frame
        self._messages = loops.Messages(self._header, self._errors, self._count_errors)
        self.direct = self._messages

    def send(self, frames: Frames, chosen: Chosen, count: int) -> None:
        """Send them; where the queue is full they are refused, or waited for."""
        if self._socket is None:
            self.counts.refuse(self.why_not, count)
            return
        done = 0
        while done < count:
            wait = bool(self._waiting)
            done, sent, octets = loops.send(
                self._socket.fileno(),
                frames.buffer,
                frames.columns.offsets,
                chosen.numbers,
                chosen.kept,
                done,
                count,
                self._header,
                wait,
                self._errors,
            )
            self.counts.sent += sent
            self.counts.bytes += octets
            if done < count:
                time.sleep(_PAUSE)
        if self._errors.any():
            self._count_errors()

    def _count_errors(self) -> None:
        reasons: set[str] = set()
        for number in np.flatnonzero(self._errors).tolist():
            why = reason(number)
            reasons.add(why)
            self.counts.refuse(why, int(self._errors[number]))
        self._errors[:] = 0
        if DOWN in reasons:
            self._shut()
            self._lost(DOWN)

    def _shut(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._take(None)

    def _take(self, made: socket.socket | None) -> None:
        """Send to this socket from now on; the loops do so unless a full queue is waited for."""
        self._socket = made
        self._messages.descriptor = -1
        if made is not None and not self._waiting.wanted:
            self._messages.descriptor = made.fileno()

    def close(self) -> None:
        """Nothing waits in it but in the kernel."""
        self._shut()


class PacketOutput(MessageOutput):
    """Frames into an interface, as they are."""

    def __init__(self, name: str, place: str, waiting: Waiting, say: Say) -> None:
        super().__init__(name, waiting, say)
        self._place = place

    def _open(self) -> None:
        known = interface(self._place)
        if known is None:
            raise OSError(errno.ENODEV, "there is no such interface here")
        if not known.up:
            raise OSError(errno.ENETDOWN, "the interface is down")
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            made.setsockopt(PACKET_LEVEL, _QDISC_BYPASS, 1)
            _enlarge(made)
            made.bind((self._place, 0))
        except OSError:
            made.close()
            raise
        self._shut()
        self._take(made)


class VxlanOutput(MessageOutput):
    """Frames in UDP packets, never in fragments."""

    def __init__(self, name: str, place: Vxlan, waiting: Waiting, say: Say) -> None:
        super().__init__(name, waiting, say, struct.pack(">II", _VNI_FLAG, place.vni << 8))
        self._place = place

    def _open(self) -> None:
        where = (self._place.host, self._place.port)
        family, kind, protocol, _, address = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind, protocol)
        try:
            level, option = _discovery(family)
            made.setsockopt(level, option, _ALWAYS)
            _enlarge(made)
            made.connect(address)
        except OSError:
            made.close()
            raise
        self._shut()
        self._take(made)

    @property
    def longest(self) -> int:
        """Bytes of the longest frame that the way there carries at the moment."""
        assert self._socket is not None
        family = self._socket.family
        level, option = (socket.IPPROTO_IP, _MTU)
        if family == socket.AF_INET6:
            level, option = (socket.IPPROTO_IPV6, _MTU6)
        return self._socket.getsockopt(level, option) - IP_HEADERS[family] - UDP_AND_VXLAN


def _discovery(family: int) -> tuple[int, int]:
    if family == socket.AF_INET6:
        return socket.IPPROTO_IPV6, _MTU_DISCOVER6
    return socket.IPPROTO_IP, _MTU_DISCOVER


def _enlarge(made: socket.socket) -> None:
    """A longer queue; by force where that is permitted."""
    try:
        made.setsockopt(socket.SOL_SOCKET, _SEND_BUFFER_FORCE, _QUEUE)
    except OSError:
        with contextlib.suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, _SEND_BUFFER, _QUEUE)
