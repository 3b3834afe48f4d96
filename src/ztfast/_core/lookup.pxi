# Look-ups: the first of a series of sets that holds for a frame.

# One look-up: which of a series of sets holds first (program/lookup.py makes it).
# A column's value becomes a class; each class has a row of bits, one a term; the first bit
# set in all of a frame's rows is its term.
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
    const LookupColumn *c, int form, const void *column, State *s, uint16_t *frame,
    uint16_t *found
) noexcept nogil:
    """The frames of the set for which this column leaves any term, and its class of each."""
    cdef const uint8_t *held = s.set
    cdef int n = whole_lanes(s.lanes)
    cdef int count = 0
    cdef int i
    cdef uint16_t number
    for i in range(n):
        number = class_at(c, form, column, i)
        frame[count] = <uint16_t>i
        found[count] = number
        count += held[i] & (number != 0)
    return count


cdef inline int sift(
    const LookupColumn *c, int form, const void *column, State *s, uint16_t *frame,
    uint16_t *found
) noexcept nogil:
    """As `choose`, for a column with a sieve: no branch for the frames that do not pass."""
    cdef const uint8_t *held = s.set
    cdef int n = whole_lanes(s.lanes)
    cdef uint64_t factor = SIEVE_FACTOR
    cdef uint64_t value
    cdef uint32_t bit
    cdef int passed = 0, count = 0
    cdef int i, k
    cdef uint16_t number
    for i in range(n):
        if form == BY_TRIE:
            value = (<const uint32_t *>column)[i]
        else:
            value = (<const uint64_t *>column)[i]
        bit = <uint32_t>(value * factor >> (64 - SIEVE_BITS))
        frame[passed] = <uint16_t>i
        passed += held[i] & (c.sieve[bit >> 3] >> (bit & 7)) & 1
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
    cdef int count = 0
    cdef int c, k, term
    for c in range(l.columns):
        column = &l.column[c]
        values = at[column.column]
        if c == 0:  # the most telling one
            if column.form == BY_BYTE:
                count = choose(column, BY_BYTE, values, s, frame, classes[0])
            elif column.form == BY_WORD:
                count = choose(column, BY_WORD, values, s, frame, classes[0])
            elif column.sieve != NULL and column.form == BY_TRIE:
                count = sift(column, BY_TRIE, values, s, frame, classes[0])
            elif column.sieve != NULL:
                count = sift(column, BY_SEARCH, values, s, frame, classes[0])
            elif column.form == BY_TRIE:
                count = choose(column, BY_TRIE, values, s, frame, classes[0])
            else:
                count = choose(column, BY_SEARCH, values, s, frame, classes[0])
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
        if term >= 0:
            decide(s, frame[k], l.entry[term], l.code[term], base)
    memcpy(s.set, s.live, s.lanes)
    return any_of(s.live, s.lanes)


cdef inline void decide(State *s, int i, int32_t entry, uint8_t code, int base) noexcept nogil:
    """One frame ends here by a look-up; SUPER_ACCEPT stands for PRIORITY, which never is one."""
    s.live[i] = 0
    if not base and code < REDIRECT:
        return
    s.entry[i] = entry
    if code == ACCEPT and s.armed[i]:
        s.code[i] = SUPER_ACCEPT
    else:
        s.code[i] = ACCEPT if code == SUPER_ACCEPT else code
    if not base:
        if s.capability_copy != NULL:
            s.capability_copy[i] = s.noted[i]
        s.pending[i] = 0
    elif code == NO_MATCH:
        s.pending[i] = 1
