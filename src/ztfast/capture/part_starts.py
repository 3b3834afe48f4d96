"""Where parts of a large classic pcap may begin: guesses that only another part's end proves.

Contract: `likely_starts` gives places ascending, the first behind the capture's header; none for
what cannot be cut, and what it cannot make sense of it leaves to whoever reads the file.  Plain
captures are cut anywhere, those in zstd where a frame begins.
Tested by tests/capture/test_pcap_part.py and test_zstd_part.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from ztfast import dispatch
from ztfast.capture.packets import MAX_CAPTURED
from ztfast.capture.pcap_header import FILE_HEADER, PcapLayout
from ztfast.capture.pcap_part import Place, header_of
from ztfast.capture.pcap_scan import RecordShape
from ztfast.capture.ranges import Ranges
from ztfast.capture.zstd_part import decoded_from, frame_starts, is_zstd
from ztfast.errors import CaptureError

_SEARCHED = (1 << 17) + 2 * MAX_CAPTURED  # bytes: where a record is looked for, and what proves it
_AT_ONCE = 4  # places that are looked at at a time: in a store each answer takes its way
DENSE = 4  # bytes that one of zstd stands for, about


def likely_starts(file: Ranges, part: int) -> list[Place]:
    """Places where parts of about `part` decoded bytes may begin; raises OSError."""
    if dispatch.core is None:
        return []
    try:
        header = header_of(file)
        if header is None or header.layout is None:
            return []
        starts = _in_zstd if is_zstd(file) else _in_plain
        return starts(file, part, header.layout)
    except CaptureError:  # zstandard is not installed
        return []


def _in_plain(file: Ranges, part: int, layout: PcapLayout) -> list[Place]:
    parts, room = file.size // part, file.size - FILE_HEADER
    marks = [FILE_HEADER + room * number // parts for number in range(1, parts)]
    near = file.piece(FILE_HEADER, FILE_HEADER + layout.header)

    def look(mark: int) -> bytes:
        return file.piece(mark, mark + _SEARCHED)

    guessed = [Place(mark + offset) for mark, offset in _guessed(marks, look, near, layout)]
    return [Place(FILE_HEADER), *sorted(set(guessed))]


def _in_zstd(file: Ranges, part: int, layout: PcapLayout) -> list[Place]:
    marks = frame_starts(file, max(1, part // DENSE))
    near = decoded_from(file, 0, FILE_HEADER + layout.header)[FILE_HEADER:]
    look = partial(decoded_from, file, size=_SEARCHED)
    guessed = [Place(mark, offset) for mark, offset in _guessed(marks, look, near, layout)]
    return [Place(0, FILE_HEADER), *guessed]


def _guessed(
    marks: Sequence[int], look: Callable[[int], bytes], near: bytes, layout: PcapLayout
) -> Iterator[tuple[int, int]]:
    """(mark, bytes behind it where a record seems to begin), of the marks where one does.

    near: the head of a record before, of about the same time.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for at in range(0, len(marks), _AT_ONCE):
            some = marks[at : at + _AT_ONCE]
            for mark, data in zip(some, pool.map(look, some), strict=True):
                offset = _guess(near, data, layout)
                if offset >= 0:
                    near = data[offset : offset + layout.header]
                    yield mark, offset


def _guess(near: bytes, data: bytes, layout: PcapLayout) -> int:
    """Where a record seems to begin, −1: nowhere."""
    buffer = np.frombuffer(near + data, np.uint8)
    shape = RecordShape(layout.swapped, layout.header)
    place = dispatch.require().guess_record(buffer, 0, len(near), len(buffer), shape)
    return place - len(near) if place >= 0 else -1
