# Numbers of frames by their bits: what many frames get at once costs as much as one frame's.
#
# Contract: `used` says which words of `bit` are written; the others count as zero, whatever they
# hold.  Numbers are handed out as items, WORDS at a time or 64; nothing is written behind them.
#
# An action gives the same number to all frames whose set holds.  Bit b of the frames' numbers is a
# word for each 64 frames, as their set is, so giving a number is or-ing the set into the words of
# its bits.  The numbers are read once, when the table is through.

cdef void give_number(
    Numbers *p, const uint64_t *hit, uint32_t number, int again
) noexcept nogil:
    """The frames of `hit` get a number; `again`: they may have one already."""
    cdef uint32_t rest
    cdef uint64_t *word
    cdef int j
    if again:
        rest = p.used & ~number
        while rest:
            word = p.bit[zt_first_bit(rest)]
            rest &= rest - 1
            for j in range(WORDS):
                word[j] &= ~hit[j]
    rest = p.used & number
    while rest:
        word = p.bit[zt_first_bit(rest)]
        rest &= rest - 1
        for j in range(WORDS):
            word[j] |= hit[j]
    rest = number & ~p.used
    while rest:
        word = p.bit[zt_first_bit(rest)]
        rest &= rest - 1
        memcpy(word, hit, WORDS * 8)
    p.used |= number


cdef void give_numbers(Numbers *p, const uint64_t *hit, const Numbers *given) noexcept nogil:
    """The frames of `hit`, which have no number yet, get those that `given` has for them."""
    cdef uint32_t rest = given.used
    cdef uint64_t *word
    cdef const uint64_t *its
    cdef int b, j
    while rest:
        b = zt_first_bit(rest)
        rest &= rest - 1
        word = p.bit[b]
        its = given.bit[b]
        if not p.used >> b & 1:
            memset(word, 0, WORDS * 8)
        for j in range(WORDS):
            word[j] |= its[j] & hit[j]
    p.used |= given.used


cdef void keep_numbers(Numbers *p, const uint64_t *kept) noexcept nogil:
    """Frames that are not among `kept` have no number any more."""
    cdef uint32_t rest = p.used
    cdef uint64_t *word
    cdef int j
    while rest:
        word = p.bit[zt_first_bit(rest)]
        rest &= rest - 1
        for j in range(WORDS):
            word[j] &= kept[j]


cdef inline void give_bit(Numbers *p, int b, const uint64_t *hit) noexcept nogil:
    """The numbers of the frames of `hit` have bit b from now on."""
    cdef uint64_t *word = p.bit[b]
    cdef int j
    if not p.used >> b & 1:
        memset(word, 0, WORDS * 8)
        p.used |= <uint32_t>1 << b
    for j in range(WORDS):
        word[j] |= hit[j]


cdef inline void take_rows(const Numbers *p, int first, const uint64_t **row) noexcept nogil:
    """Eight bits of the numbers, from `first` on."""
    cdef int b
    for b in range(8):
        row[b] = zt_none
        if p.used >> (first + b) & 1:
            row[b] = &p.bit[first + b][0]


cdef void write_numbers(const Numbers *p, uint32_t less, uint32_t *out, int words) noexcept nogil:
    """Hand numbers out, each so much less; two words at a time, as `zt_bytes` makes them."""
    cdef const uint64_t *row[4][8]
    cdef uint8_t part[2][128]
    cdef int shift[4]
    cdef int count = 0
    cdef int a, b, i, j, k
    for k in range(0, 32, 8):
        if p.used >> k & 255 or (k == 24 and not count):
            take_rows(p, k, row[count])
            shift[count] = k
            count += 1
    a = shift[0]
    for j in range(0, words, 2):
        zt_bytes(part[0], row[0], j)
        for i in range(128):
            out[i] = (<uint32_t>part[0][i] << a) - less
        for k in range(1, count):
            b = shift[k]
            zt_bytes(part[1], row[k], j)
            for i in range(128):
                out[i] += <uint32_t>part[1][i] << b
        out += 128


cdef void write_verdicts(const Numbers *p, int32_t *entry, uint8_t *code, int words) noexcept nogil:
    """Hand verdicts out: (entry + 1) << CODE_BITS | code; as `write_numbers`."""
    cdef const uint64_t *row[4][8]
    cdef uint8_t low[128]
    cdef uint8_t high[128]
    cdef int i, j, k
    for k in range(4):
        take_rows(p, 8 * k, row[k])
    for j in range(0, words, 2):
        zt_bytes(low, row[0], j)
        for i in range(128):
            code[i] = low[i] & ((1 << CODE_BITS) - 1)
        if p.used < 256:
            for i in range(128):
                entry[i] = (<int32_t>low[i] >> CODE_BITS) - 1
        else:
            zt_bytes(high, row[1], j)
            for i in range(128):
                entry[i] = ((<int32_t>low[i] | <int32_t>high[i] << 8) >> CODE_BITS) - 1
        for k in range(2, 4):
            if p.used >> (8 * k):
                zt_bytes(high, row[k], j)
                for i in range(128):
                    entry[i] += <int32_t>high[i] << (8 * k - CODE_BITS)
        entry += 128
        code += 128
