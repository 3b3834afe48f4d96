# Frames for several recipients: who sends them, and what all of those say, as one verdict.
#
# Contract: as engine/native_recipients.py says, which makes the arrays; tables of classes are those
# of network/recipients.py, of kinds of senders that were made.  Nothing draws.  What is found is
# what engine/recipient_verdicts.py finds of the same frames in columns; tests/engine/test_native_recipients.py
# compares.  No GIL but where arguments are read.
#
#     for each frame, class of its sender's recipients:   a row of a block
#     of a block: decode its frames, judge out at the sender (without copies) and in at the recipient
#     for each row: is it the best of its frame so far?  its verdicts are the frame's
#
# Rows of a frame follow each other, so only one frame is open at a time, also from block to block.

cdef enum:          # engine/recipient_verdicts.py says the same (Outcome)
    ROW_DROPPED, ROW_REDIRECTED, ROW_ARRIVED

cdef enum:          # engine/native_recipients.py says the same
    TO_MANY = 1
    FROM_FOREIGN = 2
    ASKED = 1
    REACHED = 2

cdef void gather_frames(Asking *a, const Frames *f, Frames *block) noexcept nogil:
    """Let `block` be the frames of the block's rows, by `a.place` numbers in the batch."""
    cdef int i
    cdef int64_t n
    block.buffer = f.buffer
    block.offsets = a.offsets
    block.captured = a.captured
    block.lengths = a.lengths
    block.ethernet = f.ethernet
    block.ethertype = a.ethertype
    block.vlan = a.vlan
    block.mac_source = a.mac_source
    block.mac_dest = a.mac_dest
    block.unknown = a.unknown
    for i in range(a.rows):
        n = a.place[i]
        a.offsets[i] = f.offsets[n]
        a.captured[i] = f.captured[n]
        a.lengths[i] = f.lengths[n]
    if f.ethernet:
        return
    for i in range(a.rows):
        n = a.place[i]
        a.ethertype[i] = f.ethertype[n]
        a.vlan[i] = f.vlan[n]
        a.mac_source[i] = f.mac_source[n]
        a.mac_dest[i] = f.mac_dest[n]
        a.unknown[i] = f.unknown[n]


cdef void find_senders_of(
    Work *w, Asking *a, const Frames *f, const Senders *to, int64_t first
) noexcept nogil:
    """Who sends the frames of a block, and what their MACs say."""
    cdef const Side *side = &w.side[0]
    cdef const Members *m = side.members
    cdef Frames block
    cdef Ends *e = &w.ends
    cdef const uint32_t *missing
    cdef int i
    gather_frames(a, f, &block)
    decode_block(&block, 0, a.rows, a.rows, &w.columns)
    find_ends(m, side, &block, 0, a.rows, &w.columns, e)
    missing = <const uint32_t *>header(side, &w.columns, MISSING)
    for i in range(a.rows):
        to.marks[first + i] = TO_MANY if e.many[i] else 0
        if m.foreign < 0 and from_foreign(missing, e, i):
            to.marks[first + i] |= FROM_FOREIGN
    memcpy(to.member + first, e.source.member, a.rows * 4)
    memcpy(to.address + first, e.source.address, a.rows * 8)
    memcpy(to.known + first, e.known_out, a.rows)


cdef void ask_all(
    Work *w, Asking *a, const Frames *f, int sides, const int64_t *chosen, int64_t count
) noexcept nogil:
    """Every recipient of the chosen frames, numbers among those with a sender."""
    cdef const Classes *c = &a.classes
    cdef int64_t j, u, at, last, own
    cdef int32_t sender, member, size
    a.rows = 0
    a.open = -1
    for j in range(count):
        u = chosen[j]
        sender = a.senders.member[u]
        at = c.start[c.kind[sender]]
        last = at + c.counts[c.kind[sender]]
        own = at + c.own[c.group[sender]] if c.group[sender] >= 0 else -1
        while at < last:
            member, size = c.member[at], c.size[at]
            if at == own:  # the sender is none of its recipients
                size -= 1
                if member == sender:
                    member = c.second[c.group[sender]]
            at += 1
            if size and (a.senders.marks[u] & TO_MANY or c.bridge[member]):
                put_row(w, a, f, sides, u, member, size)
    ask_block(w, a, f, sides)
    close_frame(a, sides)


cdef inline void put_row(
    Work *w, Asking *a, const Frames *f, int sides, int64_t u, int32_t member, int32_t size
) noexcept nogil:
    """A row more; a block that is full is asked."""
    cdef int i = a.rows
    a.item[i] = u
    a.place[i] = a.number[u]
    a.size[i] = size
    a.to[i] = member
    a.by[i] = a.senders.member[u]
    a.source[i] = a.senders.address[u]
    a.known[i] = a.senders.known[u]
    a.home[i] = w.side[0].members.address[member]
    a.rows += 1
    if a.rows == BLOCK:
        ask_block(w, a, f, sides)


cdef void ask_block(Work *w, Asking *a, const Frames *f, int sides) noexcept nogil:
    """The verdicts on a block's rows, and what they make of their frames."""
    cdef char *arena = w.arena + FIRST_OWN * BLOCK * 8
    cdef Frames block
    cdef int i
    if not a.rows:
        return
    gather_frames(a, f, &block)
    decode_block(&block, 0, a.rows, a.rows, &w.columns)
    for i in range(sides):
        judge_block(w, &w.side[i], arena, 0, a.rows)
        arena += <int64_t>w.side[i].columns * BLOCK * 8
    for i in range(a.rows):
        if a.item[i] != a.open:
            close_frame(a, sides)
            open_frame(a, a.item[i])
        take_row(w, a, sides, i)
    a.rows = 0


cdef inline int outcome_of(const Side *side, int row, uint64_t here) noexcept nogil:
    """What becomes of a frame at one recipient, by one side's verdict."""
    cdef uint8_t code = side.code[row]
    if code < REDIRECT:
        return ROW_DROPPED
    if code != REDIRECT or side.address == NULL:
        return ROW_ARRIVED
    return ROW_REDIRECTED if is_elsewhere(side.address[side.entry[row]], here) else ROW_ARRIVED


cdef void open_frame(Asking *a, int64_t u) noexcept nogil:
    a.open = u
    a.best = -1
    a.best_member = a.away_member = <int32_t>0x7FFFFFFF
    a.best_away = 0
    a.read = 0


cdef void close_frame(Asking *a, int sides) noexcept nogil:
    """All rows of the open frame were taken."""
    cdef int64_t u = a.open
    cdef const Spoken *said = &a.said[sides - 1]
    if u < 0:
        return
    a.best_of[u] = a.best_member
    if a.best_away:  # that is the verdict already
        a.away_of[u] = -1
    if said.reads == NULL or not said.inbound:
        return
    said.reads[a.number[u]] = a.read
    if sides == 2 and not a.state[u] & REACHED:
        a.said[0].reads[a.number[u]] |= a.read


cdef void take_row(Work *w, Asking *a, int sides, int row) noexcept nogil:
    """One row of the open frame."""
    cdef int64_t u = a.open, n = a.number[a.open]
    cdef const Side *out = &w.side[0]
    cdef const Side *last = &w.side[sides - 1]
    cdef int outcome = ROW_ARRIVED, away = 0, reached = last.inbound
    if not out.inbound:
        outcome = outcome_of(out, row, a.home[row])
        away = outcome == ROW_REDIRECTED
        reached &= outcome == ROW_ARRIVED
        if a.said[0].reads != NULL and out.reads != NULL:
            a.said[0].reads[n] |= out.reads[row]
        if away and a.to[row] < a.away_member:
            a.away_member = a.to[row]
            a.away_of[u] = out.entry[row]
    if reached:
        outcome = outcome_of(last, row, a.home[row])
        if last.reads != NULL:
            a.read |= last.reads[row]
    if outcome == ROW_ARRIVED:
        a.got[u] += a.size[row]
    if outcome > a.best or (outcome == a.best and a.to[row] < a.best_member):
        a.best, a.best_member, a.best_away = outcome, a.to[row], away
        a.state[u] = ASKED | (REACHED if reached else 0)
        if not out.inbound:
            speak(&a.said[0], out, n, row)
        if reached:
            speak(&a.said[sides - 1], last, n, row)
        elif last.inbound:
            keep_silent(&a.said[sides - 1], n)


cdef inline void speak(const Spoken *to, const Side *side, int64_t n, int row) noexcept nogil:
    """A row's verdict is its frame's; the sender's copies stay those of its first pass."""
    to.entry[n] = side.entry[row]
    to.code[n] = side.code[row]
    if not side.inbound:
        return
    if to.copy != NULL:
        to.copy[n] = side.copy[row]
    if to.capability_copy != NULL:
        to.capability_copy[n] = side.capability_copy[row]


cdef inline void keep_silent(const Spoken *to, int64_t n) noexcept nogil:
    """No rule of the receiver was asked about a frame."""
    to.entry[n] = -1
    to.code[n] = 0
    if to.copy != NULL:
        to.copy[n] = -1
    if to.capability_copy != NULL:
        to.capability_copy[n] = -1


cdef int take_spoken(Spoken *to, object outputs, int inbound) except -1:
    """Read an engine.native_tables.SideOutputs."""
    entry, code, copy, capability_copy, reads = record(outputs)
    to.inbound = inbound
    to.entry = <int32_t *>address_of(entry)
    to.code = <uint8_t *>address_of(code)
    to.copy = <int32_t *>address_of(copy) if copy is not None else NULL
    to.capability_copy = NULL
    if capability_copy is not None:
        to.capability_copy = <int32_t *>address_of(capability_copy)
    to.reads = <uint32_t *>address_of(reads) if reads is not None else NULL
    return 0


cdef int take_senders(Senders *to, object senders) except -1:
    """Read an engine.native_recipients.Senders."""
    member, address, known, marks = record(senders)
    to.member = <int32_t *>address_of(member)
    to.address = <uint64_t *>address_of(address)
    to.known = <uint8_t *>address_of(known)
    to.marks = <uint8_t *>address_of(marks)
    return 0


cdef int take_classes(Classes *c, object classes) except -1:
    """Read a network.recipients.ClassColumns."""
    kind, group, start, counts, own, second, member, size, bridge = record(classes)
    c.kind = <const int64_t *>address_of(kind)
    c.group = <const int32_t *>address_of(group)
    c.start = <const int64_t *>address_of(start)
    c.counts = <const int64_t *>address_of(counts)
    c.own = <const int64_t *>address_of(own)
    c.second = <const int32_t *>address_of(second)
    c.member = <const int32_t *>address_of(member)
    c.size = <const int32_t *>address_of(size)
    c.bridge = <const uint8_t *>address_of(bridge)
    return 0


cdef Asking *new_asking(object number) except NULL:
    """Memory for one call; the caller frees it.  Its columns are filled before they are read."""
    cdef Asking *a = <Asking *>malloc(sizeof(Asking))
    if a == NULL:
        raise MemoryError("no memory to ask recipients")
    memset(a, 0, <size_t>(<char *>a.item - <char *>a))
    a.number = <const int64_t *>address_of(number)
    return a


cdef void set_cast(Asking *a, Side *side) noexcept:
    """Who is who in the rows of a block, seen from one side."""
    side.cast.sender = a.by
    side.cast.zt_source = a.source
    side.cast.zt_dest = a.home
    side.cast.known = a.known
    if side.inbound:
        side.cast.local, side.cast.remote, side.cast.node = a.to, a.by, a.home
    else:
        side.cast.local, side.cast.remote, side.cast.node = a.by, a.to, a.source
