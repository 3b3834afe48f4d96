# Following what a count's frames send: copies and redirects, from node to node, block by block.
#
# Contract: as count.pxi; frames are directed, of members who are looked up, and nothing draws.
# What is counted is what pipeline/deliver.py finds of the same frames and pipeline/tally.py counts:
# tests/pipeline/test_followed.py compares.  No GIL.
#
#     for each frame apart: note its copies, by the sides that send them
#         where it leaves its sender: put each copy, and a redirected frame, on its way
#     while anything is on its way:
#         a block of what was sent: cut it, decode it, judge it in at its target
#         note what became of it; its copies and redirects are on their way next
#     count what was noted
#
# A frame that sends more than MOST_SENT, or for more than MOST_HOPS, or for which there is no more
# room, stays apart: nothing noted of it counts, and who called follows it from its beginning.

cdef enum:          # pipeline/deliveries.py says the same (Fate)
    ARRIVED, BY_RULES, NO_MEMBER, OWN_FRAME, FOREIGN_SOURCE, FOREIGN_DEST
    FATES = 8

cdef inline uint32_t fate_key(const Follow *f, int slot, int32_t decider, int fate) noexcept nogil:
    """Where a sending by a slot's entry is counted, of which an entry (−1 none) decided so."""
    return <uint32_t>(2 * f.slots + (slot * (f.entries + 1) + decider + 1) * FATES + fate)


cdef inline uint32_t payload_of(uint32_t length, uint32_t captured) noexcept nogil:
    """Original bytes behind the ethertype."""
    cdef uint32_t whole = max(length, captured)
    return whole - 14 if whole > 14 else 0


cdef inline int is_away(const Follow *f, uint8_t code, int32_t entry, uint64_t here) noexcept nogil:
    """Does a verdict send the frame itself elsewhere?  To where it goes already is accepted."""
    return code == REDIRECT and is_elsewhere(f.address[f.slot[entry]], here)


cdef inline void note(Follow *f, int frame, uint32_t key, uint32_t octets) noexcept nogil:
    cdef Note *to
    if f.noted == NOTES:
        f.sent[frame] = MOST_SENT + 1
        return
    to = &f.notes[f.noted]
    to.frame = <uint16_t>frame
    to.key = key
    to.octets = octets
    f.noted += 1


cdef inline void send(Follow *f, int turn, int frame, int slot, int32_t by, uint32_t payload) noexcept nogil:
    """Put something on its way; a frame that sends too much is not followed."""
    cdef Sent *to
    if f.queued == QUEUE or f.sent[frame] >= MOST_SENT:
        f.sent[frame] = MOST_SENT + 1
        return
    to = &f.queue[turn][f.queued]
    to.to = f.member[slot]
    to.by = by
    to.payload = payload
    to.slot = slot
    to.frame = <uint16_t>frame
    f.queued += 1
    f.sent[frame] += 1


cdef inline uint32_t cut(const Follow *f, int slot, uint32_t payload) noexcept nogil:
    """How much of a payload a copy holds."""
    return min(f.length[slot], payload) if f.length[slot] else payload


cdef void send_of(
    Follow *f, const Side *side, int at, uint64_t here, int turn, int frame, int32_t by,
    uint32_t payload, int noted, int goes
) noexcept nogil:
    """What one verdict sends.

    by: the member whose verdict it is.  noted: the side under which it is counted as sent, −1: it
    is not.  goes: it is put on its way.
    """
    cdef int32_t entries[3]
    cdef int k, slot
    cdef uint32_t octets
    entries[0] = side.capability_copy[at] if side.capability_copy != NULL else -1
    entries[1] = side.copy[at] if side.copy != NULL else -1
    entries[2] = side.entry[at] if is_away(f, side.code[at], side.entry[at], here) else -1
    for k in range(3):
        if entries[k] < 0:
            continue
        slot = f.slot[entries[k]]
        octets = payload if k == 2 else cut(f, slot, payload)
        if noted >= 0:
            note(f, frame, noted * f.slots + slot, octets)
        if goes:
            send(f, turn, frame, slot, by, octets)


cdef inline uint32_t key_of(const Follow *f, const Side *side, int i, int away) noexcept nogil:
    """Where a side's verdict is counted; a frame redirected to where it goes is accepted."""
    cdef uint8_t code = side.code[i]
    if code == REDIRECT and not away:
        code = ACCEPT
    return <uint32_t>(side.entry[i] + 1) * 5 + code


cdef void set_out(Work *w, Follow *f, Totals *t, uint32_t *keys, uint8_t *fate, int i) noexcept nogil:
    """A frame apart on its way: what its sides say of it, and what they send."""
    cdef const Side *out = &w.side[0]
    cdef const Side *inward = &w.side[1]
    cdef uint64_t source = (<const uint64_t *>header(out, &w.columns, MAC_SOURCE))[i]
    cdef int32_t sender = w.ends.source.member[i]
    cdef int32_t receiver = w.ends.dest.member[i]
    cdef uint32_t payload = payload_of(w.round.lengths[i], w.round.captured[i])
    cdef int leaves = sender != 0 and sender != receiver
    cdef int away = is_away(f, out.code[i], out.entry[i], w.ends.beyond[i])
    cdef int arrives
    send_of(f, out, i, w.ends.beyond[i], 0, i, sender, payload, 0, leaves)
    if away or out.code[i] < REDIRECT:
        keys[i] = key_of(f, out, i, away)
        fate[i] = GONE
        return
    arrives = leaves and receiver > 0 and w.ends.beyond[i] != 0 and source != f.macs[receiver]
    away = is_away(f, inward.code[i], inward.entry[i], w.ends.dest.address[i])
    send_of(f, inward, i, w.ends.dest.address[i], 0, i, receiver, payload, 1, arrives)
    keys[i] = t.receiver + key_of(f, inward, i, away)
    fate[i] = GONE if away or inward.code[i] < REDIRECT else PASSED


cdef int take_sent(Work *w, Follow *f, int turn, int *at, int queued) noexcept nogil:
    """Fill a block with what its targets are to judge; the number of it.

    at: the first item of the queue, moved behind the last that was taken.
    """
    cdef const uint64_t *source = <const uint64_t *>header(&w.side[0], &w.columns, MAC_SOURCE)
    cdef const Sent *one
    cdef uint32_t end
    cdef int n = 0
    while at[0] < queued and n < BLOCK:
        one = &f.queue[turn][at[0]]
        if one.to == 0:
            note(f, one.frame, fate_key(f, one.slot, -1, NO_MEMBER), one.payload + 14)
        elif source[one.frame] == f.macs[one.to]:
            note(f, one.frame, fate_key(f, one.slot, -1, OWN_FRAME), one.payload + 14)
        else:
            end = min(one.payload, <uint32_t>0xFFFFFFFF - 14) + 14
            f.offsets[n] = w.round.offsets[one.frame]
            f.captured[n] = min(w.round.captured[one.frame], end)
            f.lengths[n] = min(w.round.lengths[one.frame], end)
            f.local[n] = one.to
            f.remote[n] = one.by
            f.node[n] = f.home[one.to]
            f.zt_source[n] = f.home[one.by]
            f.known[n] = 1
            f.item[n] = at[0]
            n += 1
        at[0] += 1
    return n


cdef void judge_sent(Work *w, Follow *f, int n) noexcept nogil:
    """The verdicts of a block's targets."""
    cdef Work *inner = f.inner
    cdef char *arena = inner.arena + (FIRST_OWN + <int64_t>inner.side[0].columns) * BLOCK * 8
    cdef Frames block
    memset(&block, 0, sizeof(block))
    block.buffer = f.buffer
    block.offsets = f.offsets
    block.captured = f.captured
    block.lengths = f.lengths
    block.ethernet = 1
    decode_block(&block, 0, n, n, &inner.columns)
    judge_block(inner, &inner.side[1], arena, 0, n)


cdef inline int fate_of(
    const Work *w, const Follow *f, const Sent *one, uint8_t code, int away
) noexcept nogil:
    """What becomes of something sent, as `pipeline.deliver` says."""
    cdef uint64_t source, dest
    if away or code < REDIRECT:
        return BY_RULES
    if code == SUPER_ACCEPT:  # a copy's target takes it whatever its MACs say
        return ARRIVED
    source = (<const uint64_t *>header(&w.side[0], &w.columns, MAC_SOURCE))[one.frame]
    dest = (<const uint64_t *>header(&w.side[0], &w.columns, MAC_DEST))[one.frame]
    if source != f.macs[one.by] and not f.bridges[one.by]:
        return FOREIGN_SOURCE
    if dest != f.macs[one.to] and not f.bridges[one.to]:
        return FOREIGN_DEST
    return ARRIVED


cdef void go_on(Work *w, Follow *f, int turn, int n) noexcept nogil:
    """Note what became of a block, and put what its targets send on its way."""
    cdef const Side *side = &f.inner.side[1]
    cdef const Sent *one
    cdef int j, away
    for j in range(n):
        one = &f.queue[turn][f.item[j]]
        away = is_away(f, side.code[j], side.entry[j], f.node[j])
        note(
            f, one.frame,
            fate_key(f, one.slot, side.entry[j], fate_of(w, f, one, side.code[j], away)),
            one.payload + 14,
        )
        send_of(f, side, j, f.node[j], 1 - turn, one.frame, one.to, one.payload, -1, 1)


cdef void follow_copies(
    Work *w, Follow *f, Totals *t, uint32_t *keys, uint8_t *fate, int count
) noexcept nogil:
    """Count what a block's frames send; frames that are still apart behind it are not followed."""
    cdef const uint32_t *missing = <const uint32_t *>header(&w.side[0], &w.columns, MISSING)
    cdef int i, at, n, queued, turn = 0
    f.queued = f.noted = 0
    memset(f.sent, 0, BLOCK)
    for i in range(count):
        if fate[i] == APART and not w.ends.undirected[i] and not (
            missing[i] & (READ_MAC_SOURCE | READ_MAC_DEST)
        ):
            set_out(w, f, t, keys, fate, i)
    for i in range(MOST_HOPS):
        queued = f.queued
        if not queued:
            break
        f.queued = 0
        at = 0
        while at < queued:
            n = take_sent(w, f, turn, &at, queued)
            if n:
                judge_sent(w, f, n)
                go_on(w, f, turn, n)
        turn = 1 - turn
    for i in range(f.queued):  # their copies may never end
        f.sent[f.queue[turn][i].frame] = MOST_SENT + 1
    for i in range(count):
        if f.sent[i] > MOST_SENT:
            fate[i] = APART
            keys[i] = <uint32_t>COUNTED_ALREADY
    for i in range(f.noted):
        if fate[f.notes[i].frame] != APART:
            f.frames[f.notes[i].key] += 1
            f.octets[f.notes[i].key] += f.notes[i].octets


cdef Follow *take_follow(object given) except NULL:
    """Read an engine.native_follow.Followed; the caller frees what is made."""
    cdef Follow *f
    tables, frames, octets = record(given)
    slot, address, member, length, macs, bridges, home = record(tables)
    f = <Follow *>calloc(1, sizeof(Follow))
    if f == NULL:
        raise MemoryError("no memory to follow copies")
    f.slot = <const int32_t *>address_of(slot)
    f.entries = len(slot) - 1
    f.address = <const uint64_t *>address_of(address)
    f.member = <const int32_t *>address_of(member)
    f.length = <const uint32_t *>address_of(length)
    f.slots = len(address)
    f.macs = <const uint64_t *>address_of(macs)
    f.bridges = <const uint8_t *>address_of(bridges)
    f.home = <const uint64_t *>address_of(home)
    f.frames = <uint64_t *>address_of(frames)
    f.octets = <uint64_t *>address_of(octets)
    f.keys = len(frames)
    return f


cdef void set_inner(Follow *f, Work *inner, bytes_t buffer) noexcept:
    """Let a work area judge what was sent, out of a buffer."""
    cdef Side *side = &inner.side[1]
    f.inner = inner
    f.buffer = buffer
    point_results(side, &inner.made[1])
    side.cast.local = f.local
    side.cast.remote = side.cast.sender = f.remote
    side.cast.node = side.cast.zt_dest = f.node
    side.cast.zt_source = f.zt_source
    side.cast.known = f.known
