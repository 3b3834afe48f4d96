"""The compiled loops, as `ztfast.dispatch` hands them on; `mypy.stubtest` compares.

Arguments are trusted: who calls has checked shapes, types and bounds (ARCHITECTURE.md).
"""

from typing import Any, final

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]
_Outputs = list[tuple[_Array | None, ...]]

@final
class Machine:
    def __new__(cls, sides: list[tuple[Any, ...]], need: npt.NDArray[np.uint8]) -> Machine: ...
    def run(
        self,
        frames: tuple[Any, ...] | None,
        outputs: _Outputs,
        given: list[tuple[Any, ...]] | None,
        first_number: int,
        numbers: npt.NDArray[np.int64] | None,
        start: int,
        stop: int,
    ) -> list[bool]: ...
    def scan(
        self,
        buffer: object,
        start: int,
        end: int,
        swapped: int,
        header: int,
        max_captured: int,
        columns: tuple[_Array, ...],
        outputs: _Outputs,
    ) -> tuple[int, int, int, list[bool]]: ...
    def count(
        self,
        buffer: object,
        start: int,
        end: int,
        swapped: int,
        header: int,
        max_captured: int,
        outputs: _Outputs,
        totals: npt.NDArray[np.uint64],
        columns: tuple[_Array, ...] | None,
    ) -> tuple[int, int, int, int, bool]: ...

def decode(
    frames: tuple[Any, ...], columns: list[tuple[int, _Array]], start: int, stop: int
) -> None: ...
def integers(
    frames: tuple[Any, ...],
    index: int,
    bits: int,
    little: int,
    values: npt.NDArray[np.uint64],
    missing: npt.NDArray[np.uint32],
) -> None: ...
def scan_records(
    buffer: object,
    start: int,
    end: int,
    swapped: int,
    header: int,
    max_captured: int,
    columns: tuple[_Array, ...],
) -> tuple[int, int, int]: ...
def scan_blocks(
    buffer: object,
    start: int,
    end: int,
    swapped: bool,
    max_block: int,
    types: npt.NDArray[np.uint32],
    places: npt.NDArray[np.int64],
) -> tuple[int, int, int]: ...
def copy_ranges(
    buffer: object,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    at: int,
    out: npt.NDArray[np.uint8],
) -> tuple[int, int]: ...
def tally(
    entry: npt.NDArray[np.int32],
    code: npt.NDArray[np.uint8],
    lengths: npt.NDArray[np.uint32],
    frames: npt.NDArray[np.uint64],
    sums: npt.NDArray[np.uint64],
) -> None: ...
def constants() -> dict[str, Any]: ...
