# What all sides say of each frame of a block, as one: is it accepted where it goes?
#
# Contract: the sides' results on the block stand where `first` says; no GIL.  What is found is what
# engine/network_verdicts.py finds of both sides' columns, which the differential tests compare.  A
# redirect passes only where it leads nowhere, or to where the frame goes anyhow.

cdef inline int is_elsewhere(uint64_t target, uint64_t here) noexcept nogil:
    """Does a redirect to a target lead away from where the frame goes?"""
    return target != 0 and target != here


cdef void join_sides(Work *w, int sides, int64_t first, int count, uint8_t *accepted) noexcept nogil:
    """accepted: filled with 1 for frames that every side accepts, else 0."""
    cdef const Side *side
    cdef const uint8_t *code = w.side[0].code + first
    cdef int i, number
    for i in range(count):
        accepted[i] = code[i] >= REDIRECT
    if sides == 2:
        code = w.side[1].code + first
        for i in range(count):
            accepted[i] &= code[i] >= REDIRECT
    for number in range(sides):
        side = &w.side[number]
        if side.address != NULL and memchr(side.code + first, REDIRECT, count) != NULL:
            take_out_redirected(side, &w.ends, first, count, accepted)


cdef void take_out_redirected(
    const Side *side, Ends *e, int64_t first, int count, uint8_t *accepted
) noexcept nogil:
    """Frames that a side sends elsewhere are not accepted."""
    cdef Cast who
    cdef uint64_t target, here = 0
    cdef int known = side.members != NULL
    cdef int i
    if known:
        cast(side, e, first, &who)
    for i in range(count):
        if side.code[first + i] == REDIRECT:
            target = side.address[side.entry[first + i]]
            if known:
                here = who.zt_dest[i]
            accepted[i] &= not is_elsewhere(target, here)
