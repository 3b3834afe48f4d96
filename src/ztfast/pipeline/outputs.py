"""What a run writes: accepted frames, a split folder, a table; one or all of them.

Contract: `OutputOptions` says what is wanted; `Outputs` opens it, all or nothing, takes judged
batches, and `close` finishes every file and gives the errors of those that could not be.
Tested by tests/pipeline/test_outputs.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypedDict

import numpy as np
import numpy.typing as npt

from ztfast.errors import Diagnostic, OutputError, usage
from ztfast.frames.batch import FrameBatch
from ztfast.pipeline.judge import Judgement
from ztfast.sinks.earlier import (
    CLEAN,
    REFUSE,
    earlier_files,
    has_place_in,
    refuse_earlier,
    refuse_earlier_row,
)
from ztfast.sinks.files import FileSink, Rotation, SplitSink, Written, numbered, numbered_files
from ztfast.sinks.originals import refuse_originals, refuse_twice
from ztfast.sinks.output import refuse_unmakable, refuse_unopenable

if TYPE_CHECKING:
    from ztfast.capture.many import Captures
    from ztfast.engine.engine import Engine
    from ztfast.pipeline.decisions import Decisions
    from ztfast.pipeline.deliveries import Deliveries
    from ztfast.pipeline.split import Splitter
    from ztfast.sinks.tables import TableSink

_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class OutputOptions:
    """What to write; None: not that.

    accepted: a capture file of the accepted frames (`-`: standard output).  split: a folder with
    a capture for each verdict (or `split_by` "rule" or "member") and each copy's target;
    split_kinds: only those of these kinds (`pipeline.split.KINDS`), None: all.  table:
    a file with a row a frame, its form by its suffix; table_types: how it holds addresses and
    verdicts, a name of sinks.tables.TYPES.  form: "pcap" or "pcapng" whatever the suffix.
    rotation: when a new capture file begins.  earlier: what becomes of an earlier run's files in
    the split folder and of a rotated row: "refuse" (none of this is written), "force" (those of
    the same name are replaced) or "clean" (the others are removed, too).  comments: in pcapng, a
    frame's comment says its verdict, line and rule; copies have none.
    """

    accepted: str | None = None
    split: str | None = None
    split_by: str = "verdict"
    split_kinds: frozenset[str] | None = None
    table: str | None = None
    table_types: str = "text"
    form: str | None = None
    rotation: Rotation = field(default_factory=Rotation)
    earlier: str = REFUSE
    comments: bool = False

    def check(self, read: Iterable[str]) -> None:
        """Raise UsageError where an output would take the place of what is read, or of another's.

        Or where one cannot be written, as far as can be seen before anything is opened.
        read: captures, and what else is read.
        """
        named = [name for name in (self.accepted, self.table) if name is not None]
        written = [*named]
        row = self._earlier_row()
        written += row
        if self.split is not None:
            written += earlier_files(self.split)
        refuse_originals(written, read)
        refuse_twice(named)
        if self.split is not None:
            for name in named:
                if has_place_in(self.split, name):
                    raise usage(f"--split may write {name}, too", "name another file or folder")
            refuse_earlier(self.split, self.earlier)
            refuse_unmakable(self.split)
        if self.accepted is not None:
            refuse_earlier_row(self.accepted, row, self.earlier)
        for name in named:
            rotated = name == self.accepted and any(self.rotation)
            refuse_unopenable(numbered(name, 1) if rotated else name)

    def _earlier_row(self) -> list[str]:
        """The numbered files that an earlier run left where this one writes its own."""
        rotated = self.accepted is not None and any(self.rotation)
        return numbered_files(self.accepted) if self.accepted is not None and rotated else []

    @property
    def anything(self) -> bool:
        """Is anything written?"""
        return self.accepted is not None or self.every_frame

    @property
    def every_frame(self) -> bool:
        """Is anything written that needs every frame's verdict, not only the accepted frames?"""
        return self.split is not None or self.table is not None or self.comments


class Sink(Protocol):
    """Anything that is written to, as far as finishing it goes."""

    def close(self) -> None:
        """Finish it; raises OutputError."""
        ...

    def discard(self) -> None:
        """Leave nothing of it behind."""
        ...


def close_all(sinks: Iterable[Sink]) -> list[Diagnostic]:
    """Finish every one; the errors of those that could not be."""
    failed: list[Diagnostic] = []
    for sink in sinks:
        try:
            sink.close()
        except OutputError as error:
            failed.extend(error.diagnostics)
    return failed


class _How(TypedDict):
    rotation: Rotation
    unify: bool
    several: bool


class Outputs:
    """The files of one run.  Raises OutputError or UsageError where one cannot be opened."""

    def __init__(self, engine: Engine, source: Captures, options: OutputOptions) -> None:
        self._engine = engine
        self._sinks: list[Sink] = []
        self._table: TableSink | None = None
        self._types = "text"
        self._splitter: Splitter | None = None
        self._folder: SplitSink | None = None
        self._file: FileSink | None = None
        self._senders: Senders | None = None
        self._decisions: Decisions | None = None
        if options.comments:
            from ztfast.pipeline.decisions import Decisions

            self._decisions = Decisions(engine.policy)
        try:
            self._open(source, options)
        except BaseException:
            for sink in self._sinks:
                sink.discard()
            raise

    def _open(self, source: Captures, options: OutputOptions) -> None:
        how: _How = {
            "rotation": options.rotation,
            "unify": source.merge,
            "several": len(source.paths) > 1,
        }
        if options.table is not None:
            from ztfast.sinks.tables import TYPES, TableSink

            self._types = options.table_types
            self._table = TableSink(options.table, TYPES[self._types])
            self._sinks.append(self._table)
        if options.split is not None:
            self._open_folder(options.split, options, how)
        if options.accepted is not None:
            clean = options.earlier == CLEAN
            self._file = FileSink(options.accepted, format=options.form, clean=clean, **how)
            self._sinks.append(self._file)

    def _open_folder(self, folder: str, options: OutputOptions, how: _How) -> None:
        from ztfast.pipeline.split import Splitter

        suffix = f".{options.form or 'pcapng'}"
        self._folder = SplitSink(folder, suffix=suffix, clean=options.earlier == CLEAN, **how)
        self._sinks.append(self._folder)
        self._splitter = Splitter(self._folder, options.split_by, options.split_kinds)
        if options.split_by == "member":
            self._senders = Senders(self._engine)

    def write(self, judgement: Judgement, deliveries: Deliveries | None = None) -> None:
        """Write a batch's frames where they belong; raises OutputError."""
        packets, frames, verdicts, counted = judgement[:4]
        comments = None
        if self._decisions is not None and verdicts is not None:
            comments = self._decisions.comments(verdicts)
        if self._file is not None:
            if counted is not None:
                self._file.write(packets)  # accepted frames are all that was kept
            elif verdicts is not None:
                accepted = np.flatnonzero(verdicts.accepted)
                self._file.write(packets, accepted, comments=comments)
            elif packets.layout.kind == "pcapng":
                self._file.write(packets, _NONE)  # its interfaces and comments stay in place
        if frames is None or verdicts is None or not len(packets):
            return
        if self._splitter is not None:
            members = None if self._senders is None else self._senders(frames)
            self._splitter.write(packets, frames, verdicts, members, deliveries, comments)
        if self._table is not None:
            from ztfast.pipeline.rows import frame_rows

            self._table.write(frame_rows(packets, frames, verdicts, self._types))

    @property
    def files(self) -> list[Written]:
        """The captures finished so far."""
        found = self._folder.files if self._folder is not None else []
        return found + (self._file.files if self._file is not None else [])

    def close(self) -> list[Diagnostic]:
        """Finish every file; the errors of those that could not be."""
        return close_all(self._sinks)


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
