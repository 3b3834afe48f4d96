"""The live tap's loops in plain Python: what `ztfast/_tap.pyx` does, slower, where that is missing.

Contract: each function says here what both do.  Columns are numpy arrays with room for what is
asked for.  Tested by tests/live/test_loops.py, which compares both.
"""

from __future__ import annotations

import errno
import hashlib
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.engine.network_verdicts import Action
from ztfast.frames.batch import RawFrames
from ztfast.model.result import Result

Uint8s = npt.NDArray[np.uint8]
Int32s = npt.NDArray[np.int32]
Uint32s = npt.NDArray[np.uint32]
Int64s = npt.NDArray[np.int64]
Uint64s = npt.NDArray[np.uint64]
Run = Callable[..., int]

# linux/if_packet.h
BLOCK_STATUS, BLOCK_FRAMES, BLOCK_FIRST = 8, 12, 16
FRAME_HEADER = struct.Struct("=IIIIIIHHIIH")  # tpacket3_hdr, as far as it is read
HEADER_SIZE = 48
USER, VLAN_VALID, VLAN_TPID_VALID = 1, 1 << 4, 1 << 6
TAG, MACS, ETHERNET = 4, 12, 14
WHOLE = 0xFFFF_FFFF  # a limit of no frame

_WORD = struct.Struct("=I")
_PCAP = struct.Struct("=IIII")
_PCAPNG = struct.Struct("=IIIIIII")
_FULL = (errno.EAGAIN, errno.ENOBUFS)


# --- the ring ------------------------------------------------------------------------------------


class Walker:
    """Walks the blocks of a TPACKET_V3 ring, and gives them back.

    ring: all of it, of so many blocks of so many bytes.  wrong: makes the error of a block that
    cannot be.  The others: columns that `walk` fills.
    """

    def __init__(
        self,
        ring: Uint8s,
        block_size: int,
        blocks: int,
        offsets: Int64s,
        captured: Uint32s,
        lengths: Uint32s,
        times: Int64s,
        wrong: Callable[[str], Exception] = ValueError,
    ) -> None:
        self._view, self._size, self.blocks = memoryview(ring.data), block_size, blocks
        self._wrong = wrong
        self._offsets, self._captured = offsets, captured
        self._lengths, self._times = lengths, times

    def walk(self, current: int, most: int) -> tuple[int, int, int]:
        """(frames found, blocks taken, bytes that frames had), from block `current` on.

        At most `most` blocks are taken, and as many as the columns have room for.  A VLAN tag that
        the kernel took out is put back: the MACs move down by four bytes, which the ring reserves.
        Raises what `wrong` makes for a block that cannot be.
        """
        found = taken = 0
        while taken < min(most, self.blocks):
            block = self._view[current * self._size : (current + 1) * self._size]
            if not _word(block, BLOCK_STATUS) & USER:
                break
            frames = _word(block, BLOCK_FRAMES)
            if found + frames > len(self._offsets):
                if found:
                    break
                raise self._wrong(f"block {current} of the ring says that it holds {frames} frames")
            self._take(block, current, frames, found)
            found += frames
            taken += 1
            current = (current + 1) % self.blocks
        return found, taken, int(self._lengths[:found].sum())

    def _take(self, block: memoryview, number: int, frames: int, found: int) -> None:
        at = _word(block, BLOCK_FIRST)
        for row in range(found, found + frames):
            if at < 0 or at + HEADER_SIZE > self._size:
                raise self._wrong(f"block {number} of the ring has a frame outside of it")
            made = _frame(block, at)
            if made is None:
                raise self._wrong(f"block {number} of the ring has a frame outside of it")
            step, start, size, length, time = made
            self._offsets[row], self._captured[row] = number * self._size + start, size
            self._lengths[row], self._times[row] = length, time
            at += step

    def release(self, first: int, count: int) -> None:
        """Give `count` blocks back to the kernel, from block `first` on."""
        for number in range(first, first + count):
            _WORD.pack_into(self._view, number % self.blocks * self._size + BLOCK_STATUS, 0)


def _word(block: memoryview, at: int) -> int:
    return int(_WORD.unpack_from(block, at)[0])


def _frame(block: memoryview, at: int) -> tuple[int, int, int, int, int] | None:
    """(bytes to the next frame, place, captured, length, nanoseconds) of the frame at `at`."""
    step, seconds, rest, size, length, status, mac, _, _, tci, tpid = FRAME_HEADER.unpack_from(
        block, at
    )
    start = at + mac
    if start + size > len(block):
        return None
    if status & VLAN_VALID and size >= MACS and mac >= HEADER_SIZE + TAG:
        tag = struct.pack(">HH", tpid if status & VLAN_TPID_VALID else 0x8100, tci & 0xFFFF)
        macs = bytes(block[start : start + MACS])
        start -= TAG
        block[start : start + MACS + TAG] = macs + tag
        size, length = size + TAG, length + TAG
    return step, start, size, length, seconds * 1_000_000_000 + rest


# --- what becomes of frames ----------------------------------------------------------------------


class Joiner:
    """Judges frames, and joins what one or both sides say of each.

    run: `Machine.run`.  results: the engine.native_tables.Results that it fills; sides: the
    columns in them; facts: for each a live.judge.SideFacts, whose totals are added to.  undirected:
    it fills with 1 for frames that each of several recipients is to judge, None: there are none;
    asks: such a frame stands apart.  uncertain: frames not apart whose verdict read one of
    `uncertain_bits`.  The others are filled by `judge`.
    """

    def __init__(
        self,
        run: Run,
        results: Any,
        sides: Sequence[Any],
        facts: Sequence[Any],
        undirected: Uint8s | None,
        asks: bool,
        uncertain_bits: int,
        action: Uint8s,
        apart: Uint8s,
        row_frame: Int64s,
        row_target: Int32s,
        row_limit: Uint32s,
    ) -> None:
        self._run, self._results, self._sides, self._facts = run, results, sides, facts
        self._undirected, self._asks, self._bits = undirected, asks, uncertain_bits
        self._action, self._apart = action, apart
        self._rows = row_frame, row_target, row_limit
        self.uncertain = 0

    def judge(self, raw: RawFrames, first: int, count: int) -> tuple[int, int]:
        """(copies, frames apart) of the first `count` frames; first: the number of the first.

        Filled: action, `Action` by frame; apart, 1 for frames that need more than these columns
        (undirected or redirected ones), of which nothing else is filled; and a row for each copy in
        sending order: its frame, the number of its target, and how many bytes of the frame it holds
        at most.
        """
        noted = self._run(raw, self._results, None, first, None, 0, count, self._undirected)
        return self._join(noted, count, raw.lengths)

    def _join(self, noted: int, count: int, lengths: Uint32s) -> tuple[int, int]:
        """noted: 1 << side where this side's `reads` hold anything."""
        codes = [side.code[:count].astype(np.int64) for side in self._sides]
        passes = [code >= Result.ACCEPT for code in codes]
        reached = [np.ones(count, np.bool_), passes[0]]
        away = self._away(codes, reached)
        self._apart[:count] = away
        last = passes[0] if len(codes) == 2 else np.zeros(count, np.bool_)
        read = np.zeros(count, np.uint32)
        rows: list[tuple[Int64s, Int32s, Uint32s]] = []
        for number, (side, fact) in enumerate(zip(self._sides, self._facts, strict=True)):
            mine = ~away & (last == bool(number))
            verdict = np.where(passes[number], Action.ACCEPT, Action.DROP)
            self._action[:count][mine] = verdict[mine]
            entry = side.entry[:count][mine].astype(np.int64)
            keys = (entry + 1) * len(Result) + codes[number][mine]
            np.add.at(fact.totals[0], keys, np.uint64(1))
            np.add.at(fact.totals[1], keys, lengths[:count][mine].astype(np.uint64))
            if noted >> number & 1 and side.reads is not None:
                read |= np.where(reached[number] & ~away, side.reads[:count], np.uint32(0))
            for copy in (side.capability_copy, side.copy):
                if copy is not None:
                    sent = np.flatnonzero(~away & reached[number] & (copy[:count] >= 0))
                    rows.append((sent, fact.target[copy[sent]], fact.limit[copy[sent]]))
        self.uncertain += int(np.count_nonzero(read & np.uint32(self._bits)))
        return _laid(rows, *self._rows), int(away.sum())

    def _away(self, codes: list[Int64s], reached: list[npt.NDArray[np.bool_]]) -> Any:
        """Which frames are set apart."""
        count = len(codes[0])
        away = np.zeros(count, np.bool_)
        if self._asks and self._undirected is not None:
            away |= self._undirected[:count] != 0
        for number, code in enumerate(codes):
            if self._facts[number].redirects:
                away |= reached[number] & (code == Result.REDIRECT)
        return away


def _laid(
    rows: list[tuple[Int64s, Int32s, Uint32s]], frame: Int64s, target: Int32s, limit: Uint32s
) -> int:
    """Rows of copies by frame, each frame's in the order given; how many."""
    if not rows:
        return 0
    frames, targets, limits = (np.concatenate(column) for column in zip(*rows, strict=True))
    order = np.argsort(frames, kind="stable")
    count = len(order)
    frame[:count], target[:count], limit[:count] = frames[order], targets[order], limits[order]
    return count


def pick_copies(
    row_frame: Int64s,
    row_target: Int32s,
    row_limit: Uint32s,
    rows: int,
    wanted: Uint8s,
    captured: Uint32s,
    lengths: Uint32s,
    index: Int64s,
    kept: Uint32s,
    noted: Uint32s,
    times_sent: Int32s,
) -> tuple[int, int]:
    """(frames, copies) that go to a wanted target; rows as `Joiner.join` fills them, by frame.

    wanted: 1 for the targets, by number.  Filled, an item a frame: its number; bytes of the copy;
    bytes that the copy is said to have had; how many copies these are.  Of several copies of one
    frame the longest counts.
    """
    mine = np.flatnonzero(wanted[row_target[:rows]])
    if not len(mine):
        return 0, 0
    frames, first, copies = np.unique(row_frame[mine], return_index=True, return_counts=True)
    limit = np.maximum.reduceat(row_limit[mine], first)
    whole = np.maximum(captured[frames], lengths[frames])
    count = len(frames)
    index[:count], times_sent[:count] = frames, copies
    kept[:count], noted[:count] = np.minimum(captured[frames], limit), np.minimum(whole, limit)
    return count, len(mine)


def pick_frames(
    action: Uint8s,
    count: int,
    which: int,
    captured: Uint32s,
    lengths: Uint32s,
    index: Int64s,
    kept: Uint32s,
    noted: Uint32s,
    times_sent: Int32s,
) -> int:
    """How many frames have the action `which` (−1: any); filled as by `pick_copies`."""
    mine = np.arange(count) if which < 0 else np.flatnonzero(action[:count] == which)
    found = len(mine)
    index[:found], kept[:found] = mine, captured[mine]
    noted[:found] = np.maximum(captured[mine], lengths[mine])
    times_sent[:found] = 1
    return found


# --- out -----------------------------------------------------------------------------------------


def send(
    descriptor: int,
    ring: Uint8s,
    offsets: Int64s,
    index: Int64s,
    kept: Uint32s,
    first: int,
    count: int,
    header: Uint8s,
    stop_when_full: bool,
    errors: Uint64s,
) -> tuple[int, int, int]:
    """(the next frame, frames sent, bytes sent) of frames `first` to before `count` of `index`.

    Each is a message of its own, with `header` in front.  One that fails is counted in `errors`, by
    number (0: larger than there is room), and costs itself only.  stop_when_full: where the queue
    is full, stop there instead.
    """
    view, lead, sent, octets = memoryview(ring.data), header.tobytes(), 0, 0
    with socket.socket(fileno=_another(descriptor)) as out:
        while first < count:
            size, start = int(kept[first]), int(offsets[index[first]])
            try:
                out.sendmsg([lead, view[start : start + size]], (), socket.MSG_DONTWAIT)
            except ConnectionRefusedError:
                continue  # of a message before this one
            except OSError as error:
                number = error.errno or 0
                if stop_when_full and number in _FULL:
                    break
                errors[number if number < len(errors) else 0] += np.uint64(1)
            else:
                sent, octets = sent + 1, octets + size
            first += 1
    return first, sent, octets


def _another(descriptor: int) -> int:
    import os

    return os.dup(descriptor)


def pack(
    blocks: bool,
    ring: Uint8s,
    offsets: Int64s,
    times: Int64s,
    index: Int64s,
    kept: Uint32s,
    noted: Uint32s,
    first: int,
    count: int,
    interface: int,
    out: Uint8s,
    ends: Int64s,
) -> tuple[int, int]:
    """(the next frame, bytes used) after packing frames `first` to before `count` into `out`.

    blocks: as pcapng's enhanced packet blocks, else as records of a classic pcap; nanoseconds.
    ends: where each record ends in `out`.  What has no room is left for the next call.
    """
    view, source, used, packed = memoryview(out.data), memoryview(ring.data), 0, 0
    while first < count and packed < len(ends):
        at, size, time = int(index[first]), int(kept[first]), int(times[index[first]])
        start = int(offsets[at])
        data = bytes(source[start : start + size])
        if blocks:
            total = (size + 3 & ~3) + 32
            head = _PCAPNG.pack(
                6, total, interface, time >> 32, time & WHOLE, size, int(noted[first])
            )
            record = head + data.ljust(total - 32, b"\0") + _WORD.pack(total)
        else:
            record = _PCAP.pack(*divmod(time, 1_000_000_000), size, int(noted[first])) + data
        if used + len(record) > len(out):
            break
        view[used : used + len(record)] = record
        used += len(record)
        ends[packed] = used
        packed += 1
        first += 1
    return first, used


# --- doubles -------------------------------------------------------------------------------------

_MOST_SEEN = 1 << 18


class Window:
    """Frames that came lately, of which doubles are expected.

    width: nanoseconds from a frame's first coming in which its doubles count.  key: 16 bytes that
    nobody outside knows, so that no other frame can be made to look like it.  forgotten: frames
    that could not be remembered for so long, since there were too many.
    """

    def __init__(self, width: int, key: bytes, bits: int = 15) -> None:
        if len(key) != 16:
            raise ValueError("a key has 16 bytes")
        self.forgotten = 0
        self._width, self._key, self._most = width, key, min(_MOST_SEEN, 8 << bits)
        self._seen: dict[bytes, tuple[int, int]] = {}  # digest -> (first, doubles still to come)

    def sift(
        self,
        ring: Uint8s,
        offsets: Int64s,
        times: Int64s,
        index: Int64s,
        kept: Uint32s,
        noted: Uint32s,
        expected: Int32s,
        count: int,
    ) -> int:
        """How many of `count` chosen frames are no doubles; the columns hold only these then.

        expected: how often each comes by the rules.  A frame that comes for the first time passes,
        and the next `expected − 1` of the same bytes and length within the window do not.
        """
        passed = 0
        for at in range(count):
            frame = int(index[at])
            if expected[at] > 1:
                start = int(offsets[frame])
                data = ring[start : start + int(kept[at])].tobytes()
                what = _digest(self._key, data, int(noted[at]))
                if self._is_double(what, int(times[frame]), int(expected[at])):
                    continue
            for column in (index, kept, noted, expected):
                column[passed] = column[at]
            passed += 1
        return passed

    def _is_double(self, what: bytes, time: int, expected: int) -> bool:
        first, left = self._seen.pop(what, (0, 0))
        if left and 0 <= time - first <= self._width:
            if left > 1:
                self._seen[what] = first, left - 1
            return True
        self._make_room(time)
        self._seen[what] = time, expected - 1
        return False

    def _make_room(self, time: int) -> None:
        """Forget the oldest, which are too old as a rule."""
        while self._seen:
            oldest = next(iter(self._seen))
            old = time - self._seen[oldest][0] > self._width
            if not old and len(self._seen) < self._most:
                return
            self.forgotten += not old
            del self._seen[oldest]


def _digest(key: bytes, data: bytes, length: int) -> bytes:
    return hashlib.blake2b(data, digest_size=16, key=key, salt=length.to_bytes(8, "big")).digest()
