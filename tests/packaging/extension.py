"""`python -m tests.packaging.extension`: fails where the compiled loops are not what is used."""

from __future__ import annotations

import sys
from pathlib import Path

import ztfast
from ztfast import dispatch


def main() -> None:
    """Say what is installed, or exit with what is wrong."""
    if dispatch.core is None:
        sys.exit("the compiled extension is missing from this installation")
    place = Path(str(dispatch.core.__file__))
    if ztfast.backend != "native":
        sys.exit(f"the extension is there, yet {ztfast.backend!r} is what runs")
    print(f"{dispatch.simd_level} of {', '.join(dispatch.runnable())}, from {place.parent}")
    if hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled():
        print("free-threaded, and importing the extension kept it so")


if __name__ == "__main__":
    main()
