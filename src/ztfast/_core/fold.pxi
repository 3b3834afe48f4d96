# Folding: one instruction over all frames of a block, before the next instruction.
#
# Contract: columns have BLOCK items of the width that the table was verified with
# (program.verify); frame bytes are not read here.  Nothing raises, nothing needs the GIL.
#
# What would be a branch for one frame is a byte for each of them, 0 or 1: `live` (is it still
# undecided) and `set` (do the matches so far hold).  The choice of what to do is made once a
# block, not once a frame, and each loop does the same to neighbours, which the compiler makes
# vector instructions of.
#
#     at first:   live = 1, set = live
#     a match:    set &= outcome          with the or-bit: set |= outcome & live
#     an action:  result = code where set; live &= not set; set = live
#
# Invariant: set <= live for every frame, and live never rises within a section.  So a section
# decides a frame once, by the first action whose set holds, and what later instructions make of
# it goes nowhere: it comes out as if the rules had been followed frame by frame.
#
# A test is ((column & mask) − low) <= span, unsigned, in the column's own width: one form for
# equality (span 0), bits and prefixes (mask) and ranges.  Below `low` the difference wraps round
# to a number larger than any span.  Ports 80 … 443 are low 80, span 363: 443 gives 363 and holds,
# 22 gives 65478 and does not.
#
# Where a frame keeps what it had, that is read first and then chosen from: `x if hit else kept[i]`
# reads only where there was no hit, which clang makes a branch a frame of.
#
# Loops run over whole vectors of LANES frames, so that no loop for the rest is compiled.  Behind
# the block's last frame live is 0: columns hold anything there, and it does not matter.

cdef inline int whole_lanes(int count) noexcept nogil:
    """`count` cut to whole vectors: so the compiler leaves out the loops for the rest."""
    return count & -LANES


ctypedef fused item_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef inline int any_of(const uint8_t *held, int lanes) noexcept nogil:
    """Is any of them 1?  By words: clang makes integers of bytes that it sums up."""
    cdef uint64_t found = 0
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n >> 3):
        found |= load64(held + 8 * i)
    return found != 0


cdef int and_items(
    uint8_t *held, const item_t *column, const Instruction *x, uint8_t negate, int lanes
) noexcept nogil:
    """set &= test over a column of any width; returns whether any frame's set still holds."""
    cdef uint8_t any_left = 0
    cdef item_t mask = <item_t>x.mask
    cdef item_t low = <item_t>x.low
    cdef item_t span = <item_t>x.span
    cdef int i
    cdef int n = whole_lanes(lanes)
    if item_t is uint8_t:  # their sum would be made in wider items
        for i in range(n):
            held[i] &= (<item_t>((column[i] & mask) - low) <= span) ^ negate
        return any_of(held, lanes)
    for i in range(n):
        held[i] &= (<item_t>((column[i] & mask) - low) <= span) ^ negate
        any_left |= held[i]
    return any_left


cdef inline int and_test(
    uint8_t *held, const void *column, int width, const Instruction *x, uint8_t negate, int lanes
) noexcept nogil:
    if width == 1:
        return and_items(held, <const uint8_t *>column, x, negate, lanes)
    if width == 2:
        return and_items(held, <const uint16_t *>column, x, negate, lanes)
    if width == 4:
        return and_items(held, <const uint32_t *>column, x, negate, lanes)
    return and_items(held, <const uint64_t *>column, x, negate, lanes)


cdef void fold(State *s, int into, const uint8_t *c) noexcept nogil:
    """Put a test's outcome where it goes."""
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    if into == INTO_AND_SET:
        for i in range(n):
            s.set[i] &= c[i]
    elif into == INTO_OR_SET:
        for i in range(n):
            s.set[i] |= c[i] & s.live[i]
    elif into == INTO_TERM:
        memcpy(s.term, c, n)
    elif into == INTO_AND_TERM:
        for i in range(n):
            s.term[i] &= c[i]
    else:
        for i in range(n):
            s.term[i] |= c[i]


cdef void negate_into(
    uint8_t *c, const uint8_t *source, uint8_t negate, int lanes
) noexcept nogil:
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n):
        c[i] = source[i] ^ negate


cdef void compare_tags(
    uint8_t *c, const uint32_t *local, const uint32_t *remote, const Instruction *x, uint8_t negate,
    int lanes
) noexcept nogil:
    """Two tag columns against a value (spec section 6)."""
    cdef uint32_t value = <uint32_t>x.low
    cdef uint32_t l, r
    cdef int i
    cdef int n = whole_lanes(lanes)
    if x.mask == 0:
        for i in range(n):
            l = local[i]
            r = remote[i]
            c[i] = ((l - r if l > r else r - l) <= value) ^ negate
    elif x.mask == 1:
        for i in range(n):
            c[i] = ((local[i] & remote[i]) == value) ^ negate
    elif x.mask == 2:
        for i in range(n):
            c[i] = ((local[i] | remote[i]) == value) ^ negate
    else:
        for i in range(n):
            c[i] = ((local[i] ^ remote[i]) == value) ^ negate


cdef inline uint32_t draw(uint64_t seed, uint64_t number, uint64_t entry) noexcept nogil:
    """A random 32-bit number for a frame and an entry; engine/prng.py says the same in Python."""
    cdef uint64_t x = seed + <uint64_t>0x9E3779B97F4A7C15 * (number + 1)
    x ^= (entry + 1) * <uint64_t>0xD1342543DE82EF95
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return <uint32_t>((x ^ (x >> 31)) >> 32)


cdef void random_test(
    uint8_t *c, const Instruction *x, uint64_t seed, const int64_t *numbers, uint8_t negate,
    int lanes
) noexcept nogil:
    cdef uint32_t span = <uint32_t>x.span
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n):
        c[i] = (draw(seed, <uint64_t>numbers[i], <uint64_t>x.entry) <= span) ^ negate


cdef void read_missing(
    State *s, const uint32_t *column, uint32_t mask, const uint8_t *evaluated
) noexcept nogil:
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    cdef uint32_t *reads = s.reads
    cdef uint32_t missing
    for i in range(n):
        missing = column[i] & mask
        reads[i] |= missing if evaluated[i] else 0


cdef void arm_skip(State *s, const uint8_t *evaluated) noexcept nogil:
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    for i in range(n):
        s.skip[i] |= evaluated[i] & s.term[i]


cdef int end_hits(
    State *s, const uint8_t *hit, int32_t number, uint8_t code, int base, uint8_t super_code
) noexcept nogil:
    """The frames of `hit` end here: with `code`, or where armed with `super_code`.

    The set is true again for all that are still live; returns whether any frame is.
    """
    cdef int32_t *entry = s.entry
    cdef uint8_t *result = s.code
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    cdef int32_t kept
    cdef uint8_t live, had, ends, left = 0
    if base or code >= REDIRECT:
        for i in range(n):
            kept = entry[i]
            entry[i] = number if hit[i] else kept
        if code == super_code:
            for i in range(n):
                had = result[i]
                result[i] = code if hit[i] else had
        else:
            for i in range(n):
                had = result[i]
                ends = super_code if s.armed[i] else code
                result[i] = ends if hit[i] else had
        if not base:
            settle_capability(s, hit)
        elif code == NO_MATCH:
            for i in range(n):
                s.pending[i] |= hit[i]
    for i in range(n):
        live = s.live[i] & (hit[i] ^ 1)
        s.live[i] = live
        s.set[i] = live
        left |= live
    return left


cdef void settle_capability(State *s, const uint8_t *hit) noexcept nogil:
    """A capability accepts the frames of `hit`: its noted copies are theirs, no other is tried."""
    cdef int32_t *copy = s.capability_copy
    cdef int32_t kept, noted
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    for i in range(n):
        s.pending[i] &= hit[i] ^ 1
    if copy != NULL:
        for i in range(n):
            kept = copy[i]
            noted = s.noted[i]
            copy[i] = noted if hit[i] else kept


cdef int drop(State *s, const Instruction *x, int base) noexcept nogil:
    """DROP: where skipDrop is armed it is used up instead; returns as `end_hits`."""
    cdef uint8_t hit[BLOCK]
    cdef uint8_t skip
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    if not x.flags & SKIPPABLE:
        return end_hits(s, s.set, x.entry, DROP, base, DROP)
    for i in range(n):
        skip = s.skip[i]
        hit[i] = s.set[i] & (skip ^ 1)
        s.skip[i] = skip & (s.set[i] ^ 1)
    return end_hits(s, hit, x.entry, DROP, base, DROP)


cdef int copy_free(
    State *s, const Instruction *x, int32_t *noted, int32_t note, int base
) noexcept nogil:
    """A copy or redirect whose target is nobody that a frame is from or for.

    Returns whether any frame is still live.
    """
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    cdef int32_t kept
    if x.op == OP_REDIRECT:
        return end_hits(s, s.set, x.entry, REDIRECT, base, REDIRECT)
    for i in range(n):
        kept = noted[i]
        noted[i] = note if s.set[i] else kept
    memcpy(s.set, s.live, n)
    return 1


cdef int copy_or_redirect(State *s, const Instruction *x, const Side *side, int base) noexcept nogil:
    """TEE, WATCH and REDIRECT (spec section 5); returns whether any frame is still live."""
    cdef const uint64_t *source = <const uint64_t *>side.at[ZT_SOURCE]
    cdef const uint64_t *dest = <const uint64_t *>side.at[ZT_DEST]
    cdef const uint64_t *node = <const uint64_t *>side.at[NODE]
    cdef uint8_t here[BLOCK]
    cdef uint8_t sent[BLOCK]
    cdef uint64_t target = x.low
    cdef int32_t *noted = s.copy if base else &s.noted[0]
    cdef int32_t note = x.entry if target else -1
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    cdef uint8_t own, matched
    cdef int32_t kept
    if x.flags & FREE:
        return copy_free(s, x, noted, note, base)
    for i in range(n):
        own = node[i] == target
        matched = s.set[i] & (source[i] != target)
        here[i] = matched & own
        sent[i] = matched & (own ^ 1) & (dest[i] != target)
    if side.inbound:
        for i in range(n):
            s.armed[i] |= s.live[i] & (s.set[i] ^ 1) & (node[i] == target)
        end_hits(s, here, x.entry, SUPER_ACCEPT, base, SUPER_ACCEPT)
    if x.op == OP_REDIRECT:
        return end_hits(s, sent, x.entry, REDIRECT, base, REDIRECT)
    for i in range(n):
        kept = noted[i]
        noted[i] = note if sent[i] else kept
    memcpy(s.set, s.live, n)
    return any_of(s.live, n)
