# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The hot loops: decoding headers into columns, folding a table over them, hopping through captures.

Contract: nothing here checks its arguments' meaning (program.verify and frames.batch did);
every read of frame bytes stays below `captured`, every column is a block of BLOCK items,
and nothing here holds the GIL while it works.  The numbers are those of
program/opcodes.py; tests/program/test_opcodes.py compares them.  Built once for each
instruction level (setup.py).
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memmove, memset

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <stdlib.h>
    #define zt_swap16 _byteswap_ushort
    #define zt_swap32 _byteswap_ulong
    #define zt_swap64 _byteswap_uint64
    #define zt_prefetch(p) ((void)0)
    #else
    #define zt_swap16 __builtin_bswap16
    #define zt_swap32 __builtin_bswap32
    #define zt_swap64 __builtin_bswap64
    #define zt_prefetch(p) __builtin_prefetch((p), 0, 3)
    #endif
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #error "ztfast's compiled loops are written for little-endian machines; use ZTFAST_NO_EXTENSIONS=1"
    #endif
    """
    uint16_t zt_swap16(uint16_t) noexcept nogil
    uint32_t zt_swap32(uint32_t) noexcept nogil
    uint64_t zt_swap64(uint64_t) noexcept nogil
    void zt_prefetch(const void *) noexcept nogil

ctypedef const uint8_t *bytes_t

cdef enum:
    BLOCK = 1024        # frames a block; program state of one block stays in the first cache
    SOON = 32           # frames ahead of the one decoded whose headers are fetched
    CHUNK = 256         # frames decoded at a time, so that their headers stay there too
    ETHERNET = 14       # bytes of an Ethernet header
    FAST = 54           # captured bytes that hold Ethernet, IPv4 without options and TCP
    MAX_COLUMNS = 1024
    LINE = 64           # bytes of a cache line
    LANES = 64          # frames of a block are taken by so many: the bytes of the widest vector

cdef enum:
    OP_END, OP_SECTION, OP_TEST, OP_CONST, OP_RANDOM, OP_TAGS, OP_ARMED, OP_TERM, OP_SAVED
    OP_SAVE, OP_ARM_SKIP, OP_READ, OP_DROP, OP_ACCEPT, OP_BREAK, OP_PRIORITY, OP_COPY
    OP_REDIRECT, OP_LOOKUP

cdef enum:
    INTO_AND_SET, INTO_OR_SET, INTO_TERM, INTO_AND_TERM, INTO_OR_TERM

cdef enum:
    NEGATE = 8
    ALTERNATIVE = 16
    SKIPPABLE = 32
    FREE = 64

cdef enum:
    KIND = 0
    CHARACTERISTICS = 1
    PROTOCOL = 2
    TOS = 3
    ICMP_TYPE = 4
    ICMP_CODE = 5
    OWNERSHIP = 6
    ETHERTYPE = 8
    VLAN = 9
    SOURCE_PORT = 10
    DEST_PORT = 11
    TCP_FLAGS = 12
    LENGTH = 16
    IP4_SOURCE = 17
    IP4_DEST = 18
    MISSING = 19
    IP6_SOURCE_HIGH = 24
    IP6_SOURCE_LOW = 25
    IP6_DEST_HIGH = 26
    IP6_DEST_LOW = 27
    MAC_SOURCE = 28
    MAC_DEST = 29
    AUTH_HIGH = 30
    AUTH_LOW = 31
    ZT_SOURCE = 32
    ZT_DEST = 33
    NODE = 34
    FIRST_OWN = 40

cdef enum:
    KIND_IPV4 = 1
    KIND_IPV6 = 2
    KIND_PROTOCOL = 4
    KIND_SOURCE_PORT = 8
    KIND_DEST_PORT = 16
    KIND_ICMP = 32

cdef enum:
    CHR_MULTICAST = 1
    CHR_BROADCAST = 2
    CHR_AUTH_ADDRESS = 4
    CHR_AUTH_ALWAYS = 8
    CHR_AUTH_IPV6 = 16

cdef enum:
    OWNED_IP = 1
    OWNED_MAC = 2

cdef enum:
    READ_ETHERTYPE = 1
    READ_MAC_DEST = 2
    READ_MAC_SOURCE = 4
    READ_IP_SOURCE = 8
    READ_IP_DEST = 16
    READ_TOS = 32
    READ_PROTOCOL = 64
    READ_SOURCE_PORT = 128
    READ_DEST_PORT = 256
    READ_ICMP = 512
    READ_TCP_FLAGS = 1024
    READ_AUTH_ADDRESS = 2048
    READ_INTEGER = 4096
    MISSING_OWNED_IP = 1 << 16
    MISSING_OWNED_MAC = 1 << 17
    MISSING_LOCAL_TAGS = 1 << 18
    MISSING_REMOTE_TAGS = 1 << 19
    MISSING_ADDRESSES = 1 << 20
    MISSING_IP6_SOURCE = 1 << 21
    MISSING_IP6_DEST = 1 << 22

cdef enum:
    NO_MATCH, DROP, REDIRECT, ACCEPT, SUPER_ACCEPT

cdef struct Instruction:
    uint8_t op
    uint8_t flags
    uint16_t column
    int32_t entry
    int32_t jump
    int32_t other
    uint64_t mask
    uint64_t low
    uint64_t span

# Where a batch's frames are, and what was given of their headers when they are not Ethernet.
cdef struct Frames:
    bytes_t buffer
    const int64_t *offsets
    const uint32_t *captured
    const uint32_t *lengths
    int ethernet
    const uint16_t *ethertype
    const uint16_t *vlan
    const uint64_t *mac_source
    const uint64_t *mac_dest
    const uint32_t *unknown

# The fields taken from every frame of a block; the padding keeps one frame's items in different
# sets of the first cache.
cdef struct Heads:
    uint32_t word[BLOCK + 16]   # bytes 12 … 15: ethertype, version and header length, TOS
    uint32_t source[BLOCK + 16]
    uint32_t dest[BLOCK + 16]
    uint16_t source_port[BLOCK + 32]
    uint16_t dest_port[BLOCK + 32]
    uint8_t protocol[BLOCK + 64]
    uint16_t other[BLOCK + 32]  # frames that are not IPv4 without options

# A block's header columns, and which of them are wanted.
cdef struct Columns:
    void *at[FIRST_OWN]
    uint8_t need[FIRST_OWN]
    Heads *heads

# A block's frames while a table is folded over them; only `lanes` of them, whole vectors, are
# looked at: a block that is not full costs what it holds.
cdef struct State:
    uint8_t live[BLOCK]
    uint8_t set[BLOCK]
    uint8_t term[BLOCK]
    uint8_t saved[BLOCK]
    uint8_t armed[BLOCK]
    uint8_t skip[BLOCK]
    uint8_t pending[BLOCK]
    int32_t noted[BLOCK]
    # results, where they are wanted or in a Results
    uint8_t *code
    int32_t *entry
    int32_t *copy
    int32_t *capability_copy
    uint32_t *reads
    int lanes


# ---------------------------------------------------------------- decoding


cdef inline int width_of(int column) noexcept nogil:
    """Bytes an item of a fixed column."""
    if column < ETHERTYPE:
        return 1
    if column < LENGTH:
        return 2
    if column < IP6_SOURCE_HIGH:
        return 4
    return 8


cdef inline uint16_t load16(bytes_t p) noexcept nogil:
    cdef uint16_t x
    memcpy(&x, p, 2)
    return x


cdef inline uint32_t load32(bytes_t p) noexcept nogil:
    cdef uint32_t x
    memcpy(&x, p, 4)
    return x


cdef inline uint64_t load64(bytes_t p) noexcept nogil:
    cdef uint64_t x
    memcpy(&x, p, 8)
    return x


cdef inline uint32_t byte_at(bytes_t p, int64_t captured, int64_t at) noexcept nogil:
    """The byte, or zero where it was not captured or is not there."""
    return p[at] if at < captured else 0


cdef uint64_t big_endian(bytes_t p, int64_t captured, int64_t at, int count) noexcept nogil:
    cdef uint64_t value = 0
    cdef int i
    for i in range(count):
        value = value << 8 | byte_at(p, captured, at + i)
    return value


# What the scalar decoder finds of one frame; `put` spreads it over the columns.
cdef struct Fields:
    uint8_t kind, chr, protocol, tos, icmp_type, icmp_code
    uint16_t ethertype, vlan, source_port, dest_port, tcp_flags
    uint32_t length, ip4_source, ip4_dest, missing
    uint64_t ip6[4]
    uint64_t mac_source, mac_dest, auth_high, auth_low


cdef inline int has_ports(uint32_t protocol) noexcept nogil:
    return protocol == 6 or protocol == 17 or protocol == 132 or protocol == 136


cdef void decode_transport(
    Fields *f, bytes_t p, int64_t captured, int64_t length, int64_t pos, int ipv6, int unsure
) noexcept nogil:
    """Ports, ICMP and TCP flags at `pos`; `unsure` if the protocol itself was not captured."""
    cdef uint32_t protocol = f.protocol
    if unsure:
        f.missing |= READ_SOURCE_PORT | READ_DEST_PORT | READ_ICMP | READ_TCP_FLAGS
    if has_ports(protocol) and length > pos + 4:
        f.source_port = <uint16_t>big_endian(p, captured, pos, 2)
        f.dest_port = <uint16_t>big_endian(p, captured, pos + 2, 2)
        if not ipv6 or f.source_port:
            f.kind |= KIND_SOURCE_PORT
        if not ipv6 or f.dest_port:
            f.kind |= KIND_DEST_PORT
        if captured < pos + 2:
            f.missing |= READ_SOURCE_PORT
        if captured < pos + 4:
            f.missing |= READ_DEST_PORT
    if protocol == (58 if ipv6 else 1) and length >= pos + 2:
        f.kind |= KIND_ICMP
        f.icmp_type = <uint8_t>byte_at(p, captured, pos)
        f.icmp_code = <uint8_t>byte_at(p, captured, pos + 1)
        if captured < pos + 2:
            f.missing |= READ_ICMP
    if protocol == 6 and (not ipv6 or length > pos + 14):
        f.tcp_flags = <uint16_t>(
            (byte_at(p, captured, pos + 12) & 15) << 8 | byte_at(p, captured, pos + 13)
        )
        if captured < min(pos + 14, length) and pos + 12 < length:
            f.missing |= READ_TCP_FLAGS


cdef void decode_ipv4(Fields *f, bytes_t p, int64_t captured, int64_t length) noexcept nogil:
    f.kind = KIND_IPV4 | KIND_PROTOCOL
    f.tos = <uint8_t>byte_at(p, captured, 1)
    f.protocol = <uint8_t>byte_at(p, captured, 9)
    f.ip4_source = <uint32_t>big_endian(p, captured, 12, 4)
    f.ip4_dest = <uint32_t>big_endian(p, captured, 16, 4)
    f.chr |= CHR_AUTH_ADDRESS
    f.auth_low = f.ip4_source
    if captured < 20:
        f.missing |= READ_IP_DEST
        if captured < 16:
            f.missing |= READ_IP_SOURCE | READ_AUTH_ADDRESS
        if captured < 10:
            f.missing |= READ_PROTOCOL
        if captured < 2:
            f.missing |= READ_TOS
    decode_transport(
        f, p, captured, length, 4 * (byte_at(p, captured, 0) & 15), 0, captured < 10
    )


cdef void decode_ipv6(Fields *f, bytes_t p, int64_t captured, int64_t length) noexcept nogil:
    cdef int64_t pos = 40
    cdef uint32_t protocol = byte_at(p, captured, 6)
    cdef int unsure = captured < 7
    cdef int valid = 1
    cdef int i
    f.kind = KIND_IPV6
    f.tos = <uint8_t>(byte_at(p, captured, 0) << 4 | byte_at(p, captured, 1) >> 4)
    for i in range(4):
        f.ip6[i] = big_endian(p, captured, 8 + 8 * i, 8)
    if captured < 40:
        f.missing |= MISSING_IP6_DEST
        if captured < 24:
            f.missing |= MISSING_IP6_SOURCE
        if captured < 2:
            f.missing |= READ_TOS
    while protocol == 0 or protocol == 43 or protocol == 60 or protocol == 135:
        if pos + 8 > length:
            valid = 0
            break
        if pos + 2 > captured:
            unsure = 1
            if pos >= captured:  # zeros to the end: the walk would run over
                valid = 0
                break
        protocol = byte_at(p, captured, pos)
        pos += 8 * (byte_at(p, captured, pos + 1) + 1)
        if pos > length:
            valid = 0
            break
    if unsure:
        f.missing |= READ_PROTOCOL
    if valid:
        f.kind |= KIND_PROTOCOL
        f.protocol = <uint8_t>protocol
        decode_transport(f, p, captured, length, pos, 1, unsure)
    elif unsure:
        f.missing |= READ_SOURCE_PORT | READ_DEST_PORT | READ_ICMP | READ_TCP_FLAGS
    decode_ipv6_auth(f, p, captured, length)


cdef void decode_ipv6_auth(Fields *f, bytes_t p, int64_t captured, int64_t length) noexcept nogil:
    """Which address ipauth looks up (spec section 4)."""
    cdef uint32_t kind = 0
    if captured < 7:
        f.missing |= READ_AUTH_ADDRESS
    if byte_at(p, captured, 6) == 58 and length >= 64:
        kind = byte_at(p, captured, 40)
        if captured < 41:
            f.missing |= READ_AUTH_ADDRESS
    if kind == 135:
        f.chr |= CHR_AUTH_ALWAYS
        return
    f.chr |= CHR_AUTH_ADDRESS | CHR_AUTH_IPV6
    f.auth_high = f.ip6[0]
    f.auth_low = f.ip6[1]
    if kind == 136:
        f.auth_high = big_endian(p, captured, 48, 8)
        f.auth_low = big_endian(p, captured, 56, 8)
    if captured < (64 if kind == 136 else 24):
        f.missing |= READ_AUTH_ADDRESS


cdef void decode_payload(Fields *f, bytes_t p, int64_t captured, int64_t length) noexcept nogil:
    """Everything behind the ethertype, for any frame."""
    f.length = <uint32_t>length
    if f.ethertype == 0x0800 and length >= 20:
        decode_ipv4(f, p, captured, length)
    elif f.ethertype == 0x86DD and length >= 40:
        decode_ipv6(f, p, captured, length)
    elif f.ethertype == 0x0806 and length >= 28:
        f.chr |= CHR_AUTH_ADDRESS
        f.auth_low = big_endian(p, captured, 14, 4)
        if captured < 18:
            f.missing |= READ_AUTH_ADDRESS


cdef void decode_frame(const Frames *frames, int64_t i, Fields *f) noexcept nogil:
    """One frame of any kind, however short."""
    cdef bytes_t p = frames.buffer + frames.offsets[i]
    cdef int64_t captured = frames.captured[i]
    cdef int64_t length = frames.lengths[i]
    memset(f, 0, sizeof(Fields))
    if length < captured:
        length = captured
    if frames.ethernet:
        f.mac_dest = big_endian(p, captured, 0, 6)
        f.mac_source = big_endian(p, captured, 6, 6)
        f.ethertype = <uint16_t>big_endian(p, captured, 12, 2)
        if captured < ETHERNET and captured < length:
            if captured < min(<int64_t>6, length):
                f.missing |= READ_MAC_DEST
            if captured < min(<int64_t>12, length) and length > 6:
                f.missing |= READ_MAC_SOURCE
            if length > 12:
                f.missing |= READ_ETHERTYPE
        p += ETHERNET
        captured = max(captured - ETHERNET, <int64_t>0)
        length = max(length - ETHERNET, <int64_t>0)
    else:
        f.ethertype = frames.ethertype[i]
        f.vlan = frames.vlan[i]
        f.mac_source = frames.mac_source[i]
        f.mac_dest = frames.mac_dest[i]
        f.missing = frames.unknown[i]
    if f.mac_dest >> 40 & 1:
        f.chr |= CHR_MULTICAST
    if f.mac_dest == <uint64_t>0xFFFFFFFFFFFF:
        f.chr |= CHR_BROADCAST
    decode_payload(f, p, captured, length)


cdef inline void put8(Columns *c, int column, int at, uint8_t value) noexcept nogil:
    (<uint8_t *>c.at[column])[at] = value


cdef inline void put16(Columns *c, int column, int at, uint16_t value) noexcept nogil:
    (<uint16_t *>c.at[column])[at] = value


cdef inline void put32(Columns *c, int column, int at, uint32_t value) noexcept nogil:
    (<uint32_t *>c.at[column])[at] = value


cdef inline void put64(Columns *c, int column, int at, uint64_t value) noexcept nogil:
    (<uint64_t *>c.at[column])[at] = value


cdef void put(Columns *c, int at, const Fields *f) noexcept nogil:
    """Spread one frame's fields over the columns that are needed."""
    cdef uint8_t *need = c.need
    put8(c, KIND, at, f.kind)
    put32(c, MISSING, at, f.missing)
    put32(c, LENGTH, at, f.length)
    if need[CHARACTERISTICS]: put8(c, CHARACTERISTICS, at, f.chr)
    if need[PROTOCOL]: put8(c, PROTOCOL, at, f.protocol)
    if need[TOS]: put8(c, TOS, at, f.tos)
    if need[ICMP_TYPE]: put8(c, ICMP_TYPE, at, f.icmp_type)
    if need[ICMP_CODE]: put8(c, ICMP_CODE, at, f.icmp_code)
    if need[ETHERTYPE]: put16(c, ETHERTYPE, at, f.ethertype)
    if need[VLAN]: put16(c, VLAN, at, f.vlan)
    if need[SOURCE_PORT]: put16(c, SOURCE_PORT, at, f.source_port)
    if need[DEST_PORT]: put16(c, DEST_PORT, at, f.dest_port)
    if need[TCP_FLAGS]: put16(c, TCP_FLAGS, at, f.tcp_flags)
    if need[IP4_SOURCE]: put32(c, IP4_SOURCE, at, f.ip4_source)
    if need[IP4_DEST]: put32(c, IP4_DEST, at, f.ip4_dest)
    if need[IP6_SOURCE_HIGH]: put64(c, IP6_SOURCE_HIGH, at, f.ip6[0])
    if need[IP6_SOURCE_LOW]: put64(c, IP6_SOURCE_LOW, at, f.ip6[1])
    if need[IP6_DEST_HIGH]: put64(c, IP6_DEST_HIGH, at, f.ip6[2])
    if need[IP6_DEST_LOW]: put64(c, IP6_DEST_LOW, at, f.ip6[3])
    if need[MAC_SOURCE]: put64(c, MAC_SOURCE, at, f.mac_source)
    if need[MAC_DEST]: put64(c, MAC_DEST, at, f.mac_dest)
    if need[AUTH_HIGH]: put64(c, AUTH_HIGH, at, f.auth_high)
    if need[AUTH_LOW]: put64(c, AUTH_LOW, at, f.auth_low)


# 64 zero bytes that stand in for a frame too short for the fast loops
cdef uint8_t NOTHING[64]
memset(NOTHING, 0, 64)


cdef inline bytes_t head_of(const Frames *frames, int64_t i) noexcept nogil:
    """Where a frame's bytes are, FAST of them at least."""
    return frames.buffer + frames.offsets[i] if frames.captured[i] >= FAST else <bytes_t>NOTHING


cdef inline int take_head(Heads *to, int at, bytes_t p, int whole) noexcept nogil:
    """Take one frame's fields as if it were IPv4 without options; returns 1 if it is not.

    whole: addresses and ports too.
    """
    cdef uint32_t word = load32(p + 12)
    to.word[at] = word
    to.protocol[at] = p[23]
    if not whole:
        return (word & 0x0FFFFF) != 0x050008
    to.source[at] = zt_swap32(load32(p + 26))
    to.dest[at] = zt_swap32(load32(p + 30))
    to.source_port[at] = zt_swap16(load16(p + 34))
    to.dest_port[at] = zt_swap16(load16(p + 36))
    return (word & 0x0FFFFF) != 0x050008  # 08 00 ?5 in this byte order


cdef void decode_fast(
    const Frames *frames, int64_t first, int at, int count, int ahead, Columns *c
) noexcept nogil:
    """Decode `count` Ethernet frames from number `first` into the columns from `at` on.

    As if every frame were IPv4 without options with all its headers captured; frames that are
    not are decoded again one by one.  Of frames behind these, `ahead` may be fetched meanwhile.
    """
    cdef Heads *to = c.heads
    cdef int i, others = 0
    cdef int last = count + ahead - 1
    cdef const int64_t *offsets = frames.offsets + first
    cdef uint8_t *need = c.need
    cdef bytes_t soon
    cdef int ports = need[SOURCE_PORT] or need[DEST_PORT] or need[ICMP_TYPE] or need[ICMP_CODE]
    if ports or need[IP4_SOURCE] or need[IP4_DEST] or need[AUTH_LOW]:
        for i in range(count):
            soon = frames.buffer + offsets[min(i + SOON, last)]
            zt_prefetch(soon)
            zt_prefetch(soon + FAST)
            to.other[others] = <uint16_t>i
            others += take_head(to, at + i, head_of(frames, first + i), 1)
    else:
        for i in range(count):
            soon = frames.buffer + offsets[min(i + SOON, last)]
            zt_prefetch(soon)
            to.other[others] = <uint16_t>i
            others += take_head(to, at + i, head_of(frames, first + i), 0)
    finish_heads(frames, first, at, count, others, c)


cdef void finish_heads(
    const Frames *frames, int64_t first, int at, int count, int others, Columns *c
) noexcept nogil:
    """Make the other columns of `count` frames whose fields were taken, one loop a column.

    c.heads.other: which of them, counted from `at`, are something else; `others`: how many.
    """
    cdef int i
    cdef uint32_t x
    cdef const uint32_t *captured = frames.captured + first
    cdef const uint32_t *lengths = frames.lengths + first
    cdef const uint32_t *word = c.heads.word + at
    cdef const uint8_t *protocol = <uint8_t *>c.at[PROTOCOL] + at
    cdef uint8_t *bytes8
    cdef uint16_t *bytes16
    cdef uint32_t *bytes32
    cdef uint8_t *need = c.need
    cdef Fields fields
    decode_kind(<uint8_t *>c.at[KIND] + at, protocol, count)
    bytes32 = <uint32_t *>c.at[LENGTH] + at
    for i in range(count):
        x = max(captured[i], lengths[i])
        bytes32[i] = x - ETHERNET
    memset(<uint32_t *>c.at[MISSING] + at, 0, count * 4)
    if need[ETHERTYPE]:
        bytes16 = <uint16_t *>c.at[ETHERTYPE] + at
        for i in range(count):
            bytes16[i] = zt_swap16(<uint16_t>word[i])
    if need[VLAN]:
        memset(<uint16_t *>c.at[VLAN] + at, 0, count * 2)
    if need[TOS]:
        bytes8 = <uint8_t *>c.at[TOS] + at
        for i in range(count):
            bytes8[i] = <uint8_t>(word[i] >> 24)
    if need[TCP_FLAGS]:
        bytes16 = <uint16_t *>c.at[TCP_FLAGS] + at
        for i in range(count):
            x = zt_swap16(load16(head_of(frames, first + i) + 46)) & 0x0FFF
            bytes16[i] = <uint16_t>(x & (0 - <uint32_t>(protocol[i] == 6)))
    if need[ICMP_TYPE] or need[ICMP_CODE]:
        bytes16 = <uint16_t *>c.at[SOURCE_PORT] + at  # type and code are where ports would be
        bytes8 = <uint8_t *>c.at[ICMP_TYPE] + at
        for i in range(count):
            bytes8[i] = <uint8_t>(bytes16[i] >> 8)
        bytes8 = <uint8_t *>c.at[ICMP_CODE] + at
        for i in range(count):
            bytes8[i] = <uint8_t>bytes16[i]
    if need[MAC_SOURCE] or need[MAC_DEST] or need[CHARACTERISTICS]:
        decode_macs(frames, first, at, count, c)
    if need[AUTH_LOW]:
        bytes32 = <uint32_t *>c.at[IP4_SOURCE] + at
        for i in range(count):
            (<uint64_t *>c.at[AUTH_HIGH])[at + i] = 0
            (<uint64_t *>c.at[AUTH_LOW])[at + i] = bytes32[i]
    # IPv6 columns of an IPv4 frame are never looked at: their matches ask for the kind first
    for i in range(others):
        decode_frame(frames, first + c.heads.other[i], &fields)
        put(c, at + c.heads.other[i], &fields)


cdef void decode_kind(uint8_t *kind, const uint8_t *protocol, int count) noexcept nogil:
    """The kind of IPv4 frames with their headers at hand, from the protocol."""
    cdef int i
    cdef uint8_t x
    for i in range(count):
        x = protocol[i]
        kind[i] = <uint8_t>(
            (KIND_IPV4 | KIND_PROTOCOL)
            | ((KIND_SOURCE_PORT | KIND_DEST_PORT)
               if (x == 6) | (x == 17) | (x == 132) | (x == 136) else 0)
            | (KIND_ICMP if x == 1 else 0)
        )


cdef void decode_macs(
    const Frames *frames, int64_t first, int at, int count, Columns *c
) noexcept nogil:
    cdef int i
    cdef uint64_t x
    cdef bytes_t p
    cdef uint64_t *source = <uint64_t *>c.at[MAC_SOURCE] + at
    cdef uint64_t *dest = <uint64_t *>c.at[MAC_DEST] + at
    cdef uint8_t *chr = <uint8_t *>c.at[CHARACTERISTICS] + at
    for i in range(count):
        p = head_of(frames, first + i)
        dest[i] = zt_swap64(load64(p)) >> 16
        source[i] = zt_swap64(load64(p + 6)) >> 16
    for i in range(count):
        x = dest[i]
        chr[i] = <uint8_t>(
            CHR_AUTH_ADDRESS
            | (CHR_MULTICAST if x >> 40 & 1 else 0)
            | (CHR_BROADCAST if x == <uint64_t>0xFFFFFFFFFFFF else 0)
        )


cdef void decode_block(
    const Frames *frames, int64_t first, int count, int64_t stop, Columns *c
) noexcept nogil:
    """Decode up to BLOCK frames from number `first` into the columns; frames go on to `stop`."""
    cdef int at = 0
    cdef int part, ahead
    cdef Fields fields
    if frames.ethernet:
        while at < count:
            part = min(count - at, CHUNK)
            ahead = <int>min(stop - first - at - part, <int64_t>CHUNK)
            decode_fast(frames, first + at, at, part, ahead, c)
            at += part
        return
    for at in range(count):
        decode_frame(frames, first + at, &fields)
        put(c, at, &fields)


# ---------------------------------------------------------------- evaluating


cdef inline int whole_lanes(int count) noexcept nogil:
    """`count` cut to whole vectors: so the compiler leaves out the loops for the rest."""
    return count & -LANES


cdef int and8(
    uint8_t *held, const uint8_t *column, const Instruction *x, uint8_t negate, int lanes
) noexcept nogil:
    """set &= test over an 8-bit column; returns whether any frame's set still holds."""
    cdef uint8_t any_left = 0
    cdef uint8_t mask = <uint8_t>x.mask
    cdef uint8_t low = <uint8_t>x.low
    cdef uint8_t span = <uint8_t>x.span
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n):
        held[i] &= (<uint8_t>((column[i] & mask) - low) <= span) ^ negate
        any_left |= held[i]
    return any_left


cdef int and16(
    uint8_t *held, const uint16_t *column, const Instruction *x, uint8_t negate, int lanes
) noexcept nogil:
    cdef uint8_t any_left = 0
    cdef uint16_t mask = <uint16_t>x.mask
    cdef uint16_t low = <uint16_t>x.low
    cdef uint16_t span = <uint16_t>x.span
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n):
        held[i] &= (<uint16_t>((column[i] & mask) - low) <= span) ^ negate
        any_left |= held[i]
    return any_left


cdef int and32(
    uint8_t *held, const uint32_t *column, const Instruction *x, uint8_t negate, int lanes
) noexcept nogil:
    cdef uint8_t any_left = 0
    cdef uint32_t mask = <uint32_t>x.mask
    cdef uint32_t low = <uint32_t>x.low
    cdef uint32_t span = <uint32_t>x.span
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n):
        held[i] &= (<uint32_t>((column[i] & mask) - low) <= span) ^ negate
        any_left |= held[i]
    return any_left


cdef int and64(
    uint8_t *held, const uint64_t *column, const Instruction *x, uint8_t negate, int lanes
) noexcept nogil:
    cdef uint8_t any_left = 0
    cdef uint64_t mask = x.mask
    cdef uint64_t low = x.low
    cdef uint64_t span = x.span
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n):
        held[i] &= (<uint64_t>((column[i] & mask) - low) <= span) ^ negate
        any_left |= held[i]
    return any_left


cdef inline int and_test(
    uint8_t *held, const void *column, int width, const Instruction *x, uint8_t negate, int lanes
) noexcept nogil:
    if width == 1:
        return and8(held, <const uint8_t *>column, x, negate, lanes)
    if width == 2:
        return and16(held, <const uint16_t *>column, x, negate, lanes)
    if width == 4:
        return and32(held, <const uint32_t *>column, x, negate, lanes)
    return and64(held, <const uint64_t *>column, x, negate, lanes)


cdef int any_of(const uint8_t *held, int lanes) noexcept nogil:
    cdef uint8_t found = 0
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n):
        found |= held[i]
    return found


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
    """A random 32-bit number for a frame and an entry; engine/draws.py says the same in Python."""
    cdef uint64_t x = seed + <uint64_t>0x9E3779B97F4A7C15 * (number + 1)
    x ^= (entry + 1) * <uint64_t>0xD1342543DE82EF95
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return <uint32_t>((x ^ (x >> 31)) >> 32)


cdef void random_test(
    uint8_t *c, const Instruction *x, uint64_t seed, const int64_t *numbers, uint8_t negate,
    int lanes
) noexcept nogil:
    cdef uint32_t most = <uint32_t>x.span
    cdef int i
    cdef int n = whole_lanes(lanes)
    for i in range(n):
        c[i] = (draw(seed, <uint64_t>numbers[i], <uint64_t>x.entry) <= most) ^ negate


cdef void read_missing(
    State *s, const uint32_t *column, uint32_t mask, const uint8_t *evaluated
) noexcept nogil:
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    cdef uint32_t *reads = s.reads
    for i in range(n):
        reads[i] |= (column[i] & mask) if evaluated[i] else 0


cdef void arm_skip(State *s, const uint8_t *evaluated) noexcept nogil:
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    for i in range(n):
        s.skip[i] |= evaluated[i] & s.term[i]


# One look-up: which of a run of sets holds first (program/lookup.py makes it).
# A column's value becomes a class; each class has a row of bits, one a term; the first bit
# set in all of a frame's rows is its term.
cdef enum:
    LOOKUP_COLUMNS = 16
    GROUP = 8           # words of a row that are and-ed at once
    SIEVE_BITS = 17

cdef uint64_t SIEVE_FACTOR = 0x9E3779B97F4A7C15

cdef enum:
    BY_BYTE, BY_WORD, BY_TRIE, BY_SEARCH

cdef struct LookupColumn:
    int column
    int form
    const uint16_t *classes     # BY_BYTE 256, BY_WORD 65536, BY_TRIE root and leaves, BY_SEARCH
    const uint64_t *bounds      # BY_SEARCH: first value of each class, ascending
    int64_t bound_count
    const uint64_t *rows        # words 64-bit numbers a class
    const uint8_t *sieve        # bits by hashed value, or NULL
    const uint64_t *summary     # one word a class: bit g is set where group g of its row is not zero

cdef struct Lookup:
    int columns
    int words
    LookupColumn column[LOOKUP_COLUMNS]
    const int32_t *entry        # by term
    const uint8_t *code


# A table and what runs beside it.
cdef struct Run:
    const Instruction *table
    const Lookup *lookups

# One direction: its tables, its own columns, what it watches, where its results go.
cdef struct Side:
    Run fast
    Run slow
    void *at[MAX_COLUMNS]
    const void *given[MAX_COLUMNS]   # columns handed in, NULL where made here
    uint8_t constant[MAX_COLUMNS]    # the column handed in has one item for all
    uint8_t width[MAX_COLUMNS]
    int columns
    int inward
    int random
    int ownership       # OWNERSHIP is made here, from what is assumed
    uint8_t assumed     # its bits for a sender of whom nothing is known
    uint32_t watched    # bits of MISSING that the slow table looks at
    uint32_t context    # bits of MISSING that hold for every frame
    const uint32_t *context_column
    uint64_t seed
    int64_t first_number
    const int64_t *numbers
    uint32_t seen       # bits of MISSING that any block had
    int32_t *entry
    uint8_t *code
    int32_t *copy
    int32_t *capability_copy
    uint32_t *reads


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
    cdef uint8_t live, left = 0
    if base or code >= REDIRECT:
        for i in range(n):
            entry[i] = number if hit[i] else entry[i]
        if code == super_code:
            for i in range(n):
                result[i] = code if hit[i] else result[i]
        else:
            for i in range(n):
                result[i] = ((super_code if s.armed[i] else code) if hit[i] else result[i])
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
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    for i in range(n):
        s.pending[i] &= hit[i] ^ 1
    if copy != NULL:
        for i in range(n):
            copy[i] = s.noted[i] if hit[i] else copy[i]


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
    if x.op == OP_REDIRECT:
        return end_hits(s, s.set, x.entry, REDIRECT, base, REDIRECT)
    for i in range(n):
        noted[i] = note if s.set[i] else noted[i]
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
    if x.flags & FREE:
        return copy_free(s, x, noted, note, base)
    for i in range(n):
        own = node[i] == target
        matched = s.set[i] & (source[i] != target)
        here[i] = matched & own
        sent[i] = matched & (own ^ 1) & (dest[i] != target)
    if side.inward:
        for i in range(n):
            s.armed[i] |= s.live[i] & (s.set[i] ^ 1) & (node[i] == target)
        end_hits(s, here, x.entry, SUPER_ACCEPT, base, SUPER_ACCEPT)
    if x.op == OP_REDIRECT:
        return end_hits(s, sent, x.entry, REDIRECT, base, REDIRECT)
    for i in range(n):
        noted[i] = note if sent[i] else noted[i]
    memcpy(s.set, s.live, n)
    return any_of(s.live, n)


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


cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <intrin.h>
    static inline int zt_first_bit(unsigned long long x) {
        unsigned long at; _BitScanForward64(&at, x); return (int)at;
    }
    #else
    #define zt_first_bit __builtin_ctzll
    #endif
    """
    int zt_first_bit(uint64_t) noexcept nogil


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
    """Decide every frame of the set for which a term of the run holds; returns as `end_hits`."""
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


cdef int begin_section(State *s, const uint8_t *holds) noexcept nogil:
    """A capability starts for the pending frames whose sender holds it."""
    cdef int i
    cdef int n = whole_lanes(s.lanes)
    for i in range(n):
        s.live[i] = s.pending[i] & (holds[i] != 0)
    for i in range(n):
        s.noted[i] = -1
    memcpy(s.set, s.live, n)
    memset(s.armed, 0, n)
    memset(s.skip, 0, n)
    return any_of(s.live, s.lanes)


cdef void begin(State *s, int count) noexcept nogil:
    """A block starts: `count` frames are live, nothing is decided."""
    cdef int n = whole_lanes(count + LANES - 1)
    s.lanes = n
    memset(s.live, 0, n)
    memset(s.live, 1, count)
    memcpy(s.set, s.live, n)
    memset(s.armed, 0, n)
    memset(s.skip, 0, n)
    memset(s.pending, 0, n)
    memset(s.code, 0, n)
    memset(s.entry, 0xFF, n * 4)
    if s.copy != NULL:
        memset(s.copy, 0xFF, n * 4)
    if s.capability_copy != NULL:
        memset(s.capability_copy, 0xFF, n * 4)
    if s.reads != NULL:
        memset(s.reads, 0, n * 4)


cdef void run_block(const Run *run, const Side *side, State *s, const int64_t *numbers) noexcept nogil:
    """Fold the whole table over one block."""
    cdef void *const *at = &side.at[0]
    cdef const Instruction *x
    cdef uint8_t c[BLOCK]
    cdef int n = whole_lanes(s.lanes)
    cdef int pc = 0
    cdef int base = 1
    cdef int into, op, left, i
    cdef int some = 1  # does the set hold for any frame; -1: not known
    cdef uint8_t negate
    while True:
        x = run.table + pc
        pc += 1
        op = x.op
        into = x.flags & 7
        negate = (x.flags & NEGATE) != 0
        if op == OP_TEST:
            if into == INTO_AND_SET:
                some = and_test(s.set, at[x.column], side.width[x.column], x, negate, n)
                if not some:
                    pc = x.jump
                continue
            memset(c, 1, n)
            and_test(c, at[x.column], side.width[x.column], x, negate, n)
        elif op >= OP_DROP:
            if some < 0:
                some = any_of(s.set, n)
            if not some and op != OP_COPY and op != OP_REDIRECT:  # these arm where it is false
                memcpy(s.set, s.live, n)
                some = 1
                continue
            some = 1
            if op == OP_DROP:
                left = drop(s, x, base)
            elif op == OP_ACCEPT:
                left = end_hits(s, s.set, x.entry, ACCEPT, base, SUPER_ACCEPT)
            elif op == OP_PRIORITY:
                left = end_hits(s, s.set, x.entry, ACCEPT, base, ACCEPT)
            elif op == OP_BREAK:
                left = end_hits(s, s.set, x.entry, NO_MATCH, base, NO_MATCH)
            elif op == OP_LOOKUP:
                left = look_up(s, run.lookups + x.other, at, base)
            else:
                left = copy_or_redirect(s, x, side, base)
            if not left:
                pc = x.jump
            continue
        elif op == OP_CONST:
            memset(c, (x.low != 0) ^ negate, n)
        elif op == OP_TERM:
            negate_into(c, s.term, negate, n)
        elif op == OP_SAVED:
            negate_into(c, s.saved, negate, n)
        elif op == OP_ARMED:
            negate_into(c, s.armed, negate, n)
        elif op == OP_TAGS:
            compare_tags(c, <const uint32_t *>at[x.column], <const uint32_t *>at[x.other], x, negate, n)
        elif op == OP_RANDOM:
            random_test(c, x, side.seed, numbers, negate, n)
        elif op == OP_READ:
            read_missing(
                s, <const uint32_t *>at[x.column], <uint32_t>x.mask,
                &s.live[0] if x.flags & ALTERNATIVE else &s.set[0]
            )
            continue
        elif op == OP_SAVE:
            memcpy(s.saved, s.term, n)
            continue
        elif op == OP_ARM_SKIP:
            arm_skip(s, &s.live[0] if x.flags & ALTERNATIVE else &s.set[0])
            continue
        else:  # END or SECTION
            if op == OP_END:
                if base:
                    for i in range(n):
                        s.pending[i] |= s.live[i]
                base = 0
                if not any_of(s.pending, n):
                    return
                x = run.table + pc
                pc += 1
                if x.op == OP_END:
                    return
            some = 1
            if not begin_section(s, <const uint8_t *>at[x.column]):
                pc = x.jump
            continue
        fold(s, into, c)
        if into == INTO_AND_SET:
            some = any_of(s.set, n)
            if not some:
                pc = x.jump
        elif into == INTO_OR_SET:
            some = -1


cdef void point_columns(Side *side, char *room, int64_t first, int count) noexcept nogil:
    """Let the columns handed in stand at this block; a short block gets a padded copy."""
    cdef int i
    cdef const char *given
    for i in range(side.columns):
        if side.given[i] == NULL or side.constant[i]:
            continue
        given = <const char *>side.given[i] + first * side.width[i]
        if count == BLOCK:
            side.at[i] = <void *>given
        else:
            side.at[i] = room + <int64_t>i * BLOCK * 8
            memcpy(side.at[i], given, count * side.width[i])


cdef inline const void *header(const Side *side, const Columns *c, int column) noexcept nogil:
    """A header column of this block, decoded here or handed in."""
    return side.at[column] if side.given[column] != NULL else c.at[column]


cdef uint32_t gather_missing(
    const Side *side, Columns *c, uint32_t *missing, int64_t first, int count
) noexcept nogil:
    """Complete MISSING with what is not known of members; returns the OR of what is watched."""
    cdef const uint32_t *made = <const uint32_t *>header(side, c, MISSING)
    cdef const uint8_t *chr = <const uint8_t *>header(side, c, CHARACTERISTICS)
    cdef uint32_t context = side.context
    cdef uint32_t without = context & ~<uint32_t>MISSING_OWNED_IP
    cdef uint32_t found = 0
    cdef int i
    if side.context_column != NULL:
        for i in range(count):
            missing[i] = made[i] | side.context_column[first + i]
            found |= missing[i]
            if not chr[i] & CHR_AUTH_ADDRESS:
                missing[i] &= ~<uint32_t>MISSING_OWNED_IP
    elif context != without:
        for i in range(count):
            found |= made[i]
            missing[i] = made[i] | (context if chr[i] & CHR_AUTH_ADDRESS else without)
    else:
        for i in range(count):
            found |= made[i]
        if (found | context) & side.watched:
            for i in range(count):
                missing[i] = made[i] | context
    found |= context
    return found & side.watched


cdef void assume_ownership(const Side *side, Columns *c, int count) noexcept nogil:
    """ipauth and macauth of senders of whom nothing is known."""
    cdef const uint8_t *chr = <const uint8_t *>header(side, c, CHARACTERISTICS)
    cdef uint8_t *owned = <uint8_t *>side.at[OWNERSHIP]
    cdef uint8_t always = CHR_AUTH_ALWAYS | (CHR_AUTH_ADDRESS if side.assumed & OWNED_IP else 0)
    cdef uint8_t mac = side.assumed & OWNED_MAC
    cdef int i
    for i in range(count):
        owned[i] = mac | (OWNED_IP if chr[i] & always else 0)


# A block's results in columns of their own.
cdef struct Results:
    int32_t entry[BLOCK]
    uint8_t code[BLOCK]
    int32_t copy[BLOCK]
    int32_t capability_copy[BLOCK]
    uint32_t reads[BLOCK]


cdef void place_results(State *s, const Side *side, Results *spare, int64_t first, int count) noexcept nogil:
    """Where a block's results are made: in their place, or aside where whole vectors do not fit."""
    cdef int whole = count == BLOCK
    s.entry = side.entry + first if whole else spare.entry
    s.code = side.code + first if whole else spare.code
    s.copy = NULL
    s.capability_copy = NULL
    s.reads = NULL
    if side.copy != NULL:
        s.copy = side.copy + first if whole else spare.copy
    if side.capability_copy != NULL:
        s.capability_copy = side.capability_copy + first if whole else spare.capability_copy
    if side.reads != NULL:
        s.reads = side.reads + first if whole else spare.reads


cdef void store(const Side *side, const State *s, int64_t first, int count) noexcept nogil:
    """Hand a block's results out; a frame that is not accepted sends no copy."""
    if count < BLOCK:
        memcpy(side.entry + first, s.entry, count * 4)
        memcpy(side.code + first, s.code, count)
        if s.reads != NULL:
            memcpy(side.reads + first, s.reads, count * 4)
    if s.copy != NULL:
        store_copies(side.copy + first, s.copy, s.code, count)
    if s.capability_copy != NULL:
        store_copies(side.capability_copy + first, s.capability_copy, s.code, count)


cdef void store_copies(
    int32_t *out, const int32_t *noted, const uint8_t *code, int count
) noexcept nogil:
    cdef int i
    for i in range(count):
        out[i] = noted[i] if code[i] >= REDIRECT else -1


# What one round of all chains found: chain after chain, from the block's begin without gaps.
cdef struct Round:
    int64_t offsets[BLOCK]
    uint32_t captured[BLOCK + 16]
    uint32_t lengths[BLOCK + 16]

# Everything that one call works in: allocated once, used by one call at a time.
cdef struct Work:
    Results made[2]     # of a round's frames, on their way to where they are kept
    Results spare       # of a block that is not full
    uint32_t missing[BLOCK]
    int64_t numbers[BLOCK]
    Round round
    Heads heads
    State state
    Columns columns
    char *room          # BLOCK 64-bit items for every column of every side
    void *whole         # what was allocated
    Side side[2]


cdef void judge_block(Work *w, Side *side, char *room, int64_t first, int count) noexcept nogil:
    """One side's verdicts on the block whose headers stand in the columns."""
    cdef const Run *run = &side.fast
    cdef uint32_t found
    cdef int i
    point_columns(side, room, first, count)
    if side.ownership:
        assume_ownership(side, &w.columns, count)
    if side.watched:
        found = gather_missing(side, &w.columns, w.missing, first, count)
        side.seen |= found
        side.at[MISSING] = w.missing
        if found & ~side.context:  # the fast table notes what is missing for every frame
            run = &side.slow
    if side.random:
        for i in range(count):
            w.numbers[i] = (
                side.numbers[first + i] if side.numbers != NULL else side.first_number + first + i
            )
    place_results(&w.state, side, &w.spare, first, count)
    begin(&w.state, count)
    run_block(run, side, &w.state, w.numbers)
    store(side, &w.state, first, count)


cdef uintptr_t address_of(object array) except? 1:
    """The address of a C-contiguous numpy array's first item."""
    cdef Py_buffer view
    PyObject_GetBuffer(array, &view, PyBUF_SIMPLE)
    cdef uintptr_t address = <uintptr_t>view.buf
    PyBuffer_Release(&view)  # the caller keeps the array
    return address


cdef void take_frames(Frames *f, tuple frames) except *:
    """Read the tuple that FrameBatch gives: arrays, or None for header columns of Ethernet."""
    f.buffer = <bytes_t>address_of(frames[0])
    f.offsets = <const int64_t *>address_of(frames[1])
    f.captured = <const uint32_t *>address_of(frames[2])
    f.lengths = <const uint32_t *>address_of(frames[3])
    f.ethernet = frames[4] is None
    if not f.ethernet:
        f.ethertype = <const uint16_t *>address_of(frames[4])
        f.vlan = <const uint16_t *>address_of(frames[5])
        f.mac_source = <const uint64_t *>address_of(frames[6])
        f.mac_dest = <const uint64_t *>address_of(frames[7])
        f.unknown = <const uint32_t *>address_of(frames[8])


cdef Work *new_work(int columns) except NULL:
    """Room for one call: the block's columns of both sides, where vectors do not cross lines."""
    cdef size_t head = (sizeof(Work) + LINE - 1) // LINE * LINE
    cdef void *whole = calloc(1, head + <size_t>(FIRST_OWN + columns) * BLOCK * 8 + LINE)
    cdef Work *w
    cdef int i
    if whole == NULL:
        raise MemoryError("no room for a block's state")
    w = <Work *>((<uintptr_t>whole + LINE - 1) // LINE * LINE)
    w.whole = whole
    w.room = <char *>w + head
    for i in range(FIRST_OWN):
        w.columns.at[i] = w.room + <int64_t>i * BLOCK * 8
    w.columns.heads = &w.heads
    w.columns.at[PROTOCOL] = w.heads.protocol
    w.columns.at[IP4_SOURCE] = w.heads.source
    w.columns.at[IP4_DEST] = w.heads.dest
    w.columns.at[SOURCE_PORT] = w.heads.source_port
    w.columns.at[DEST_PORT] = w.heads.dest_port
    return w


cdef void drop_work(Work *w) noexcept:
    if w != NULL:
        free(w.whole)


# ---------------------------------------------------------------- hopping


cdef enum:
    CHAINS = 16         # places of the input followed at once, so that their cache misses overlap
    QUOTA = 64          # records that tell how long records are here
    PADDING = 40        # items less in a chain's stretch: not a multiple of the page
    ALONE = 1 << 18     # bytes below which one chain does
    TRIES = 1 << 17     # bytes searched for a chain's first record
    SHORT = 160         # mean bytes of a record below which the lines ahead are all wanted
    FEW = 4             # chains that follow short records: these want lines in a row,
    AHEAD = 2048        # fetched so many bytes ahead
    TURNS = 8           # results of a block that are counted all at once
    COUNTED_ALREADY = 0xFFFFFFFF
    PROOF = 4           # records that must follow a guessed one

cdef enum:
    SECTION_HEADER = 0x0A0D0D0A
    BLOCK_SIZE = 1
    BLOCK_TRAILER = 2
    BLOCK_SECTION = 3

cdef enum:
    WALK_OK = 0
    WALK_TOO_LONG = 1

# The input, and how its records look.
cdef struct Input:
    bytes_t buffer
    int64_t end
    int swapped
    int header
    uint32_t most

# One place that is followed: it goes on until `limit`, where the next chain began.
cdef struct Chain:
    int64_t place
    int64_t limit
    int64_t start
    int64_t count       # records kept or counted
    int fresh           # records of this round
    int stopped         # an incomplete or impossible record, or no room
    int error

# Where all chains are, and where what they find is kept, chain after chain, each in its own
# stretch of `room` items; columns of NULL where it is only counted.
cdef struct Trail:
    Chain chain[CHAINS]
    int chains
    int steps           # records that a chain may take in one round
    int64_t room
    int64_t all_room
    int ahead           # bytes to fetch ahead of a chain: more where records are short
    int64_t *offsets
    uint32_t *captured
    uint32_t *lengths


# Frames and bytes by (entry + 1) * 5 + code.
cdef struct Totals:
    uint64_t *frames
    uint64_t *octets


cdef inline uint32_t field(const Input *x, int64_t at) noexcept nogil:
    cdef uint32_t value = load32(x.buffer + at)
    return zt_swap32(value) if x.swapped else value


cdef void follow(const Input *x, Trail *t, Round *r, int number, int quota) noexcept nogil:
    """Follow one chain over up to `quota` records, every one checked."""
    cdef Chain *c = &t.chain[number]
    cdef int64_t place = c.place
    cdef int64_t body
    cdef int at = number * t.steps + c.fresh
    cdef uint32_t captured
    while quota and not c.stopped and place < c.limit:
        if c.count + c.fresh == t.room or place + 16 > x.end:
            c.stopped = 1
            break
        captured = field(x, place + 8)
        body = place + x.header
        if captured > x.most:
            c.stopped = 1
            c.error = WALK_TOO_LONG
            break
        if body + captured > x.end:
            c.stopped = 1
            break
        r.offsets[at] = body
        r.captured[at] = captured
        r.lengths[at] = field(x, place + 12)
        at += 1
        c.fresh += 1
        quota -= 1
        place = body + captured
        zt_prefetch(x.buffer + place)
        zt_prefetch(x.buffer + place + LINE)
    c.place = place


cdef inline int follow_together(const Input *x, Trail *t, Round *r, Heads *heads) noexcept nogil:
    """One round: every chain takes one record in turn, so that none waits for another's miss.

    With `heads` the frames' fields are taken on the way, while they are in the first cache;
    returns how many frames `heads.other` names then, or −1 where not all fields were taken.
    """
    cdef int64_t place[CHAINS]
    cdef int64_t limit[CHAINS]
    cdef int slot[CHAINS]
    cdef int owner[CHAINS]
    cdef bytes_t buffer = x.buffer
    cdef bytes_t body
    cdef int64_t header = x.header
    cdef uint32_t most = x.most
    cdef uint64_t both
    cdef int64_t here, after
    cdef int64_t ahead = t.ahead
    cdef int swapped = x.swapped
    cdef int steps = t.steps
    cdef int running = 0, others = 0
    cdef int i, k, at, step
    cdef Chain *c
    for i in range(t.chains):
        c = &t.chain[i]
        c.fresh = 0
        # far from its end: the tight loop needs no other check than `limit`
        if c.stopped or c.count + steps > t.room or c.place + 16 >= c.limit:
            follow(x, t, r, i, steps)
            continue
        place[running] = c.place
        limit[running] = c.limit
        slot[running] = i * steps
        owner[running] = i
        running += 1
    for step in range(steps):
        k = 0
        while k < running:
            here = place[k]
            both = load64(buffer + here + 8)
            if swapped:
                both = zt_swap64(both)
                both = both << 32 | both >> 32
            after = here + header + <int64_t><uint32_t>both
            if <uint32_t>both > most or after + 16 >= limit[k]:
                c = &t.chain[owner[k]]  # leave it to the careful loop
                c.place = here
                c.fresh = step
                follow(x, t, r, owner[k], steps - step)
                running -= 1
                place[k] = place[running]
                limit[k] = limit[running]
                slot[k] = slot[running]
                owner[k] = owner[running]
                continue
            zt_prefetch(buffer + after + ahead)
            zt_prefetch(buffer + after + ahead + LINE)
            place[k] = after
            at = slot[k] + step
            r.offsets[at] = here + header
            r.captured[at] = <uint32_t>both
            r.lengths[at] = <uint32_t>(both >> 32)
            if heads != NULL:
                body = buffer + here + header if <uint32_t>both >= FAST else <bytes_t>NOTHING
                heads.other[others] = <uint16_t>at
                others += take_head(heads, at, body, 1)
            k += 1
    for k in range(running):
        c = &t.chain[owner[k]]
        c.place = place[k]
        c.fresh = steps
    if running == t.chains:
        return others if heads != NULL else -1
    close_round(t, r)
    return -1


cdef void close_round(const Trail *t, Round *r) noexcept nogil:
    """Some chain took less than its part: move what the others took together."""
    cdef int number, slot, fresh, at = 0
    for number in range(t.chains):
        slot = number * t.steps
        fresh = t.chain[number].fresh
        memmove(r.offsets + at, r.offsets + slot, fresh * 8)
        memmove(r.captured + at, r.captured + slot, fresh * 4)
        memmove(r.lengths + at, r.lengths + slot, fresh * 4)
        at += fresh


cdef void keep_round(Trail *t, const Round *r) noexcept nogil:
    """A round ends: its records go to the chains' stretches, where they are kept."""
    cdef int number, fresh, at = 0
    cdef int64_t to
    cdef Chain *c
    for number in range(t.chains):
        c = &t.chain[number]
        fresh = c.fresh
        if t.offsets != NULL:
            to = number * t.room + c.count
            memcpy(t.offsets + to, r.offsets + at, fresh * 8)
            memcpy(t.captured + to, r.captured + at, fresh * 4)
            memcpy(t.lengths + to, r.lengths + at, fresh * 4)
            at += fresh
        c.count += fresh
        c.fresh = 0


cdef int plausible(const Input *x, int64_t at, uint32_t near) noexcept nogil:
    """Does a record that could be real start here?"""
    cdef uint32_t captured, length, seconds
    if at + 16 > x.end:
        return 0
    captured = field(x, at + 8)
    length = field(x, at + 12)
    seconds = field(x, at)
    return (
        captured <= x.most and captured <= length and length - 1 < 0x1000000
        and seconds - near + 86400 < 2 * 86400 and field(x, at + 4) < 1000000000
    )


cdef int64_t find_record(const Input *x, int64_t at, uint32_t near) noexcept nogil:
    """The first place from `at` on where PROOF plausible records follow each other, or −1.

    Only a guess: the chain before must arrive exactly there.
    """
    cdef int64_t stop = min(at + TRIES, x.end)
    cdef int64_t place
    cdef int seen
    while at < stop:
        place = at
        seen = 0
        while seen < PROOF and plausible(x, place, near):
            place += x.header + field(x, place + 8)
            seen += 1
        if seen == PROOF:
            return at
        at += 1
    return -1


cdef void set_chain(Trail *t, int number, int64_t start, int64_t limit) noexcept nogil:
    cdef Chain *c = &t.chain[number]
    memset(c, 0, sizeof(Chain))
    c.start = c.place = start
    c.limit = limit


cdef void set_alone(Trail *t, int64_t start, int64_t end) noexcept nogil:
    """One chain follows all of the input."""
    t.chains = 1
    t.steps = BLOCK
    t.room = t.all_room
    set_chain(t, 0, start, end)


cdef void lay_chains(const Input *x, Trail *t, Round *r, int64_t start) noexcept nogil:
    """Decide how many chains follow the input from `start`, and where each begins."""
    cdef int64_t place, end, step
    cdef int64_t guesses[CHAINS]
    cdef int i, made, chains = CHAINS
    set_alone(t, start, x.end)
    if x.end - start < ALONE or t.all_room < CHAINS * (QUOTA + PADDING):
        return
    follow(x, t, r, 0, QUOTA)  # how long records are here
    if t.chain[0].stopped:
        return
    step = (t.chain[0].place - start) // QUOTA
    if step < SHORT:
        t.ahead = AHEAD
        chains = FEW
    end = x.end
    if t.offsets != NULL:
        end = min(end, start + step * t.all_room * 7 // 8)
    step = (end - t.chain[0].place) // chains
    if step < ALONE // CHAINS:
        return
    made = 1
    for i in range(1, chains):
        place = find_record(x, t.chain[0].place + i * step, field(x, start))
        if place < 0 or place <= guesses[made - 1] and made > 1:
            continue
        guesses[made] = place
        made += 1
    if made == 1:
        return
    # the chains' stretches must not fall on the same cache lines
    t.room = t.all_room // made - PADDING if t.offsets != NULL else t.all_room
    t.chain[0].limit = guesses[1]
    for i in range(1, made):
        set_chain(t, i, guesses[i], guesses[i + 1] if i + 1 < made else end)
    t.chains = made
    t.steps = BLOCK // made


cdef int going(const Trail *t) noexcept nogil:
    """Is any chain not at its end?"""
    cdef int i
    for i in range(t.chains):
        if not t.chain[i].stopped and t.chain[i].place < t.chain[i].limit:
            return 1
    return 0


cdef int proved(Trail *t) noexcept nogil:
    """How many chains hold: each must have been reached exactly by the one before.

    Where one was not, it and all behind it count for nothing.
    """
    cdef int i
    for i in range(1, t.chains):
        if t.chain[i - 1].stopped or t.chain[i - 1].place != t.chain[i].start:
            return i
    return t.chains


cdef void keep_passed(Trail *t, const Round *r, const uint8_t *code) noexcept nogil:
    """A round ends of which only the frames are kept that go on."""
    cdef int number, i, at = 0
    cdef int64_t to, base
    cdef Chain *c
    for number in range(t.chains):
        c = &t.chain[number]
        base = number * t.room
        to = base + c.count
        for i in range(at, at + c.fresh):  # there is room for all: see `follow`
            t.offsets[to] = r.offsets[i]
            t.captured[to] = r.captured[i]
            t.lengths[to] = r.lengths[i]
            to += code[i] >= REDIRECT
        at += c.fresh
        c.count = to - base
        c.fresh = 0


cdef void judge_round(
    const Input *x, Trail *t, Work *w, int sides, char *room, Side *results, Totals *totals,
    int others
) noexcept nogil:
    """Judge what the chains found in a round, as one block, while it is in the cache.

    others: how many frames `w.heads.other` names, where fields were taken; −1: they were not.
    The results go to the chains' stretches of `results`, or, where there are `totals`, are only
    counted there, and of the records only those kept whose frames go on.
    """
    cdef int number, i, count = 0
    cdef Frames block
    memset(&block, 0, sizeof(block))
    for number in range(t.chains):
        count += t.chain[number].fresh
    block.buffer = x.buffer
    block.offsets = w.round.offsets
    block.captured = w.round.captured
    block.lengths = w.round.lengths
    block.ethernet = 1
    if others >= 0:
        finish_heads(&block, 0, 0, count, others, &w.columns)
    else:
        decode_block(&block, 0, count, count, &w.columns)
    for i in range(sides):
        judge_block(w, &w.side[i], room, 0, count)
        room += <int64_t>w.side[i].columns * BLOCK * 8
        if totals == NULL:
            spread(t, &w.side[i], &results[i])
    if totals != NULL:
        add_up(&w.side[0], w.round.lengths, count, totals.frames, totals.octets)
    if totals != NULL and t.offsets != NULL:
        keep_passed(t, &w.round, w.side[0].code)
    else:
        keep_round(t, &w.round)


cdef void judge_walk(
    const Input *x, Trail *t, Work *w, int sides, Side *results, Totals *totals
) noexcept nogil:
    """Follow all chains to their ends and judge what they find, round by round."""
    cdef char *room = w.room + FIRST_OWN * BLOCK * 8
    judge_round(x, t, w, sides, room, results, totals, -1)  # what laying the chains found
    while going(t):
        judge_round(
            x, t, w, sides, room, results, totals, follow_together(x, t, &w.round, &w.heads)
        )


cdef void add_up(
    const Side *block, const uint32_t *lengths, int count, uint64_t *frames, uint64_t *octets
) noexcept nogil:
    """Count a block's results: frames and bytes by (entry + 1) * 5 + code.

    Most frames of a block share a few results, so these are taken out one after the other, all
    their frames at once; what is left is counted frame by frame.
    """
    cdef uint32_t keys[BLOCK]
    cdef uint32_t key
    cdef uint64_t total
    cdef int i, hits, turn, at = 0, left = count
    for i in range(count):
        keys[i] = <uint32_t>(block.entry[i] + 1) * 5 + block.code[i]
    for turn in range(TURNS):
        if not left:
            return
        while keys[at] == COUNTED_ALREADY:
            at += 1
        key = keys[at]
        hits = 0
        total = 0
        for i in range(count):
            hits += keys[i] == key
            total += lengths[i] if keys[i] == key else 0
            keys[i] = <uint32_t>COUNTED_ALREADY if keys[i] == key else keys[i]
        frames[key] += hits
        octets[key] += total
        left -= hits
    for i in range(at, count if left else at):
        if keys[i] != COUNTED_ALREADY:
            frames[keys[i]] += 1
            octets[keys[i]] += lengths[i]


cdef void spread(const Trail *t, const Side *block, const Side *to) noexcept nogil:
    """A block's results, back to the chains that its frames came from."""
    cdef int number, fresh, count = 0
    cdef int64_t base
    for number in range(t.chains):
        fresh = t.chain[number].fresh
        base = number * t.room + t.chain[number].count
        memcpy(to.entry + base, block.entry + count, fresh * 4)
        memcpy(to.code + base, block.code + count, fresh)
        if to.copy != NULL:
            memcpy(to.copy + base, block.copy + count, fresh * 4)
        if to.capability_copy != NULL:
            memcpy(to.capability_copy + base, block.capability_copy + count, fresh * 4)
        if to.reads != NULL:
            memcpy(to.reads + base, block.reads + count, fresh * 4)
        count += fresh


cdef void close_up(void *items, const Trail *t, int chains, int width) noexcept nogil:
    """Move the chains' stretches of one column together."""
    cdef int64_t at = t.chain[0].count
    cdef int number
    if items == NULL:
        return
    for number in range(1, chains):
        memmove(
            <char *>items + at * width,
            <char *>items + <int64_t>number * t.room * width,
            <size_t>t.chain[number].count * width,
        )
        at += t.chain[number].count


cdef tuple finish_walk(Trail *t):
    """Close the columns up; (frames, where the walk stopped, error)."""
    cdef int chains = proved(t)
    cdef int i
    cdef int64_t count = 0
    close_up(t.offsets, t, chains, 8)
    close_up(t.captured, t, chains, 4)
    close_up(t.lengths, t, chains, 4)
    for i in range(chains):
        count += t.chain[i].count
    return count, t.chain[chains - 1].place, t.chain[chains - 1].error, chains


cdef void start_walk(
    Input *x, Trail *t, Round *r, object buffer, int64_t start, int64_t end, int swapped,
    int header, uint32_t most, object columns
) except *:
    """columns: offsets, captured, lengths, to keep what is found; or None."""
    x.buffer = <bytes_t>address_of(buffer)
    x.end = end
    x.swapped = swapped
    x.header = header
    x.most = most
    memset(t, 0, sizeof(Trail))
    t.all_room = end  # no more records than bytes
    if columns is not None:
        offsets, captured, lengths = columns
        t.offsets = <int64_t *>address_of(offsets)
        t.captured = <uint32_t *>address_of(captured)
        t.lengths = <uint32_t *>address_of(lengths)
        t.all_room = len(offsets)
    lay_chains(x, t, r, start)


cdef void point_results(Side *side, Results *made) noexcept nogil:
    """Let a side's results go to a block's own room."""
    side.entry = made.entry
    side.code = made.code
    if side.copy != NULL:
        side.copy = made.copy
    if side.capability_copy != NULL:
        side.capability_copy = made.capability_copy
    if side.reads != NULL:
        side.reads = made.reads


cdef class Machine:
    """The tables of one or two directions over the same frames, ready to run.

    sides: for each direction a tuple (exact table, fast table, exact look-ups, fast look-ups,
    widths, facts), where a table is an instruction array, look-ups a list of
    program.lookup.Lookup, widths uint8[columns], and facts a dict with the numbers
    inward, seed, watched, assumed, random, context and the list `constants` of
    (column, array of one item).  need: uint8[FIRST_OWN_COLUMN], the header columns to decode.
    May be used by several threads at once.
    """

    cdef object keep
    cdef list sides
    cdef object need
    cdef int columns
    cdef Work *spare
    cdef Lookup *lookups[4]

    def __cinit__(self, list sides, object need):
        self.spare = NULL
        self.sides = sides
        self.need = need
        self.columns = sum(len(side[4]) for side in sides)
        for i in range(4):
            self.lookups[i] = NULL
        for i in range(len(sides)):
            for j in range(2):
                self.lookups[2 * i + j] = take_lookups(sides[i][2 + j])

    def __dealloc__(self):
        drop_work(self.spare)
        for i in range(4):
            free(self.lookups[i])

    cdef Work *take(self) except NULL:
        """A work area: the spare one, or another where that is in use."""
        cdef Work *w
        with cython.critical_section(self):
            w = self.spare
            self.spare = NULL
        return w if w != NULL else self.prepare()

    cdef void give_back(self, Work *w) noexcept:
        cdef Work *old
        with cython.critical_section(self):
            old = self.spare
            self.spare = w
        drop_work(old)

    cdef Work *prepare(self) except NULL:
        """A work area with everything in it that does not change from call to call."""
        cdef Work *w = new_work(self.columns)
        cdef char *room = w.room + FIRST_OWN * BLOCK * 8
        cdef Side *side
        cdef int i, k
        try:
            for k in range(FIRST_OWN):
                w.columns.need[k] = self.need[k]
            for i in range(len(self.sides)):
                side = &w.side[i]
                exact, fast, _, _, widths, facts = self.sides[i]
                side.slow.table = <const Instruction *>address_of(exact)
                side.fast.table = <const Instruction *>address_of(fast)
                side.slow.lookups = self.lookups[2 * i]
                side.fast.lookups = self.lookups[2 * i + 1]
                side.columns = len(widths)
                for k in range(side.columns):
                    side.width[k] = widths[k]
                    side.at[k] = w.columns.at[k] if k < FIRST_OWN else room + <int64_t>k * BLOCK * 8
                side.inward = facts["inward"]
                side.seed = facts["seed"]
                side.watched = facts["watched"]
                side.assumed = facts["assumed"]
                side.random = facts["random"]
                side.context = facts["context"]
                side.ownership = facts["ownership"]
                for column, array in facts["constants"]:
                    k = column
                    side.given[k] = <const void *>address_of(array)
                    side.constant[k] = 1
                    side.at[k] = room + <int64_t>k * BLOCK * 8
                    fill(side.at[k], side.given[k], side.width[k])
                side.at[OWNERSHIP] = room + <int64_t>OWNERSHIP * BLOCK * 8
                room += <int64_t>side.columns * BLOCK * 8
        except BaseException:
            drop_work(w)
            raise
        return w

    cdef int set_call(
        self, Work *w, list outputs, object given, int64_t first_number, object numbers
    ) except -1:
        """What belongs to one call: results, columns handed in, frame numbers."""
        cdef Side *side
        cdef int i, k
        for i in range(len(self.sides)):
            side = &w.side[i]
            entry, code, copy, capability_copy, reads = outputs[i]
            side.entry = <int32_t *>address_of(entry)
            side.code = <uint8_t *>address_of(code)
            side.copy = <int32_t *>address_of(copy) if copy is not None else NULL
            side.capability_copy = NULL
            if capability_copy is not None:
                side.capability_copy = <int32_t *>address_of(capability_copy)
            side.reads = <uint32_t *>address_of(reads) if reads is not None else NULL
            side.first_number = first_number
            side.seen = 0
            side.numbers = <const int64_t *>address_of(numbers) if numbers is not None else NULL
            if given is None:
                continue
            columns, context, use_exact = given[i]
            for column, array in columns:
                k = column
                side.given[k] = <const void *>address_of(array)
            side.context_column = <const uint32_t *>address_of(context) if context is not None else NULL
            if use_exact:
                side.fast = side.slow
        return 0

    def run(
        self, tuple frames, list outputs, object given, int64_t first_number, object numbers,
        int64_t start, int64_t stop
    ):
        """Judge frames start … stop − 1.

        frames: FrameBatch.raw(), or None where every header column is among `given`.
        outputs: for each side (entry int32, code uint8, copy int32 or None, capability copy
        likewise, reads uint32 or None), arrays of the whole batch.
        given: None, or for each side ((column, array) …, missing bits uint32 or None, use the
        exact table everywhere).  numbers: int64 frame numbers, or None: first_number and on.
        Returns for each side whether anything watched was missing.  Raises MemoryError.
        """
        cdef Work *w = self.take() if given is None else self.prepare()
        cdef Frames f
        cdef int i, count, sides = len(self.sides), decode = frames is not None
        cdef int64_t first = start
        cdef char *room
        try:
            memset(&f, 0, sizeof(f))
            if decode:
                take_frames(&f, frames)
            self.set_call(w, outputs, given, first_number, numbers)
            with nogil:
                while first < stop:
                    count = <int>min(stop - first, <int64_t>BLOCK)
                    if decode:
                        decode_block(&f, first, count, stop, &w.columns)
                    room = w.room + FIRST_OWN * BLOCK * 8
                    for i in range(sides):
                        judge_block(w, &w.side[i], room, first, count)
                        room += <int64_t>w.side[i].columns * BLOCK * 8
                    first += count
            return [w.side[i].seen != 0 for i in range(sides)]
        finally:
            if given is None:
                self.give_back(w)
            else:
                drop_work(w)


    def hop(
        self, object buffer, int64_t start, int64_t end, int swapped, int header, uint32_t most,
        tuple columns, list outputs
    ):
        """Walk records of Ethernet frames and judge them on the way, while they are in the cache.

        As the module's `hop`; outputs as in `run`, as long as the columns.  Not for machines
        with draws, whose frame numbers are not known on the way.
        """
        cdef Work *w = self.take()
        cdef Input x
        cdef Trail t
        cdef Side results[2]
        cdef int i, sides = len(self.sides)
        try:
            self.set_call(w, outputs, None, 0, None)
            memcpy(&results[0], &w.side[0], sizeof(Side))
            memcpy(&results[1], &w.side[1], sizeof(Side))
            start_walk(&x, &t, &w.round, buffer, start, end, swapped, header, most, columns)
            for i in range(sides):
                point_results(&w.side[i], &w.made[i])
            with nogil:
                judge_walk(&x, &t, w, sides, &results[0], NULL)
            count, place, error, chains = finish_walk(&t)
            for i in range(sides):
                close_up(results[i].entry, &t, chains, 4)
                close_up(results[i].code, &t, chains, 1)
                close_up(results[i].copy, &t, chains, 4)
                close_up(results[i].capability_copy, &t, chains, 4)
                if w.side[i].seen:
                    close_up(results[i].reads, &t, chains, 4)
            return count, place, error, [w.side[i].seen != 0 for i in range(sides)]
        finally:
            self.give_back(w)


    def count(
        self, object buffer, int64_t start, int64_t end, int swapped, int header, uint32_t most,
        list outputs, uint64_t[:, ::1] totals, tuple columns
    ):
        """Walk records from `start` on and only count what becomes of their frames.

        outputs: as in `hop`, of any length: they only say what is wanted.  totals:
        uint64[2, keys], to which frames and bytes are added by (entry + 1) * 5 + code of the
        first side.  columns: as in `hop`, for the records of frames that go on, or None: then
        all up to `end` are counted.  Returns (frames counted, frames kept, where the walk
        stopped, error, was anything watched missing); in the last case the totals are as they
        were.
        """
        cdef Work *w = self.take()
        cdef Input x
        cdef Trail t
        cdef Totals found
        cdef int i, sides = len(self.sides)
        cdef int64_t k, keys = totals.shape[1], count = 0
        found.frames = <uint64_t *>calloc(keys, 16)
        try:
            if found.frames == NULL:
                raise MemoryError("no room for counts")
            found.octets = found.frames + keys
            self.set_call(w, outputs, None, 0, None)
            for i in range(sides):
                point_results(&w.side[i], &w.made[i])
            start_walk(&x, &t, &w.round, buffer, start, end, swapped, header, most, columns)
            with nogil:
                judge_walk(&x, &t, w, sides, NULL, &found)
                if proved(&t) != t.chains:  # a guess was wrong: count anew, without any
                    memset(found.frames, 0, keys * 16)
                    set_alone(&t, start, end)
                    judge_walk(&x, &t, w, sides, NULL, &found)
            missing = w.side[0].seen != 0
            for k in range(keys):
                count += <int64_t>found.frames[k]
                if not missing:
                    totals[0, k] += found.frames[k]
                    totals[1, k] += found.octets[k]
            kept, place, error, _ = finish_walk(&t)
            return count, kept, place, error, missing
        finally:
            free(found.frames)
            self.give_back(w)


cdef Lookup *take_lookups(list lookups) except? NULL:
    """The look-ups of a table as C structures; the arrays stay the caller's."""
    cdef Lookup *made
    cdef Lookup *l
    cdef LookupColumn *c
    cdef int i
    if not lookups:
        return NULL
    made = <Lookup *>calloc(len(lookups), sizeof(Lookup))
    if made == NULL:
        raise MemoryError("no room for look-ups")
    for i, lookup in enumerate(lookups):
        l = &made[i]
        l.words = lookup.words
        l.entry = <const int32_t *>address_of(lookup.entry)
        l.code = <const uint8_t *>address_of(lookup.code)
        for column in lookup.tables:
            c = &l.column[l.columns]
            l.columns += 1
            c.column = column.column
            c.form = column.form
            c.classes = <const uint16_t *>address_of(column.classes)
            c.bounds = <const uint64_t *>address_of(column.bounds)
            c.bound_count = len(column.bounds)
            c.rows = <const uint64_t *>address_of(column.rows)
            c.summary = <const uint64_t *>address_of(column.summary)
            c.sieve = <const uint8_t *>address_of(column.sieve) if len(column.sieve) else NULL
    return made


cdef void fill(void *to, const void *item, int width) noexcept nogil:
    """A block of one value."""
    cdef int i
    for i in range(BLOCK):
        memcpy(<char *>to + i * width, item, width)


def decode(tuple frames, list columns, int64_t start, int64_t stop):
    """Decode header columns of frames start … stop − 1 into full-length arrays.

    columns: (column, array of the whole batch) for each column wanted.
    """
    cdef Frames f
    cdef Work *w = new_work(0)
    cdef char *out[FIRST_OWN]
    cdef int i, count
    cdef int64_t first = start
    try:
        memset(&f, 0, sizeof(f))
        take_frames(&f, frames)
        memset(out, 0, sizeof(out))
        for column, array in columns:
            i = column
            w.columns.need[i] = 1
            out[i] = <char *>address_of(array)
        with nogil:
            while first < stop:
                count = <int>min(stop - first, <int64_t>BLOCK)
                decode_block(&f, first, count, stop, &w.columns)
                for i in range(FIRST_OWN):
                    if out[i] != NULL:
                        memcpy(out[i] + first * width_of(i), w.columns.at[i], count * width_of(i))
                first += count
    finally:
        drop_work(w)


cdef uint64_t integer_of(
    bytes_t p, int64_t captured, int64_t length, int64_t index, int bits, int little,
    uint32_t *missing
) noexcept nogil:
    """The integer that INTEGER_RANGE looks at (spec section 3); 0 beyond the payload."""
    cdef int count = (bits + 7) // 8
    cdef int64_t at = index if little else index + 8 - count
    cdef uint64_t value = 0
    cdef int i
    missing[0] = 0
    if index + (count if little else 8) > length:
        return 0
    if at + count > captured:
        missing[0] = READ_INTEGER
    if little:
        for i in range(count - 1, -1, -1):
            value = value << 8 | byte_at(p, captured, at + i)
        return value >> (8 * count - bits)
    value = big_endian(p, captured, at, count)
    return value & (<uint64_t>0xFFFFFFFFFFFFFFFF >> (64 - bits))


def integers(
    object frames, int64_t index, int bits, int little, uint64_t[::1] values, uint32_t[::1] missing
):
    """Fill the columns of one INTEGER_RANGE key for a whole batch."""
    cdef Frames f
    cdef int64_t i
    cdef int64_t captured, length
    cdef bytes_t p
    memset(&f, 0, sizeof(f))
    take_frames(&f, frames)
    with nogil:
        for i in range(values.shape[0]):
            p = f.buffer + f.offsets[i]
            captured = f.captured[i]
            length = max(<int64_t>f.lengths[i], captured)
            if f.ethernet:
                p += ETHERNET
                captured = max(captured - ETHERNET, <int64_t>0)
                length = max(length - ETHERNET, <int64_t>0)
            values[i] = integer_of(p, captured, length, index, bits, little, &missing[i])


def hop(
    object buffer, int64_t start, int64_t end, int swapped, int header, uint32_t most,
    tuple columns
):
    """Walk records from `start` to `end`; capture/hop.py has the contract.

    columns: offsets int64, captured uint32, lengths uint32, all of one length, the most frames
    to find.  Returns (frames found, where the walk stopped, error).
    """
    cdef Input x
    cdef Trail t
    cdef Round r
    start_walk(&x, &t, &r, buffer, start, end, swapped, header, most, columns)
    with nogil:
        keep_round(&t, &r)
        while going(&t):
            follow_together(&x, &t, &r, NULL)
            keep_round(&t, &r)
    return finish_walk(&t)[:3]


def hop_blocks(
    const uint8_t[::1] buffer, int64_t start, int64_t end, bint swapped, int64_t most,
    uint32_t[::1] types, int64_t[::1] places
):
    """Walk pcapng blocks from `start` to `end`; capture/blocks.py has the contract.

    types: uint32[n], filled with the blocks' types; places: int64[n + 1], with where each
    starts and at last where the walk stopped.  Returns (blocks found, place, error).
    """
    cdef Input x
    cdef int64_t count = 0, room = types.shape[0], size
    cdef int error = 0
    if start < 0 or end > buffer.shape[0] or places.shape[0] <= room:
        raise ValueError("the walk is outside the buffer, or has no room")
    places[0] = start
    if room == 0 or start + 8 > end:
        return 0, start, 0
    x.buffer = &buffer[0]
    x.swapped = swapped
    with nogil:
        while count < room and start + 8 <= end:
            types[count] = field(&x, start)
            if types[count] == SECTION_HEADER:
                error = BLOCK_SECTION
                break
            size = field(&x, start + 4)
            if size < 12 or size & 3 or size > most:
                error = BLOCK_SIZE
                break
            if start + size > end:
                break
            if field(&x, start + size - 4) != size:
                error = BLOCK_TRAILER
                break
            start += size
            count += 1
            places[count] = start
    return count, start, error


def gather(
    const uint8_t[::1] buffer, const int64_t[::1] starts, const int64_t[::1] ends, int64_t at,
    uint8_t[::1] out
):
    """Copy stretches of `buffer`, from number `at` on, one behind the other into `out`.

    Stops before the first that does not fit; capture/gather.py has the contract.
    Returns (the next stretch's number, bytes copied); −1 for a stretch outside the buffer.
    """
    cdef int64_t count = min(starts.shape[0], ends.shape[0])
    cdef int64_t room = out.shape[0], size = buffer.shape[0]
    cdef int64_t used = 0, length
    with nogil:
        while at < count:
            length = ends[at] - starts[at]
            if starts[at] < 0 or length < 0 or ends[at] > size:
                at = -1
                break
            if length > room - used:
                break
            memcpy(&out[0] + used, &buffer[0] + starts[at], length)
            used += length
            at += 1
    return at, used


def tally(
    const int32_t[::1] entry, const uint8_t[::1] code, const uint32_t[::1] lengths,
    uint64_t[::1] frames, uint64_t[::1] sums
):
    """Count frames and sum lengths by (entry + 1) * 5 + code."""
    cdef int64_t i, at
    with nogil:
        for i in range(entry.shape[0]):
            at = (<int64_t>entry[i] + 1) * 5 + code[i]
            frames[at] += 1
            sums[at] += lengths[i]


def constants():
    """The numbers this module was written with, for the test that compares them."""
    return {
        "ops": [OP_END, OP_SECTION, OP_TEST, OP_CONST, OP_RANDOM, OP_TAGS, OP_ARMED, OP_TERM,
                OP_SAVED, OP_SAVE, OP_ARM_SKIP, OP_READ, OP_DROP, OP_ACCEPT, OP_BREAK, OP_PRIORITY,
                OP_COPY, OP_REDIRECT, OP_LOOKUP],
        "instruction": sizeof(Instruction),
        "columns": [KIND, CHARACTERISTICS, PROTOCOL, TOS, ICMP_TYPE, ICMP_CODE, OWNERSHIP, ETHERTYPE,
                    VLAN, SOURCE_PORT, DEST_PORT, TCP_FLAGS, LENGTH, IP4_SOURCE, IP4_DEST, MISSING,
                    IP6_SOURCE_HIGH, IP6_SOURCE_LOW, IP6_DEST_HIGH, IP6_DEST_LOW, MAC_SOURCE,
                    MAC_DEST, AUTH_HIGH, AUTH_LOW, ZT_SOURCE, ZT_DEST, NODE],
        "widths": [width_of(column) for column in range(FIRST_OWN)],
        "block": BLOCK,
        "lookup": [LOOKUP_COLUMNS, GROUP, BY_BYTE, BY_WORD, BY_TRIE, BY_SEARCH, SIEVE_BITS],
        "sieve": SIEVE_FACTOR,
        "into": [INTO_AND_SET, INTO_OR_SET, INTO_TERM, INTO_AND_TERM, INTO_OR_TERM],
        "flags": [NEGATE, ALTERNATIVE, SKIPPABLE, FREE],
        "kinds": [KIND_IPV4, KIND_IPV6, KIND_PROTOCOL, KIND_SOURCE_PORT, KIND_DEST_PORT, KIND_ICMP],
        "chr": [CHR_MULTICAST, CHR_BROADCAST, CHR_AUTH_ADDRESS, CHR_AUTH_ALWAYS, CHR_AUTH_IPV6],
        "owned": [OWNED_IP, OWNED_MAC],
        "results": [NO_MATCH, DROP, REDIRECT, ACCEPT, SUPER_ACCEPT],
        "reads": [READ_ETHERTYPE, READ_MAC_DEST, READ_MAC_SOURCE, READ_IP_SOURCE, READ_IP_DEST,
                  READ_TOS, READ_PROTOCOL, READ_SOURCE_PORT, READ_DEST_PORT, READ_ICMP,
                  READ_TCP_FLAGS, READ_AUTH_ADDRESS, READ_INTEGER],
        "missing": [MISSING_OWNED_IP, MISSING_OWNED_MAC, MISSING_LOCAL_TAGS, MISSING_REMOTE_TAGS,
                    MISSING_ADDRESSES, MISSING_IP6_SOURCE, MISSING_IP6_DEST],
    }
