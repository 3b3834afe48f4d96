"""Sinks: files of frames by name and format, rotated, and a folder split by verdict and copy.

Contract: a sink takes batches and the chosen frames of each (`index` int64, ascending), and
cuts per frame; `close` finishes every file, also after Ctrl-C or damaged input.  A file
that cannot be written is an `OutputError` that names it; the other files are still finished.
Tested by tests/sinks/test_files.py.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from types import TracebackType
from typing import NamedTuple

import numpy as np

from ztfast.capture.packets import Int64s, PacketBatch, Uint32s
from ztfast.errors import Diagnostic, OutputError, usage
from ztfast.sinks.chosen import Chosen, Comments, FrameWriter
from ztfast.sinks.compress import encoder, split_suffix
from ztfast.sinks.earlier import earlier_files
from ztfast.sinks.output import Output
from ztfast.sinks.pcap import PcapWriter
from ztfast.sinks.pcapng import PcapngWriter

FORMATS = ("pcap", "pcapng")
_SUFFIXES = {
    ".pcap": "pcap",
    ".cap": "pcap",
    ".dmp": "pcap",
    ".pcapng": "pcapng",
    ".ntar": "pcapng",
}
_RECORD_HEADER = {"pcap": 16, "pcapng": 32}
_COMMENT_HEADER = 11  # the option and the end mark, padded
_MAX_OPEN = 128
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def _most_open() -> int:
    """Files that hold a descriptor at a time: a quarter of what the process may have."""
    try:
        import resource
    except ImportError:  # Windows
        return _MAX_OPEN
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MAX_OPEN if allowed < 0 else max(1, min(_MAX_OPEN, allowed // 4))


class Rotation(NamedTuple):
    """When a new file begins: bytes of records, frames, seconds of capture time; None: never."""

    size: int | None = None
    frames: int | None = None
    seconds: float | None = None


class Written(NamedTuple):
    """One finished file."""

    path: str
    frames: int
    size: int


def format_of(path: str, format: str | None = None) -> str | None:
    """`pcap` or `pcapng`: as asked, or by the name's suffix, or None (as the input is)."""
    if format is not None and format not in FORMATS:
        raise usage(f"unknown capture format {format!r}", f"use one of: {', '.join(FORMATS)}")
    stem, _ = split_suffix(path)
    return format or _SUFFIXES.get(os.path.splitext(stem)[1].lower())


class FileSink:
    """One output file (`-`: standard output), or with `rotation` a numbered row of them.

    `format` as in `format_of`; the compression goes by the suffix; `unify` writes pcapng as
    one section (needed where frames of several sections come mixed, as in a merge); `several`:
    frames of more than one capture follow, so no one's snap length is that of the file; `clean`:
    numbered files of an earlier run go once this run's are whole.
    """

    def __init__(
        self,
        path: str,
        *,
        format: str | None = None,
        rotation: Rotation | None = None,
        unify: bool = False,
        several: bool = False,
        clean: bool = False,
    ) -> None:
        self.path = path
        self.empty_linktype: int | None = None  # that a file says which gets no frames
        self.files: list[Written] = []
        self._format = format_of(path, format)
        self._compression = split_suffix(path)[1]
        self._rotation = rotation if rotation is not None and any(rotation) else None
        self._earlier = numbered_files(path) if clean and self._rotation is not None else []
        self._unify = unify
        self._several = several
        self._whole = True  # did the last write go through?
        self._number = 0
        self._size = 0
        self._begun: int | None = None  # time of the file's first frame
        self._writer: FrameWriter | None = None
        if path == "-" and self._rotation is not None:
            raise usage("standard output cannot be rotated", "name a file with -w")
        self._output: Output | None = self._next_output()

    def write(
        self,
        batch: PacketBatch,
        index: Int64s | None = None,
        captured: Uint32s | None = None,
        lengths: Uint32s | None = None,
        comments: Comments | None = None,
    ) -> None:
        """Write the frames `index` (int64[k], ascending; all by default) of a batch.

        `captured` uint32[k] cuts each frame to so many bytes, `lengths` uint32[k] replaces
        the original lengths; `comments` as of `Chosen`.  Raises `OutputError`.
        """
        self.write_chosen(Chosen(batch, index, captured, lengths, comments))

    def write_chosen(self, chosen: Chosen) -> None:
        """As `write`."""
        self._whole = False
        if self._rotation is None:
            self._to_file(chosen)
        else:
            self._to_row(chosen)
        self._whole = True

    def _to_row(self, chosen: Chosen) -> None:
        """Write frames to the file at hand and to as many more as they need."""
        numbers = chosen.numbers
        low = 0  # of the batch
        done = 0  # of the chosen frames
        while True:
            end = done + self._fit(chosen.from_to(done, len(numbers)))
            more = end < len(numbers)
            high = int(numbers[end]) if more else len(chosen.batch)
            self._to_file(chosen.from_to(done, end).within(low, high))
            low, done = high, end
            if not more:
                return
            self._rotate()

    def close(self) -> None:
        """Finish the file, the last of a row."""
        if self._finish() and self._whole:
            remove_others(self._earlier, self.files)
            self._earlier = []

    def _finish(self) -> bool:
        """Finish the file at hand; is it whole, or was there none?"""
        if self._output is None:
            return True
        writer = self._writer
        if writer is None:
            writer = self._make_writer(self._format or "pcap", self._output)
            writer.empty_linktype = self.empty_linktype
        output, self._output, self._writer = self._output, None, None
        writer.close()
        if not output.failed:
            self.files.append(Written(output.path, output.frames, output.place))
        return not output.failed

    def discard(self) -> None:
        """Give up the file at hand: it never appears."""
        if self._output is not None:
            self._output.discard()
        self._output = None

    def park(self) -> None:
        """Keep no descriptor open for now."""
        if self._output is not None:
            self._output.park()

    def __enter__(self) -> FileSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def _to_file(self, chosen: Chosen) -> None:
        if self._output is None:
            self._output = self._next_output()
        if self._writer is None:
            self._writer = self._make_writer(self._format_of(chosen), self._output)
        self._writer.write(chosen)
        if self._rotation is not None and chosen.frames:
            self._count(chosen)

    def _format_of(self, chosen: Chosen) -> str:
        return self._format or chosen.batch.layout.kind

    def _make_writer(self, format: str, output: Output) -> FrameWriter:
        if format == "pcapng":
            return PcapngWriter(output, self._unify, self._several)
        return PcapWriter(output, self._several)

    def _next_output(self) -> Output:
        path = self.path
        if self._rotation is not None:
            self._number += 1
            path = numbered(path, self._number)
        return Output(path, encoder(self._compression, path))

    def _rotate(self) -> None:
        self._finish()
        self._size, self._begun = 0, None

    def _count(self, chosen: Chosen) -> None:
        self._size += int(self._sizes(chosen).sum())
        if self._begun is None:
            self._begun = int(chosen.batch.timestamps[chosen.numbers[0]])

    def _sizes(self, chosen: Chosen) -> Int64s:
        sizes: Int64s = chosen.kept.astype(np.int64) + _RECORD_HEADER[self._format_of(chosen)]
        if chosen.comments is not None:
            texts = chosen.of(chosen.comments)
            sizes += np.fromiter(map(len, texts), np.int64, len(texts)) + _COMMENT_HEADER
        return sizes

    def _fit(self, rest: Chosen) -> int:
        """How many of the frames that are left still belong into this file."""
        fit, rotation = rest.frames, self._rotation
        if rotation is None or not fit:
            return fit
        used = self._output.frames if self._output is not None else 0
        if rotation.frames:
            fit = min(fit, max(0, rotation.frames - used))
        if rotation.size:
            total = self._size + np.cumsum(self._sizes(rest))
            fit = min(fit, int(np.searchsorted(total, rotation.size, "right")))
        if rotation.seconds:
            times = np.maximum.accumulate(rest.of(rest.batch.timestamps))
            begun = self._begun if self._begun is not None else int(times[0])
            end = begun + int(rotation.seconds * 1e9)
            fit = min(fit, int(np.searchsorted(times, end, "left")))
        return max(fit, 0 if used else 1)


class SplitSink:
    """A folder of files, one for each name that frames are written to.

    Copies are written as their target would receive them: `copies` cuts them to the tee's
    length.  At most 128 files hold a descriptor at a time, however many there are (fewer where
    the process may have few).  `clean`: what earlier runs left in the folder goes once this run's
    files are whole.
    """

    def __init__(
        self,
        folder: str,
        *,
        suffix: str = ".pcapng",
        rotation: Rotation | None = None,
        unify: bool = False,
        several: bool = False,
        clean: bool = False,
    ) -> None:
        self.folder = folder
        self._earlier = earlier_files(folder) if clean else []
        self._suffix = suffix
        self._format = format_of("x" + suffix) or "pcapng"
        self._rotation = rotation
        self._unify = unify
        self._several = several
        self._sinks: dict[str, FileSink] = {}
        self._open: dict[str, None] = {}  # in order of use
        self._most_open = _most_open()
        self._linktype: int | None = None  # of the first frames
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise OutputError(
                Diagnostic("ZT601", f"no folder can be made: {error.strerror}", path=folder)
            ) from error

    @property
    def files(self) -> list[Written]:
        """The files finished so far."""
        return [written for sink in self._sinks.values() for written in sink.files]

    def begin(self, names: Iterable[str]) -> None:
        """Make files that are wanted even if no frame comes (`accepted`, `dropped`)."""
        for name in names:
            self._sink(name)

    def write(
        self,
        name: str,
        batch: PacketBatch,
        index: Int64s | None = None,
        comments: Comments | None = None,
    ) -> None:
        """Write the frames `index` (all by default) of a batch to the file of that name."""
        self._write(name, Chosen(batch, index, comments=comments))

    def _write(self, name: str, chosen: Chosen) -> None:
        if self._linktype is None:
            self._linktype = chosen.batch.linktype
        self._sink(name).write_chosen(chosen)

    def copies(
        self,
        kind: str,
        target: int,
        batch: PacketBatch,
        index: Int64s,
        limit: Uint32s,
        header: Int64s | int = 14,
    ) -> None:
        """Write copies of frames to `KIND-TARGET`, as `cut` does.

        `kind` is tee, watch or redirect; `target` a 40-bit address; `limit` uint32[k] bytes.
        """
        self.cut(f"{kind}-{target:010x}", batch, index, limit.astype(np.int64), header)

    def cut(
        self,
        name: str,
        batch: PacketBatch,
        index: Int64s,
        limit: Int64s,
        header: Int64s | int = 14,
    ) -> None:
        """Write frames to the file of that name, each cut to `limit` bytes of payload, int64[k].

        `header`: the bytes before each frame's payload, int64[k] or one number.
        """
        whole = np.maximum(batch.lengths[index], batch.captured[index]).astype(np.int64)
        cut = np.minimum(whole, header + limit).astype(np.uint32)
        uncut = bool((cut == whole).all())
        self._write(name, Chosen(batch, index) if uncut else Chosen(batch, index, cut, cut))

    def close(self) -> None:
        """Finish all files; raises one `OutputError` for all that could not be."""
        failed: list[Diagnostic] = []
        for sink in self._sinks.values():
            try:
                sink.empty_linktype = 1 if self._linktype is None else self._linktype
                sink.close()
            except OutputError as error:
                failed.extend(error.diagnostics)
        if failed:
            raise OutputError(*failed)
        remove_others(self._earlier, self.files)
        self._earlier = []

    def discard(self) -> None:
        """Give up all files at hand: they never appear."""
        for sink in self._sinks.values():
            sink.discard()

    def __enter__(self) -> SplitSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def _sink(self, name: str) -> FileSink:
        """The sink of a name; the one unused longest is parked where too many are open."""
        if name not in self._sinks:
            if not _NAME.fullmatch(name) or name.startswith("."):
                raise usage(f"{name!r} cannot name a file", "use letters, digits, '-' and '_'")
            path = os.path.join(self.folder, name + self._suffix)
            self._sinks[name] = FileSink(
                path,
                format=self._format,
                rotation=self._rotation,
                unify=self._unify,
                several=self._several,
            )
        self._open.pop(name, None)
        self._open[name] = None
        if len(self._open) > self._most_open:
            oldest = next(iter(self._open))
            del self._open[oldest]
            self._sinks[oldest].park()
        return self._sinks[name]


def remove_others(earlier: Iterable[str], written: Iterable[Written]) -> None:
    """Remove what an earlier run left and this one did not replace."""
    mine = {os.path.normpath(one.path) for one in written}
    for path in earlier:
        if os.path.normpath(path) not in mine:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def numbered(path: str, number: int) -> str:
    """`out.pcap.gz` and 3 give `out_00003.pcap.gz`."""
    root, rest = _parts(path)
    return f"{root}_{number:05d}{rest}"


def numbered_files(path: str) -> list[str]:
    """The files that are there under a name that `numbered` gives."""
    root, rest = _parts(path)
    folder, name = os.path.split(root)
    form = re.compile(re.escape(name) + r"_\d{5,}" + re.escape(rest))
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    return [os.path.join(folder, found) for found in names if form.fullmatch(found)]


def _parts(path: str) -> tuple[str, str]:
    """What stands before a number, and the suffixes behind it."""
    stem, _ = split_suffix(path)
    root, suffix = os.path.splitext(stem)
    return root, suffix + path[len(stem) :]
