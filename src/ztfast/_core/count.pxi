# Counting the frames of a round while they are in the cache, and keeping those that need more.
#
# Contract: as judge_scan.pxi.  Totals have a place for every (entry + 1) * 5 + code of every side;
# of two sides the receiver's stand behind the sender's.  A frame is counted once: by the side that
# decided.  No GIL.
#
# What becomes of most frames is a count and no more.  The others stand *apart*: they are not
# counted, their records are kept and marked, and who called judges them one by one:
#
#     a frame that any side copies or redirects, where it is not followed (follow.pxi): to whom, and
#         what arrives, is more than a count
#     an undirected frame (a multicast, or for a MAC behind a bridge) where the members are known:
#         each recipient judges it
#
# Where accepted frames are wanted, their records are kept too, in order, without the mark.

cdef enum:
    TURNS = 8           # results of a block that are counted all at once
    LONG = 1 << 21      # bytes of a frame
    COUNTED_ALREADY = 0xFFFFFFFF  # all bits, which `add_up` sets

cdef enum:
    GONE, PASSED, APART  # what becomes of a frame


cdef inline void set_apart(const Side *side, uint8_t *fate, int count) noexcept nogil:
    """The frames that a side copies or redirects."""
    cdef uint8_t had
    cdef int i
    for i in range(count):
        had = fate[i]
        fate[i] = APART if side.code[i] == REDIRECT else had
    if side.copy != NULL:
        for i in range(count):
            had = fate[i]
            fate[i] = APART if side.copy[i] >= 0 else had
    if side.capability_copy != NULL:
        for i in range(count):
            had = fate[i]
            fate[i] = APART if side.capability_copy[i] >= 0 else had


cdef void settle(Work *w, int sides, Totals *t, uint32_t *keys, uint8_t *fate, int count) noexcept nogil:
    """Where each frame of a block is counted, and what becomes of it."""
    cdef const Side *out = &w.side[0]
    cdef const Side *inward = &w.side[1]
    cdef uint8_t received[BLOCK]
    cdef uint8_t had, later
    cdef uint32_t key, inner
    cdef int i
    for i in range(count):
        keys[i] = <uint32_t>(out.entry[i] + 1) * 5 + out.code[i]
        fate[i] = PASSED if out.code[i] >= ACCEPT else GONE
    if t.forwards[0]:
        set_apart(out, fate, count)
    if sides == 2:
        for i in range(count):
            received[i] = PASSED if inward.code[i] >= ACCEPT else GONE
        if t.forwards[1]:
            set_apart(inward, received, count)
        for i in range(count):
            key = keys[i]
            inner = t.receiver + <uint32_t>(inward.entry[i] + 1) * 5 + inward.code[i]
            had = fate[i]
            later = received[i]
            keys[i] = inner if had == PASSED else key
            fate[i] = later if had == PASSED else had
    if t.asks_recipients:
        for i in range(count):
            had = fate[i]
            fate[i] = APART if w.ends.undirected[i] else had
    for i in range(count):
        key = keys[i]
        keys[i] = <uint32_t>COUNTED_ALREADY if fate[i] == APART else key


cdef inline uint32_t reads_of(uint32_t bits) noexcept nogil:
    """Bits of MISSING as those of model.reads.Reads."""
    return (
        (bits & 0x1FFF)
        | (ASSUMED_OWNERSHIP if bits & (MISSING_OWNED_IP | MISSING_OWNED_MAC) else 0)
        | (ASSUMED_TAGS if bits & (MISSING_LOCAL_TAGS | MISSING_REMOTE_TAGS) else 0)
        | (ASSUMED_ADDRESS if bits & MISSING_ADDRESSES else 0)
        | (READ_IP_SOURCE if bits & MISSING_IP6_SOURCE else 0)
        | (READ_IP_DEST if bits & MISSING_IP6_DEST else 0)
    )


cdef void count_reads(
    const Work *w, int sides, uint64_t *counts, const uint32_t *keys, uint32_t receiver, int count
) noexcept nogil:
    """Count by what verdicts read without its being known, as bits of model.reads.Reads."""
    cdef const uint32_t *out = w.side[0].reads
    cdef const uint32_t *inward = w.side[1].reads if sides == 2 else NULL
    cdef uint32_t bits
    cdef int i
    for i in range(count):
        if keys[i] == COUNTED_ALREADY:
            continue
        bits = out[i] if out != NULL else 0
        if inward != NULL and keys[i] >= receiver:
            bits |= inward[i]
        if bits:
            counts[reads_of(bits)] += 1


cdef void add_up(uint32_t *keys, const uint32_t *lengths, int count, Totals *t) noexcept nogil:
    """Count a block's frames, and their bytes, by key; what is counted already is left out.

    Most frames of a block share a few keys, so these are taken out one after the other, all their
    frames at once; what is left is counted frame by frame.
    """
    cdef uint32_t key, mask, hits, total, all_lengths = 0
    cdef int i, turn, at = 0, left = 0
    for i in range(count):
        left += keys[i] != COUNTED_ALREADY
        all_lengths |= lengths[i]
    for turn in range(TURNS if all_lengths < LONG else 0):  # sums of others do not fit 32 bits
        if not left:
            return
        while keys[at] == COUNTED_ALREADY:
            at += 1
        key = keys[at]
        hits = 0
        total = 0
        for i in range(count):
            mask = 0 - <uint32_t>(keys[i] == key)
            hits += mask & 1
            total += lengths[i] & mask
            keys[i] |= mask
        t.frames[key] += hits
        t.octets[key] += total
        left -= hits
    for i in range(at, count if left else at):
        if keys[i] != COUNTED_ALREADY:
            t.frames[keys[i]] += 1
            t.octets[keys[i]] += lengths[i]


cdef void clear_totals(Totals *t) noexcept nogil:
    """Nothing was counted."""
    memset(t.frames, 0, t.keys * 8)
    memset(t.octets, 0, t.keys * 8)
    if t.reads != NULL:
        memset(t.reads, 0, (<int64_t>1 << 16) * 8)
    if t.follow != NULL:
        memset(t.follow.frames, 0, t.follow.keys * 8)
        memset(t.follow.octets, 0, t.follow.keys * 8)


cdef void keep_some(ScanState *t, const Round *r, const uint8_t *fate, uint8_t least) noexcept nogil:
    """A round ends of which only the records of some frames are kept: of this fate or above."""
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
            t.mark[to] = fate[i] == APART
            to += fate[i] >= least
        at += c.fresh
        c.count = to - base
        c.fresh = 0


cdef void count_round(ScanState *t, Work *w, int sides, Totals *totals, int count) noexcept nogil:
    """Count the frames of a round, whose verdicts stand in the work area."""
    cdef uint32_t keys[BLOCK]
    cdef uint8_t fate[BLOCK]
    settle(w, sides, totals, keys, fate, count)
    if totals.follow != NULL:
        follow_copies(w, totals.follow, totals, keys, fate, count)
    if totals.reads != NULL and (w.side[0].seen | w.side[1].seen):
        count_reads(w, sides, totals.reads, keys, totals.receiver, count)
    add_up(keys, w.round.lengths, count, totals)
    if t.offsets != NULL:
        keep_some(t, &w.round, fate, PASSED if totals.keeps else APART)
    else:
        keep_round(t, &w.round)
