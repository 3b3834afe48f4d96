"""The only choice of backend: native, reference, or what another package adds.

Contract: `choose(name)` gives a backend's name that runs here; asking for one that is
missing raises BackendError.  `ZTFAST_BACKEND` is used where nothing was asked for.
What other packages add (engine/backends.py) is looked for only where it is asked for.
"""

from __future__ import annotations

import os

from ztfast import dispatch
from ztfast.errors import usage

BACKENDS = ("native", "reference", "auto")


def choose(name: str | None = None) -> str:
    """The backend to use: as asked for, or by ZTFAST_BACKEND, or "native", or "reference"."""
    asked = name if name not in (None, "auto") else os.environ.get("ZTFAST_BACKEND") or "auto"
    if asked not in BACKENDS:
        from ztfast.engine import backends

        if asked not in backends.installed():
            names = ", ".join(repr(known) for known in (*BACKENDS, *sorted(backends.installed())))
            raise usage(f"unknown backend {asked!r}", f"use one of {names}")
        backends.load(asked)
    if asked == "auto":
        return "reference" if dispatch.core is None else "native"
    if asked == "native":
        dispatch.require()
    return asked
