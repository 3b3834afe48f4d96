# Scanning records: where the frames of a classic pcap are, or of a run of pcapng packet blocks.
#
# Contract: nothing is read outside buffer[start … end − 1]; `columns` are as long as each other.
# The records themselves are not trusted: a record counts only if it is known to end before
# `end`, or before where the next chain began.  No GIL while records are followed.
#
# A record is found only through the one before it, so one scan waits for memory at every record.
# Several at once do not: the input is cut at guessed records, and CHAINS chains each follow their
# own part, one record each in turn, with the next ones' lines fetched meanwhile.
#
#     place[0] = start; place[i] = first place behind the i-th part's begin at which PROOF
#                       plausible records follow each other            (find_record, lay_chains)
#     limit[i] = place[i + 1], the last one: end
#     round by round:   each chain takes `steps` records, or stops at its limit   (follow_together)
#     at the end:       chain i holds if chain i − 1 holds, did not stop early, and arrived exactly
#                       at place[i]; all from the first that does not hold on are left out  (proved)
#
# Why a wrong guess cannot do harm: chain 0 starts at a record.  If chain i holds and arrives at
# place[i + 1], a record starts there, for that is where the scan from `start` would have arrived;
# so chain i + 1 scanned records, the very ones that follow.  By induction the chains that hold,
# one behind the other, are what a single scan finds.  If a guess is inside a frame (a capture of
# captures has plausible records there), the chain before runs past it or stops, place differs,
# and the caller goes on from where that chain is; only time was lost.
#
# Chain by chain the records go to stretches of `capacity` items, closed up in the end
# (judge_scan.pxi).  The tight loop checks only max_captured and after + 16 < limit: then the record
# lies before its chain's limit and the next one's header can be read.  What does not pass goes to
# `follow`, which checks each thing by itself and says what was wrong.  Packet blocks all do.

cdef enum:
    QUOTA = 64          # records that tell how long records are here
    PADDING = 40        # items less in a chain's stretch: not a multiple of the page
    ALONE = 1 << 18     # bytes below which one chain does
    TRIES = 1 << 17     # bytes searched for a chain's first record
    SHORT = 160         # mean bytes of a record below which the lines ahead are all wanted
    FEW = 4             # chains that follow short records: these want lines in a row,
    AHEAD = 2048        # fetched so many bytes ahead
    PROOF = 4           # records that must follow a guessed one


cdef void follow(const Input *x, ScanState *t, Round *r, int number, int quota) noexcept nogil:
    """Follow one chain over up to `quota` records, every one checked."""
    cdef Cursor *c = &t.chain[number]
    cdef Record found
    cdef int whole
    cdef int at = number * t.steps + c.fresh
    while quota and not c.stopped and c.place < c.limit:
        if c.count + c.fresh == t.capacity:
            c.stopped = 1
            break
        if x.interfaces:
            whole = block_at(x, c.place, &found)
        else:
            whole = record_at(x, c.place, &found)
        if whole != 1:
            c.stopped = 1
            c.error = SCAN_TOO_LONG if whole < 0 else SCAN_OK
            break
        r.offsets[at] = found.body
        r.captured[at] = found.captured
        r.lengths[at] = found.length
        at += 1
        c.fresh += 1
        quota -= 1
        c.place = found.after
        zt_prefetch(x.buffer + found.after)
        zt_prefetch(x.buffer + found.after + LINE)


cdef void follow_blocks(const Input *x, ScanState *t, Round *r) noexcept nogil:
    """One round over packet blocks, every one checked: each chain takes one in turn."""
    cdef int i, step
    for i in range(t.chains):
        t.chain[i].fresh = 0
    for step in range(t.steps):
        for i in range(t.chains):
            follow(x, t, r, i, 1)
    close_round(t, r)


cdef inline int follow_together(const Input *x, ScanState *t, Round *r, Heads *heads) noexcept nogil:
    """One round: every chain takes one record in turn, so that none waits for another's miss.

    With `heads` the frames' fields are taken on the way, while they are in the first cache;
    returns how many frames `heads.other` names then, or −1 where not all fields were taken.
    """
    cdef int64_t place[CHAINS]
    cdef int64_t limit[CHAINS]
    cdef int slot[CHAINS]
    cdef int owner[CHAINS]
    cdef bytes_t buffer = x.buffer
    cdef bytes_t body
    cdef int64_t header = x.header
    cdef uint32_t max_captured = x.max_captured
    cdef uint64_t both
    cdef int64_t here, after
    cdef int64_t ahead = t.ahead
    cdef int swapped = x.swapped
    cdef int steps = t.steps
    cdef int active = 0, others = 0
    cdef int i, k, at, step
    cdef Cursor *c
    if x.interfaces:
        follow_blocks(x, t, r)
        return -1
    for i in range(t.chains):
        c = &t.chain[i]
        c.fresh = 0
        # far from its end: the tight loop needs no other check than `limit`
        if c.stopped or c.count + steps > t.capacity or c.place + 16 >= c.limit:
            follow(x, t, r, i, steps)
            continue
        place[active] = c.place
        limit[active] = c.limit
        slot[active] = i * steps
        owner[active] = i
        active += 1
    for step in range(steps):
        k = 0
        while k < active:
            here = place[k]
            both = load64(buffer + here + 8)
            if swapped:
                both = zt_swap64(both)
                both = both << 32 | both >> 32
            after = here + header + <int64_t><uint32_t>both
            if <uint32_t>both > max_captured or after + 16 >= limit[k]:
                c = &t.chain[owner[k]]  # leave it to the careful loop
                c.place = here
                c.fresh = step
                follow(x, t, r, owner[k], steps - step)
                active -= 1
                place[k] = place[active]
                limit[k] = limit[active]
                slot[k] = slot[active]
                owner[k] = owner[active]
                continue
            zt_prefetch(buffer + after + ahead)
            zt_prefetch(buffer + after + ahead + LINE)
            place[k] = after
            at = slot[k] + step
            r.offsets[at] = here + header
            r.captured[at] = <uint32_t>both
            r.lengths[at] = <uint32_t>(both >> 32)
            if heads != NULL:
                body = buffer + here + header if <uint32_t>both >= FAST else <bytes_t>NOTHING
                heads.other[others] = <uint16_t>at
                others += take_head(heads, at, body, 1)
            k += 1
    for k in range(active):
        c = &t.chain[owner[k]]
        c.place = place[k]
        c.fresh = steps
    if active == t.chains:
        return others if heads != NULL else -1
    close_round(t, r)
    return -1


cdef void close_round(const ScanState *t, Round *r) noexcept nogil:
    """Some chain took less than its part: move what the others took together."""
    cdef int number, slot, fresh, at = 0
    for number in range(t.chains):
        slot = number * t.steps
        fresh = t.chain[number].fresh
        memmove(r.offsets + at, r.offsets + slot, fresh * 8)
        memmove(r.captured + at, r.captured + slot, fresh * 4)
        memmove(r.lengths + at, r.lengths + slot, fresh * 4)
        at += fresh


cdef void keep_round(ScanState *t, const Round *r) noexcept nogil:
    """A round ends: its records go to the chains' stretches, where they are kept."""
    cdef int number, fresh, at = 0
    cdef int64_t to
    cdef Cursor *c
    for number in range(t.chains):
        c = &t.chain[number]
        fresh = c.fresh
        if t.offsets != NULL:
            to = number * t.capacity + c.count
            memcpy(t.offsets + to, r.offsets + at, fresh * 8)
            memcpy(t.captured + to, r.captured + at, fresh * 4)
            memcpy(t.lengths + to, r.lengths + at, fresh * 4)
            at += fresh
        c.count += fresh
        c.fresh = 0


cdef inline int64_t behind_plausible(const Input *x, int64_t at, uint32_t near) noexcept nogil:
    """Where the next record starts if one that could be real starts here, else −1."""
    cdef Record r
    cdef uint32_t captured, length, seconds
    if x.interfaces:
        return r.after if block_at(x, at, &r) else -1
    if at + 16 > x.end:
        return -1
    captured = field(x, at + 8)
    if captured > x.max_captured:
        return -1
    length = field(x, at + 12)
    seconds = field(x, at)
    if (
        captured <= length and length - 1 < 0x1000000
        and seconds - near + 86400 < 2 * 86400 and field(x, at + 4) < 1000000000
    ):
        return at + x.header + captured
    return -1


cdef int64_t find_record(const Input *x, int64_t at, uint32_t near) noexcept nogil:
    """The first place from `at` on where PROOF plausible records follow each other, or −1.

    Only a guess: the chain before must arrive exactly there.  Blocks start a multiple of 4 bytes
    apart: `at` must be one.
    """
    cdef int64_t stop = min(at + TRIES, x.end)
    cdef int64_t place
    cdef int seen, step = 4 if x.interfaces else 1
    while at < stop:
        place = at
        seen = 0
        while seen < PROOF:
            place = behind_plausible(x, place, near)
            if place < 0:
                break
            seen += 1
        if seen == PROOF:
            return at
        at += step
    return -1


cdef void set_chain(ScanState *t, int number, int64_t start, int64_t limit) noexcept nogil:
    cdef Cursor *c = &t.chain[number]
    memset(c, 0, sizeof(Cursor))
    c.start = c.place = start
    c.limit = limit


cdef void set_alone(ScanState *t, int64_t start, int64_t end) noexcept nogil:
    """One chain follows all of the input."""
    t.chains = 1
    t.steps = BLOCK
    t.capacity = t.total_capacity
    set_chain(t, 0, start, end)


cdef void lay_chains(const Input *x, ScanState *t, Round *r, int64_t start) noexcept nogil:
    """Decide how many chains follow the input from `start`, and where each begins."""
    cdef int64_t place, end, mean, apart
    cdef int64_t guesses[CHAINS]
    cdef int i, made, chains = CHAINS
    set_alone(t, start, x.end)
    if x.end - start < ALONE or t.total_capacity < CHAINS * (QUOTA + PADDING):
        return
    follow(x, t, r, 0, QUOTA)  # how long records are here
    if t.chain[0].stopped:
        return
    mean = (t.chain[0].place - start) // QUOTA
    if mean < SHORT:
        t.ahead = AHEAD
        chains = FEW
    end = x.end
    if t.offsets != NULL:
        end = min(end, start + mean * t.total_capacity * 7 // 8)
    apart = (end - t.chain[0].place) // chains
    if apart < ALONE // CHAINS:
        return
    made = 1
    for i in range(1, chains):
        place = find_record(x, t.chain[0].place + i * (apart & ~<int64_t>3), field(x, start))
        if place < 0 or place <= guesses[made - 1] and made > 1:
            continue
        guesses[made] = place
        made += 1
    if made == 1:
        return
    # the chains' stretches must not fall on the same cache lines
    t.capacity = t.total_capacity // made - PADDING if t.offsets != NULL else t.total_capacity
    t.chain[0].limit = guesses[1]
    for i in range(1, made):
        set_chain(t, i, guesses[i], guesses[i + 1] if i + 1 < made else end)
    t.chains = made
    t.steps = BLOCK // made


cdef int going(const ScanState *t) noexcept nogil:
    """Is any chain not at its end?"""
    cdef int i
    for i in range(t.chains):
        if not t.chain[i].stopped and t.chain[i].place < t.chain[i].limit:
            return 1
    return 0


cdef int proved(ScanState *t) noexcept nogil:
    """How many chains hold: each must have been reached exactly by the one before.

    Where one was not, it and all behind it count for nothing.
    """
    cdef int i
    for i in range(1, t.chains):
        if t.chain[i - 1].stopped or t.chain[i - 1].place != t.chain[i].start:
            return i
    return t.chains


def scan_records(
    object buffer, int64_t start, int64_t end, object shape, tuple columns
):
    """Scan records from `start` to `end`; capture/pcap_scan.py has the contract.

    shape: a capture.pcap_scan.RecordShape.

    columns: offsets int64, captured uint32, lengths uint32, all of one length, the most frames
    to find.  Returns (frames found, where the scan stopped, error).
    """
    cdef Input x
    cdef ScanState t
    cdef Round r
    start_scan(&x, &t, &r, buffer, start, end, shape, columns, None)
    with nogil:
        keep_round(&t, &r)
        while going(&t):
            follow_together(&x, &t, &r, NULL)
            keep_round(&t, &r)
    return finish_scan(&t)[:3]


def guess_record(object buffer, int64_t start, int64_t at, int64_t end, object shape):
    """A place from `at` on where a record seems to start, as those from `start` on look; −1: none.

    Only a guess: records from `start` on must arrive exactly there.  Raises ValueError as
    `scan_records` does.
    """
    cdef Input x
    cdef int64_t found
    take_window(&x, buffer, start, end, shape)
    if not start <= at or start + 16 > end:
        return -1
    if x.interfaces:
        at -= (at - start) & 3
    with nogil:
        found = find_record(&x, at, field(&x, start))
    return found
