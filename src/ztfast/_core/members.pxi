# Who sent a frame and who gets it, and what the rules ask of them: members as the loops know them.
#
# Contract: the tables are those of engine/native_members.py, which the caller keeps: slots a power
# of two, at most half of them taken, so every probe ends.  Member 0 is nobody known, −1 in `remote`
# that no membership is known.  What is found is what network/resolve.py finds, and what is
# gathered what the reference is told; tests/network/test_resolve_model.py and the differential
# tests compare.  No GIL but where tables are read.
#
#     find_ends: for each frame of a block     source and dest by MAC, or by IP where it has none
#     for each side:                           who is local, remote and the sender; their addresses
#         gather_unknown                       bits of MISSING for what nobody knows of them
#         gather_facts                         tags and capabilities, a column at a time
#         gather_ownership                     ipauth and macauth, by one look-up a frame
#
# A frame without a MAC, or whose MAC was not captured, is found by its IP addresses.  These are
# rare among Ethernet frames, so their columns are decoded only for blocks that have one.

cdef enum:
    LOCAL_TAG, REMOTE_TAG, TAG_PRESENCE, HOLDS  # engine/native_members.py says the same

cdef enum:
    EMULATES_RFC4193 = 1                        # network/batch_context.py says the same
    EMULATES_6PLANE = 2

cdef enum:
    OWNED_V4, OWNED_V6, OWNED_BY_MAC            # kinds of address, in the last bits of `who`

cdef uint64_t NO_MAC = <uint64_t>0xFFFFFFFFFFFFFFFF

cdef inline uint64_t mix(uint64_t high, uint64_t low, int32_t who, uint64_t factor) noexcept nogil:
    """A number whose upper bits choose an address's slot."""
    cdef uint64_t x = high * factor
    return (low ^ (x >> 32 | x << 32) ^ <uint64_t>(<uint32_t>who) << 40) * factor


cdef inline int32_t member_of_mac(const Members *m, uint64_t mac) noexcept nogil:
    """The member with this MAC, 0 where nobody has it."""
    cdef uint64_t at = mac * m.mac_factor >> m.mac_shift
    while m.macs[at].mac != mac and m.macs[at].mac != NO_MAC:
        at = at + 1 & m.mac_last
    return m.macs[at].member  # 0 in an empty slot


cdef inline int32_t find_address(
    const AddressTable *t, uint64_t high, uint64_t low, int32_t who
) noexcept nogil:
    """What stands beside an address in a table, 0 where it is not there."""
    cdef uint64_t at = mix(high, low, who, t.factor) >> t.shift
    while t.slots[at].member:
        if t.slots[at].low == low and t.slots[at].high == high and t.slots[at].who == who:
            return t.slots[at].member
        at = at + 1 & t.last
    return 0


cdef void find_by_mac(
    const Members *m, const uint64_t *macs, End *to, int count
) noexcept nogil:
    """The members with these MACs; a MAC of the network's form has an address in any case."""
    cdef int i
    cdef uint64_t mac
    cdef uint8_t ours
    for i in range(count):
        to.member[i] = member_of_mac(m, macs[i])
    for i in range(count):
        mac = macs[i]
        ours = m.has_id and mac >> 40 == m.octet
        to.address[i] = (
            m.address[to.member[i]] if to.member[i]
            else ((mac & <uint64_t>0xFFFFFFFFFF) ^ m.scramble if ours else 0)
        )
        to.known[i] = (to.member[i] != 0) | ours


cdef void find_by_ip(
    const Members *m, uint8_t kind, uint32_t v4, uint64_t high, uint64_t low, End *to, int at
) noexcept nogil:
    """The member that alone was assigned this IP address."""
    cdef int32_t member = 0
    if kind & KIND_IPV4:
        member = find_address(&m.places, 0, v4, OWNED_V4)
    elif kind & KIND_IPV6:
        member = find_address(&m.places, high, low, OWNED_V6)
    to.member[at] = member
    to.address[at] = m.address[member]
    to.known[at] = member != 0


cdef inline uint8_t is_group_ip(uint8_t kind, uint32_t v4, uint64_t high) noexcept nogil:
    """Is an IP destination multicast or everyone?"""
    if kind & KIND_IPV4:
        return v4 >> 28 == 0xE or v4 == <uint32_t>0xFFFFFFFF
    return (kind & KIND_IPV6) != 0 and high >> 56 == 0xFF


cdef void decode_ips(
    const Side *side, const Frames *f, int64_t first, int count, Columns *c
) noexcept nogil:
    """The columns of IP addresses, of a block that was decoded without them."""
    cdef uint8_t need[FIRST_OWN]
    if f == NULL or side.given[KIND] != NULL:  # columns were handed in
        return
    memcpy(need, c.need, FIRST_OWN)
    c.need[IP4_SOURCE] = c.need[IP4_DEST] = 1
    c.need[IP6_SOURCE_HIGH] = c.need[IP6_SOURCE_LOW] = 1
    c.need[IP6_DEST_HIGH] = c.need[IP6_DEST_LOW] = 1
    decode_block(f, first, count, first + count, c)
    memcpy(c.need, need, FIRST_OWN)


cdef void find_without_macs(
    const Members *m, const Side *side, const uint32_t *missing, Columns *c, Ends *e, int count
) noexcept nogil:
    """Put right what MACs that are not there said of a block's frames."""
    cdef const uint8_t *kind = <const uint8_t *>header(side, c, KIND)
    cdef const uint32_t *source4 = <const uint32_t *>header(side, c, IP4_SOURCE)
    cdef const uint32_t *dest4 = <const uint32_t *>header(side, c, IP4_DEST)
    cdef const uint64_t *source6[2]
    cdef const uint64_t *dest6[2]
    cdef int i
    source6[0] = <const uint64_t *>header(side, c, IP6_SOURCE_HIGH)
    source6[1] = <const uint64_t *>header(side, c, IP6_SOURCE_LOW)
    dest6[0] = <const uint64_t *>header(side, c, IP6_DEST_HIGH)
    dest6[1] = <const uint64_t *>header(side, c, IP6_DEST_LOW)
    for i in range(count):
        if missing[i] & READ_MAC_SOURCE:
            find_by_ip(m, kind[i], source4[i], source6[0][i], source6[1][i], &e.source, i)
        if missing[i] & READ_MAC_DEST:
            find_by_ip(m, kind[i], dest4[i], dest6[0][i], dest6[1][i], &e.dest, i)
            e.many[i] = is_group_ip(kind[i], dest4[i], dest6[0][i])


cdef inline uint8_t from_foreign(const uint32_t *missing, const Ends *e, int i) noexcept nogil:
    """Is a frame from a MAC of another form to a node of the network, or to several?"""
    return (
        (e.source.known[i] ^ 1) & (e.many[i] | e.dest.known[i])
        & ((missing[i] & READ_MAC_SOURCE) == 0)
    )


cdef void find_bridged(
    const Members *m, const uint32_t *missing, Ends *e, int count
) noexcept nogil:
    """Frames from foreign MACs are the only active bridge's."""
    cdef int i
    for i in range(count):
        if from_foreign(missing, e, i):
            e.source.member[i] = m.foreign
            e.source.address[i] = m.address[m.foreign]
            e.source.known[i] = 1


cdef void find_ends(
    const Members *m, const Side *side, const Frames *f, int64_t first, int count, Columns *c,
    Ends *e
) noexcept nogil:
    """Who sent each frame of a block and who gets it, as network/resolve.py says."""
    cdef const uint64_t *source = <const uint64_t *>header(side, c, MAC_SOURCE)
    cdef const uint64_t *dest = <const uint64_t *>header(side, c, MAC_DEST)
    cdef const uint32_t *missing = <const uint32_t *>header(side, c, MISSING)
    cdef uint32_t lost = 0
    cdef uint8_t nowhere, stray
    cdef uint8_t refused = m.foreign < 0
    cdef int i
    find_by_mac(m, source, &e.source, count)
    find_by_mac(m, dest, &e.dest, count)
    for i in range(count):
        e.many[i] = <uint8_t>(dest[i] >> 40 & 1)
        lost |= missing[i]
    if lost & (READ_MAC_SOURCE | READ_MAC_DEST):
        decode_ips(side, f, first, count, c)
        find_without_macs(m, side, missing, c, e, count)
    if m.foreign > 0:
        find_bridged(m, missing, e, count)
    for i in range(count):
        # a unicast MAC of another form goes to a bridge; without an id, no form can be told
        nowhere = e.many[i] | (
            m.has_id & (e.dest.known[i] ^ 1) & ((missing[i] & READ_MAC_DEST) == 0)
        )
        stray = refused & from_foreign(missing, e, i)
        e.remote[i] = -1 if nowhere else e.dest.member[i]
        e.undirected[i] = (
            nowhere & (e.many[i] | (e.source.member[i] != 0)) | stray
        )
        e.marks[i] = (UNDIRECTED if e.undirected[i] else 0) | (
            STRANGER if (e.source.member[i] == 0) | (e.remote[i] == 0) else 0
        )
        e.beyond[i] = 0 if nowhere else e.dest.address[i]
        e.known_out[i] = e.source.known[i] & (nowhere | e.dest.known[i])
        e.known_in[i] = e.source.known[i] & e.dest.known[i]


cdef void cast(const Side *side, Ends *e, int64_t first, Cast *who) noexcept nogil:
    """Who is who in a block, seen from one side: as it was found, or as the caller said."""
    if side.cast.local != NULL:
        who.local = side.cast.local + first
        who.remote = side.cast.remote + first
        who.sender = side.cast.sender + first
        who.node = side.cast.node + first
        who.zt_source = side.cast.zt_source + first
        who.zt_dest = side.cast.zt_dest + first
        who.known = side.cast.known + first
        return
    who.sender = e.source.member
    who.zt_source = e.source.address
    if side.inbound:
        who.local = e.dest.member
        who.remote = e.source.member
        who.node = who.zt_dest = e.dest.address
        who.known = e.known_in
    else:
        who.local = e.source.member
        who.remote = e.remote
        who.node = e.source.address
        who.zt_dest = e.beyond
        who.known = e.known_out


cdef void gather_unknown(
    const Members *m, const Cast *who, uint32_t watched, uint32_t *out, int count
) noexcept nogil:
    """Bits of MISSING for what is only assumed of members and addresses."""
    cdef const uint8_t *unknown = m.unknown + 1
    cdef int i
    cdef uint32_t bits
    for i in range(count):
        bits = (MISSING_OWNED_IP | MISSING_OWNED_MAC) if unknown[who.sender[i]] else 0
        bits |= MISSING_LOCAL_TAGS if unknown[who.local[i]] else 0
        bits |= MISSING_REMOTE_TAGS if unknown[who.remote[i]] else 0
        bits |= 0 if who.known[i] else MISSING_ADDRESSES
        out[i] = bits & watched


cdef void gather_facts(const Members *m, const Side *side, const Cast *who, int count) noexcept nogil:
    """The program's own columns: tags of both, capabilities of the sender."""
    cdef const MemberFact *fact
    cdef const uint8_t *bytes8
    cdef const uint32_t *values
    cdef uint8_t *out8
    cdef uint32_t *out32
    cdef int i, k
    for k in range(m.fact_count):
        fact = &m.facts[k]
        out8 = <uint8_t *>side.at[fact.column]
        out32 = <uint32_t *>side.at[fact.column]
        bytes8 = <const uint8_t *>fact.values + 1
        values = <const uint32_t *>fact.values + 1
        if fact.what == HOLDS:
            for i in range(count):
                out8[i] = bytes8[who.sender[i]]
        elif fact.what == TAG_PRESENCE:
            for i in range(count):
                out8[i] = bytes8[who.local[i]] | bytes8[who.remote[i]] << 1
        elif fact.what == LOCAL_TAG:
            for i in range(count):
                out32[i] = values[who.local[i]]
        else:
            for i in range(count):
                out32[i] = values[who.remote[i]]


cdef inline uint8_t emulated(const Members *m, uint8_t schemes, uint64_t high, uint64_t low) noexcept nogil:
    """Is an IPv6 address of a scheme whose every address a receiver takes as the sender's?"""
    cdef uint8_t found = 0
    if schemes & EMULATES_RFC4193:
        found = high == m.rfc4193_high and low >> 40 == m.rfc4193_low
    if schemes & EMULATES_6PLANE:
        found |= high >> 24 == m.six_plane
    return found


cdef void gather_emulated(
    const Members *m, const Side *side, Columns *c, const Cast *who, int count
) noexcept nogil:
    """Put OWNERSHIP right where receivers emulate NDP."""
    cdef const uint8_t *chr = <const uint8_t *>header(side, c, CHARACTERISTICS)
    cdef const uint64_t *high = <const uint64_t *>header(side, c, AUTH_HIGH)
    cdef const uint64_t *low = <const uint64_t *>header(side, c, AUTH_LOW)
    cdef uint8_t *owned = <uint8_t *>side.at[OWNERSHIP]
    cdef uint8_t schemes
    cdef int i
    for i in range(count):
        schemes = m.emulates[who.local[i]]
        if schemes and chr[i] & CHR_AUTH_ADDRESS and chr[i] & CHR_AUTH_IPV6:
            owned[i] |= OWNED_IP if emulated(m, schemes, high[i], low[i]) else 0


cdef void gather_ownership(
    const Members *m, const Side *side, Columns *c, const Cast *who, int count
) noexcept nogil:
    """Column OWNERSHIP: was the sender given the address, and the MAC, that it sends from?"""
    cdef const uint8_t *chr = <const uint8_t *>header(side, c, CHARACTERISTICS)
    cdef const uint64_t *high = <const uint64_t *>header(side, c, AUTH_HIGH)
    cdef const uint64_t *low = <const uint64_t *>header(side, c, AUTH_LOW)
    cdef const uint64_t *mac = <const uint64_t *>header(side, c, MAC_SOURCE)
    cdef const uint8_t *unknown = m.unknown + 1
    cdef uint8_t *owned = <uint8_t *>side.at[OWNERSHIP]
    cdef int32_t sender
    cdef uint8_t found
    cdef int i
    for i in range(count):
        sender = who.sender[i]
        if unknown[sender]:
            found = m.assumed
        elif chr[i] & CHR_AUTH_IPV6:
            found = OWNED_IP if find_address(&m.owned, high[i], low[i], sender << 2 | OWNED_V6) else 0
        elif m.first4[sender] == low[i] and m.first4[sender]:
            found = OWNED_IP  # most senders have one IPv4 address and send from it
        else:
            found = OWNED_IP if find_address(&m.owned, 0, low[i], sender << 2 | OWNED_V4) else 0
        owned[i] = (found if chr[i] & CHR_AUTH_ADDRESS else found & OWNED_MAC) | (
            OWNED_IP if chr[i] & CHR_AUTH_ALWAYS else 0
        )
    if not m.owns_macs:
        return
    for i in range(count):
        sender = who.sender[i]
        if not unknown[sender] and find_address(&m.owned, 0, mac[i], sender << 2 | OWNED_BY_MAC):
            owned[i] |= OWNED_MAC


cdef void place_members(
    const Members *m, Side *side, Columns *c, Ends *e, uint32_t *context, int64_t first, int count
) noexcept nogil:
    """Everything that one side's table asks of members, for one block."""
    cdef Cast who
    cast(side, e, first, &who)
    if side.watched:
        gather_unknown(m, &who, side.watched, context, count)
    gather_facts(m, side, &who, count)
    if m.asks_addresses:
        memcpy(side.at[ZT_SOURCE], who.zt_source, count * 8)
        memcpy(side.at[ZT_DEST], who.zt_dest, count * 8)
        memcpy(side.at[NODE], who.node, count * 8)
    if m.asks_ownership:
        gather_ownership(m, side, c, &who, count)
        if side.inbound and m.emulates != NULL:
            gather_emulated(m, side, c, &who, count)


# --- tables ------------------------------------------------------------------------------------

def fill_macs(object slots, uint64_t[::1] macs, int32_t[::1] members, uint64_t factor, int most):
    """Put MACs into a table of empty slots; False where one is over `most` slots from its place."""
    cdef MacSlot *table = <MacSlot *>address_of(slots)
    cdef uint64_t last = len(slots) - 1
    cdef int shift = 64 - int(last).bit_length()
    cdef uint64_t at
    cdef Py_ssize_t i
    cdef int far
    for i in range(macs.shape[0]):
        at = macs[i] * factor >> shift
        far = 0
        while table[at].mac != NO_MAC and table[at].mac != macs[i]:
            at = at + 1 & last
            far += 1
            if far > most:
                return False
        table[at].mac = macs[i]
        table[at].member = members[i]
    return True


def fill_addresses(
    object slots, uint64_t[::1] high, uint64_t[::1] low, int32_t[::1] who, int32_t[::1] members,
    uint64_t factor, int most
):
    """As `fill_macs`, with addresses of two halves and what they are looked up by."""
    cdef AddressSlot *table = <AddressSlot *>address_of(slots)
    cdef uint64_t last = len(slots) - 1
    cdef int shift = 64 - int(last).bit_length()
    cdef uint64_t at
    cdef AddressSlot *slot
    cdef Py_ssize_t i
    cdef int far
    for i in range(high.shape[0]):
        at = mix(high[i], low[i], who[i], factor) >> shift
        far = 0
        slot = &table[at]
        while slot.member and not (
            slot.low == low[i] and slot.high == high[i] and slot.who == who[i]
        ):
            at = at + 1 & last
            slot = &table[at]
            far += 1
            if far > most:
                return False
        slot.high = high[i]
        slot.low = low[i]
        slot.who = who[i]
        slot.member = members[i]
    return True


cdef class SideMembers:
    """What one direction's loops know of members: an engine.native_members.MemberTables."""

    cdef Members members
    cdef object keep

    def __cinit__(self, object tables):
        cdef Members *m = &self.members
        cdef int k
        (
            macs, owned, places, address, unknown, first4, identity, m.foreign, emulates, asks,
            assumed, owns_macs, facts,
        ) = record(tables)
        self.keep = tables
        m.facts = NULL
        slots, m.mac_factor = macs
        m.macs = <const MacSlot *>address_of(slots)
        m.mac_last = len(slots) - 1
        m.mac_shift = 64 - int(m.mac_last).bit_length()
        take_addresses(&m.owned, owned)
        take_addresses(&m.places, places)
        m.address = <const uint64_t *>address_of(address)
        m.unknown = <const uint8_t *>address_of(unknown)
        m.first4 = <const uint32_t *>address_of(first4)
        m.has_id = identity is not None
        m.octet, m.scramble = (0, 0) if identity is None else identity
        m.emulates = NULL
        if emulates is not None:
            by_member, (m.rfc4193_high, m.rfc4193_low), m.six_plane = emulates
            m.emulates = <const uint8_t *>address_of(by_member)
        m.asks_addresses, m.asks_ownership = asks
        m.assumed = assumed
        m.owns_macs = owns_macs
        m.fact_count = len(facts)
        m.facts = <MemberFact *>calloc(len(facts) + 1, sizeof(MemberFact))
        if m.facts == NULL:
            raise MemoryError("no memory for what rules ask of members")
        for k in range(m.fact_count):
            what, column, values = facts[k]
            m.facts[k].what = what
            m.facts[k].column = column
            m.facts[k].values = <const void *>address_of(values)

    def __dealloc__(self):
        free(self.members.facts)


cdef int take_addresses(AddressTable *t, object given) except -1:
    slots, factor = given
    t.slots = <const AddressSlot *>address_of(slots)
    t.factor = factor
    t.last = len(slots) - 1
    t.shift = 64 - int(t.last).bit_length()
    return 0
