# From frame bytes to header columns.
#
# Contract: of a frame the bytes 0 … captured − 1 are read and no other; where frames are in the
# buffer was checked by frames.batch, or found by scan.pxi.  A header byte that was not captured
# reads as zero, and MISSING says which of these could have mattered.  Any frame, however short
# or wrong, has columns: nothing raises, nothing needs the GIL.  Only the needed columns, and KIND,
# LENGTH and MISSING, are right afterwards.
#
# Two decoders.  `decode_frame` takes one frame of any kind and checks every byte that it reads;
# what it says is right.  `decode_fast` takes CHUNK frames as if each were what most are, Ethernet
# with IPv4 without options, and lets the other one put right the rest:
#
#     for each frame:    p = its bytes if captured >= FAST else 64 zero bytes
#                        keep the fields from their fixed places in p
#                        note the frame as one of the others unless bytes 12 … 14 are 08 00 ?5
#     for each column:   one loop over all frames makes it from the fields; no branch
#     for each other:    decode_frame, whose fields go over what the loops made
#
# Why it is right: with 08 00 ?5 the fields are where they were taken from, and FAST bytes hold
# everything up to TCP's flags, so nothing is missing.  Zeros fail that test, so a frame of fewer
# bytes is always one of the others, and so is anything that is not IPv4.  An ARP frame, say, is
# first given "ports" out of its addresses; 08 06 makes it one of the others, and its columns are
# written again before anyone looks.

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
            if pos >= captured:  # zeros to the end: the headers would run past it
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
    """The kind of IPv4 frames with their headers at hand, from the protocol.

    The least is zero for each protocol that has ports: of comparisons clang makes a switch.
    """
    cdef int i
    cdef uint8_t x, tcp, udp, sctp, lite, other
    for i in range(count):
        x = protocol[i]
        tcp, udp, sctp, lite = x ^ 6, x ^ 17, x ^ 132, x ^ 136
        other = min(min(tcp, udp), min(sctp, lite))
        kind[i] = <uint8_t>(
            (KIND_IPV4 | KIND_PROTOCOL)
            | (0 if other else KIND_SOURCE_PORT | KIND_DEST_PORT)
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
