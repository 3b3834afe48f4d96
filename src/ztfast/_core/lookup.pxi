# Look-ups: which of a series of sets holds first for a frame, all of them looked at together.
#
# Contract: the tables are those that program.lookup makes: every class has a row, every trie item
# names a leaf that is there, every form covers all values of its column.  (program.verify checks
# their columns and entries; no file holds them.)  Columns are trusted as in fold.pxi.  No GIL.
#
# The bit-vector scheme of Lakshman and Stiliadis (1998).  A term is one set: some tests, and-ed,
# and what follows when all hold.  In each column, values that no test tells apart are one class,
# and a class has a row of bits: bit t says that term t can hold with such a value.  A term holds
# for a frame exactly if its bit is set in the rows of all columns, and terms are numbered in the
# rules' order, so the first common bit is the set that a fold would have found first:
#
#     drop dport 22; accept dport 0-1023;        terms 0 and 1; the ports' column has four classes
#     0 … 21: {1}    22: {0, 1}    23 … 1023: {1}    1024 …: {}, which is class 0
#     port 22: the first bit is 0, so the frame is dropped;  port 80: bit 1, so it is accepted
#
#     for each frame of the set, but those of class 0, {}, in the first column:
#         left = AND of the classes' summaries          bit g: group g of the row is not zero
#         for g in left, ascending:
#             bits = AND of the rows' group g           GROUP words at once
#             if bits: the term is the lowest; stop
#
# Why groups may be left out: where a summary's bit is clear a whole group of that row is zero,
# and so is the and.  The last bit of a summary stands for all groups from the 63rd on, which are
# then tried one after the other.
#
# The first column is the one for which the fewest values leave any term.  Frames are picked with
# it without a branch: each is written to the next free place, and the place is only kept
# (count += 1) if the frame passes.  A sieve in front holds a bit for the hash of every value that
# has a term; a clear bit proves class 0, a set one proves nothing and the class is looked up.

cdef enum:
    GROUP = 8           # words of a row that are and-ed at once
    SIEVE_BITS = 17

cdef uint64_t SIEVE_FACTOR = 0x9E3779B97F4A7C15

cdef enum:
    BY_BYTE, BY_WORD, BY_TRIE, BY_SEARCH


cdef inline uint16_t class_at(const LookupColumn *c, int form, const void *column, int i) noexcept nogil:
    """The class of frame i's value in one column of a look-up; 0 is no term at all.

    `form` is c.form, a constant where this is called, so that the choice is made once a block.
    """
    if form == BY_BYTE:
        return c.classes[(<const uint8_t *>column)[i]]
    if form == BY_WORD:
        return c.classes[(<const uint16_t *>column)[i]]
    if form == BY_TRIE:
        return trie_class(c.classes, (<const uint32_t *>column)[i])
    return search_class(c, (<const uint64_t *>column)[i])


cdef inline int choose(
    const LookupColumn *c, int form, const void *column, const uint64_t *held, int words,
    uint16_t *frame, uint16_t *found
) noexcept nogil:
    """The frames of the set for which this column leaves any term, and its class of each."""
    cdef uint64_t left
    cdef int count = 0
    cdef int i, j
    cdef uint16_t number
    for j in range(words):
        left = held[j]
        for i in range(64 * j, 64 * j + 64):
            number = class_at(c, form, column, i)
            frame[count] = <uint16_t>i
            found[count] = number
            count += <int>(left & 1) & (number != 0)
            left >>= 1
    return count


cdef inline int sift(
    const LookupColumn *c, int form, const void *column, const uint64_t *held, int words,
    uint16_t *frame, uint16_t *found
) noexcept nogil:
    """As `choose`, for a column with a sieve: no branch for the frames that do not pass."""
    cdef uint64_t factor = SIEVE_FACTOR
    cdef uint64_t value
    cdef uint32_t bit
    cdef uint64_t left
    cdef int passed = 0, count = 0
    cdef int i, j, k
    cdef uint16_t number
    for j in range(words):
        left = held[j]
        for i in range(64 * j, 64 * j + 64):
            if form == BY_TRIE:
                value = (<const uint32_t *>column)[i]
            else:
                value = (<const uint64_t *>column)[i]
            bit = <uint32_t>(value * factor >> (64 - SIEVE_BITS))
            frame[passed] = <uint16_t>i
            passed += <int>left & (c.sieve[bit >> 3] >> (bit & 7)) & 1
            left >>= 1
    for k in range(passed):
        i = frame[k]
        number = class_at(c, form, column, i)
        frame[count] = <uint16_t>i
        found[count] = number
        count += number != 0
    return count


cdef inline void classify(
    const LookupColumn *c, int form, const void *column, const uint16_t *frame, int count,
    uint16_t *found
) noexcept nogil:
    """The classes of the chosen frames in a further column."""
    cdef int k
    for k in range(count):
        found[k] = class_at(c, form, column, frame[k])


cdef inline uint16_t trie_class(const uint16_t *classes, uint32_t value) noexcept nogil:
    """16-8-8 bits: an item below 0x8000 is a class, else the number of a leaf of 256 items."""
    cdef uint32_t item = classes[value >> 16]
    if item & 0x8000:
        item = classes[65536 + ((item & 0x7FFF) << 8) + (value >> 8 & 255)]
        if item & 0x8000:
            item = classes[65536 + ((item & 0x7FFF) << 8) + (value & 255)]
    return <uint16_t>item


cdef inline uint16_t search_class(const LookupColumn *c, uint64_t value) noexcept nogil:
    """The last bound that is not above the value."""
    cdef const uint64_t *bound = c.bounds
    cdef int64_t left = c.bound_count
    cdef int64_t half
    while left > 1:
        half = left >> 1
        bound += half if bound[half] <= value else 0
        left -= half
    return c.classes[bound - c.bounds]


cdef int first_term(const Lookup *l, const uint64_t **row, uint64_t left) noexcept nogil:
    """The first term that is in every row, −1 none; `left` says which groups can hold one.

    A group is GROUP words, and-ed together at once.
    """
    cdef uint64_t bits[GROUP]
    cdef uint64_t found
    cdef int c, k, group
    while left:
        group = zt_first_bit(left)
        left &= left - 1
        while True:
            for k in range(GROUP):
                bits[k] = row[0][group * GROUP + k]
            for c in range(1, l.columns):
                for k in range(GROUP):
                    bits[k] &= row[c][group * GROUP + k]
            found = 0
            for k in range(GROUP):
                found |= bits[k]
            if found:
                k = 0
                while not bits[k]:
                    k += 1
                return (group * GROUP + k) * 64 + zt_first_bit(bits[k])
            group += 1
            if group < 64 or group * GROUP >= l.words:  # the last bit stands for all that follow
                break
    return -1


cdef int look_up(State *s, const Lookup *l, void *const *at, int base) noexcept nogil:
    """Decide every frame of the set for which a term of the series holds; returns as `end_hits`."""
    cdef uint16_t classes[LOOKUP_COLUMNS][BLOCK + 1]
    cdef const uint64_t *row[LOOKUP_COLUMNS]
    cdef const LookupColumn *column
    cdef const void *values
    cdef uint16_t frame[BLOCK + 1]
    cdef uint64_t left
    cdef uint64_t ended[CODES][WORDS]
    cdef int count = 0
    cdef int c, k, term, code
    memset(ended, 0, sizeof(ended))
    for c in range(l.columns):
        column = &l.column[c]
        values = at[column.column]
        if c == 0:  # the most telling one
            if column.form == BY_BYTE:
                count = choose(column, BY_BYTE, values, s.set, s.words, frame, classes[0])
            elif column.form == BY_WORD:
                count = choose(column, BY_WORD, values, s.set, s.words, frame, classes[0])
            elif column.sieve != NULL and column.form == BY_TRIE:
                count = sift(column, BY_TRIE, values, s.set, s.words, frame, classes[0])
            elif column.sieve != NULL:
                count = sift(column, BY_SEARCH, values, s.set, s.words, frame, classes[0])
            elif column.form == BY_TRIE:
                count = choose(column, BY_TRIE, values, s.set, s.words, frame, classes[0])
            else:
                count = choose(column, BY_SEARCH, values, s.set, s.words, frame, classes[0])
            if not count:
                break
        elif column.form == BY_BYTE:
            classify(column, BY_BYTE, values, frame, count, classes[c])
        elif column.form == BY_WORD:
            classify(column, BY_WORD, values, frame, count, classes[c])
        elif column.form == BY_TRIE:
            classify(column, BY_TRIE, values, frame, count, classes[c])
        else:
            classify(column, BY_SEARCH, values, frame, count, classes[c])
    for k in range(count):
        left = <uint64_t>0xFFFFFFFFFFFFFFFF
        for c in range(l.columns):
            left &= l.column[c].summary[classes[c][k]]
        if not left:
            continue
        for c in range(l.columns):
            row[c] = l.column[c].rows + <int64_t>classes[c][k] * l.words
        term = first_term(l, row, left)
        if term < 0:
            continue
        code = l.code[term]
        ended[code][frame[k] >> 6] |= <uint64_t>1 << (frame[k] & 63)
        if base or code >= REDIRECT:
            s.looked_up[frame[k]] = l.entry[term]
    for code in range(CODES):
        if any_of(ended[code]):
            decide(s, ended[code], <uint8_t>code, base)
    memcpy(s.set, s.live, WORDS * 8)
    return any_of(s.live)


cdef inline void decide(State *s, const uint64_t *hit, uint8_t code, int base) noexcept nogil:
    """Frames end here by a look-up; SUPER_ACCEPT stands for PRIORITY, which never is one."""
    cdef int j
    for j in range(WORDS):
        s.live[j] &= ~hit[j]
    if not base and code < REDIRECT:
        return
    for j in range(WORDS):
        s.apart[j] |= hit[j]
    if code == ACCEPT:
        give_verdict(s, hit, 0, ACCEPT, base, SUPER_ACCEPT)
    elif code == SUPER_ACCEPT:
        give_verdict(s, hit, 0, ACCEPT, base, ACCEPT)
    else:
        give_verdict(s, hit, 0, code, base, code)
