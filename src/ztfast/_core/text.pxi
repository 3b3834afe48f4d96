# Columns as text: MACs and IP addresses, and which of their numbers are the same.
#
# Contract: texts are bytes one behind the other with where each begins, as Arrow has them
# (sinks/text_columns.py).  Nothing is written outside `out` and `offsets`, whatever they hold;
# sinks/text_columns.py says the same in plain Python, and tests/sinks compares.

cdef enum:
    MAC_LENGTH = 17
    IP_LENGTH = 39

cdef uint8_t HEX_PAIRS[256][2]
cdef uint8_t DIGIT_PAIRS[100][2]
cdef uint8_t OCTETS[256][5]      # a number's digits and a dot; how many bytes that is

cdef void fill_octet(uint8_t *octet, bytes text):
    octet[4] = <uint8_t>len(text)
    memcpy(octet, <const uint8_t *>text, len(text))


cdef void fill_digits():
    cdef const char *digits = "0123456789abcdef"
    cdef int i
    for i in range(256):
        HEX_PAIRS[i][0] = digits[i >> 4]
        HEX_PAIRS[i][1] = digits[i & 15]
        fill_octet(OCTETS[i], f"{i}.".encode())
    for i in range(100):
        DIGIT_PAIRS[i][0] = digits[i // 10]
        DIGIT_PAIRS[i][1] = digits[i % 10]

fill_digits()


cdef inline uint64_t eight_digits(uint32_t x) noexcept nogil:
    """The digits of a number below 10^8, one a byte, the first in the lowest.

    Two fours, four pairs, eight digits: each step divides all parts at once.
    """
    cdef uint64_t fours = x // 10000 | <uint64_t>(x % 10000) << 32
    cdef uint64_t top = (fours * 10486 >> 20) & <uint64_t>0x0000007F0000007F
    cdef uint64_t pairs = (fours - 100 * top << 16) + top
    cdef uint64_t tens = (pairs * 103 >> 10) & <uint64_t>0x000F000F000F000F
    return tens + (pairs - 10 * tens << 8)


cdef inline uint8_t *put_eight(uint8_t *o, uint32_t x) noexcept nogil:
    """A number below 10^8 in eight digits."""
    cdef uint64_t text = eight_digits(x) + <uint64_t>0x3030303030303030
    memcpy(o, &text, 8)
    return o + 8


cdef inline uint8_t *put_number(uint8_t *o, uint64_t x) noexcept nogil:
    """A number in decimal: up to 20 bytes, and 8 that what follows is written over."""
    cdef uint32_t eights[2]
    cdef uint64_t text
    cdef int n = 0, zeros
    if x < 10:  # as most fields that a frame does not have
        o[0] = <uint8_t>(48 + x)
        return o + 1
    while x >= 100000000:
        eights[n] = <uint32_t>(x % 100000000)
        x //= 100000000
        n += 1
    text = eight_digits(<uint32_t>x)
    zeros = zt_first_bit(text | <uint64_t>1 << 56) & ~7  # bits of those in front, but for the last
    text = text + <uint64_t>0x3030303030303030 >> zeros
    memcpy(o, &text, 8)
    o += 8 - (zeros >> 3)
    while n:
        n -= 1
        o = put_eight(o, eights[n])
    return o


cdef inline uint8_t *put_signed(uint8_t *o, int64_t x) noexcept nogil:
    if x < 0:
        o[0] = 45
        return put_number(o + 1, <uint64_t>0 - <uint64_t>x)
    return put_number(o, <uint64_t>x)


cdef inline uint8_t *put_ipv4(uint8_t *o, uint32_t address) noexcept nogil:
    """Four numbers with dots: up to 15 bytes, and 1 that what follows is written over."""
    cdef const uint8_t *octet
    cdef int k
    for k in range(4):
        octet = OCTETS[address >> (24 - 8 * k) & 255]
        memcpy(o, octet, 4)
        o += octet[4]
    return o - 1  # the last dot


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


cdef inline uint8_t *put_mac(uint8_t *o, uint64_t mac) noexcept nogil:
    """48 bits as `aa:bb:cc:dd:ee:ff`."""
    cdef int k
    for k in range(6):
        memcpy(o + 3 * k, HEX_PAIRS[mac >> (40 - 8 * k) & 255], 2)
        if k < 5:
            o[3 * k + 2] = 58
    return o + MAC_LENGTH


cdef inline uint8_t *put_address(
    uint8_t *o, uint8_t version, uint64_t high, uint64_t low
) noexcept nogil:
    """An IP address by version 4 or 6, else nothing."""
    if version == 4:
        return put_ipv4(o, <uint32_t>low)
    return put_ipv6(o, high, low) if version == 6 else o


def mac_texts(
    const uint8_t[::1] known, const uint64_t[::1] macs, int32_t[::1] offsets, uint8_t[::1] out
):
    """MACs as `aa:bb:cc:dd:ee:ff`, nothing for those that are not `known`; bytes written.

    Raises ValueError where columns differ in length or `out` has not 17 bytes a MAC.
    """
    cdef int64_t i, count = macs.shape[0]
    cdef int32_t used = 0
    if known.shape[0] != count or offsets.shape[0] != count + 1:
        raise ValueError("the columns of MACs must be as many, and one offset more")
    if count > 0x7FFFFFFF // MAC_LENGTH or out.shape[0] < count * MAC_LENGTH:
        raise ValueError("there is no room for so many texts")
    with nogil:
        offsets[0] = 0
        for i in range(count):
            if known[i]:
                put_mac(&out[0] + used, macs[i])
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
            o = put_address(o, version[i], high[i], low[i])
            offsets[i + 1] = <int32_t>(o - begin)
    return 0 if count == 0 else o - begin


def different_rows(
    const uint8_t[::1] kind, const uint64_t[::1] high, const uint64_t[::1] low,
    tuple factors, int32_t[::1] slots, int32_t[::1] codes, int32_t[::1] first
):
    """Number the rows that differ, in the order in which they first stand; how many there are.

    codes: the number of each row.  first: the row of each number.  slots: to work in, more than
    there are rows, a power of two.  factors: odd, unknown to who chose the rows, so that nobody
    can have chosen rows that share a slot.
    Raises ValueError where columns differ in length or there are too few slots.
    """
    cdef int64_t i, count = kind.shape[0]
    cdef uint64_t mask = <uint64_t>slots.shape[0] - 1, at
    cdef int shift = 63 - (<int>int(mask).bit_length() - 1)
    cdef uint64_t by_low = factors[0], by_high = factors[1]
    cdef int32_t found = 0, code
    if high.shape[0] != count or low.shape[0] != count:
        raise ValueError("the columns of rows must be as many")
    if codes.shape[0] != count or first.shape[0] != count or count > 0x7FFFFFFF:
        raise ValueError("there is no room for so many rows")
    if slots.shape[0] <= max(count, 1) or slots.shape[0] & <int64_t>mask:
        raise ValueError("slots must be a power of two above the number of rows")
    with nogil:
        memset(&slots[0], 0xFF, slots.shape[0] * sizeof(int32_t))
        for i in range(count):
            at = ((low[i] ^ kind[i]) * by_low + high[i] * by_high) >> shift
            while True:
                code = slots[at]
                if code < 0:
                    code = slots[at] = found
                    first[found] = <int32_t>i
                    found += 1
                    break
                if (
                    low[first[code]] == low[i] and high[first[code]] == high[i]
                    and kind[first[code]] == kind[i]
                ):
                    break
                at = at + 1 & mask
            codes[i] = code
    return found
