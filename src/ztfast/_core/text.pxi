# Columns as text: MACs, IP addresses, values by number, and rows of CSV.
#
# Contract: texts are bytes one behind the other with where each begins, as Arrow has them
# (sinks/text_columns.py).  Nothing is written outside `out` and `offsets`, whatever they hold;
# sinks/text_columns.py and sinks/csv.py say the same in plain Python, and tests/sinks compares.

cdef enum:
    MAC_LENGTH = 17
    IP_LENGTH = 39

cdef enum:
    CSV_SIGNED, CSV_UNSIGNED, CSV_BOOL, CSV_TIME, CSV_TEXT, CSV_CODED  # sinks/csv.py says the same

cdef enum:
    CSV_FIELD = 32  # the most bytes of a number or time with the comma behind it

cdef struct CsvColumn:
    int kind
    int width                    # bytes of an item
    const uint8_t *items         # numbers, or codes of CSV_CODED
    const int32_t *offsets       # of texts
    const uint8_t *data
    int64_t texts                # how many there are

cdef uint8_t HEX_PAIRS[256][2]
cdef uint8_t DIGIT_PAIRS[100][2]

cdef void fill_digits() noexcept:
    cdef const char *digits = "0123456789abcdef"
    cdef int i
    for i in range(256):
        HEX_PAIRS[i][0] = digits[i >> 4]
        HEX_PAIRS[i][1] = digits[i & 15]
    for i in range(100):
        DIGIT_PAIRS[i][0] = digits[i // 10]
        DIGIT_PAIRS[i][1] = digits[i % 10]

fill_digits()


cdef inline uint8_t *put_number(uint8_t *o, uint64_t x) noexcept nogil:
    """A number in decimal; up to 20 bytes."""
    cdef uint8_t text[20]
    cdef int n = 20
    while x >= 100:
        n -= 2
        memcpy(text + n, DIGIT_PAIRS[x % 100], 2)
        x //= 100
    if x >= 10:
        n -= 2
        memcpy(text + n, DIGIT_PAIRS[x], 2)
    else:
        n -= 1
        text[n] = <uint8_t>(48 + x)
    memcpy(o, text + n, 20 - n)
    return o + 20 - n


cdef inline uint8_t *put_signed(uint8_t *o, int64_t x) noexcept nogil:
    if x < 0:
        o[0] = 45
        return put_number(o + 1, <uint64_t>0 - <uint64_t>x)
    return put_number(o, <uint64_t>x)


cdef inline uint8_t *put_ipv4(uint8_t *o, uint32_t address) noexcept nogil:
    cdef int k
    for k in range(3):
        o = put_number(o, address >> (24 - 8 * k) & 255)
        o[0] = 46
        o += 1
    return put_number(o, address & 255)


cdef inline uint8_t *put_group(uint8_t *o, uint32_t group) noexcept nogil:
    """16 bits in hexadecimal without zeros in front."""
    cdef int shift = 12
    while shift and not group >> shift:
        shift -= 4
    while shift >= 0:
        o[0] = HEX_PAIRS[group >> shift & 15][1]
        o += 1
        shift -= 4
    return o


cdef uint8_t *put_ipv6(uint8_t *o, uint64_t high, uint64_t low) noexcept nogil:
    """RFC 5952, in hexadecimal throughout; the first longest run of two zeros or more is `::`."""
    cdef uint32_t groups[8]
    cdef int i, run = 0, begin = 0, longest = 1, skipped = -1
    for i in range(4):
        groups[i] = high >> (48 - 16 * i) & 0xFFFF
        groups[4 + i] = low >> (48 - 16 * i) & 0xFFFF
    for i in range(8):
        if groups[i]:
            run = 0
            continue
        begin = begin if run else i
        run += 1
        if run > longest:
            longest = run
            skipped = begin
    i = 0
    while i < 8:
        if i == skipped:
            o[0] = 58
            o[1] = 58
            o += 2
            i += longest
            continue
        if i and (skipped < 0 or i != skipped + longest):
            o[0] = 58
            o += 1
        o = put_group(o, groups[i])
        i += 1
    return o


def mac_texts(
    const uint64_t[::1] macs, const uint32_t[::1] missing, uint32_t bits, int32_t[::1] offsets,
    uint8_t[::1] out
):
    """MACs as `aa:bb:cc:dd:ee:ff`, nothing where any of `bits` is in `missing`; bytes written.

    Raises ValueError where columns differ in length or `out` has not 17 bytes a MAC.
    """
    cdef int64_t i, count = macs.shape[0]
    cdef int k
    cdef int32_t used = 0
    cdef uint8_t *o
    if missing.shape[0] != count or offsets.shape[0] != count + 1:
        raise ValueError("the columns of MACs must be as many, and one offset more")
    if count > 0x7FFFFFFF // MAC_LENGTH or out.shape[0] < count * MAC_LENGTH:
        raise ValueError("there is no room for so many texts")
    with nogil:
        offsets[0] = 0
        for i in range(count):
            if not missing[i] & bits:
                o = &out[0] + used
                for k in range(6):
                    memcpy(o + 3 * k, HEX_PAIRS[macs[i] >> (40 - 8 * k) & 255], 2)
                    if k < 5:
                        o[3 * k + 2] = 58
                used += MAC_LENGTH
            offsets[i + 1] = used
    return used


def address_texts(
    const uint8_t[::1] version, const uint64_t[::1] high, const uint64_t[::1] low,
    int32_t[::1] offsets, uint8_t[::1] out
):
    """IP addresses as text, by version 4 (`low` holds it) or 6, else nothing; bytes written.

    Raises ValueError where columns differ in length or `out` has not 39 bytes an address.
    """
    cdef int64_t i, count = version.shape[0]
    cdef uint8_t *o
    cdef uint8_t *begin
    if high.shape[0] != count or low.shape[0] != count or offsets.shape[0] != count + 1:
        raise ValueError("the columns of addresses must be as many, and one offset more")
    if count > 0x7FFFFFFF // IP_LENGTH or out.shape[0] < count * IP_LENGTH:
        raise ValueError("there is no room for so many texts")
    with nogil:
        offsets[0] = 0
        o = begin = &out[0] if count else NULL
        for i in range(count):
            if version[i] == 4:
                o = put_ipv4(o, <uint32_t>low[i])
            elif version[i] == 6:
                o = put_ipv6(o, high[i], low[i])
            offsets[i + 1] = <int32_t>(o - begin)
    return 0 if count == 0 else o - begin


# --- rows of CSV -------------------------------------------------------------------------------

cdef uint8_t *put_quoted(uint8_t *o, const uint8_t *text, int64_t length) noexcept nogil:
    """A text in quotes, those inside doubled; up to twice its length and 2."""
    cdef int64_t i
    o[0] = 34
    o += 1
    for i in range(length):
        o[0] = text[i]
        o += 1
        if text[i] == 34:
            o[0] = 34
            o += 1
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


cdef uint8_t *put_time(uint8_t *o, int64_t nanoseconds, int64_t *known, uint8_t *date) noexcept nogil:
    """`2026-01-12 06:40:00.015569000Z`; the date of the last row is kept."""
    cdef int64_t seconds = nanoseconds // 1000000000
    cdef int64_t days, rest
    cdef uint32_t fraction
    cdef int k
    if seconds * 1000000000 > nanoseconds:
        seconds -= 1
    fraction = <uint32_t>(nanoseconds - seconds * 1000000000)
    days = seconds // 86400
    if days * 86400 > seconds:
        days -= 1
    rest = seconds - days * 86400
    if days != known[0]:
        put_date(date, days)
        known[0] = days
    memcpy(o, date, 10)
    o[10] = 32
    memcpy(o + 11, DIGIT_PAIRS[rest // 3600], 2)
    o[13] = 58
    memcpy(o + 14, DIGIT_PAIRS[rest // 60 % 60], 2)
    o[16] = 58
    memcpy(o + 17, DIGIT_PAIRS[rest % 60], 2)
    o[19] = 46
    o[28] = <uint8_t>(48 + fraction % 10)
    fraction //= 10
    for k in range(4):
        memcpy(o + 26 - 2 * k, DIGIT_PAIRS[fraction % 100], 2)
        fraction //= 100
    o[29] = 90
    return o + 30


cdef inline int64_t text_at(const CsvColumn *c, int64_t row) noexcept nogil:
    """Which of a column's texts stands in a row, −1: none of them."""
    cdef int64_t at = row
    if c.kind == CSV_CODED:
        at = (<const int32_t *>c.items)[row]
    return at if 0 <= at < c.texts else -1


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


cdef inline int64_t row_room(const CsvColumn *columns, int count, int64_t row) noexcept nogil:
    """The most bytes of a row; −1: one of its texts is not there."""
    cdef int64_t room = 0, at
    cdef int k
    for k in range(count):
        if columns[k].kind < CSV_TEXT:
            room += CSV_FIELD
            continue
        at = text_at(&columns[k], row)
        if at < 0:
            return -1
        room += 2 * <int64_t>(columns[k].offsets[at + 1] - columns[k].offsets[at]) + 3
    return room


cdef uint8_t *put_field(
    uint8_t *o, const CsvColumn *c, int64_t row, int64_t *known, uint8_t *date
) noexcept nogil:
    cdef int64_t at
    if c.kind >= CSV_TEXT:
        at = text_at(c, row)
        return put_quoted(o, c.data + c.offsets[at], c.offsets[at + 1] - c.offsets[at])
    if c.kind == CSV_SIGNED:
        return put_signed(o, <int64_t>item(c, row))
    if c.kind == CSV_UNSIGNED:
        return put_number(o, item(c, row))
    if c.kind == CSV_TIME:
        return put_time(o, <int64_t>item(c, row), known, date)
    if item(c, row):
        memcpy(o, b"true", 4)
        return o + 4
    memcpy(o, b"false", 5)
    return o + 5


cdef int take_csv_column(CsvColumn *c, object given, int64_t rows) except -1:
    """A column as sinks/csv.py gives it: (kind, items, texts' offsets, texts' bytes)."""
    kind, items, offsets, data = given
    cdef const int32_t[::1] starts
    cdef int64_t i
    c.kind = kind
    c.texts = 0
    c.width = 0
    if c.kind != CSV_TEXT:
        c.width = items.itemsize
        if len(items) < rows or c.width not in (1, 2, 4, 8) or c.kind == CSV_CODED and c.width != 4:
            raise ValueError("a column of other length or width than the rows")
        c.items = <const uint8_t *>address_of(items)
    if c.kind >= CSV_TEXT:
        starts = offsets
        c.texts = starts.shape[0] - 1
        if c.texts < 0 or starts[0] < 0 or starts[c.texts] > len(data):
            raise ValueError("texts that are not inside their bytes")
        for i in range(c.texts):
            if starts[i] > starts[i + 1]:
                raise ValueError("texts that end before they begin")
        c.offsets = &starts[0]
        c.data = <const uint8_t *>address_of(data)
    return 0


def csv_rows(list columns, int64_t row, int64_t rows, uint8_t[::1] out):
    """Write rows of CSV from `row` on to before `rows`, as many as fit.

    columns: (kind, items, offsets, data) each: numbers, booleans and times have `items`; texts
    int32 `offsets`, one more than they are, into `data`; coded ones int32 `items` that number the
    texts as well.  Returns (the next row, bytes written).
    Raises ValueError for a column that does not have these rows.
    """
    cdef int count = len(columns), k
    cdef int64_t room, used = 0, known = -(<int64_t>1 << 62)
    cdef uint8_t date[16]
    cdef uint8_t *o
    cdef CsvColumn *taken
    cdef int wrong = 0
    if row < 0:
        raise ValueError(f"there is no row {row}")
    taken = <CsvColumn *>calloc(count + 1, sizeof(CsvColumn))
    if taken == NULL:
        raise MemoryError("no memory for a table's columns")
    try:
        for k in range(count):
            take_csv_column(&taken[k], columns[k], rows)
        with nogil:
            while row < rows:
                room = row_room(taken, count, row)
                if room < 0:
                    wrong = 1
                    break
                if room > out.shape[0] - used:
                    break
                o = &out[0] + used
                for k in range(count):
                    o = put_field(o, &taken[k], row, &known, date)
                    o[0] = 44
                    o += 1
                if count:
                    (o - 1)[0] = 10  # the last comma
                used = o - &out[0]
                row += 1
    finally:
        free(taken)
    if wrong:
        raise ValueError(f"row {row} has a text that is not there")
    return row, used
