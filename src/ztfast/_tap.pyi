"""The live tap's compiled loops, as `ztfast.live.loops` hands them on; see live/plain_loops.py."""

from collections.abc import Callable
from typing import Any, final

import numpy as np
import numpy.typing as npt

_Uint8s = npt.NDArray[np.uint8]
_Int32s = npt.NDArray[np.int32]
_Uint32s = npt.NDArray[np.uint32]
_Int64s = npt.NDArray[np.int64]
_Uint64s = npt.NDArray[np.uint64]
_Float64s = npt.NDArray[np.float64]

@final
class Walker:
    def __new__(
        cls,
        ring: _Uint8s,
        block_size: int,
        blocks: int,
        offsets: _Int64s,
        captured: _Uint32s,
        lengths: _Uint32s,
        times: _Int64s,
        wrong: Callable[[str], Exception] = ...,
    ) -> Walker: ...
    def walk(self, current: int, most: int) -> tuple[int, int, int]: ...
    def release(self, first: int, count: int) -> None: ...

@final
class Joiner:
    def __new__(
        cls,
        run: Callable[..., int],
        results: Any,
        sides: list[Any],
        facts: list[Any],
        undirected: _Uint8s | None,
        asks: bool,
        uncertain_bits: int,
        action: _Uint8s,
        apart: _Uint8s,
        row_frame: _Int64s,
        row_target: _Int32s,
        row_limit: _Uint32s,
    ) -> Joiner: ...
    @property
    def uncertain(self) -> int: ...
    def judge(self, raw: Any, first: int, count: int) -> tuple[int, int]: ...

def pick_copies(
    row_frame: _Int64s,
    row_target: _Int32s,
    row_limit: _Uint32s,
    rows: int,
    wanted: _Uint8s,
    captured: _Uint32s,
    lengths: _Uint32s,
    index: _Int64s,
    kept: _Uint32s,
    noted: _Uint32s,
    times_sent: _Int32s,
) -> tuple[int, int]: ...
def pick_frames(
    action: _Uint8s,
    count: int,
    which: int,
    captured: _Uint32s,
    lengths: _Uint32s,
    index: _Int64s,
    kept: _Uint32s,
    noted: _Uint32s,
    times_sent: _Int32s,
) -> int: ...
def send(
    descriptor: int,
    ring: _Uint8s,
    offsets: _Int64s,
    index: _Int64s,
    kept: _Uint32s,
    first: int,
    count: int,
    header: _Uint8s,
    stop_when_full: bool,
    errors: _Uint64s,
) -> tuple[int, int, int]: ...
def pack(
    blocks: bool,
    ring: _Uint8s,
    offsets: _Int64s,
    times: _Int64s,
    index: _Int64s,
    kept: _Uint32s,
    noted: _Uint32s,
    first: int,
    count: int,
    interface: int,
    out: _Uint8s,
    ends: _Int64s,
) -> tuple[int, int]: ...

@final
class Window:
    def __new__(cls, width: int, key: bytes, bits: int = 15) -> Window: ...
    @property
    def forgotten(self) -> int: ...
    def sift(
        self,
        ring: _Uint8s,
        offsets: _Int64s,
        times: _Int64s,
        index: _Int64s,
        kept: _Uint32s,
        noted: _Uint32s,
        expected: _Int32s,
        count: int,
    ) -> int: ...

@final
class Way:
    copies: int
    found: int
    def __new__(cls, route: Any, which: int, direct: Messages | Records | None) -> Way: ...
    def want(self, wanted: _Uint8s, chosen: Any) -> None: ...

@final
class Messages:
    descriptor: int
    sent: int
    octets: int
    def __new__(cls, header: _Uint8s, errors: _Uint64s, failed: Callable[[], None]) -> Messages: ...

@final
class Records:
    descriptor: int
    sent: int
    octets: int
    def __new__(
        cls,
        blocks: bool,
        scratch: _Uint8s,
        ends: _Int64s,
        rest: Callable[[Any, Any, int, int, int, int], None],
    ) -> Records: ...

@final
class Lane:
    judged: int
    octets: int
    asked: bool
    def __new__(cls, walker: Walker, frames: Any, held: _Int64s, total: _Float64s) -> Lane: ...
    def judge_by(
        self, judge: Any, ways: list[Way], send: Callable[[Any, Any, list[Any]], None]
    ) -> None: ...
    def turn(self) -> bool: ...

@final
class Rounds:
    def __new__(
        cls, lanes: list[Lane], rings: list[int], others: list[tuple[int, int]]
    ) -> Rounds: ...
    def go(self, due: float) -> list[tuple[int, int]]: ...
