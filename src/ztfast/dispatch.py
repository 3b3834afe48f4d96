"""Choosing the compiled loops: the best instruction level that this machine runs.

Contract: the one module that imports `_core` and its siblings; `core` is None where none
was built.  `ZTFAST_SIMD` (baseline, avx2, avx512) forces a level; one that cannot run here
is an error, never a crash.  Tested by tests/test_dispatch.py.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType
from typing import TYPE_CHECKING

from ztfast.errors import BackendError, Diagnostic

if TYPE_CHECKING:
    from ztfast._core import Machine as Machine  # noqa: PLC0414  (handed on)

# best first: level -> (module, what /proc or the CPU must say)
LEVELS: dict[str, tuple[str, frozenset[str]]] = {
    "avx512": (
        "_core_avx512",
        frozenset(("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx2", "bmi2")),
    ),
    "avx2": ("_core_avx2", frozenset(("avx2", "bmi1", "bmi2", "fma", "f16c", "movbe"))),
    "baseline": ("_core", frozenset()),
}


def _cpu_features() -> frozenset[str]:
    """The machine's instruction sets in lower case, as numpy found them at import."""
    try:
        umath = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:  # numpy 1.x
        umath = importlib.import_module("numpy.core._multiarray_umath")
    found = {name.lower() for name, present in umath.__cpu_features__.items() if present}
    if "fma3" in found:
        found.add("fma")
    if {"avx2", "fma3"} <= found:  # every such processor has these, which numpy does not list
        found |= {"bmi1", "bmi2", "movbe", "f16c"}
    return frozenset(found)


def _is_built(module: str) -> bool:
    """Is there a module of this name?  The folder `_core/` of its source's parts is none."""
    spec = importlib.util.find_spec(f"ztfast.{module}")
    return spec is not None and spec.has_location  # a folder alone is a namespace without one


def runnable() -> tuple[str, ...]:
    """The levels that were built and that this machine runs, best first."""
    features = _cpu_features()
    return tuple(
        level
        for level, (module, wanted) in LEVELS.items()
        if wanted <= features and _is_built(module)
    )


def load(level: str) -> ModuleType:
    """The compiled module of a level; raises BackendError where it cannot run here."""
    levels = runnable()
    if level not in levels:
        raise BackendError(
            Diagnostic(
                "ZT421",
                f"instruction level {level!r} is not available here",
                help=f"use one of: {', '.join(levels) or 'none was built'}",
            )
        )
    return importlib.import_module(f"ztfast.{LEVELS[level][0]}")


def _choose() -> tuple[str, ModuleType | None]:
    forced = os.environ.get("ZTFAST_SIMD")
    if forced:
        return forced, load(forced)
    levels = runnable()
    return (levels[0], load(levels[0])) if levels else ("none", None)


simd_level, core = _choose()


def require() -> ModuleType:
    """The compiled loops, or a BackendError that says how to get them."""
    if core is None:
        raise BackendError(
            Diagnostic(
                "ZT420",
                "the native evaluator was not built into this installation",
                help="install with a C compiler (pip install .), or use the reference backend",
            )
        )
    return core
