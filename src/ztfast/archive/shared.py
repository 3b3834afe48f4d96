"""What workers of other machines need: places that all see alike, and what is said of a cluster.

Contract: pure checks and errors, the same for every engine of workers.
Tested by tests/archive/test_dask_workers.py.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ztfast.archive.remote import is_url
from ztfast.archive.segments import Segment
from ztfast.errors import BackendError, Diagnostic, usage


def refuse_relative(out: str, segments: Sequence[Segment]) -> None:
    """Raise UsageError for a path that other machines cannot find."""
    for path in (out, *(segment.path for segment in segments)):
        if not is_url(path) and not os.path.isabs(path):
            what = f"{path} is not an absolute path, and workers have folders of their own"
            help = "name sources and --out from the root, as all workers see them, or by URL"
            raise usage(what, help)


def lost(message: str) -> BackendError:
    """What a job ends with where its workers are gone."""
    help = "what is committed stays; run again with --resume"
    return BackendError(Diagnostic("ZT615", message, help=help))
