"""What a job found: the segments' figures as one, in the order of the files.

Contract: `figures` has the keys and values that `ztfast filter --json` prints for the same files;
what failed or is missing is in `problems`, by name.
Tested by tests/archive/test_job.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ztfast.archive.changes import Matrix
from ztfast.archive.source import from_json
from ztfast.archive.work import Outcome
from ztfast.engine.engine import Engine
from ztfast.errors import Diagnostic, Severity
from ztfast.pipeline.capture_job import unjudged
from ztfast.pipeline.overview import Overview
from ztfast.pipeline.tally import Tally

FAILED = "ZT614"


@dataclass
class ArchiveResult:
    """The sums over all segments that were committed.

    tally: what was counted.  captures: those written, as `path` below the results, `frames` and
    `size`.  segments: how many there are; done: how many of them are committed.  problems: what
    was damaged or failed, by file, in order.  changes: what becomes otherwise than with the old
    rules, None: none were given.  overview: what a report shows, None: nobody asked for it.
    interrupted: by Ctrl-C or SIGTERM.
    """

    tally: Tally
    captures: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    problems: list[Diagnostic] = field(default_factory=list[Diagnostic])
    segments: int = 0
    done: int = 0
    skipped_bytes: int = 0
    complete: bool = True
    interrupted: bool = False
    changes: Matrix | None = None
    overview: Overview | None = None

    @property
    def failed(self) -> bool:
        """Was anything damaged, not read, not written?"""
        found = any(problem.severity == Severity.ERROR for problem in self.problems)
        return found or not self.complete

    def figures(self) -> dict[str, Any]:
        """Everything as one JSON-ready object."""
        return {
            **self.tally.to_json(),
            "files": self.captures,
            "skipped_bytes": self.skipped_bytes,
            "complete": self.complete,
            "segments": self.segments,
            "committed": self.done,
            **({} if self.changes is None else {"changes": self.changes.to_json()}),
        }


def merged(
    engine: Engine,
    outcomes: Sequence[Outcome],
    missing: Sequence[str],
    interrupted: bool,
    overview: bool = False,
) -> ArchiveResult:
    """The result of the segments that count, in order; missing: files that were not done."""
    result = ArchiveResult(Tally(engine.policy), interrupted=interrupted)
    result.overview = Overview(engine) if overview else None
    result.segments = len(outcomes) + len(missing)
    result.complete = not missing and not interrupted
    decoded: dict[str, int] = {}  # bytes of what a file holds, in the parts before
    for outcome in outcomes:
        path = outcome.segment.path
        if outcome.manifest is None:
            result.complete = False
            message = f"failed, and is not counted: {outcome.failure}"
            help = "mend that and run again with --resume"
            name = str(outcome.segment)
            result.problems.append(Diagnostic(FAILED, message, path=name, help=help))
        else:
            _add(result, outcome.manifest, decoded.get(path, 0))
            decoded[path] = decoded.get(path, 0) + outcome.manifest["decoded"]
    if not interrupted:
        result.problems += [
            Diagnostic(FAILED, "was not done, and is not counted", path=path) for path in missing
        ]
    result.problems += unjudged(result.tally.unjudged)
    return result


def _add(result: ArchiveResult, manifest: dict[str, Any], before: int) -> None:
    result.done += 1
    result.tally.merge(Tally.from_json(manifest["figures"], result.tally.policy))
    result.skipped_bytes += manifest["skipped_bytes"]
    result.complete &= manifest["complete"]
    result.problems += [from_json(row) for row in manifest["findings"]]
    if manifest["changes"] is not None:
        result.changes = result.changes or Matrix()
        result.changes.merge(Matrix.from_json(manifest["changes"], before))
    if result.overview is not None:
        result.overview.read(manifest["overview"])
    result.captures += [
        {**row, "path": f"{manifest['at']}/{row['path']}"} for row in manifest["captures"]
    ]
