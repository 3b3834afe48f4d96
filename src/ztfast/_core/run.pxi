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
    cdef int j
    for j in range(s.words):
        s.live[j] = s.pending[j] & ~zt_equal8(holds + 64 * j, 0xFF, 0)
    s.noted.used = 0
    memcpy(s.set, s.live, WORDS * 8)
    memset(s.armed, 0, WORDS * 8)
    memset(s.skip, 0, WORDS * 8)
    return any_of(s.live)


cdef void begin(State *s, int count) noexcept nogil:
    """A block starts: `count` frames are live, nothing is decided."""
    cdef int j
    s.words = (count + 63) >> 6
    for j in range(WORDS):
        s.live[j] = ~<uint64_t>0 if j < count >> 6 else 0
    if count & 63:
        s.live[count >> 6] = (<uint64_t>1 << (count & 63)) - 1
    for j in range(WORDS):
        s.set[j] = s.live[j]
        s.armed[j] = s.skip[j] = s.pending[j] = s.apart[j] = 0
    s.verdict.used = s.noted.used = s.base_copy.used = s.capability_copy.used = s.reads.used = 0


cdef void run_block(const Run *run, const Side *side, State *s, const int64_t *numbers) noexcept nogil:
    """Fold the whole table over one block."""
    cdef void *const *at = &side.at[0]
    cdef const Instruction *x
    cdef uint64_t c[WORDS]
    cdef uint64_t flip
    cdef int pc = 0
    cdef int base = 1
    cdef int into, op, left, j
    cdef int some = 1  # does the set hold for any frame; -1: not known
    memset(c, 0, WORDS * 8)  # those behind the words that hold frames are never made
    while True:
        x = run.table + pc
        pc += 1
        op = x.op
        into = x.flags & 7
        flip = ~<uint64_t>0 if x.flags & NEGATE else 0
        if op == OP_TEST:
            test(
                c, &s.set[0] if into == INTO_AND_SET else &s.live[0], at[x.column], side.width[x.column],
                x, flip, s.words
            )
        elif op >= OP_DROP:
            if some < 0:
                some = any_of(s.set)
            if not some and op != OP_COPY and op != OP_REDIRECT:  # these arm where it is false
                memcpy(s.set, s.live, WORDS * 8)
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
            memset(c, 0xFF if (x.low != 0) ^ (flip != 0) else 0, WORDS * 8)
        elif op == OP_TERM:
            flipped(c, s.term, flip)
        elif op == OP_SAVED:
            flipped(c, s.saved, flip)
        elif op == OP_ARMED:
            flipped(c, s.armed, flip)
        elif op == OP_TAGS:
            compare_tags(
                c, <const uint32_t *>at[x.column], <const uint32_t *>at[x.other], x, flip, s.words
            )
        elif op == OP_RANDOM:
            random_test(c, x, side.seed, numbers, flip, s.words)
        elif op == OP_READ:
            read_missing(
                s, x.column, <const uint32_t *>at[x.column], <uint32_t>x.mask,
                &s.live[0] if x.flags & ALTERNATIVE else &s.set[0]
            )
            continue
        elif op == OP_SAVE:
            memcpy(s.saved, s.term, WORDS * 8)
            continue
        elif op == OP_ARM_SKIP:
            arm_skip(s, &s.live[0] if x.flags & ALTERNATIVE else &s.set[0])
            continue
        else:  # END or SECTION
            if op == OP_END:
                if base:
                    for j in range(WORDS):
                        s.pending[j] |= s.live[j]
                base = 0
                if not any_of(s.pending):
                    return
                x = run.table + pc
                pc += 1
                if x.op == OP_END:
                    return
            some = 1
            if not begin_section(s, <const uint8_t *>at[x.column]):
                pc = x.jump
            continue
        left = fold(s, into, c)
        if into == INTO_AND_SET:
            some = left
            if not some:
                pc = x.jump
        elif into == INTO_OR_SET:
            some = -1
