"""What this installation runs on: `ztfast --version --json`, for reports of faults.

Contract: plain values; nothing is loaded that is not needed to know.
Tested by tests/cli/test_about.py.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from ztfast import __version__

# what extras bring, by its name on PyPI
OPTIONAL = (
    "z3-solver",
    "pyarrow",
    "zstandard",
    "lz4",
    "isal",
    "pyyaml",
    "prometheus-client",
    "pygls",
    "starlette",
    "uvicorn",
    "websockets",
    "scapy",
    "dpkt",
    "pcapy-ng",
    "pandas",
    "polars",
    "distributed",
    "ray",
    "s3fs",
)


def about() -> dict[str, Any]:
    """`{"ztfast", "python", "numpy", "compiled", "simd", "tap", "platform", "optional"}`.

    compiled: are the loops, or is this the pure package?  simd: their instruction level, "none"
    without.  tap: are the loops of the live tap built?  optional: versions, None where missing.
    """
    import platform

    import numpy as np

    from ztfast import dispatch

    return {
        "ztfast": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "numpy": np.__version__,
        "compiled": dispatch.core is not None,
        "simd": dispatch.simd_level,
        "tap": find_spec("ztfast._tap") is not None,
        "platform": platform.platform(),
        "optional": {name: _version(name) for name in OPTIONAL},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
