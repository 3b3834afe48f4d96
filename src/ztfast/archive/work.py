"""What is done with a segment: its frames counted, or judged, counted, written and committed.

Contract: `attempted` takes a `Work` and a segment and always gives an `Outcome`; both sides of it
are pickled between processes.  A damaged capture is counted up to the damage, as `ztfast filter`
does, and the manifest says so; what cannot be read or written at all, or changed meanwhile, is a
failure, and nothing of it is committed.
Tested by tests/archive/test_job.py.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ztfast.archive.changes import Comparison, Matrix
from ztfast.archive.flows import Flows
from ztfast.archive.keeper import keeper_of
from ztfast.archive.segments import Segment, stamp_of
from ztfast.archive.source import SegmentCaptures, as_json
from ztfast.archive.store import MANIFEST
from ztfast.engine.engine import Engine
from ztfast.errors import Diagnostic, ZtfastError
from ztfast.pipeline.job import Job, Observer
from ztfast.pipeline.outputs import OutputOptions
from ztfast.pipeline.overview import Overview

_UNREADABLE = "ZT503"
SPLIT, ROWS, FLOWS = "split", "rows.parquet", "flows.parquet"


@dataclass(frozen=True)
class Work:
    """What every segment of a job is put to.

    engine: pickled; None: frames are only counted.  out: the folder or URL of the results.  kinds:
    which captures are written, names of `pipeline.split.KINDS`.  rows: a table of all frames.
    flows: one of who sent what to whom.  overview: what a report shows beside the figures is
    gathered.  old: another engine, pickled, with which it is compared.  since, until: only frames
    from the one time (ns) and before the other.
    """

    out: str
    engine: bytes | None = None
    kinds: frozenset[str] = frozenset()
    rows: bool = False
    flows: bool = False
    overview: bool = False
    old: bytes | None = None
    resync: bool = False
    vlan: str = "tag"
    since: int | None = None
    until: int | None = None


class Outcome(NamedTuple):
    """What became of a segment: its manifest, or why there is none."""

    segment: Segment
    manifest: dict[str, Any] | None = None
    failure: str | None = None


def attempted(work: Work, segment: Segment) -> Outcome:
    """Do the work on a segment; whatever goes wrong is in the outcome."""
    try:
        return Outcome(segment, _done(work, segment))
    except ZtfastError as error:
        return Outcome(segment, failure="; ".join(one.message for one in error.diagnostics))
    except (OSError, MemoryError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return Outcome(segment, failure=f"{type(error).__name__}: {error}")


def _done(work: Work, segment: Segment) -> dict[str, Any]:
    if work.engine is None:
        return _counted(work, segment)
    store = keeper_of(work.out)
    there = store.manifest(segment.id)
    if there is not None:
        return there
    folder = store.attempt(segment.id)
    try:
        manifest = _judged(work, segment, folder)
        store.commit(folder, segment.id, manifest)
    except BaseException:
        store.discard(folder)
        raise
    found = store.manifest(segment.id)
    assert found is not None
    return found


@lru_cache(maxsize=4)
def engine_of(pickled: bytes) -> Engine:
    """An engine, made once a process."""
    engine = pickle.loads(pickled)
    assert isinstance(engine, Engine)
    return engine


def _counted(work: Work, segment: Segment) -> dict[str, Any]:
    with SegmentCaptures(segment, work.resync) as source:
        try:
            for _ in source:
                pass
        except ZtfastError:
            pass  # whoever judges it says so
        source.check_transfer()
        frames, end = source.session.frames - segment.first, source.end
        damaged = bool(source.session.damages)
    _check_unchanged(segment)
    return {"frames": frames, "end": end, "damaged": damaged}


def _judged(work: Work, segment: Segment, folder: str) -> dict[str, Any]:
    """A segment's manifest, its files written into a folder."""
    assert work.engine is not None
    outputs = OutputOptions(
        split=os.path.join(folder, SPLIT) if work.kinds else None,
        split_kinds=work.kinds,
        table=os.path.join(folder, ROWS) if work.rows else None,
    )
    engine, span = engine_of(work.engine), (work.since, work.until)
    flows = Flows(os.path.join(folder, FLOWS), engine.policy) if work.flows else None
    matrix = Matrix() if work.old is not None else None
    overview = Overview(engine) if work.overview else None
    observers: list[Observer] = [flows.add] if flows is not None else []
    observers += [overview] if overview is not None else []
    if work.old is not None and matrix is not None:
        observers.append(Comparison(engine_of(work.old), matrix, work.vlan))
    with SegmentCaptures(segment, work.resync, span) as source:
        job = Job(engine, source, outputs, vlan=work.vlan, observers=observers)
        job.work()
        if job.interrupted:
            raise KeyboardInterrupt
        source.check_transfer()
        _check_written(job, source)
        if flows is not None:
            flows.close()
        end, frames = source.end, source.session.frames - segment.first
        decoded = source.decoded
        damaged = bool(source.session.damages)
    _check_unchanged(segment)
    return {
        "segment": segment.to_json(),
        "end": end,
        "decoded": decoded,
        "frames": frames,
        "damaged": damaged,
        "complete": job.complete,
        "figures": job.tally.to_json(),
        "changes": None if matrix is None else matrix.to_json(),
        "overview": None if overview is None else overview.to_json(),
        "skipped_bytes": source.skipped_bytes,
        "findings": [as_json(finding) for finding in source.diagnostics],
        "files": _files(folder),
        "captures": [
            {**file._asdict(), "path": os.path.relpath(file.path, folder)} for file in job.files
        ],
    }


def _check_written(job: Job, source: SegmentCaptures) -> None:
    """Raise what could not be written, and what is no capture at all."""
    own = source.diagnostics
    failed = [problem for problem in job.problems if problem not in own]
    if not source.session.frames - source.segment.first:
        failed += [found for found in own if found.code == _UNREADABLE]
    if failed:
        raise ZtfastError(*failed)


def _check_unchanged(segment: Segment) -> None:
    if stamp_of(segment.path) != (segment.size, segment.changed):
        message = "changed since the job was planned: plan a new one"
        raise ZtfastError(Diagnostic("ZT613", message, path=segment.path))


def _files(folder: str) -> list[dict[str, Any]]:
    """Everything written, by path within the segment, with its size."""
    found: list[dict[str, Any]] = []
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            if name != MANIFEST:
                size = os.path.getsize(path)
                found.append({"path": os.path.relpath(path, folder), "size": size})
    return sorted(found, key=lambda file: str(file["path"]))
