# Rows of CSV out of columns: numbers, booleans, times, texts, MACs and IP addresses.
#
# Contract: nothing is written outside `out` and nothing read outside the columns, whatever they
# hold; sinks/csv.py says the same in plain Python, and tests/sinks compares.

cdef enum:  # sinks/csv.py says the same
    CSV_SIGNED, CSV_UNSIGNED, CSV_BOOL, CSV_TIME, CSV_TEXT, CSV_CODED, CSV_MAC, CSV_ADDRESS

cdef enum:
    CSV_FIELD = 48               # the most bytes of a number, time or address with comma and quotes
    CSV_AHEAD = 8                # a text is copied so many bytes at a time

cdef struct CsvColumn:
    int kind
    int width                    # bytes of an item
    const uint8_t *items         # numbers, codes of CSV_CODED, MACs, low halves of addresses
    const uint64_t *high         # halves of addresses
    const int32_t *offsets       # of texts
    const uint8_t *data          # of texts; versions of addresses, which MACs are known
    const uint8_t *end           # of data
    int64_t texts                # how many there are

cdef struct CsvTime:
    int64_t second               # of the row before
    uint8_t text[24]             # its date and time


cdef inline uint64_t quotes_of(uint64_t eight) noexcept nogil:
    """Which of eight bytes are quotes: the lowest bit that is set is in the first of them."""
    cdef uint64_t odd = eight ^ <uint64_t>0x2222222222222222
    return (odd - <uint64_t>0x0101010101010101) & ~odd & <uint64_t>0x8080808080808080


cdef inline uint8_t *put_quoted(
    uint8_t *o, const uint8_t *text, int64_t length, const uint8_t *end
) noexcept nogil:
    """A text in quotes, those inside doubled; end: up to where may be read behind it.

    Up to twice its length and 2, and CSV_AHEAD bytes that what follows is written over.
    """
    cdef int64_t i = 0
    cdef uint64_t eight
    o[0] = 34
    o += 1
    while i < length and end - (text + i) >= 8:
        memcpy(&eight, text + i, 8)
        if quotes_of(eight << 8 * max(0, 8 - (length - i))):
            break
        memcpy(o, &eight, 8)
        o += min(8, length - i)
        i += 8
    while i < length:
        o[0] = text[i]
        o += 1
        if text[i] == 34:
            o[0] = 34
            o += 1
        i += 1
    o[0] = 34
    return o + 1


cdef uint8_t *put_date(uint8_t *o, int64_t days) noexcept nogil:
    """Year, month and day of days since 1970, by the proleptic Gregorian calendar."""
    cdef int64_t z = days + 719468
    cdef int64_t era = (z if z >= 0 else z - 146096) // 146097
    cdef int64_t of_era = z - era * 146097
    cdef int64_t year_of_era = (
        of_era - of_era // 1460 + of_era // 36524 - of_era // 146096
    ) // 365
    cdef int64_t day = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    cdef int64_t month = (5 * day + 2) // 153
    cdef int64_t year = year_of_era + era * 400
    day = day - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year += month <= 2
    memcpy(o, DIGIT_PAIRS[year // 100], 2)
    memcpy(o + 2, DIGIT_PAIRS[year % 100], 2)
    o[4] = 45
    memcpy(o + 5, DIGIT_PAIRS[month], 2)
    o[7] = 45
    memcpy(o + 8, DIGIT_PAIRS[day], 2)
    return o + 10


cdef void put_second(CsvTime *known, int64_t seconds) noexcept nogil:
    """Date and time of a second since 1970, `2026-01-12 06:40:00.`, for the rows of that second."""
    cdef int64_t days = seconds // 86400, rest
    cdef uint8_t *o = known.text
    if days * 86400 > seconds:
        days -= 1
    rest = seconds - days * 86400
    put_date(o, days)
    o[10] = 32
    memcpy(o + 11, DIGIT_PAIRS[rest // 3600], 2)
    o[13] = 58
    memcpy(o + 14, DIGIT_PAIRS[rest // 60 % 60], 2)
    o[16] = 58
    memcpy(o + 17, DIGIT_PAIRS[rest % 60], 2)
    o[19] = 46
    known.second = seconds


cdef inline uint8_t *put_time(uint8_t *o, int64_t nanoseconds, CsvTime *known) noexcept nogil:
    """`2026-01-12 06:40:00.015569000Z`."""
    cdef int64_t seconds = nanoseconds // 1000000000
    cdef uint32_t fraction
    if seconds * 1000000000 > nanoseconds:
        seconds -= 1
    fraction = <uint32_t>(nanoseconds - seconds * 1000000000)
    if seconds != known.second:
        put_second(known, seconds)
    memcpy(o, known.text, 20)
    o[20] = <uint8_t>(48 + fraction // 100000000)
    put_eight(o + 21, fraction % 100000000)
    o[29] = 90
    return o + 30


cdef inline uint64_t item(const CsvColumn *c, int64_t row) noexcept nogil:
    """An item of a column of numbers, its sign carried on."""
    if c.width == 1:
        return c.items[row] if c.kind != CSV_SIGNED else <uint64_t>(<int8_t *>c.items)[row]
    if c.width == 2:
        return (
            (<const uint16_t *>c.items)[row] if c.kind != CSV_SIGNED
            else <uint64_t>(<const int16_t *>c.items)[row]
        )
    if c.width == 4:
        return (
            (<const uint32_t *>c.items)[row] if c.kind != CSV_SIGNED
            else <uint64_t>(<const int32_t *>c.items)[row]
        )
    return (<const uint64_t *>c.items)[row]


cdef inline int64_t text_length(const CsvColumn *c, int64_t at) noexcept nogil:
    """The bytes of a column's text; −1: it is not there."""
    return c.offsets[at + 1] - c.offsets[at] if 0 <= at < c.texts else -1


cdef int64_t fixed_room(const CsvColumn *columns, int count) noexcept nogil:
    """The most bytes of a row without its texts, but for those by number."""
    cdef int64_t room = CSV_AHEAD, longest, i
    cdef int k
    for k in range(count):
        if columns[k].kind == CSV_CODED:
            longest = 0
            for i in range(columns[k].texts):
                longest = max(longest, text_length(&columns[k], i))
            room += 2 * longest + 3
        elif columns[k].kind != CSV_TEXT:
            room += CSV_FIELD
    return room


cdef inline int64_t text_room(const CsvColumn *columns, int count, int64_t row) noexcept nogil:
    """The most bytes of a row's own texts; those that are not there need none."""
    cdef int64_t room = 0
    cdef int k
    for k in range(count):
        if columns[k].kind == CSV_TEXT:
            room += 2 * text_length(&columns[k], row) + 3
    return room


cdef inline uint8_t *put_field(
    uint8_t *o, const CsvColumn *c, int64_t row, CsvTime *known
) noexcept nogil:
    """One field; NULL where its text is not there."""
    cdef int64_t at, length
    if c.kind == CSV_UNSIGNED:
        return put_number(o, item(c, row))
    if c.kind == CSV_SIGNED:
        return put_signed(o, <int64_t>item(c, row))
    if c.kind == CSV_TEXT or c.kind == CSV_CODED:
        at = row if c.kind == CSV_TEXT else (<const int32_t *>c.items)[row]
        length = text_length(c, at)
        if length < 0:
            return NULL
        return put_quoted(o, c.data + c.offsets[at], length, c.end)
    if c.kind == CSV_MAC or c.kind == CSV_ADDRESS:
        o[0] = 34
        o += 1
        if c.kind == CSV_ADDRESS:
            o = put_address(o, c.data[row], c.high[row], (<const uint64_t *>c.items)[row])
        elif c.data[row]:
            o = put_mac(o, (<const uint64_t *>c.items)[row])
        o[0] = 34
        return o + 1
    if c.kind == CSV_TIME:
        return put_time(o, <int64_t>item(c, row), known)
    if item(c, row):
        memcpy(o, b"true", 4)
        return o + 4
    memcpy(o, b"false", 5)
    return o + 5


cdef int take_csv_column(CsvColumn *c, object given, int64_t rows) except -1:
    """A column as sinks/csv.py gives it: (kind, items, texts' offsets, bytes, high halves)."""
    kind, items, offsets, data, high = given
    cdef const int32_t[::1] starts
    cdef const uint64_t[::1] halves
    cdef const uint8_t[::1] content = data
    cdef int64_t i
    c.kind = kind
    c.texts = 0
    c.width = 0
    if not CSV_SIGNED <= c.kind <= CSV_ADDRESS:
        raise ValueError("a column of no known kind")
    if c.kind != CSV_TEXT:
        c.width = items.itemsize
        if (
            len(items) < rows or c.width not in (1, 2, 4, 8) or c.kind == CSV_CODED and c.width != 4
            or c.kind >= CSV_MAC and (c.width != 8 or content.shape[0] < rows)
        ):
            raise ValueError("a column of other length or width than the rows")
        c.items = <const uint8_t *>address_of(items)
    c.data = <const uint8_t *>address_of(data)
    c.end = c.data + content.shape[0]
    if c.kind == CSV_ADDRESS:
        halves = high
        if halves.shape[0] < rows:
            raise ValueError("addresses that are not whole")
        c.high = <const uint64_t *>address_of(high)
    if c.kind == CSV_TEXT or c.kind == CSV_CODED:
        starts = offsets
        c.texts = starts.shape[0] - 1
        if c.texts < 0 or starts[0] < 0 or starts[c.texts] > content.shape[0]:
            raise ValueError("texts that are not inside their bytes")
        for i in range(c.texts):
            if starts[i] > starts[i + 1]:
                raise ValueError("texts that end before they begin")
        c.offsets = &starts[0]
    return 0


cdef int64_t put_rows(
    const CsvColumn *columns, int count, int64_t *row, int64_t rows, uint8_t *out, int64_t room
) noexcept nogil:
    """Write rows as long as one fits; bytes written, −1 where a text is not there."""
    cdef int64_t fixed = fixed_room(columns, count), used = 0
    cdef CsvTime known
    cdef uint8_t *o
    cdef int k
    known.second = -(<int64_t>1 << 62)
    while row[0] < rows and used + fixed + text_room(columns, count, row[0]) <= room:
        o = out + used
        for k in range(count):
            o = put_field(o, &columns[k], row[0], &known)
            if o == NULL:
                return -1
            o[0] = 44
            o += 1
        if count:
            (o - 1)[0] = 10  # the last comma
        used = o - out
        row[0] += 1
    return used


def csv_rows(list columns, int64_t row, int64_t rows, uint8_t[::1] out):
    """Write rows of CSV from `row` on to before `rows`, as many as fit.

    columns: (kind, items, offsets, data, high) each: numbers, booleans and times have `items`; texts
    int32 `offsets`, one more than they are, into `data`; coded ones int32 `items` that number the
    texts as well; MACs uint64 `items`, with nothing for 0 in `data`; addresses uint64 `high` and
    `items`, their low halves, with versions in `data`.  Returns (the next row, bytes written).
    Raises ValueError for a column that does not have these rows.
    """
    cdef int count = len(columns), k
    cdef int64_t used, room = out.shape[0]
    cdef CsvColumn *taken
    if row < 0:
        raise ValueError(f"there is no row {row}")
    taken = <CsvColumn *>calloc(count + 1, sizeof(CsvColumn))
    if taken == NULL:
        raise MemoryError("no memory for a table's columns")
    try:
        for k in range(count):
            take_csv_column(&taken[k], columns[k], rows)
        with nogil:
            used = put_rows(taken, count, &row, rows, &out[0] if room else NULL, room)
    finally:
        free(taken)
    if used < 0:
        raise ValueError(f"row {row} has a text that is not there")
    return row, used
