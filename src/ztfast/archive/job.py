"""A job over an archive: planned, run by workers, resumed, and merged.

Contract: a plan is written before the first segment; the same sources and settings go on with it
(`resume`), others are refused.  Frames are counted first where their numbers matter: for `random`,
whose draws are keyed by a frame's number over all files, and for rows.
Tested by tests/archive/test_job.py and test_job_equal.py.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol

from ztfast.archive.keeper import keeper_of
from ztfast.archive.result import FAILED, ArchiveResult, merged
from ztfast.archive.segments import PART, Ended, Segment, cut, joined, numbered
from ztfast.archive.sources import AT_ONCE, files_of
from ztfast.archive.work import Outcome, Work
from ztfast.capture.pcap_part import Place
from ztfast.engine.engine import Engine
from ztfast.errors import BackendError, CaptureError, Diagnostic, OutputError, usage
from ztfast.pipeline.split import KINDS

Progress = Callable[[int, int], None]  # frames more, bytes of the files done altogether
TABLES = ("flows", "rows")
OVERVIEW = "overview"  # what a report shows, in the manifests
OUTPUTS = ("copies", "dropped", *TABLES, OVERVIEW)
_KINDS = {"copies": ("tee", "watch", "redirect"), "dropped": ("dropped",)}


class Executor(Protocol):
    """Who does the work: processes of this machine, or an engine's workers."""

    def outcomes(self, work: Work, segments: Sequence[Segment]) -> Iterator[Outcome]:
        """Each segment's outcome, as they come."""
        ...


def plan(
    sources: Sequence[str | os.PathLike[str]],
    engine: Engine,
    *,
    out: str,
    old: Engine | None = None,
    outputs: Iterable[str] = (),
    resync: bool = False,
    vlan: str = "tag",
    since: int | None = None,
    until: int | None = None,
    part: int = PART,
) -> ArchiveJob:
    """What is to be done with captures: files, folders, patterns, and URLs of these.

    out: a folder for the results, or a URL.  old: an engine to compare with, frame by frame.
    outputs: names of OUTPUTS, or kinds of captures (`pipeline.split.KINDS`).  resync, vlan: as for
    `filter`.  since, until: only frames from the one time (ns since 1970) and before the other.
    part: large classic pcaps are cut into parts of about so many bytes.  Raises UsageError,
    CaptureError.
    """
    paths, notes = files_of(sources)
    outputs = frozenset(outputs)
    kinds, tables = _wanted(outputs - {OVERVIEW})
    work = Work(
        out,
        kinds=kinds,
        rows="rows" in tables,
        flows="flows" in tables,
        overview=OVERVIEW in outputs,
        resync=resync,
        vlan=vlan,
        since=since,
        until=until,
    )
    return ArchiveJob(engine, old, work, _cut_all(paths, part), notes)


def _cut_all(paths: Sequence[str], part: int) -> list[list[Segment]]:
    """The segments of each file; raises CaptureError for one that was there a moment ago."""
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(partial(cut, part=part), paths))
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise CaptureError(Diagnostic("ZT503", message, path=error.filename)) from error


def _wanted(outputs: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """(kinds of captures, tables)."""
    kinds, tables = set[str](), set[str]()
    for name in outputs:
        if name not in (*OUTPUTS, *KINDS):
            known = ", ".join(dict.fromkeys((*OUTPUTS, *KINDS)))
            raise usage(f"an archive has no output {name!r:.40}", f"use some of: {known}")
        if name in TABLES:
            tables.add(name)
        else:
            kinds.update(_KINDS.get(name, (name,)))
    if tables and find_spec("pyarrow") is None:
        what = f"{' and '.join(sorted(tables))} are Parquet, which needs pyarrow"
        raise usage(what, "pip install 'ztfast[archive]'")
    return frozenset(kinds), frozenset(tables)


class ArchiveJob:
    """What `plan` gave.

    files: the segments of each file, in order.  notes: what was left out of folders.
    """

    def __init__(
        self,
        engine: Engine,
        old: Engine | None,
        work: Work,
        files: list[list[Segment]],
        notes: list[Diagnostic],
    ) -> None:
        self.engine, self.old, self.files, self.notes = engine, old, files, notes
        self._work = work
        self._store = keeper_of(work.out)
        self._done_bytes = 0

    @property
    def total_bytes(self) -> int:
        """Bytes of all files; as often as they are read."""
        return sum(parts[0].size for parts in self.files) * (2 if self._numbers_matter else 1)

    @property
    def _numbers_matter(self) -> bool:
        if self._work.rows:
            return True
        return any(engine.draws for engine in (self.engine, self.old) if engine is not None)

    def run(
        self,
        executor: Executor | None = None,
        progress: Progress | None = None,
        *,
        resume: bool = False,
    ) -> ArchiveResult:
        """Do the work and merge it; executor None: one process for each processor.

        resume: go on with what an earlier run of this job left.  Raises UsageError where the
        results' folder holds another job, OutputError where it cannot be written.
        """
        from ztfast.archive.local import LocalWorkers

        executor = LocalWorkers() if executor is None else executor
        progress = progress or (lambda frames, done: None)
        earlier = self._earlier(resume)
        outcomes: dict[Segment, Outcome] = {}
        interrupted, lost = False, list[Diagnostic]()
        try:
            if earlier is None:
                self._count(executor, progress)
                self._store.write_plan(self._document())
            else:
                self.files = earlier
            old = None if self.old is None else pickle.dumps(self.old)
            work = replace(self._work, engine=pickle.dumps(self.engine), old=old)
            self._settle(executor, work, outcomes, progress)
        except KeyboardInterrupt:
            interrupted = True
        except BackendError as error:  # the workers are gone, or frames have no numbers
            lost = list(error.diagnostics)
        result = self._merged(outcomes, interrupted)
        result.problems[:0] = lost
        return result

    def _merged(self, outcomes: dict[Segment, Outcome], interrupted: bool) -> ArchiveResult:
        chains = self._chains(outcomes)
        missing = [
            parts[0].path for parts, chain in zip(self.files, chains, strict=True) if not chain
        ]
        counted = [outcomes[segment] for chain in chains for segment in chain]
        overview = self._work.overview
        result = merged(self.engine, counted, missing, interrupted, overview)
        if result.done == result.segments:
            self._store.tidy()
        if not interrupted:
            try:
                self._store.write("result.json", result.figures())
            except OutputError as error:  # the figures are here all the same
                result.problems += error.diagnostics
        return result

    def _chains(self, outcomes: dict[Segment, Outcome]) -> list[list[Segment]]:
        """The segments of each file that count; none where that is not known."""
        ended = _ended(outcomes)
        return [joined(parts, ended.get(parts[0].path, {}))[0] for parts in self.files]

    def _count(self, executor: Executor, progress: Progress) -> None:
        """Number the segments' first frames, where that matters."""
        if not self._numbers_matter:
            return
        outcomes: dict[Segment, Outcome] = {}
        self._settle(executor, self._work, outcomes, progress)
        _refuse_uncounted(outcomes.values())
        chains = self._chains(outcomes)
        frames = {
            segment: outcome.manifest["frames"]
            for segment, outcome in outcomes.items()
            if outcome.manifest is not None
        }
        self.files = numbered(chains, frames)

    def _settle(
        self,
        executor: Executor,
        work: Work,
        outcomes: dict[Segment, Outcome],
        progress: Progress,
    ) -> None:
        """Run segments until every file's parts are joined; what they gave goes into outcomes."""
        while True:
            ended = _ended(outcomes)
            more = [
                segment
                for parts in self.files
                for segment in joined(parts, ended.get(parts[0].path, {}))[1]
            ]
            if not more:
                return
            more.sort(key=_bytes, reverse=True)  # so that no large one is left for the end
            for outcome in executor.outcomes(work, more):
                outcomes[outcome.segment] = outcome
                self._done_bytes = min(self.total_bytes, self._done_bytes + _bytes(outcome.segment))
                frames = outcome.manifest["frames"] if outcome.manifest and work.engine else 0
                progress(frames, self._done_bytes)

    def _earlier(self, resume: bool) -> list[list[Segment]] | None:
        """The segments of the job that was begun in the folder, where it is this one."""
        found = self._store.plan()
        if found is None:
            return None
        out = self._work.out
        if not resume:
            what = f"{out} holds an earlier job"
            raise usage(what, "continue it with --resume, or name another folder")
        mine = self._document()
        for name, value in mine["settings"].items():
            if found["settings"].get(name) != value:
                what = f"the job in {out} was started with another {name}"
                raise usage(what, "give what it was started with, or name another folder")
        files = [[Segment(**row) for row in parts] for parts in found["files"]]
        _refuse_others([parts[0] for parts in self.files], [parts[0] for parts in files], out)
        return files

    def _document(self) -> dict[str, Any]:
        """The plan as JSON."""
        engine, work = self.engine, self._work
        return {
            "version": 1,
            "settings": {
                **_settings(engine),
                "old policy": None if self.old is None else _settings(self.old),
                "choice of captures": sorted(work.kinds),
                "choice of rows": work.rows,
                "choice of flows": work.flows,
                "choice of a report": work.overview,
                "resync": work.resync,
                "vlan": work.vlan,
                "since": work.since,
                "until": work.until,
            },
            "files": [[segment.to_json() for segment in parts] for parts in self.files],
        }


def _settings(engine: Engine) -> dict[str, Any]:
    """All that an engine's verdicts follow from."""
    return {
        "policy": engine.policy.digest,
        "network": hashlib.sha256(repr(engine.network).encode()).hexdigest(),
        "side": engine.side,
        "engine": engine.engine,
        "seed": engine.seed,
        "assumption": engine.assume_ipauth,
    }


def _ended(outcomes: dict[Segment, Outcome]) -> dict[str, dict[Segment, Ended]]:
    """What is known of the segments that were run, by file."""
    found: dict[str, dict[Segment, Ended]] = {}
    for segment, outcome in outcomes.items():
        ended = Ended(None, False)
        if outcome.manifest is not None:
            end = outcome.manifest["end"]
            ended = Ended(None if end is None else Place(*end), not outcome.manifest["damaged"])
        found.setdefault(segment.path, {})[segment] = ended
    return found


def _refuse_uncounted(outcomes: Iterable[Outcome]) -> None:
    """Raise where a whole file could not be counted: what is behind it would get other numbers."""
    found = [
        Diagnostic(
            FAILED,
            f"could not be counted, and frames behind it have no number: {outcome.failure}",
            path=str(outcome.segment),
            help="mend that and run again, or leave it out",
        )
        for outcome in outcomes
        if outcome.failure is not None and outcome.segment.start is None
    ]
    if found:
        raise BackendError(*found)


def _bytes(segment: Segment) -> int:
    whole = segment.start is None or segment.stop is None
    return segment.size if whole else (segment.stop or 0) - (segment.start or 0)


def _refuse_others(mine: list[Segment], there: list[Segment], out: str) -> None:
    """Raise UsageError where a job was begun with other files, or these have changed."""
    known = {one.path: one for one in there}
    for one in mine:
        other = known.pop(one.path, None)
        if other is None or (one.size, one.changed) != (other.size, other.changed):
            what = "is new or has changed"
            raise usage(f"{one.path} {what} since the job in {out} was begun", _ANOTHER)
    for path in known:
        raise usage(f"{path} is not among the sources of the job in {out} any more", _ANOTHER)


_ANOTHER = "begin another job, in another folder"
