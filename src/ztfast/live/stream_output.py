"""Frames as a stream of pcap or pcapng: into a FIFO (`fifo:`) or standard output (`-`).

Contract: a reader always gets whole records, from a header of its own on.  It is never waited for
unless the user asked for that: records wait in a queue of `QUEUE` bytes, and what has no room there
is refused.  A FIFO without a reader is opened when one comes.
Tested by tests/live/test_stream_output.py.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
import struct
import sys
import time
from collections.abc import Sequence

import numpy as np

from ztfast.errors import Diagnostic, OutputError
from ztfast.live import loops
from ztfast.live.backlog import Backlog, Int64s
from ztfast.live.counters import NO_READER, NOT_EMPTIED, NOT_WRITTEN, QUEUE_FULL, READER_GONE
from ztfast.live.frames import Chosen, Frames
from ztfast.live.output import Output, Say, Waiting

QUEUE = 8 << 20
_SCRATCH = 1 << 20
_PIPE = 1 << 20
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ
_PAUSE_MS = 20  # between looks at the clock while a reader is waited for
_MOST_RECORDS = 64  # that are packed at a time: still in the cache when the kernel copies them
_SNAPLEN = 262_144
_ETHERNET = 1


class StreamOutput(Output):
    """A FIFO; path: where it is.  interfaces: the names of the inputs, by number."""

    why_not = NO_READER

    def __init__(
        self,
        name: str,
        path: str,
        form: str,
        interfaces: Sequence[str],
        waiting: Waiting,
        say: Say,
    ) -> None:
        super().__init__(name, waiting, say)
        self._path, self._blocks = path, form == "pcapng"
        self._header = stream_header(form, interfaces)
        self._descriptor = -1
        self._why = READER_GONE
        self._queue = Backlog(QUEUE)
        self._view = memoryview(bytearray(_SCRATCH))
        self._scratch = np.frombuffer(self._view, np.uint8)
        self._ends = np.zeros(_MOST_RECORDS, np.int64)
        self._records = loops.Records(self._blocks, self._scratch, self._ends, self._resume)
        self.direct = self._records

    # --- opening -----------------------------------------------------------------------------

    def open(self) -> None:
        """Open it; one that nobody reads yet is waited for."""
        if not stat.S_ISFIFO(_mode(self._path, self.name)):
            what = "is not a FIFO"
            raise _refused(self.name, what, f"make one: mkfifo {self._path}")
        try:
            self._open()
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise self._failure(error) from None
            self._backoff.failed(time.monotonic())
            self._say(f"{self.name}: nobody reads it yet")
        else:
            self._opened = 1

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._path, flags)
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, _SET_PIPE_SIZE, _PIPE)
        self._begin(descriptor)

    def _begin(self, descriptor: int) -> None:
        """Frames can go to a reader, who gets the header first: whole, since pipes take it so."""
        try:
            os.write(descriptor, self._header)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._let_through()

    def _let_through(self) -> None:
        """The loops write by themselves while nothing waits."""
        self._records.descriptor = -1 if self._queue.size else self._descriptor

    # --- writing -----------------------------------------------------------------------------

    def send(self, frames: Frames, chosen: Chosen, count: int) -> None:
        """Write the frames, as far as the reader takes them; the others wait."""
        self._send_from(frames, chosen, count, 0)

    def _resume(
        self, frames: Frames, chosen: Chosen, count: int, done: int, packed: int, written: int
    ) -> None:
        """Go on where the loops came to an end; as live.plain_ways.Records says."""
        ends = self._ends[:packed]
        self.counts.waiting += packed
        self._put(self._view[: int(ends[-1])], ends, written)
        self._send_from(frames, chosen, count, done)

    def _send_from(self, frames: Frames, chosen: Chosen, count: int, done: int) -> None:
        columns = frames.columns
        while done < count:
            if self._descriptor < 0:
                self.counts.refuse(self.why_not, count - done)
                return
            before = done
            done, used = loops.pack(
                self._blocks,
                frames.buffer,
                columns.offsets,
                columns.times,
                *chosen[:3],
                done,
                count,
                frames.interface,
                self._scratch,
                self._ends,
            )
            data, ends = self._view[:used], self._ends[: done - before]
            self.counts.waiting += done - before
            self._put(data, ends)

    def _put(self, data: memoryview, ends: Int64s, written: int = 0) -> None:
        """Write records, or let them wait, or refuse them; so many bytes are written already."""
        if not self._queue.size:
            written = self._write(data, written)
        if written < 0:
            self._gone()
            return
        self._finished(int(np.searchsorted(ends, written, "right")), written)
        if written == len(data):
            return
        left = self._queue.add(data, ends, written)
        self._let_through()
        while left and self._waiting and self._descriptor >= 0:
            self._wait()
            if not self._queue.size and self._descriptor >= 0:
                at = len(ends) - left
                start = int(ends[at - 1]) if at else 0
                data, ends = data[start:], ends[at:] - start
                left = self._queue.add(data, ends)
                self._let_through()
        if self._descriptor >= 0:  # else all that waited is refused already, these included
            self._refuse(left, QUEUE_FULL)

    def _wait(self) -> None:
        """Let the reader take something, for a moment."""
        ready = select.poll()
        ready.register(self._descriptor, select.POLLOUT)
        ready.poll(_PAUSE_MS)
        self.flush()

    def _write(self, data: memoryview, done: int = 0) -> int:
        """Bytes written, `done` of them before; −1: nobody reads any more."""
        while done < len(data):
            try:
                done += os.write(self._descriptor, data[done:])
            except BlockingIOError:
                break
            except OSError as error:
                self._why = READER_GONE if error.errno == errno.EPIPE else NOT_WRITTEN
                return -1
        return done

    def wants_to_write(self) -> int | None:
        """The FIFO, while something waits."""
        return self._descriptor if self._descriptor >= 0 and self._queue.size else None

    def flush(self) -> None:
        """Write what waits, as far as the reader takes it."""
        while self._descriptor >= 0 and self._queue.size:
            data = self._queue.next
            written = self._write(data)
            if written < 0:
                self._gone()
                return
            self._finished(self._queue.written(written), written)
            if written < len(data):
                return
        self._let_through()

    def _finished(self, records: int, octets: int) -> None:
        self.counts.sent += records
        self.counts.waiting -= records
        self.counts.bytes += octets

    def _refuse(self, records: int, why: str) -> None:
        self.counts.waiting -= records
        self.counts.refuse(why, records)

    # --- ending ------------------------------------------------------------------------------

    def _gone(self) -> None:
        """The reader is gone, and with it what waited."""
        self._shut()
        self._refuse(self.counts.waiting, self._why)
        self._queue.clear()
        self._lost(self._why)

    def _shut(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = self._records.descriptor = -1

    def close(self) -> None:
        """Let the reader take what waits, for a while; the rest is refused."""
        end = time.monotonic() + Waiting.GRACE
        while self.wants_to_write() is not None and time.monotonic() < end:
            self._wait()
        self._refuse(self.counts.waiting, NOT_EMPTIED)
        self._queue.clear()
        self._shut()


class StandardOutput(StreamOutput):
    """Standard output: a pipe is written to as a FIFO is, anything else as it comes."""

    why_not = READER_GONE

    def open(self) -> None:
        """Open it; a terminal is refused."""
        if sys.stdout.isatty():
            raise _refused(self.name, "standard output is a terminal", "pipe it into a program")
        sys.stdout.flush()
        number = sys.stdout.fileno()
        if stat.S_ISFIFO(os.fstat(number).st_mode):
            # a description of its own: others that share standard output go on blocking
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(f"/proc/self/fd/{number}", flags)
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, _SET_PIPE_SIZE, _PIPE)
        else:
            descriptor = os.dup(number)
        try:
            self._begin(descriptor)
        except OSError as error:
            raise self._failure(error) from None
        self._opened = 1

    @property
    def over(self) -> bool:
        """Nobody can open standard output again."""
        return self._descriptor < 0

    def _open(self) -> None:
        raise OSError(errno.EPIPE, "its reader is gone")

    def _lost(self, why: str) -> None:
        self._say(f"standard output: {why}")


def stream_header(form: str, interfaces: Sequence[str]) -> bytes:
    """What a stream begins with: nanoseconds, Ethernet, and pcapng's interfaces by name."""
    if form == "pcap":
        return struct.pack("=IHHiIII", 0xA1B2_3C4D, 2, 4, 0, 0, _SNAPLEN, _ETHERNET)
    section = _block(0x0A0D_0D0A, struct.pack("=IHHq", 0x1A2B_3C4D, 1, 0, -1))
    return section + b"".join(map(_interface_block, interfaces))


def _interface_block(name: str) -> bytes:
    text = os.fsencode(name)
    options = struct.pack("=HH", 2, len(text)) + text.ljust(len(text) + 3 & ~3, b"\0")
    options += struct.pack("=HHB3x", 9, 1, 9)  # if_tsresol: nanoseconds
    return _block(1, struct.pack("=HHI", _ETHERNET, 0, _SNAPLEN) + options + bytes(4))


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("=I", len(body) + 12)
    return struct.pack("=I", kind) + size + body + size


def _mode(path: str, name: str) -> int:
    try:
        return os.stat(path).st_mode
    except OSError as error:
        what = f"cannot be sent to: {(error.strerror or '').lower()}"
        raise _refused(name, what, f"make one: mkfifo {path}") from None


def _refused(name: str, what: str, help: str) -> OutputError:
    return OutputError(Diagnostic("ZT641", what, path=name, help=help))
