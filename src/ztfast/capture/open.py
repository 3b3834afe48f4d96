"""Opening captures by what they contain, never by what they are called.

Contract: `open_capture` looks at the first bytes, takes off one compression, and gives a
`Capture`: an iterable of `PacketBatch` with bounded memory, and a context manager.
`starts_as_capture` only looks.
Tested by tests/capture/test_open.py and the readers' tests.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import IO

from ztfast.capture import pcap, pcap_header
from ztfast.capture.compression import PushedBack, decompressed, kind_of
from ztfast.capture.packets import MAPPED, MAX_BUFFER, PacketBatch
from ztfast.capture.pcap_scan import RecordScan
from ztfast.capture.session import ReadSession
from ztfast.capture.sources import (
    PATIENCE,
    Feed,
    FileReader,
    GrowingReader,
    MapFeed,
    ObjectReader,
    PathReader,
    Reader,
    StreamFeed,
    is_ready,
)
from ztfast.errors import CaptureError, Diagnostic

# the feed, the session, how Ethernet records are scanned, and the byte where the capture begins
Read = Callable[[Feed, ReadSession, RecordScan | None, int], Iterator[PacketBatch]]


def _read_pcapng(
    feed: Feed, session: ReadSession, scan: RecordScan | None, start: int
) -> Iterator[PacketBatch]:
    from ztfast.capture import pcapng  # most captures are classic: start-up stays short

    return pcapng.read(feed, session, scan, start)


_FORMATS: dict[bytes, tuple[str, Read]] = {
    **dict.fromkeys(pcap_header.MAGICS, ("pcap", pcap.read)),
    b"\x0a\x0d\x0d\x0a": ("pcapng", _read_pcapng),
}
_HEAD = 4
_MOST_SHOWN = 4  # bytes of what is no capture
_CONVERT = (
    "pcap and pcapng are read, plain or in gzip, zstd or lz4; decompress what else there is "
    "into a pipe (- reads it), and let editcap convert other captures"
)


class Capture:
    """One capture, open: iterate over it once.

    `format` is `pcap` or `pcapng`, `compression` `gzip`, `zstd`, `lz4` or None; after reading,
    `diagnostics` holds what was found damaged (with file and byte offset) and
    `skipped_bytes` what `resync` passed over.
    """

    def __init__(
        self,
        feed: Feed,
        format: str,
        read: Read,
        session: ReadSession,
        limit: int | None = None,
        growing: GrowingReader | None = None,
        start: int = 0,
    ) -> None:
        self.path = feed.path
        self.format = format
        self.compression: str | None = None
        self.session = session
        self._feed = feed
        self._read = read
        self.limit = limit
        self.merge = False  # many.Captures may
        self._growing = growing
        self._start = start

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was found damaged or skipped, in order (the first 1,000)."""
        return self.session.diagnostics

    @property
    def skipped_bytes(self) -> int:
        """Bytes that `resync` passed over."""
        return self.session.skipped_bytes

    @property
    def done_bytes(self) -> int:
        """Bytes of the input read so far, compressed where it is: for progress."""
        return self._feed.done

    def stop(self) -> None:
        """End a capture that is followed; may be called from another thread."""
        if self._growing is not None:
            self._growing.stop()

    def batches(self, scan: RecordScan | None = None) -> Iterator[PacketBatch]:
        """All batches; `scan` scans Ethernet records, and may judge their frames."""
        batches = self._read(self._feed, self.session, scan, self._start)
        return batches if self.limit is None else limited(batches, self.limit)

    def __iter__(self) -> Iterator[PacketBatch]:
        return self.batches()

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file.  Batches already given stay valid."""
        self._feed.close()


def open_capture(
    path: str | os.PathLike[str] | IO[bytes],
    *,
    follow: bool = False,
    resync: bool = False,
    limit: int | None = None,
    session: ReadSession | None = None,
    span: int | None = None,
    held: bool = True,
) -> Capture:
    """Open a capture: a file, a FIFO, `-` for standard input, or a binary file object.

    `follow` waits for more at the end of a file that grows; `resync` goes on after damage;
    `limit` ends after so many frames; `session` continues another capture's numbering; `span` is
    the size of a window in bytes (None: 32 MiB of a file that is mapped, 16 MiB else); without
    `held` a regular file is opened anew for each window, so that more can be read by turns than a
    process may have open.  Raises `CaptureError` where
    there is no such file, or it is empty, or no capture.
    """
    session = session if session is not None else ReadSession(resync)
    reader, descriptor, name = _reader(path, follow, held)
    try:
        return _recognise(reader, descriptor, name, session, limit, span)
    except BaseException:
        reader.close()
        raise


def starts_as_capture(path: str) -> bool:
    """Does a regular file start as a capture, or as a compressed one might?  Never raises."""
    if not os.path.isfile(path):  # looking would take bytes out of a pipe
        return False
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return head in _FORMATS or (len(head) == _HEAD and kind_of(head) is not None)


def _reader(
    path: str | os.PathLike[str] | IO[bytes], follow: bool, held: bool
) -> tuple[Reader, int, str]:
    """A reader, the descriptor of a regular file to map (else -1), and the name for errors."""
    if not isinstance(path, (str, os.PathLike)):
        return ObjectReader(path), -1, str(getattr(path, "name", "<stream>"))
    name = os.fspath(path)
    if name == "-":
        return FileReader(sys.stdin.fileno(), owned=False), -1, "<stdin>"
    try:
        descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise _unreadable(name, f"cannot be opened: {error.strerror}") from error
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        os.close(descriptor)
        raise _unreadable(name, "is a directory, not a capture")
    if follow:
        return GrowingReader(descriptor, name), -1, name
    if not held and stat.S_ISREG(mode):
        os.close(descriptor)
        return PathReader(name), -1, name
    return FileReader(descriptor), descriptor if stat.S_ISREG(mode) else -1, name


def _recognise(
    reader: Reader,
    descriptor: int,
    name: str,
    session: ReadSession,
    limit: int | None,
    span: int | None,
) -> Capture:
    growing = reader if isinstance(reader, GrowingReader) else None
    head = _head(reader, name)
    compression, regular = kind_of(head), descriptor >= 0 or isinstance(reader, PathReader)
    file, opened = reader, descriptor
    if compression is not None:
        reader = _inflated(compression, head, reader, name, regular)
        descriptor, head = -1, _head(reader, name)
    start = 0
    if head not in _FORMATS:
        head, start = _behind_something(reader, name, head, compression, session)
    format, read = _FORMATS[head[start : start + _HEAD]]
    if descriptor >= 0:
        feed: Feed = MapFeed(descriptor, os.fstat(descriptor).st_size, name, span or MAPPED)
        reader.close()
    elif compression is not None and regular:
        many = compression == "zstd" and opened >= 0 and span is None
        feed = (_frames(file, opened, name) if many else None) or _ahead(reader, name, head, span)
    else:
        feed = StreamFeed(reader, name, head, span or MAX_BUFFER)
    capture = Capture(feed, format, read, session, limit, growing, start)
    capture.compression = compression
    return capture


def _inflated(kind: str, head: bytes, reader: Reader, name: str, regular: bool) -> Reader:
    """A reader of what a compressed stream holds whose first bytes were taken."""
    taken = PushedBack(head, reader)
    if not regular or not isinstance(reader, (FileReader, PathReader)):
        return decompressed(kind, taken, name)
    file = reader
    return decompressed(kind, taken, name, lambda: PushedBack(head, file.moved(len(head))))


def _frames(file: Reader, descriptor: int, name: str) -> Feed | None:
    """A feed of a zstd file whose frames are inflated by several threads, where that helps."""
    from ztfast.capture.zstd_frames import frames_feed  # start-up stays short

    return frames_feed(file, descriptor, name) if isinstance(file, FileReader) else None


def _ahead(reader: Reader, name: str, head: bytes, span: int | None) -> Feed:
    """A feed of a regular file that is inflated while its frames are judged."""
    from ztfast.capture.ahead import AheadFeed

    return AheadFeed(reader, name, head, span or MAX_BUFFER)


def _behind_something(
    reader: Reader, name: str, head: bytes, compression: str | None, session: ReadSession
) -> tuple[bytes, int]:
    """The bytes read so far and where a capture begins in them; raises where there is none.

    `tcpdump -w - 2>&1` puts its text in front of it.
    """
    from ztfast.capture.other_formats import LOOK, capture_within

    if len(head) == _HEAD:
        head += _more(reader, name, LOOK)
    start = None if compression is not None and kind_of(head[:_HEAD]) else capture_within(head)
    if start is None:
        raise _unknown(name, head, compression)
    message = f"is not a capture up to byte {start}, where one begins{_as_text(head[:start])}"
    if not session.resync:
        help = f"--resync reads it from there; so does tail -c +{start + 1}"
        raise CaptureError(Diagnostic("ZT503", message, path=name, offset=0, help=help))
    session.damage(name, 0, message)
    session.skipped(name, 0, start)
    return head, start


def _as_text(data: bytes) -> str:
    """The first line of text that stands before a capture, for the message."""
    line = data.split(b"\n", 1)[0][:60].decode("ascii", "replace")
    return f": text stands before it ({line!r})" if line.isprintable() and line else ""


def _head(reader: Reader, name: str) -> bytes:
    """The first four bytes, or fewer where that is all there is."""
    return _more(reader, name, _HEAD)


def _more(reader: Reader, name: str, size: int) -> bytes:
    """The next `size` bytes, or fewer where that is all there is."""
    head = bytearray()
    while len(head) < size:
        piece = bytearray(size - len(head))
        try:
            count = reader.readinto(memoryview(piece))
        except (OSError, EOFError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise _unreadable(name, f"cannot be read: {reason}") from error
        if count == 0:
            break
        head += piece[:count]
        if len(head) > _HEAD and not is_ready(reader, PATIENCE):
            break  # a pipe or a growing file that has no more for now
    return bytes(head)


def _unknown(name: str, head: bytes, compression: str | None) -> CaptureError:
    from ztfast.capture.other_formats import recognised

    if compression is not None and kind_of(head[:_HEAD]) is not None:
        return _unreadable(name, "is compressed twice", "decompress it once before")
    if not head:
        return _unreadable(name, "is empty: not even a capture's header is there")
    if len(head) < _HEAD:
        return _unreadable(name, f"ends after {len(head)} bytes, inside its header")
    known = recognised(head)
    if known is not None:
        return _unreadable(name, f"is not a pcap or pcapng: it looks like {known[0]}", known[1])
    shown = head[:_MOST_SHOWN].hex(" ")
    return _unreadable(name, f"is not a capture: it starts with the bytes {shown}", _CONVERT)


def _unreadable(name: str, message: str, help: str | None = None) -> CaptureError:
    return CaptureError(Diagnostic("ZT503", message, path=name, offset=0, help=help))


def limited(batches: Iterator[PacketBatch], limit: int) -> Iterator[PacketBatch]:
    """The first `limit` frames."""
    for batch in batches:
        if len(batch) > limit:
            yield batch.part(0, limit)
            return
        yield batch
        limit -= len(batch)
        if limit <= 0:
            return
