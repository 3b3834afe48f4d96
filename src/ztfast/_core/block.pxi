# One block of frames on its way through: columns, verdicts, results; and what one call works in.
#
# Contract: who calls gives C-contiguous arrays of the types in _core.pyi, of the whole batch, and
# keeps them; `first` and `count` stay inside.  What takes Python objects holds the GIL, what
# judges does not.
#
# A side has two tables.  The exact one notes in `reads` every missing byte that an evaluated match
# looks at; the fast one only what is missing for every frame (`context`).  So the choice is made
# once a block: found = OR of its frames' MISSING, & watched; the exact one if found & ~context.
#
# Results are written 128 frames at a time, so a block that is not full would write behind the caller's arrays:
# its results are made in `spare` and copied out, and columns handed in are copied to the arena.
# A full block's results are made in place.

cdef void point_columns(Side *side, char *arena, int64_t first, int count) noexcept nogil:
    """Let the columns handed in stand at this block; a short block gets a padded copy."""
    cdef int i
    cdef const char *given
    for i in range(side.columns):
        if side.given[i] == NULL or side.constant[i]:
            continue
        given = <const char *>side.given[i] + first * side.width[i]
        if count == BLOCK:
            side.at[i] = <void *>given
        else:
            side.at[i] = arena + <int64_t>i * BLOCK * 8
            memcpy(side.at[i], given, count * side.width[i])


cdef inline const void *header(const Side *side, const Columns *c, int column) noexcept nogil:
    """A header column of this block, decoded here or handed in."""
    return side.at[column] if side.given[column] != NULL else c.at[column]


cdef uint32_t find_missing(
    const Side *side, Columns *c, const uint32_t *unknown, int count
) noexcept nogil:
    """The OR of what is watched and missing of the block's frames.

    unknown: what is not known of members, by frame; NULL where the side's `context` holds for all.
    """
    cdef const uint32_t *made = <const uint32_t *>header(side, c, MISSING)
    cdef uint32_t found = side.context
    cdef int i
    for i in range(count):
        found |= made[i]
    if unknown != NULL:
        for i in range(count):
            found |= unknown[i]
    return found & side.watched


cdef void gather_missing(
    const Side *side, Columns *c, uint32_t *missing, const uint32_t *unknown, int count
) noexcept nogil:
    """Complete MISSING with what is not known of members: see `find_missing`."""
    cdef const uint32_t *made = <const uint32_t *>header(side, c, MISSING)
    cdef const uint8_t *chr = <const uint8_t *>header(side, c, CHARACTERISTICS)
    cdef uint32_t context = side.context
    cdef uint32_t bits
    cdef int i
    for i in range(count):
        bits = context if unknown == NULL else unknown[i]
        if not chr[i] & CHR_AUTH_ADDRESS:
            bits &= ~<uint32_t>MISSING_OWNED_IP
        missing[i] = made[i] | bits


cdef void assume_ownership(const Side *side, Columns *c, int count) noexcept nogil:
    """ipauth and macauth of senders of whom nothing is known."""
    cdef const uint8_t *chr = <const uint8_t *>header(side, c, CHARACTERISTICS)
    cdef uint8_t *owned = <uint8_t *>side.at[OWNERSHIP]
    cdef uint8_t always = CHR_AUTH_ALWAYS | (CHR_AUTH_ADDRESS if side.assumed & OWNED_IP else 0)
    cdef uint8_t mac = side.assumed & OWNED_MAC
    cdef int i
    for i in range(count):
        owned[i] = mac | (OWNED_IP if chr[i] & always else 0)


cdef void store(State *s, const Side *side, Results *spare, int64_t first, int count) noexcept nogil:
    """Hand a block's results out; a frame that is not accepted sends no copy."""
    cdef int whole = count == BLOCK
    cdef int32_t *entry = side.entry + first if whole else spare.entry
    cdef uint8_t *code = side.code + first if whole else spare.code
    write_verdicts(&s.verdict, entry, code, s.words)
    write_looked_up(s, entry)
    if not whole:
        memcpy(side.entry + first, entry, count * 4)
        memcpy(side.code + first, code, count)
    if side.copy != NULL:
        store_copies(s, &s.base_copy, side.copy + first, spare, count)
    if side.capability_copy != NULL:
        store_copies(s, &s.capability_copy, side.capability_copy + first, spare, count)
    if side.reads != NULL:
        write_numbers(&s.reads, 0, side.reads + first if whole else spare.reads, s.words)
        if not whole:
            memcpy(side.reads + first, spare.reads, count * 4)


cdef void write_looked_up(const State *s, int32_t *entry) noexcept nogil:
    """The entries that look-ups found, one for each frame that they decided."""
    cdef uint64_t left
    cdef int i, j
    for j in range(s.words):
        left = s.apart[j]
        while left:
            i = 64 * j + zt_first_bit(left)
            left &= left - 1
            entry[i] = s.looked_up[i]


cdef void store_copies(
    const State *s, Numbers *copy, int32_t *out, Results *spare, int count
) noexcept nogil:
    cdef const Numbers *p = &s.verdict
    cdef uint64_t sends[WORDS]
    cdef uint64_t redirect = ~<uint64_t>0 if p.used & REDIRECT else 0
    cdef uint64_t accept = ~<uint64_t>0 if p.used & SUPER_ACCEPT else 0
    cdef int32_t *to = out if count == BLOCK else spare.copy
    cdef int j
    for j in range(WORDS):  # codes of REDIRECT and above have one of the two higher bits
        sends[j] = (p.bit[1][j] & redirect) | (p.bit[2][j] & accept)
    keep_numbers(copy, sends)
    write_numbers(copy, 1, <uint32_t *>to, s.words)
    if count < BLOCK:
        memcpy(out, to, count * 4)


cdef void judge_block(Work *w, Side *side, char *arena, int64_t first, int count) noexcept nogil:
    """One side's verdicts on the block whose headers stand in the columns."""
    cdef const Run *run = &side.slow if side.use_exact else &side.fast
    cdef uint32_t found
    cdef int i
    cdef int members = side.members != NULL
    point_columns(side, arena, first, count)
    if members:
        place_members(side.members, side, &w.columns, &w.ends, w.context, first, count)
    elif side.ownership:
        assume_ownership(side, &w.columns, count)
    w.state.missing = 0
    w.state.alike = NULL
    if side.watched:
        found = find_missing(side, &w.columns, w.context if members else NULL, count)
        side.seen |= found
        w.state.missing = found
        if found & ~side.context:  # the fast table notes what is missing for every frame
            run = &side.slow
        if run == &side.slow:
            gather_missing(side, &w.columns, w.missing, w.context if members else NULL, count)
            side.at[MISSING] = w.missing
        else:
            w.state.alike = <const uint8_t *>header(side, &w.columns, CHARACTERISTICS)
    if side.random:
        for i in range(count):
            w.numbers[i] = (
                side.numbers[first + i] if side.numbers != NULL else side.first_number + first + i
            )
    begin(&w.state, count)
    run_block(run, side, &w.state, w.numbers)
    store(&w.state, side, &w.spare, first, count)


cdef void judge_sides(
    Work *w, int sides, const Frames *f, int64_t from_frame, int64_t first, int count
) noexcept nogil:
    """Every side's verdicts on the block whose headers stand in the columns.

    f: the frames, from number `from_frame` on, NULL where their columns were handed in; first:
    where the block begins in columns handed in, and in results.
    """
    cdef char *arena = w.arena + FIRST_OWN * BLOCK * 8
    cdef const Side *asked = &w.side[0]
    cdef int i
    if asked.members != NULL and asked.cast.local == NULL:
        find_ends(asked.members, asked, f, from_frame, count, &w.columns, &w.ends)
    for i in range(sides):
        judge_block(w, &w.side[i], arena, first, count)
        arena += <int64_t>w.side[i].columns * BLOCK * 8


cdef uintptr_t address_of(object array) except? 1:
    """The address of a C-contiguous numpy array's first item."""
    cdef Py_buffer view
    PyObject_GetBuffer(array, &view, PyBUF_SIMPLE)
    cdef uintptr_t address = <uintptr_t>view.buf
    PyBuffer_Release(&view)  # the caller keeps the array
    return address


cdef inline tuple record(object given):
    """A named tuple as what it is: Cython's own type test takes no subclass, and is not needed."""
    if not isinstance(given, tuple):
        raise TypeError(f"expected a tuple, got {type(given).__name__}")
    return <tuple>given


cdef void take_frames(Frames *f, object frames) except *:
    """Read a frames.batch.RawFrames: arrays, or None for header columns of Ethernet."""
    buffer, offsets, captured, lengths, ethertype, vlan, mac_source, mac_dest, unknown = (
        record(frames)
    )
    f.buffer = <bytes_t>address_of(buffer)
    f.offsets = <const int64_t *>address_of(offsets)
    f.captured = <const uint32_t *>address_of(captured)
    f.lengths = <const uint32_t *>address_of(lengths)
    f.ethernet = ethertype is None
    if not f.ethernet:
        f.ethertype = <const uint16_t *>address_of(ethertype)
        f.vlan = <const uint16_t *>address_of(vlan)
        f.mac_source = <const uint64_t *>address_of(mac_source)
        f.mac_dest = <const uint64_t *>address_of(mac_dest)
        f.unknown = <const uint32_t *>address_of(unknown)


cdef Work *new_work(int columns) except NULL:
    """Memory for one call: the block's columns of both sides, where vectors do not cross lines."""
    cdef size_t head = (sizeof(Work) + LINE - 1) // LINE * LINE
    cdef void *whole = calloc(1, head + <size_t>(FIRST_OWN + columns) * BLOCK * 8 + LINE)
    cdef Work *w
    cdef int i
    if whole == NULL:
        raise MemoryError("no memory for a block's state")
    w = <Work *>((<uintptr_t>whole + LINE - 1) // LINE * LINE)
    w.whole = whole
    w.arena = <char *>w + head
    for i in range(FIRST_OWN):
        w.columns.at[i] = w.arena + <int64_t>i * BLOCK * 8
    w.columns.heads = &w.heads
    w.columns.at[PROTOCOL] = w.heads.protocol
    w.columns.at[IP4_SOURCE] = w.heads.source
    w.columns.at[IP4_DEST] = w.heads.dest
    w.columns.at[SOURCE_PORT] = w.heads.source_port
    w.columns.at[DEST_PORT] = w.heads.dest_port
    return w


cdef void drop_work(Work *w) noexcept:
    if w != NULL:
        free(w.whole)


def decode(object frames, list columns, int64_t start, int64_t stop):
    """Decode header columns of frames start … stop − 1 into full-length arrays.

    columns: (column, array of the whole batch) for each column wanted.
    """
    cdef Frames f
    cdef Work *w = new_work(0)
    cdef char *out[FIRST_OWN]
    cdef int i, count
    cdef int64_t first = start
    try:
        memset(&f, 0, sizeof(f))
        take_frames(&f, frames)
        memset(out, 0, sizeof(out))
        for column, array in columns:
            i = column
            w.columns.need[i] = 1
            out[i] = <char *>address_of(array)
        with nogil:
            while first < stop:
                count = <int>min(stop - first, <int64_t>BLOCK)
                decode_block(&f, first, count, stop, &w.columns)
                for i in range(FIRST_OWN):
                    if out[i] != NULL:
                        memcpy(out[i] + first * width_of(i), w.columns.at[i], count * width_of(i))
                first += count
    finally:
        drop_work(w)
