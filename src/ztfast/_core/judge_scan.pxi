# Scanning records and judging their frames on the way, while they are in the cache.
#
# Contract: as scan.pxi and block.pxi; outputs are as long as the columns, or nothing of them is
# kept but what count.pxi counts.  No GIL but in
# `start_scan` and `finish_scan`.
#
#     while any chain goes on:
#         a round: the chains find up to BLOCK records and take their frames' fields
#         the round is a block: judge it
#         each frame's results go back to its chain's stretch, or are counted
#     close the stretches of the chains that hold up
#
# A frame's verdict does not depend on the frames beside it, so it does not matter that a round
# mixes frames of all chains.  What is only counted cannot be taken back: where a chain did not
# hold, `Machine.count` throws the totals away and scans again with one chain.

cdef void judge_round(
    const Input *x, ScanState *t, Work *w, int sides, Side *results, Totals *totals, int others
) noexcept nogil:
    """Judge what the chains found in a round, as one block, while it is in the cache.

    others: how many frames `w.heads.other` names, where fields were taken; −1: they were not.
    The results go to the chains' stretches of `results`, or, where there are `totals`, are only
    counted there (count.pxi).
    """
    cdef int number, i, count = 0
    cdef Frames block
    memset(&block, 0, sizeof(block))
    for number in range(t.chains):
        count += t.chain[number].fresh
    block.buffer = x.buffer
    block.offsets = w.round.offsets
    block.captured = w.round.captured
    block.lengths = w.round.lengths
    block.ethernet = 1
    if others >= 0:
        finish_heads(&block, 0, 0, count, others, &w.columns)
    else:
        decode_block(&block, 0, count, count, &w.columns)
    judge_sides(w, sides, &block, 0, 0, count)
    if totals != NULL:
        count_round(t, w, sides, totals, count)
        return
    for i in range(sides):
        spread(t, &w.side[i], &results[i])
    if t.mark != NULL:
        spread_marks(t, w.ends.marks)
    keep_round(t, &w.round)


cdef void judge_scan(
    const Input *x, ScanState *t, Work *w, int sides, Side *results, Totals *totals
) noexcept nogil:
    """Follow all chains to their ends and judge what they find, round by round."""
    judge_round(x, t, w, sides, results, totals, -1)  # what laying the chains found
    while going(t):
        judge_round(
            x, t, w, sides, results, totals, follow_together(x, t, &w.round, &w.heads)
        )


cdef void spread(const ScanState *t, const Side *block, const Side *to) noexcept nogil:
    """A block's results, back to the chains that its frames came from."""
    cdef int number, fresh, count = 0
    cdef int64_t base
    for number in range(t.chains):
        fresh = t.chain[number].fresh
        base = number * t.capacity + t.chain[number].count
        memcpy(to.entry + base, block.entry + count, fresh * 4)
        memcpy(to.code + base, block.code + count, fresh)
        if to.copy != NULL:
            memcpy(to.copy + base, block.copy + count, fresh * 4)
        if to.capability_copy != NULL:
            memcpy(to.capability_copy + base, block.capability_copy + count, fresh * 4)
        if to.reads != NULL:
            memcpy(to.reads + base, block.reads + count, fresh * 4)
        count += fresh


cdef void spread_marks(const ScanState *t, const uint8_t *marks) noexcept nogil:
    cdef int number, count = 0
    for number in range(t.chains):
        memcpy(t.mark + number * t.capacity + t.chain[number].count, marks + count, t.chain[number].fresh)
        count += t.chain[number].fresh


cdef void close_up(void *items, const ScanState *t, int chains, int width) noexcept nogil:
    """Move the chains' stretches of one column together."""
    cdef int64_t at = t.chain[0].count
    cdef int number
    if items == NULL:
        return
    for number in range(1, chains):
        memmove(
            <char *>items + at * width,
            <char *>items + <int64_t>number * t.capacity * width,
            <size_t>t.chain[number].count * width,
        )
        at += t.chain[number].count


cdef tuple finish_scan(ScanState *t):
    """Close the columns up; (frames, where the scan stopped, error)."""
    cdef int chains = proved(t)
    cdef int i
    cdef int64_t count = 0
    close_up(t.offsets, t, chains, 8)
    close_up(t.captured, t, chains, 4)
    close_up(t.lengths, t, chains, 4)
    close_up(t.mark, t, chains, 1)
    for i in range(chains):
        count += t.chain[i].count
    return count, t.chain[chains - 1].place, t.chain[chains - 1].error, chains


cdef void take_window(
    Input *x, object buffer, int64_t start, int64_t end, object shape
) except *:
    """Read what is to be scanned; raises ValueError for what is not inside the buffer."""
    swapped, header, max_captured, interfaces = shape
    cdef Py_buffer view
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    x.buffer = <bytes_t>view.buf
    cdef int64_t size = view.len
    PyBuffer_Release(&view)  # the caller keeps the buffer
    if not 0 <= start <= end <= size:
        raise ValueError(f"the scan from {start} to {end} is outside the buffer of {size} bytes")
    x.end = end
    x.swapped = swapped
    x.header = header
    x.max_captured = max_captured
    x.interfaces = interfaces


cdef void start_scan(
    Input *x, ScanState *t, Round *r, object buffer, int64_t start, int64_t end, object shape,
    object columns, object marks
) except *:
    """columns: offsets, captured, lengths, to keep what is found; or None.  marks: as many bytes.

    Raises ValueError for a window that is not inside the buffer.
    """
    take_window(x, buffer, start, end, shape)
    memset(t, 0, sizeof(ScanState))
    t.total_capacity = end  # no more records than bytes
    if columns is not None:
        offsets, captured, lengths = columns
        t.offsets = <int64_t *>address_of(offsets)
        t.captured = <uint32_t *>address_of(captured)
        t.lengths = <uint32_t *>address_of(lengths)
        t.total_capacity = len(offsets)
        if marks is not None:
            t.mark = <uint8_t *>address_of(marks)
    lay_chains(x, t, r, start)


cdef void point_results(Side *side, Results *made) noexcept nogil:
    """Let a side's results go to a block's own columns."""
    side.entry = made.entry
    side.code = made.code
    side.copy = made.copy if side.copies else NULL
    side.capability_copy = made.capability_copy if side.copies > 1 else NULL
    side.reads = made.reads if side.has_reads else NULL
