# Scanning records and judging their frames on the way, while they are in the cache.
#
# Contract: as scan.pxi and block.pxi; outputs are as long as the columns, or nothing of them is
# kept but the totals, whose rows have a place for every (entry + 1) * 5 + code.  No GIL but in
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

cdef enum:
    TURNS = 8           # results of a block that are counted all at once
    COUNTED_ALREADY = 0xFFFFFFFF


cdef void keep_passed(ScanState *t, const Round *r, const uint8_t *code) noexcept nogil:
    """A round ends of which only the frames are kept that go on."""
    cdef int number, i, at = 0
    cdef int64_t to, base
    cdef Cursor *c
    for number in range(t.chains):
        c = &t.chain[number]
        base = number * t.capacity
        to = base + c.count
        for i in range(at, at + c.fresh):  # the stretch holds all of them: see `follow`
            t.offsets[to] = r.offsets[i]
            t.captured[to] = r.captured[i]
            t.lengths[to] = r.lengths[i]
            to += code[i] >= REDIRECT
        at += c.fresh
        c.count = to - base
        c.fresh = 0


cdef void judge_round(
    const Input *x, ScanState *t, Work *w, int sides, char *arena, Side *results, Totals *totals,
    int others
) noexcept nogil:
    """Judge what the chains found in a round, as one block, while it is in the cache.

    others: how many frames `w.heads.other` names, where fields were taken; −1: they were not.
    The results go to the chains' stretches of `results`, or, where there are `totals`, are only
    counted there, and of the records only those kept whose frames go on.
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
    for i in range(sides):
        judge_block(w, &w.side[i], arena, 0, count)
        arena += <int64_t>w.side[i].columns * BLOCK * 8
        if totals == NULL:
            spread(t, &w.side[i], &results[i])
    if totals != NULL:
        add_up(&w.side[0], w.round.lengths, count, totals.frames, totals.octets)
    if totals != NULL and t.offsets != NULL:
        keep_passed(t, &w.round, w.side[0].code)
    else:
        keep_round(t, &w.round)


cdef void judge_scan(
    const Input *x, ScanState *t, Work *w, int sides, Side *results, Totals *totals
) noexcept nogil:
    """Follow all chains to their ends and judge what they find, round by round."""
    cdef char *arena = w.arena + FIRST_OWN * BLOCK * 8
    judge_round(x, t, w, sides, arena, results, totals, -1)  # what laying the chains found
    while going(t):
        judge_round(
            x, t, w, sides, arena, results, totals, follow_together(x, t, &w.round, &w.heads)
        )


cdef void add_up(
    const Side *block, const uint32_t *lengths, int count, uint64_t *frames, uint64_t *octets
) noexcept nogil:
    """Count a block's results: frames and bytes by (entry + 1) * 5 + code.

    Most frames of a block share a few results, so these are taken out one after the other, all
    their frames at once; what is left is counted frame by frame.
    """
    cdef uint32_t keys[BLOCK]
    cdef uint32_t key
    cdef uint64_t total
    cdef int i, hits, turn, at = 0, left = count
    for i in range(count):
        keys[i] = <uint32_t>(block.entry[i] + 1) * 5 + block.code[i]
    for turn in range(TURNS):
        if not left:
            return
        while keys[at] == COUNTED_ALREADY:
            at += 1
        key = keys[at]
        hits = 0
        total = 0
        for i in range(count):
            hits += keys[i] == key
            total += lengths[i] if keys[i] == key else 0
            keys[i] = <uint32_t>COUNTED_ALREADY if keys[i] == key else keys[i]
        frames[key] += hits
        octets[key] += total
        left -= hits
    for i in range(at, count if left else at):
        if keys[i] != COUNTED_ALREADY:
            frames[keys[i]] += 1
            octets[keys[i]] += lengths[i]


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
    for i in range(chains):
        count += t.chain[i].count
    return count, t.chain[chains - 1].place, t.chain[chains - 1].error, chains


cdef void start_scan(
    Input *x, ScanState *t, Round *r, object buffer, int64_t start, int64_t end, int swapped,
    int header, uint32_t max_captured, object columns
) except *:
    """columns: offsets, captured, lengths, to keep what is found; or None.

    Raises ValueError for a window that is not inside the buffer.
    """
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
    memset(t, 0, sizeof(ScanState))
    t.total_capacity = end  # no more records than bytes
    if columns is not None:
        offsets, captured, lengths = columns
        t.offsets = <int64_t *>address_of(offsets)
        t.captured = <uint32_t *>address_of(captured)
        t.lengths = <uint32_t *>address_of(lengths)
        t.total_capacity = len(offsets)
    lay_chains(x, t, r, start)


cdef void point_results(Side *side, Results *made) noexcept nogil:
    """Let a side's results go to a block's own columns."""
    side.entry = made.entry
    side.code = made.code
    if side.copy != NULL:
        side.copy = made.copy
    if side.capability_copy != NULL:
        side.capability_copy = made.capability_copy
    if side.reads != NULL:
        side.reads = made.reads
