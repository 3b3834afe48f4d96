# One record of a classic pcap, or one packet block of a pcapng: is it whole, and where is its frame?
#
# Contract: `record_at` and `block_at` read nothing outside the buffer up to `end` and trust no length.
#
# In a pcapng, records are enhanced packet blocks whose two lengths agree, of interfaces that the
# section has, with no flags that tell of a check sequence.  Any other block ends the scan without
# an error: who called reads it, and begins another scan behind it.

cdef enum:
    HEAD = 32           # bytes of a packet block without a frame
    SECTION_HEADER = 0x0A0D0D0A
    ENHANCED_PACKET = 6
    PACKET_HEAD = 28    # bytes of such a block before its frame; its length again is behind it
    MAX_BLOCK = 1 << 24
    FLAGS_OPTION = 2
    FCS_BITS = 0x1E0    # of its value: bytes of a check sequence
    BLOCK_SIZE = 1
    BLOCK_TRAILER = 2
    BLOCK_SECTION = 3

cdef enum:
    SCAN_OK = 0
    SCAN_TOO_LONG = 1


cdef inline uint32_t field(const Input *x, int64_t at) noexcept nogil:
    cdef uint32_t value = load32(x.buffer + at)
    return zt_swap32(value) if x.swapped else value


cdef int record_at(const Input *x, int64_t place, Record *r) noexcept nogil:
    """The record at `place`: 1 where it is whole, 0 where not; −1: it cannot be so long."""
    if place + 16 > x.end:
        return 0
    r.captured = field(x, place + 8)
    r.length = field(x, place + 12)
    r.body = place + x.header
    r.after = r.body + r.captured
    if r.captured > x.max_captured:
        return -1
    return r.after <= x.end


cdef int block_at(const Input *x, int64_t place, Record *r) noexcept nogil:
    """The enhanced packet block at `place`: 1, or 0 where another block or a broken one is."""
    cdef int64_t size, least
    if place + HEAD > x.end or field(x, place) != ENHANCED_PACKET:
        return 0
    size = field(x, place + 4)
    if size & 3 or size < HEAD or size > MAX_BLOCK or size > x.end - place:
        return 0
    r.captured = field(x, place + 20)
    r.length = field(x, place + 24)
    r.body = place + PACKET_HEAD
    r.after = place + size
    least = block_size(r.captured)
    return (
        r.captured <= x.max_captured and least <= size
        and field(x, place + 8) < x.interfaces and field(x, r.after - 4) == size
        and (least == size or without_fcs(x, place + least - 4, r.after - 4))
    )


cdef inline int64_t block_size(uint32_t captured) noexcept nogil:
    """Bytes of a packet block without options."""
    return HEAD + ((<int64_t>captured + 3) & ~<int64_t>3)


cdef int without_fcs(const Input *x, int64_t at, int64_t end) noexcept nogil:
    """Are these options whole, and does none of them tell of a check sequence?"""
    cdef uint32_t word
    cdef int code, size
    while at + 4 <= end:
        word = load32(x.buffer + at)
        word = zt_swap32(word) if x.swapped else word << 16 | word >> 16
        code, size = <int>(word >> 16), <int>(word & 0xFFFF)
        if code == 0:
            return 1
        at += 4
        if size > end - at or code == FLAGS_OPTION and (size != 4 or field(x, at) & FCS_BITS):
            return 0
        at += (size + 3) & ~3
    return at == end
