# What a machine and its calls are given, as C has it: columns handed in, and look-ups.
#
# Contract: as machine.pxi says; the arrays stay the caller's, who keeps them.

cdef inline char *home(Work *w, char *arena, int column) noexcept:
    """Where a side's column stands that nobody handed in: of the frame, or the side's own."""
    cdef int own = column >= FIRST_OWN or column == OWNERSHIP or ZT_SOURCE <= column <= NODE
    return arena + <int64_t>column * BLOCK * 8 if own else <char *>w.columns.at[column]


cdef int take_given(Side *side, object given) except -1:
    """Read an engine.native_inputs.InputColumns."""
    cdef int k
    columns, members, cast, use_exact = record(given)
    for column, array in columns:
        k = column
        side.given[k] = <const void *>address_of(array)
        side.handed = 1
    side.use_exact = use_exact
    if members is not None:
        side.members = &(<SideMembers>members).members
    if cast is not None:
        local, remote, sender, node, zt_source, zt_dest, known = record(cast)
        side.cast.local = <const int32_t *>address_of(local)
        side.cast.remote = <const int32_t *>address_of(remote)
        side.cast.sender = <const int32_t *>address_of(sender)
        side.cast.node = <const uint64_t *>address_of(node)
        side.cast.zt_source = <const uint64_t *>address_of(zt_source)
        side.cast.zt_dest = <const uint64_t *>address_of(zt_dest)
        side.cast.known = <const uint8_t *>address_of(known)
    return 0


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
        raise MemoryError("no memory for look-ups")
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
