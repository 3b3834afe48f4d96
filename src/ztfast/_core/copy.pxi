# Loops that stand alone: scanning pcapng blocks, copying ranges, counting results.
#
# Contract: other than elsewhere, `scan_blocks` and `copy_ranges` check what they are given: nothing
# is read outside the buffer or written outside the output, whatever lengths, starts and ends say.
# `tally` checks that its columns are of one length and trusts their values: entries and codes must
# have a place in its rows.  No GIL in the loops.

def scan_blocks(
    const uint8_t[::1] buffer, int64_t start, int64_t end, bint swapped, int64_t max_block,
    uint32_t[::1] types, int64_t[::1] places
):
    """Scan pcapng blocks from `start` to `end`; capture/pcapng_scan.py has the contract.

    types: uint32[n], filled with the blocks' types; places: int64[n + 1], with where each
    starts and at last where the scan stopped.  Returns (blocks found, place, error).
    """
    cdef Input x
    cdef int64_t count = 0, capacity = types.shape[0], size
    cdef int error = 0
    if start < 0 or end > buffer.shape[0] or places.shape[0] <= capacity:
        raise ValueError("the scan is outside the buffer, or its columns are too short")
    places[0] = start
    if capacity == 0 or start + 8 > end:
        return 0, start, 0
    x.buffer = &buffer[0]
    x.swapped = swapped
    with nogil:
        while count < capacity and start + 8 <= end:
            types[count] = field(&x, start)
            if types[count] == SECTION_HEADER:
                error = BLOCK_SECTION
                break
            size = field(&x, start + 4)
            if size < 12 or size & 3 or size > max_block:
                error = BLOCK_SIZE
                break
            if start + size > end:
                break
            if field(&x, start + size - 4) != size:
                error = BLOCK_TRAILER
                break
            start += size
            count += 1
            places[count] = start
    return count, start, error


def copy_ranges(
    const uint8_t[::1] buffer, const int64_t[::1] starts, const int64_t[::1] ends, int64_t at,
    uint8_t[::1] out
):
    """Copy stretches of `buffer`, from number `at` on, one behind the other into `out`.

    Stops before the first that does not fit; sinks/copy_ranges.py has the contract.
    Returns (the next stretch's number, bytes copied); −1 for a stretch outside the buffer.
    Raises ValueError for a negative `at`.
    """
    cdef int64_t count = min(starts.shape[0], ends.shape[0])
    cdef int64_t capacity = out.shape[0], size = buffer.shape[0]
    cdef int64_t used = 0, length
    if at < 0:
        raise ValueError(f"there is no stretch {at}")
    with nogil:
        while at < count:
            if starts[at] < 0 or ends[at] < starts[at] or ends[at] > size:
                at = -1
                break
            length = ends[at] - starts[at]
            if length > capacity - used:
                break
            memcpy(&out[0] + used, &buffer[0] + starts[at], length)
            used += length
            at += 1
    return at, used


def tally(
    const int32_t[::1] entry, const uint8_t[::1] code, const uint32_t[::1] lengths,
    uint64_t[::1] frames, uint64_t[::1] sums
):
    """Count frames and sum lengths by (entry + 1) * 5 + code.

    Raises ValueError where the columns, or the two rows of results, differ in length.
    """
    cdef int64_t i, at, count = entry.shape[0]
    if code.shape[0] != count or lengths.shape[0] != count or frames.shape[0] != sums.shape[0]:
        raise ValueError("entries, codes and lengths must be as many, frames and sums too")
    with nogil:
        for i in range(count):
            at = (<int64_t>entry[i] + 1) * 5 + code[i]
            frames[at] += 1
            sums[at] += lengths[i]


def tally_sides(
    const int32_t[::1] entry, const uint8_t[::1] code, const int32_t[::1] own_entry,
    const uint8_t[::1] own_code, const uint32_t[::1] lengths, uint64_t[:, ::1] sender,
    uint64_t[:, ::1] receiver
):
    """Count as `tally` does by the sender's verdict, or the receiver's where the sender accepts.

    entry, code: the sender's; own_entry, own_code: the receiver's.  sender, receiver: frames and
    their lengths.  Raises ValueError where the columns differ in length, or either is not two rows.
    """
    cdef int64_t i, at, own, passes, count = entry.shape[0]
    cdef uint64_t *frames[2]
    cdef uint64_t *sums[2]
    if not (count == code.shape[0] == own_entry.shape[0] == own_code.shape[0] == lengths.shape[0]):
        raise ValueError("entries, codes and lengths must be as many")
    if sender.shape[0] != 2 or receiver.shape[0] != 2:
        raise ValueError("frames and sums are two rows")
    if not count:
        return
    frames[0], sums[0] = &sender[0, 0], &sender[1, 0]
    frames[1], sums[1] = &receiver[0, 0], &receiver[1, 0]
    with nogil:
        for i in range(count):
            passes = code[i] >= ACCEPT
            at = (<int64_t>entry[i] + 1) * 5 + code[i]
            own = (<int64_t>own_entry[i] + 1) * 5 + own_code[i]
            at ^= (at ^ own) & -passes  # no branch: frames that pass and do not are mixed
            frames[passes][at] += 1
            sums[passes][at] += lengths[i]


cdef inline void store32(uint8_t *p, uint32_t value, int swapped) noexcept nogil:
    cdef uint32_t stored = zt_swap32(value) if swapped else value
    memcpy(p, &stored, 4)


cdef inline int64_t record_time(const Input *x, int64_t at, int64_t fraction) noexcept nogil:
    """When a classic pcap's record was captured, in nanoseconds; `fraction` is its unit."""
    return <int64_t>field(x, at) * 1000000000 + <int64_t>field(x, at + 4) * fraction


cdef enum:
    FRAMES_AHEAD = 4  # frames whose bytes are asked for before they are copied
    MOST_FETCHED = 2048  # bytes of each


cdef inline void fetch(
    const uint8_t *buffer, int64_t start, int64_t length, int64_t size
) noexcept nogil:
    """Ask for a frame's lines, and the one before, if it is inside the buffer.

    The processor does not do so by itself, as an output's frames lie apart: packing takes 0.7 of
    the time.
    """
    cdef int64_t at, end
    if start < LINE or start > size or length > size - start:
        return
    at = start - LINE
    end = start + min(length, <int64_t>MOST_FETCHED)
    while at < end:
        zt_prefetch(buffer + at)
        at += LINE


def pack_packets(
    const uint8_t[::1] buffer, const int64_t[::1] starts, const uint32_t[::1] kept,
    const uint32_t[::1] lengths, const uint32_t[::1] ids, const int64_t[::1] times, object records,
    bint swapped, int64_t at, uint8_t[::1] out
):
    """Build pcapng's enhanced packet blocks, without options, from frame `at` on into `out`.

    Of each frame: where it starts in `buffer`, how many of its bytes are kept, its original length,
    interface and time; or instead of times `records`, (header, swapped, fraction) as `record_times`
    takes them, where a record of a classic pcap stands around each.  Stops before the first block that does not fit.  Returns (the next frame,
    bytes written).  Raises ValueError where the columns differ in length, `at` is none of them, or
    a frame is not inside the buffer.
    """
    cdef int64_t count = starts.shape[0], size = buffer.shape[0], room = out.shape[0]
    cdef int64_t used = 0, total, body, header = 0, fraction = 0
    cdef uint64_t time
    cdef int inside = 1
    cdef int from_records = records is not None
    cdef uint8_t *p
    cdef Input x
    if at < 0 or not (
        kept.shape[0] == count and lengths.shape[0] == count and ids.shape[0] == count
        and (from_records or times.shape[0] == count)
    ):
        raise ValueError("the columns of frames must be as many")
    x.buffer = &buffer[0] if size else NULL
    if from_records:
        header, x.swapped, fraction = records
        if header < 8:
            raise ValueError("a record's header has 8 bytes or more")
    with nogil:
        while at < count:
            body = kept[at]
            total = 32 + (body + 3) // 4 * 4
            if starts[at] < header or starts[at] > size or body > size - starts[at]:
                inside = 0
                break
            if total > room - used:
                break
            if at + FRAMES_AHEAD < count:
                fetch(&buffer[0], starts[at + FRAMES_AHEAD], kept[at + FRAMES_AHEAD], size)
            p = &out[0] + used
            if from_records:
                time = <uint64_t>record_time(&x, starts[at] - header, fraction)
            else:
                time = <uint64_t>times[at]
            store32(p, ENHANCED_PACKET, swapped)
            store32(p + 4, <uint32_t>total, swapped)
            store32(p + 8, ids[at], swapped)
            store32(p + 12, <uint32_t>(time >> 32), swapped)
            store32(p + 16, <uint32_t>time, swapped)
            store32(p + 20, kept[at], swapped)
            store32(p + 24, lengths[at], swapped)
            if body:
                memset(p + total - 8, 0, 4)  # the padding, before the frame's last bytes
                memcpy(p + 28, &buffer[0] + starts[at], body)
            store32(p + total - 4, <uint32_t>total, swapped)
            used += total
            at += 1
    if not inside:
        raise ValueError(f"frame {at} is outside its buffer")
    return at, used


def record_times(
    const uint8_t[::1] buffer, const int64_t[::1] offsets, int64_t header, bint swapped,
    int64_t fraction, int64_t[::1] times
):
    """Read the times of a classic pcap's records, in nanoseconds, by where their frames begin.

    header: bytes of a record's header, which stands in front.  fraction: nanoseconds of its unit.
    Raises ValueError where a header is not inside the buffer, or the columns differ in length.
    """
    cdef int64_t i, at, count = offsets.shape[0], size = buffer.shape[0]
    cdef Input x
    cdef int inside = 1
    if times.shape[0] != count or header < 8:
        raise ValueError("the columns of records must be as many")
    if count == 0:
        return
    x.buffer = &buffer[0] if size else NULL
    x.swapped = swapped
    with nogil:
        for i in range(count):
            at = offsets[i] - header
            if at < 0 or at > size - 8:
                inside = 0
                break
            times[i] = record_time(&x, at, fraction)
    if not inside:
        raise ValueError(f"the header of record {i} is outside its buffer")
