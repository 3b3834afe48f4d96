"""The compiled loops, as `ztfast.dispatch` hands them on; `mypy.stubtest` compares.

Arguments are trusted: who calls has checked shapes, types and bounds (ARCHITECTURE.md).
"""

from typing import Any, final

import numpy as np
import numpy.typing as npt

from ztfast.engine.native import Wanted
from ztfast.engine.native_inputs import InputColumns
from ztfast.engine.native_members import MemberTables
from ztfast.engine.native_recipients import Answers, Senders
from ztfast.engine.native_tables import Results, SideOutputs, SideTables
from ztfast.frames.batch import RawFrames
from ztfast.network.recipients import ClassColumns
from ztfast.sinks.csv import CsvColumn

_Array = npt.NDArray[Any]
_RecordShape = tuple[bool, int, int, int]  # a capture.pcap_scan.RecordShape
_RecordColumns = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], npt.NDArray[np.uint32]]

@final
class SideMembers:
    def __new__(cls, tables: MemberTables) -> SideMembers: ...

@final
class Machine:
    def __new__(
        cls,
        sides: list[SideTables],
        need: npt.NDArray[np.uint8],
        members: list[SideMembers] | None = None,
    ) -> Machine: ...
    def run(
        self,
        frames: RawFrames | None,
        results: Results,
        given: list[InputColumns] | None,
        first_number: int,
        numbers: npt.NDArray[np.int64] | None,
        start: int,
        stop: int,
        undirected: npt.NDArray[np.bool_] | None = None,
        accepted: npt.NDArray[np.bool_] | None = None,
    ) -> int: ...
    def find_senders(
        self, frames: RawFrames, number: npt.NDArray[np.intp], senders: Senders
    ) -> None: ...
    def ask_recipients(
        self,
        frames: RawFrames,
        number: npt.NDArray[np.intp],
        chosen: npt.NDArray[np.intp],
        senders: Senders,
        classes: ClassColumns,
        outputs: list[SideOutputs],
        found: Answers,
    ) -> int: ...
    def passes(self, frame: object, length: int) -> bool | None: ...
    def scan(
        self,
        buffer: object,
        start: int,
        end: int,
        shape: _RecordShape,
        columns: _RecordColumns,
        made: Results,
        marks: npt.NDArray[np.uint8] | None = None,
    ) -> tuple[int, int, int, int]: ...
    def count(
        self,
        buffer: object,
        start: int,
        end: int,
        shape: _RecordShape,
        columns: _RecordColumns | None,
        wanted: Wanted,
    ) -> tuple[int, int, int, int]: ...

def fill_macs(
    slots: npt.NDArray[np.void],
    macs: npt.NDArray[np.uint64],
    members: npt.NDArray[np.int32],
    factor: int,
    most: int,
) -> bool: ...
def fill_addresses(
    slots: npt.NDArray[np.void],
    high: npt.NDArray[np.uint64],
    low: npt.NDArray[np.uint64],
    who: npt.NDArray[np.int32],
    members: npt.NDArray[np.int32],
    factor: int,
    most: int,
) -> bool: ...
def decode(frames: RawFrames, columns: list[tuple[int, _Array]], start: int, stop: int) -> None: ...
def integers(
    frames: RawFrames,
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
    shape: _RecordShape,
    columns: _RecordColumns,
) -> tuple[int, int, int]: ...
def guess_record(
    buffer: object,
    start: int,
    at: int,
    end: int,
    shape: _RecordShape,
) -> int: ...
def scan_blocks(
    buffer: object,
    start: int,
    end: int,
    swapped: bool,
    max_block: int,
    types: npt.NDArray[np.uint32],
    places: npt.NDArray[np.int64],
) -> tuple[int, int, int]: ...
def pack_packets(
    buffer: object,
    starts: npt.NDArray[np.int64],
    kept: npt.NDArray[np.uint32],
    lengths: npt.NDArray[np.uint32],
    ids: npt.NDArray[np.uint32],
    times: npt.NDArray[np.int64],
    records: tuple[int, bool, int] | None,
    swapped: bool,
    at: int,
    out: npt.NDArray[np.uint8],
) -> tuple[int, int]: ...
def mac_texts(
    known: npt.NDArray[np.uint8],
    macs: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
) -> int: ...
def address_texts(
    version: npt.NDArray[np.uint8],
    high: npt.NDArray[np.uint64],
    low: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
) -> int: ...
def different_rows(
    kind: npt.NDArray[np.uint8],
    high: npt.NDArray[np.uint64],
    low: npt.NDArray[np.uint64],
    factors: tuple[int, int],
    slots: npt.NDArray[np.int32],
    codes: npt.NDArray[np.int32],
    first: npt.NDArray[np.int32],
) -> int: ...
def csv_rows(
    columns: list[CsvColumn], row: int, rows: int, out: npt.NDArray[np.uint8]
) -> tuple[int, int]: ...
def record_times(
    buffer: object,
    offsets: npt.NDArray[np.int64],
    header: int,
    swapped: bool,
    fraction: int,
    times: npt.NDArray[np.int64],
) -> None: ...
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
def tally_sides(
    entry: npt.NDArray[np.int32],
    code: npt.NDArray[np.uint8],
    own_entry: npt.NDArray[np.int32],
    own_code: npt.NDArray[np.uint8],
    lengths: npt.NDArray[np.uint32],
    sender: npt.NDArray[np.uint64],
    receiver: npt.NDArray[np.uint64],
) -> None: ...
def constants() -> dict[str, Any]: ...
