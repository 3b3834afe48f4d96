"""What `ztfast filter` writes: accepted frames, a split folder, a table; one or all of them.

Contract: `Outputs` opens what the options name, all or nothing, takes judged batches, and
`close` finishes every file and gives the errors of those that could not be.
Tested by tests/cli/test_filter_outputs.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import Counted
from ztfast.errors import Diagnostic, OutputError
from ztfast.frames.batch import FrameBatch
from ztfast.pipeline.judge import Judgement
from ztfast.pipeline.tally import Tally
from ztfast.sinks.files import FileSink, Rotation, SplitSink, Written

if TYPE_CHECKING:
    from ztfast.capture.many import Captures
    from ztfast.engine.engine import Engine
    from ztfast.pipeline.split import Splitter
    from ztfast.sinks.tables import TableSink

_NONE = np.zeros(0, np.int64)


class _Sink(Protocol):
    def close(self) -> None: ...

    def discard(self) -> None: ...


class Outputs:
    """The files of one run.  Raises OutputError or UsageError where one cannot be opened."""

    def __init__(self, engine: Engine, source: Captures, options: dict[str, Any]) -> None:
        self._engine = engine
        self._sinks: list[_Sink] = []
        self._table: TableSink | None = None
        self._splitter: Splitter | None = None
        self._folder: SplitSink | None = None
        self._file: FileSink | None = None
        self._senders: Senders | None = None
        try:
            self._open(source, options)
        except BaseException:
            for sink in self._sinks:
                sink.discard()
            raise

    def _open(self, source: Captures, options: dict[str, Any]) -> None:
        names = ("rotate_size", "rotate_frames", "rotate_seconds")
        rotation = Rotation(*(options[name] for name in names))
        how: Any = {
            "rotation": rotation,
            "unify": source.merge,
            "several": len(source.paths) > 1,
        }
        if options["table"] is not None:
            from ztfast.sinks.tables import TableSink

            self._table = TableSink(options["table"])
            self._sinks.append(self._table)
        if options["split"] is not None:
            from ztfast.pipeline.split import Splitter

            suffix = f".{options['form'] or 'pcapng'}"
            self._folder = folder = SplitSink(options["split"], suffix=suffix, **how)
            self._sinks.append(folder)
            self._splitter = Splitter(folder, options["split_by"] or "verdict")
            if options["split_by"] == "member":
                self._senders = Senders(self._engine)
        if options["output"] is not None:
            self._file = FileSink(options["output"], format=options["form"], **how)
            self._sinks.append(self._file)

    def write(self, item: Judgement) -> None:
        """Write a batch's frames where they belong; raises OutputError."""
        packets, frames, verdicts = item
        if self._file is not None:
            if isinstance(packets.judged, Counted):
                self._file.write(packets)  # accepted frames are all that was kept
            elif verdicts is not None:
                self._file.write(packets, np.flatnonzero(verdicts.accepted))
            elif packets.layout.kind == "pcapng":
                self._file.write(packets, _NONE)  # its interfaces and comments stay in place
        if frames is None or verdicts is None or not len(packets):
            return
        if self._splitter is not None:
            members = None if self._senders is None else self._senders(frames)
            self._splitter.write(packets, frames, verdicts, members)
        if self._table is not None:
            from ztfast.pipeline.rows import batch_rows

            for rows in batch_rows(packets, frames, verdicts):
                self._table.write(rows)

    @property
    def files(self) -> list[Written]:
        """The captures finished so far."""
        found = self._folder.files if self._folder is not None else []
        return found + (self._file.files if self._file is not None else [])

    def close(self) -> list[Diagnostic]:
        """Finish every file; the errors of those that could not be."""
        failed: list[Diagnostic] = []
        for sink in self._sinks:
            try:
                sink.close()
            except OutputError as error:
                failed.extend(error.diagnostics)
        return failed


class Senders:
    """The ZeroTier address of each frame's sender, uint64[n]; 0 where it is not known."""

    def __init__(self, engine: Engine) -> None:
        from ztfast.model.view import make_view
        from ztfast.network.member_table import member_table
        from ztfast.network.resolve import member_index

        view = make_view(engine.policy, "out", engine.engine)
        table = member_table(engine.network, view, engine.policy)
        self._index = member_index(engine.network, table)
        self._compiled = engine.backend == "native"

    def __call__(self, frames: FrameBatch) -> npt.NDArray[np.uint64]:
        """The senders of a batch."""
        from ztfast.engine.endpoints import endpoints
        from ztfast.network.resolve import resolve

        return resolve(self._index, "out", endpoints(frames, self._compiled)).zt_source


def unjudged_diagnostics(tally: Tally) -> list[Diagnostic]:
    """One error for each interface whose link type is not known, with its frames."""
    from ztfast.frames.links import unknown_linktype

    found: list[Diagnostic] = []
    for (path, name, linktype), count in tally.unjudged.items():
        plain = unknown_linktype(linktype, path, name)
        frames = "1 frame" if count.frames == 1 else f"{count.frames:,} frames"
        found.append(replace(plain, message=f"{plain.message}: {frames}"))
    return found
