"""Backends: the only choice of one, what one is, and how another package adds one.

Contract: `choose(name)` gives a backend's name that runs here; asking for one that is missing
raises BackendError.  `ZTFAST_BACKEND` is used where nothing was asked for.  What other packages
add, by the entry-point group `ztfast.backends`, is looked for only where it is asked for.
A backend evaluates one direction at a time; everything else (networks, joining both
sides, multicast, files) is the engine's and the same for all.  docs/backend.md says what it must
keep to and how to prove it.  "native" and "reference" are ours and cannot be replaced.
Tested by tests/engine/test_backends.py.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.engine.side_verdicts import SIDE_COLUMNS, SideVerdicts
from ztfast.errors import BackendError, Diagnostic, usage
from ztfast.frames.batch import FrameBatch
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BACKENDS = ("native", "reference", "auto")
GROUP = "ztfast.backends"


@runtime_checkable
class Backend(Protocol):
    """An evaluator of one direction.

    view: the rules, as engine entries.  batch: n frames, with `frame(i)`, or `buffer`, `offsets`,
    `captured` and `lengths`, or decoded columns.  batch_context: who is who, n items a column.
    seed: keys `random` draws by `batch_context.number` (engine.prng).  Gives every column of
    `side_verdicts.SIDE_COLUMNS`, n items each.  It must not change its arguments, may be called by
    several threads at once, and raises ztfast.errors only.
    """

    def evaluate_side(
        self, view: View, batch: FrameBatch, batch_context: BatchContext, seed: int
    ) -> SideVerdicts:
        """The verdicts of the batch context's direction on each frame of the batch."""
        ...


def choose(name: str | None = None) -> str:
    """The backend to use: as asked for, or by ZTFAST_BACKEND, or "native", or "reference".

    Raises UsageError for an unknown name, BackendError for one that cannot run here.
    """
    asked = name if name not in (None, "auto") else os.environ.get("ZTFAST_BACKEND") or "auto"
    if asked not in BACKENDS:
        if asked not in installed():
            names = ", ".join(repr(known) for known in (*BACKENDS, *sorted(installed())))
            raise usage(f"unknown backend {asked!r}", f"use one of {names}")
        load(asked)
    if asked == "auto":
        return "reference" if dispatch.core is None else "native"
    if asked == "native":
        dispatch.require()
    return asked


def installed() -> dict[str, EntryPoint]:
    """Backends that other packages add, by name; where two have one name, the first by package."""
    from importlib.metadata import entry_points  # slow to load: only where it is asked for

    found = sorted(entry_points(group=GROUP), key=_package)
    return {point.name: point for point in reversed(found)}


def load(name: str) -> Backend:
    """An installed backend, ready: its entry point names an object, or a class to call.

    Raises BackendError where there is none of that name, or it is not one.
    """
    point = installed().get(name)
    if point is None:
        raise _bad(f"no installed package has a backend {name!r}")
    try:
        made = point.load()
        backend = made() if isinstance(made, type) else made
    except Exception as error:  # another package's code: whatever it raises is to be told
        raise _bad(f"the backend {name!r} cannot be loaded: {error}", point) from error
    if not isinstance(backend, Backend):
        raise _bad(f"the backend {name!r} has no evaluate_side", point)
    return backend


def evaluate(
    name: str, view: View, batch: FrameBatch, batch_context: BatchContext, seed: int
) -> SideVerdicts:
    """A backend's verdicts, refused where they are not what a backend owes."""
    return _owed(load(name).evaluate_side(view, batch, batch_context, seed), name, view, len(batch))


def _owed(verdicts: object, name: str, view: View, count: int) -> SideVerdicts:
    """Another package's code gave this: it is looked at before it is believed."""
    if not isinstance(verdicts, SideVerdicts) or verdicts.direction != view.direction:
        raise _bad(f"the backend {name!r} gave no SideVerdicts of direction {view.direction!r}")
    for column in SIDE_COLUMNS:
        values: npt.NDArray[Any] | None = getattr(verdicts, column, None)
        if not isinstance(values, np.ndarray) or values.shape != (count,):
            raise _bad(f"the backend {name!r} gave no column {column!r} of {count} items")
    return verdicts


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else ""


def _bad(message: str, point: EntryPoint | None = None) -> BackendError:
    whose = "" if point is None else f" (entry point {point.value!r} of {_package(point)!r})"
    names = ", ".join(["native", "reference", *sorted(installed())])
    help = f"installed: {names}; docs/backend.md says what one is"
    return BackendError(Diagnostic("ZT420", message + whose, help=help))
