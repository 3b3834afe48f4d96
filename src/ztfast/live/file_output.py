"""Frames as files in a folder (`pcap:`): rotated, each appearing when it is whole.

Contract: as `ztfast filter -w` writes them (sinks.files); names begin with the time at which the
tap opened them, so that nothing older is replaced.  A disk that takes nothing refuses frames, and
is tried again with a new file.  Tested by tests/live/test_file_output.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import Int64s, Interface, PacketBatch, Uint32s
from ztfast.errors import Diagnostic, OutputError
from ztfast.live.counters import NOT_WRITTEN
from ztfast.live.frames import Chosen, Frames
from ztfast.live.output import Output, Say, Waiting
from ztfast.sinks.files import FileSink, Rotation

_ETHERNET = 1
_NANOSECONDS = 9
_SNAPLEN = 262_144


@dataclass(frozen=True)
class LiveLayout:
    """Frames that stand in no records: their times are columns of their own."""

    times: Int64s
    kind: str = "pcap"

    def timestamps(self, batch: PacketBatch) -> Int64s:
        """As the kernel took them."""
        return self.times

    def spans(self, batch: PacketBatch) -> tuple[Int64s, Int64s]:
        """The frames alone: there is no record around them."""
        return batch.offsets, batch.offsets + batch.captured

    def part(self, low: int, high: int, skipped: Uint32s) -> LiveLayout:
        """The layout of some of the frames."""
        return LiveLayout(self.times[low:high])

    def chosen(self, index: npt.NDArray[np.intp]) -> LiveLayout:
        """The times of some frames."""
        return LiveLayout(self.times[index])


class FileOptions(NamedTuple):
    """form: pcap or pcapng.  rotation: when a new file begins."""

    form: str = "pcap"
    rotation: Rotation = Rotation()


class FileOutput(Output):
    """A folder; interfaces: the names of the inputs, by number."""

    why_not = NOT_WRITTEN

    def __init__(
        self,
        name: str,
        folder: str,
        options: FileOptions,
        interfaces: Sequence[str],
        waiting: Waiting,
        say: Say,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name, waiting, say)
        self._folder, self._options, self._clock = folder, options, clock
        self._interfaces = tuple(
            Interface(_ETHERNET, _SNAPLEN, _NANOSECONDS, interface) for interface in interfaces
        )
        self._sink: FileSink | None = None
        self._stamp, self._again = "", 0

    def _open(self) -> None:
        os.makedirs(self._folder, exist_ok=True)
        path = os.path.join(self._folder, f"{self._next_name()}.{self._options.form}")
        self._sink = FileSink(path, format=self._options.form, rotation=self._options.rotation)

    def _next_name(self) -> str:
        """`tap-20261125T235959Z`, and `tap-20261125T235959Z-2` in the same second."""
        stamp = time.strftime("tap-%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        self._again = self._again + 1 if stamp == self._stamp else 1
        self._stamp = stamp
        return stamp if self._again == 1 else f"{stamp}-{self._again}"

    def send(self, frames: Frames, chosen: Chosen, count: int) -> None:
        """Write them, as records of one file or of as many as the rotation asks for."""
        if self._sink is None:
            self.counts.refuse(self.why_not, count)
            return
        index, kept = chosen.numbers[:count], chosen.kept[:count]
        batch = PacketBatch(
            buffer=frames.buffer,
            offsets=frames.columns.offsets[index],
            captured=kept.copy(),
            lengths=chosen.noted[:count].copy(),
            linktype=_ETHERNET,
            layout=LiveLayout(frames.columns.times[index]),
            interface=frames.interface,
            interfaces=self._interfaces,
        ).vouched()
        try:
            self._sink.write(batch)
        except OutputError as error:
            self.counts.refuse(NOT_WRITTEN, count)
            self._sink = None
            self._lost(error.diagnostics[0].message)
            return
        self.counts.sent += count
        self.counts.bytes += int(kept.sum())

    def close(self) -> None:
        """Finish the file at hand."""
        if self._sink is not None:
            self._sink.close()
        self._sink = None

    @property
    def files(self) -> list[str]:
        """The files finished so far by the sink at hand."""
        return [] if self._sink is None else [written.path for written in self._sink.files]

    def _failure(self, error: OSError) -> OutputError:
        why = (error.strerror or str(error)).lower()
        help = "name a folder that can be written to"
        return OutputError(
            Diagnostic("ZT641", f"cannot be sent to: {why}", path=self.name, help=help)
        )
