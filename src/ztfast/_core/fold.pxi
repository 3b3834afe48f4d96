# Folding: one instruction over all frames of a block, before the next instruction.
#
# Contract: columns have BLOCK items of the width that the table was verified with
# (program.verify); frame bytes are not read here.  Nothing raises, nothing needs the GIL.
#
# What would be a branch for one frame is a bit for each of them: `live` (is it still undecided)
# and `set` (do the matches so far hold).  The choice of what to do is made once a block, not once
# a frame; a test makes a word of 64 items (words.pxi), and all that follows is done to words.
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
# Loops over words run over all WORDS, so that the compiler makes a few vectors of them; loops over
# items only over the words that hold frames.  Behind the block's last frame live is 0: columns
# hold anything there, and it does not matter.

ctypedef fused item_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef inline int any_of(const uint64_t *held) noexcept nogil:
    cdef uint64_t found = 0
    cdef int j
    for j in range(WORDS):
        found |= held[j]
    return found != 0


cdef inline uint64_t equal(const item_t *item, item_t mask, item_t value) noexcept nogil:
    if item_t is uint8_t:
        return zt_equal8(item, mask, value)
    elif item_t is uint16_t:
        return zt_equal16(item, mask, value)
    elif item_t is uint32_t:
        return zt_equal32(item, mask, value)
    else:
        return zt_equal64(item, mask, value)


cdef inline uint64_t above(const item_t *item, item_t mask, item_t low, item_t span) noexcept nogil:
    if item_t is uint8_t:
        return zt_above8(item, mask, low, span)
    elif item_t is uint16_t:
        return zt_above16(item, mask, low, span)
    elif item_t is uint32_t:
        return zt_above32(item, mask, low, span)
    else:
        return zt_above64(item, mask, low, span)


cdef void test_items(
    uint64_t *c, const uint64_t *wanted, const item_t *column, const Instruction *x, uint64_t flip,
    int words
) noexcept nogil:
    """Test a column of any width.

    Words of which no frame is wanted need not be tested; to leave them out pays for wide items.
    """
    cdef item_t mask = <item_t>x.mask
    cdef item_t low = <item_t>x.low
    cdef item_t span = <item_t>x.span
    cdef int narrow = sizeof(item_t) < 4
    cdef int j
    if span == 0:
        for j in range(words):
            c[j] = equal(column + 64 * j, mask, low) ^ flip if narrow or wanted[j] else 0
    else:
        flip = ~flip
        for j in range(words):
            c[j] = above(column + 64 * j, mask, low, span) ^ flip if narrow or wanted[j] else 0


cdef inline void test(
    uint64_t *c, const uint64_t *wanted, const void *column, int width, const Instruction *x,
    uint64_t flip, int words
) noexcept nogil:
    if width == 1:
        test_items(c, wanted, <const uint8_t *>column, x, flip, words)
    elif width == 2:
        test_items(c, wanted, <const uint16_t *>column, x, flip, words)
    elif width == 4:
        test_items(c, wanted, <const uint32_t *>column, x, flip, words)
    else:
        test_items(c, wanted, <const uint64_t *>column, x, flip, words)


cdef inline int fold(State *s, int into, const uint64_t *c) noexcept nogil:
    """Put a test's outcome where it goes; does the set hold for any frame, −1 not looked at."""
    cdef uint64_t found = 0
    cdef int j
    if into == INTO_AND_SET:
        for j in range(WORDS):
            s.set[j] &= c[j]
            found |= s.set[j]
        return found != 0
    if into == INTO_OR_SET:
        for j in range(WORDS):
            s.set[j] |= c[j] & s.live[j]
    elif into == INTO_TERM:
        memcpy(s.term, c, WORDS * 8)
    elif into == INTO_AND_TERM:
        for j in range(WORDS):
            s.term[j] &= c[j]
    else:
        for j in range(WORDS):
            s.term[j] |= c[j]
    return -1


cdef inline void flipped(uint64_t *c, const uint64_t *source, uint64_t flip) noexcept nogil:
    cdef int j
    for j in range(WORDS):
        c[j] = source[j] ^ flip


cdef void compare_tags(
    uint64_t *c, const uint32_t *local, const uint32_t *remote, const Instruction *x, uint64_t flip,
    int words
) noexcept nogil:
    """Two tag columns against a value (spec section 6)."""
    cdef uint8_t held[64]
    cdef uint32_t value = <uint32_t>x.low
    cdef uint32_t l, r
    cdef int i, j
    for j in range(words):
        if x.mask == 0:
            for i in range(64):
                l = local[i]
                r = remote[i]
                held[i] = (l - r if l > r else r - l) <= value
        elif x.mask == 1:
            for i in range(64):
                held[i] = (local[i] & remote[i]) == value
        elif x.mask == 2:
            for i in range(64):
                held[i] = (local[i] | remote[i]) == value
        else:
            for i in range(64):
                held[i] = (local[i] ^ remote[i]) == value
        c[j] = zt_equal8(held, 1, 1) ^ flip
        local += 64
        remote += 64


cdef inline uint32_t draw(uint64_t seed, uint64_t number, uint64_t entry) noexcept nogil:
    """A random 32-bit number for a frame and an entry; engine/prng.py says the same in Python."""
    cdef uint64_t x = seed + <uint64_t>0x9E3779B97F4A7C15 * (number + 1)
    x ^= (entry + 1) * <uint64_t>0xD1342543DE82EF95
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return <uint32_t>((x ^ (x >> 31)) >> 32)


cdef void random_test(
    uint64_t *c, const Instruction *x, uint64_t seed, const int64_t *numbers, uint64_t flip,
    int words
) noexcept nogil:
    cdef uint8_t held[64]
    cdef uint32_t span = <uint32_t>x.span
    cdef int i, j
    for j in range(words):
        for i in range(64):
            held[i] = draw(seed, <uint64_t>numbers[64 * j + i], <uint64_t>x.entry) <= span
        c[j] = zt_equal8(held, 1, 1) ^ flip


cdef void read_missing(
    State *s, int number, const uint32_t *column, uint32_t mask, const uint64_t *evaluated
) noexcept nogil:
    """Note which of these bits the frames have that evaluate something."""
    cdef uint64_t noted[WORDS]
    cdef uint32_t bit
    cdef int alike = number == MISSING and s.alike != NULL
    cdef int j
    if number == MISSING:
        mask &= s.missing
    memcpy(noted, evaluated, WORDS * 8)
    while mask:
        bit = mask & -mask
        mask ^= bit
        if not alike:
            for j in range(s.words):
                noted[j] = evaluated[j] and evaluated[j] & zt_equal32(column + 64 * j, bit, bit)
        elif bit == MISSING_OWNED_IP:
            for j in range(s.words):
                noted[j] = evaluated[j] & zt_equal8(
                    s.alike + 64 * j, CHR_AUTH_ADDRESS, CHR_AUTH_ADDRESS
                )
        else:
            memcpy(noted, evaluated, WORDS * 8)
        give_bit(&s.reads, zt_first_bit(bit), noted)


cdef void arm_skip(State *s, const uint64_t *evaluated) noexcept nogil:
    cdef int j
    for j in range(WORDS):
        s.skip[j] |= evaluated[j] & s.term[j]


cdef void give_verdict(
    State *s, const uint64_t *hit, uint32_t number, uint8_t code, int base, uint8_t super_code
) noexcept nogil:
    """The frames of `hit` get entry + 1 and `code`, or where armed `super_code`, and what follows."""
    cdef uint64_t armed[WORDS]
    cdef uint64_t others[WORDS]
    cdef int j
    number <<= CODE_BITS
    if code == super_code or not any_of(s.armed):
        give_number(&s.verdict, hit, number | code, not base)
    else:
        for j in range(WORDS):
            armed[j] = hit[j] & s.armed[j]
            others[j] = hit[j] & ~s.armed[j]
        give_number(&s.verdict, armed, number | super_code, not base)
        give_number(&s.verdict, others, number | code, not base)
    if not base:  # a capability accepts: its noted copies are the frame's, no other is tried
        for j in range(WORDS):
            s.pending[j] &= ~hit[j]
        give_numbers(&s.capability_copy, hit, &s.noted)
    elif code == NO_MATCH:
        for j in range(WORDS):
            s.pending[j] |= hit[j]


cdef int end_hits(
    State *s, const uint64_t *ended, int32_t entry, uint8_t code, int base, uint8_t super_code
) noexcept nogil:
    """The frames of `ended` end here: with `code`, or where armed with `super_code`.

    The set is true again for all that are still live; returns whether any frame is.
    """
    cdef uint64_t hit[WORDS]
    cdef uint64_t live, left = 0
    cdef int j
    memcpy(hit, ended, WORDS * 8)  # which may be the set itself
    if base or code >= REDIRECT:
        give_verdict(s, hit, <uint32_t>entry + 1, code, base, super_code)
        if not base:
            for j in range(WORDS):
                s.apart[j] &= ~hit[j]
    for j in range(WORDS):
        live = s.live[j] & ~hit[j]
        s.live[j] = live
        s.set[j] = live
        left |= live
    return left != 0


cdef int drop(State *s, const Instruction *x, int base) noexcept nogil:
    """DROP: where skipDrop is armed it is used up instead; returns as `end_hits`."""
    cdef uint64_t hit[WORDS]
    cdef uint64_t skip
    cdef int j
    if not x.flags & SKIPPABLE:
        return end_hits(s, s.set, x.entry, DROP, base, DROP)
    for j in range(WORDS):
        skip = s.skip[j]
        hit[j] = s.set[j] & ~skip
        s.skip[j] = skip & ~s.set[j]
    return end_hits(s, hit, x.entry, DROP, base, DROP)


cdef int note_copy(
    State *s, const Instruction *x, const uint64_t *hit, int base
) noexcept nogil:
    """A copy that the frames of `hit` send, or none; returns whether any frame is still live."""
    give_number(
        &s.base_copy if base else &s.noted, hit, <uint32_t>x.entry + 1 if x.low else 0, 1
    )
    memcpy(s.set, s.live, WORDS * 8)
    return any_of(s.live)


cdef int copy_or_redirect(State *s, const Instruction *x, const Side *side, int base) noexcept nogil:
    """TEE, WATCH and REDIRECT (spec section 5); returns whether any frame is still live.

    FREE: the target is nobody that a frame is from or for.
    """
    cdef const uint64_t *source = <const uint64_t *>side.at[ZT_SOURCE]
    cdef const uint64_t *dest = <const uint64_t *>side.at[ZT_DEST]
    cdef const uint64_t *node = <const uint64_t *>side.at[NODE]
    cdef uint64_t here[WORDS]
    cdef uint64_t sent[WORDS]
    cdef uint64_t all_bits = ~<uint64_t>0
    cdef uint64_t target = x.low
    cdef uint64_t own, matched
    cdef int j
    memcpy(sent, s.set, WORDS * 8)
    if not x.flags & FREE:
        memset(here, 0, WORDS * 8)
        for j in range(s.words):
            own = zt_equal64(node + 64 * j, all_bits, target)
            matched = s.set[j] & ~zt_equal64(source + 64 * j, all_bits, target)
            here[j] = matched & own
            sent[j] = matched & ~own & ~zt_equal64(dest + 64 * j, all_bits, target)
            if side.inbound:
                s.armed[j] |= s.live[j] & ~s.set[j] & own
        if side.inbound:
            end_hits(s, here, x.entry, SUPER_ACCEPT, base, SUPER_ACCEPT)
    if x.op == OP_REDIRECT:
        return end_hits(s, sent, x.entry, REDIRECT, base, REDIRECT)
    return note_copy(s, x, sent, base)
