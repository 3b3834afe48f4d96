# Running a table over one block: the choice of what an instruction does, and where sections begin.
#
# Contract: program.verify checked every number that is used as an index, that jumps go forward
# and land only where a match or an action begins, and that the table ends with two ENDs; so every
# run ends and stays inside the table.  `begin` must have been called.  No GIL.
#
#     begin: all frames live
#     base rules:                 fold; frames still live at END, or that BREAK, are pending
#     for each capability:        live = pending and the sender holds it
#                                 fold; an accept takes the frame out of `pending`
#
# Jumps only save time.  A test that leaves no frame's set jumps to where something can happen
# again, the next match with the or-bit or the action; an action that leaves no frame live jumps
# to the section's END.  `some` remembers whether any frame's set holds: 0 no, 1 yes or at the
# start of a set, −1 not looked at since an or-match.  With 0 an action has no frame to act on and
# is left out, but for COPY and REDIRECT: inbound, these arm super-accept where the set is false.

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
