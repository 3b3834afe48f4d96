"""A ring that the kernel writes an interface's frames into, mapped into memory (TPACKET_V3).

Contract: Linux, and CAP_NET_RAW.  `walker` takes the frames of blocks that are ready, where they
lie, into the columns of `frames`.  Frames that this machine sends are not taken.  Raises
CaptureError (ZT640) with what to do.  Tested by tests/live/test_tap_network.py; what walks the
blocks, by tests/live/test_loops.py.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import socket
import struct
from dataclasses import dataclass

import numpy as np

from ztfast.errors import CaptureError, Diagnostic, usage
from ztfast.live import bpf, loops
from ztfast.live.frames import Columns, Frames
from ztfast.live.interfaces import interface
from ztfast.live.plain_turns import MOST_BLOCKS

PACKET_LEVEL = 263  # SOL_PACKET; what follows is of linux/if_packet.h
_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION, _RESERVE = 1, 5, 6, 10, 12
_FANOUT, _IGNORE_OUTGOING = 18, 23
_TPACKET_V3, _PROMISCUOUS, _FANOUT_HASH = 2, 1, 0
_EVERY_PROTOCOL = 3  # ETH_P_ALL
_TAG = 4
_FRAME = 2048  # only says how many frames the kernel believes in
_LEAST_FRAME = 96  # bytes that any frame takes in a block, with its headers
_POPULATE = 0x8000
MOST_SNAPLEN = 262_144
_PAGE = 4096


@dataclass(frozen=True)
class RingOptions:
    """How frames are received.

    size, block: bytes of the ring and of each of its blocks.  retire_ms: after how long a block
    that is not full is handed over: a tap that is held up for longer than all blocks together last
    loses frames however few there are, so many small blocks are better than few.  snaplen: bytes
    kept of a frame.  bpf: an expression for the kernel, as tcpdump's.  fanout: the number of a
    group that shares an interface's frames by flow.
    """

    size: int = 64 << 20
    block: int = 1 << 17
    retire_ms: int = 1
    snaplen: int = MOST_SNAPLEN
    bpf: str | None = None
    fanout: int | None = None
    promiscuous: bool = False

    def check(self) -> None:
        """Raise UsageError where the sizes make no ring."""
        if self.block % _PAGE or self.block < 16 * _PAGE:
            raise usage(f"--block-size {self.block} is none", "a multiple of 4Ki, 64Ki or more")
        if self.size % self.block or self.size < 2 * self.block or self.size > 1 << 32:
            what = f"--ring {self.size} does not hold whole blocks of {self.block}"
            raise usage(what, "write a multiple of --block-size, two or more, up to 4Gi")


class Ring:
    """One interface's ring; number: what its frames say they came from.

    walker, frames: take frames from it, and where these stand then; room: for how many there is.
    """

    def __init__(self, name: str, number: int, options: RingOptions) -> None:
        self.name, self.number, self._options = name, number, options
        blocks = options.size // options.block
        known = interface(name)
        if known is None:
            raise cannot_tap(name, "there is no such interface here", "see `ip link`")
        self.index = known.number
        self._socket = _opened(name)
        try:
            self._receive(blocks)
        except BaseException:
            self._socket.close()
            raise
        self.room = MOST_BLOCKS * options.block // _LEAST_FRAME
        columns = Columns.of(self.room)
        self.frames = Frames(self._buffer, columns, 0, number)
        self.walker = loops.Walker(self._buffer, options.block, blocks, *columns, self._wrong)

    def _wrong(self, why: str) -> CaptureError:
        return cannot_tap(self.name, why, "is this kernel's ring another one?")

    def _receive(self, blocks: int) -> None:
        """Set everything up before the first frame can come."""
        options, receiver = self._options, self._socket
        try:
            receiver.setsockopt(PACKET_LEVEL, _VERSION, _TPACKET_V3)
            receiver.setsockopt(PACKET_LEVEL, _RESERVE, _TAG)
            receiver.setsockopt(PACKET_LEVEL, _IGNORE_OUTGOING, 1)
            bpf.attach(receiver, bpf.filter_program(options.bpf, options.snaplen))
            frames = options.size // _FRAME
            sizes = options.block, blocks, _FRAME, frames, options.retire_ms, 0, 0
            receiver.setsockopt(PACKET_LEVEL, _RX_RING, struct.pack("7I", *sizes))
            self._memory = mmap.mmap(
                receiver.fileno(),
                options.size,
                mmap.MAP_SHARED | _POPULATE,
                mmap.PROT_READ | mmap.PROT_WRITE,
            )
            self._buffer = np.frombuffer(self._memory, np.uint8)
            if options.promiscuous:
                wanted = struct.pack("iHH8s", self.index, _PROMISCUOUS, 0, b"")
                receiver.setsockopt(PACKET_LEVEL, _ADD_MEMBERSHIP, wanted)
            receiver.bind((self.name, _EVERY_PROTOCOL))
            if options.fanout is not None:
                group = options.fanout | _FANOUT_HASH << 16
                receiver.setsockopt(PACKET_LEVEL, _FANOUT, group)
        except OSError as error:
            raise cannot_tap(self.name, _why(error), "--ring, --block-size or --fanout") from None

    def fileno(self) -> int:
        """What to poll."""
        return self._socket.fileno()

    def statistics(self) -> tuple[int, int, int]:
        """(frames received, of these dropped, freezes of the ring) since it was asked last."""
        return struct.unpack("III", self._socket.getsockopt(PACKET_LEVEL, _STATISTICS, 12))

    def stop(self) -> None:
        """Let no further frame in; what is in the ring can still be taken."""
        bpf.attach(self._socket, bpf.NOTHING)

    @property
    def is_gone(self) -> bool:
        """Is the interface that was opened no longer there?"""
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # what poll told is heard
        known = interface(self.name)
        return known is None or known.number != self.index

    def close(self) -> None:
        """Give everything back."""
        self._socket.close()
        del self._buffer, self.walker, self.frames
        with contextlib.suppress(BufferError):  # somebody looks into it still: freed with the last
            self._memory.close()


def _opened(name: str) -> socket.socket:
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError:
        help = "run as root, or with CAP_NET_RAW (systemd: AmbientCapabilities=CAP_NET_RAW)"
        raise cannot_tap(name, "not permitted", help) from None
    except OSError as error:
        raise cannot_tap(name, _why(error), "is this a Linux with packet sockets?") from None


def _why(error: OSError) -> str:
    if error.errno == errno.ENOMEM:
        return "the kernel has no memory for a ring of this size"
    return (error.strerror or os.strerror(error.errno or 0)).lower()


def cannot_tap(name: str, why: str, help: str) -> CaptureError:
    """The error of an interface that frames cannot be taken from."""
    return CaptureError(Diagnostic("ZT640", f"cannot be tapped: {why}", path=name, help=help))
