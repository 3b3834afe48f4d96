# The tables of one or two directions, ready to run: what Python calls for verdicts.
#
# Contract: arguments are trusted as _core.pyi says; engine/native.py makes them out of programs
# that were verified.  The GIL is held to read them and released while frames are judged.  Calls
# from several threads share the tables and never a Work.

cdef class Machine:
    """The tables of one or two directions over the same frames, ready to run.

    sides: for each direction its engine.native_tables.SideTables.
    need: uint8[FIRST_OWN_COLUMN], the header columns to decode.
    members: for each direction its SideMembers, by which frames are looked up; None where calls
    say who is who, or where nobody is known.
    May be used by several threads at once.
    """

    cdef list sides
    cdef list members
    cdef object need
    cdef int columns
    cdef Work *spare
    cdef Lookup *lookups[4]

    def __cinit__(self, list sides, object need, list members=None):
        self.spare = NULL
        self.sides = sides
        self.members = members
        self.need = need
        self.columns = sum(len(side.widths) for side in sides)
        for i in range(4):
            self.lookups[i] = NULL
        for i in range(len(sides)):
            self.lookups[2 * i] = take_lookups(sides[i].exact_lookups)
            self.lookups[2 * i + 1] = take_lookups(sides[i].fast_lookups)

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
        cdef char *arena = w.arena + FIRST_OWN * BLOCK * 8
        cdef Side *side
        cdef int i, k
        try:
            for k in range(FIRST_OWN):
                w.columns.need[k] = self.need[k]
            for i in range(len(self.sides)):
                side = &w.side[i]
                tables = self.sides[i]
                facts, widths = tables.facts, tables.widths
                side.slow.table = <const Instruction *>address_of(tables.exact)
                side.slow.lookups = self.lookups[2 * i]
                side.fast.table = <const Instruction *>address_of(tables.fast)
                side.fast.lookups = self.lookups[2 * i + 1]
                side.columns = len(widths)
                for k in range(side.columns):
                    side.width[k] = widths[k]
                    side.at[k] = home(w, arena, k)
                side.inbound = facts.inbound
                side.seed = facts.seed
                side.watched = facts.watched
                side.assumed = facts.assumed
                side.random = facts.random
                side.context = facts.context
                side.ownership = facts.ownership
                side.copies = tables.copies
                side.has_reads = tables.has_reads
                side.address = NULL
                if tables.address is not None:
                    side.address = <const uint64_t *>address_of(tables.address)
                for column, array in facts.constants:
                    k = column
                    side.given[k] = <const void *>address_of(array)
                    side.constant[k] = 1
                    side.at[k] = arena + <int64_t>k * BLOCK * 8
                    fill(side.at[k], side.given[k], side.width[k])
                arena += <int64_t>side.columns * BLOCK * 8
        except BaseException:
            drop_work(w)
            raise
        return w

    cdef int set_call(
        self, Work *w, object given, int64_t first_number, object numbers
    ) except -1:
        """What belongs to one call: columns handed in, who is who, frame numbers."""
        cdef Side *side
        cdef int i
        self.forget_call(w)
        for i in range(len(self.sides)):
            side = &w.side[i]
            side.first_number = first_number
            if numbers is not None:
                side.numbers = <const int64_t *>address_of(numbers)
            if given is not None:
                take_given(side, given[i])
        return 0

    cdef int lay_results(self, Work *w, object results) except -1:
        """Let results go to an engine.native_tables.Results, whose form this knows."""
        cdef Side *side
        cdef int32_t *wide
        cdef int64_t room
        cdef int i, sides = <int>len(self.sides)
        memory, room = record(results)
        wide = <int32_t *>address_of(memory)
        for i in range(sides):
            side = &w.side[i]
            side.entry = wide
            side.copy = wide + room if side.copies else NULL
            side.capability_copy = wide + 2 * room if side.copies > 1 else NULL
            side.reads = <uint32_t *>wide + (1 + side.copies) * room if side.has_reads else NULL
            wide += (1 + side.copies + side.has_reads) * room
        for i in range(sides):
            w.side[i].code = <uint8_t *>wide + i * room
        return 0

    cdef void forget_call(self, Work *w) noexcept:
        """Nothing is there of the call before."""
        cdef Side *side
        cdef int i, k
        cdef char *arena = w.arena + FIRST_OWN * BLOCK * 8
        for i in range(len(self.sides)):
            side = &w.side[i]
            for k in range(side.columns if side.handed else 0):
                if side.given[k] != NULL and not side.constant[k]:
                    side.given[k] = NULL
                    side.at[k] = home(w, arena, k)
            arena += <int64_t>side.columns * BLOCK * 8
            side.handed = side.use_exact = 0
            side.seen = 0
            side.numbers = NULL
            side.cast.local = NULL
            side.members = NULL
            if self.members is not None:
                side.members = &(<SideMembers>self.members[i]).members

    cdef int seen(self, const Work *w) noexcept:
        """A bit for each side of whose verdicts something watched was missing."""
        return (w.side[0].seen != 0) | (w.side[1].seen != 0) << 1

    def run(
        self, object frames, object results, object given, int64_t first_number, object numbers,
        int64_t start, int64_t stop, object undirected=None, object accepted=None
    ):
        """Judge frames start … stop − 1.

        frames: a frames.batch.RawFrames, or None where every header column is among `given`.
        results: an engine.native_tables.Results with room for the whole batch.  given: None, or for
        each side an engine.native_inputs.InputColumns.  numbers: int64 frame numbers, or
        None: first_number and on.  undirected: uint8 of the whole batch, for what is found of each
        frame: is every recipient to be asked?  accepted: likewise: is it, by every side, and not
        redirected?  None: not wanted, or nobody is looked up.
        Returns bits: 1 << side where anything that this side watches was missing, 4 where a frame
        is undirected.  Raises MemoryError.
        """
        cdef Work *w = self.take()
        cdef Frames f
        cdef int count, several = 0, sides = <int>len(self.sides), decode = frames is not None
        cdef int64_t first = start
        cdef uint8_t *to_marks = NULL
        cdef uint8_t *to_accepted = NULL
        try:
            memset(&f, 0, sizeof(f))
            if decode:
                take_frames(&f, frames)
            if undirected is not None:
                to_marks = <uint8_t *>address_of(undirected)
            if accepted is not None:
                to_accepted = <uint8_t *>address_of(accepted)
            self.set_call(w, given, first_number, numbers)
            self.lay_results(w, results)
            with nogil:
                while first < stop:
                    count = <int>min(stop - first, <int64_t>BLOCK)
                    if decode:
                        decode_block(&f, first, count, stop, &w.columns)
                    judge_sides(w, sides, &f if decode else NULL, first, first, count)
                    if to_accepted != NULL:
                        join_sides(w, sides, first, count, to_accepted + first)
                    if to_marks != NULL:
                        memcpy(to_marks + first, w.ends.undirected, count)
                        several |= memchr(w.ends.undirected, 1, count) != NULL
                    first += count
            return self.seen(w) | several << 2
        finally:
            self.give_back(w)

    def passes(self, object frame, object length):
        """Is one Ethernet frame accepted by every side, and not redirected?

        frame: its captured bytes, a contiguous buffer.  length: bytes that it had.  Not for
        machines with draws.  None: every recipient is to be asked.  Raises OverflowError for a
        frame of 4 GiB.
        """
        cdef Py_buffer view
        cdef Work *w
        cdef Frames f
        cdef int64_t offset = 0
        cdef uint32_t captured, original = length
        cdef uint8_t accepted
        cdef int i, sides = <int>len(self.sides), several
        PyObject_GetBuffer(frame, &view, PyBUF_SIMPLE)
        try:
            if view.len > <int64_t>0xFFFFFFFF:
                raise OverflowError("a frame of 4 GiB")
            captured = <uint32_t>view.len
            w = self.take()
            self.forget_call(w)
            for i in range(sides):
                point_results(&w.side[i], &w.made[i])
            memset(&f, 0, sizeof(f))
            f.buffer = <bytes_t>view.buf
            f.offsets = &offset
            f.captured = &captured
            f.lengths = &original
            f.ethernet = 1
            decode_block(&f, 0, 1, 1, &w.columns)  # too short to let go of the GIL
            judge_sides(w, sides, &f, 0, 0, 1)
            join_sides(w, sides, 0, 1, &accepted)
            several = self.members is not None and w.ends.undirected[0]
            self.give_back(w)
        finally:
            PyBuffer_Release(&view)
        return None if several else accepted != 0

    def find_senders(self, object frames, object number, object senders):
        """Who sends some frames of a batch.

        frames: a frames.batch.RawFrames.  number: int64, which of them.  senders: an
        engine.native_recipients.Senders, filled, an item for each of these.  For machines that look
        members up.  Raises MemoryError.
        """
        cdef Work *w = self.take()
        cdef Asking *a = NULL
        cdef Frames f
        cdef Senders found
        cdef uint8_t need[FIRST_OWN]
        cdef int64_t first = 0, count = len(number)
        try:
            a = new_asking(number)
            memset(&f, 0, sizeof(f))
            take_frames(&f, frames)
            take_senders(&found, senders)
            self.forget_call(w)
            memcpy(need, w.columns.need, FIRST_OWN)
            memset(w.columns.need, 0, FIRST_OWN)
            w.columns.need[MISSING] = w.columns.need[MAC_SOURCE] = w.columns.need[MAC_DEST] = 1
            with nogil:
                while first < count:
                    a.rows = <int>min(count - first, <int64_t>BLOCK)
                    memcpy(a.place, a.number + first, a.rows * 8)
                    find_senders_of(w, a, &f, &found, first)
                    first += a.rows
            memcpy(w.columns.need, need, FIRST_OWN)
        finally:
            self.give_back(w)
            free(a)

    def ask_recipients(
        self, object frames, object number, object chosen, object senders, object classes,
        object outputs, object found
    ):
        """Judge frames again for each of their recipients, and put what these say in their place.

        frames, number, senders: as in `find_senders`.  chosen: int64, which of those are asked
        about, with a sender whose classes were made.  classes: a network.recipients.ClassColumns.
        outputs: for each side the engine.native_tables.SideOutputs of the whole batch, changed.
        found: an engine.native_recipients.Answers, filled for the chosen.  For machines without
        draws that look members up.  Returns bits as `run` does.  Raises MemoryError.
        """
        cdef Work *w = self.take()
        cdef Asking *a = NULL
        cdef Frames f
        cdef const int64_t *which = <const int64_t *>address_of(chosen)
        cdef int64_t count = len(chosen)
        cdef int i, sides = <int>len(self.sides)
        try:
            a = new_asking(number)
            memset(&f, 0, sizeof(f))
            take_frames(&f, frames)
            take_senders(&a.senders, senders)
            take_classes(&a.classes, classes)
            got, best, away, state = record(found)
            a.got = <uint32_t *>address_of(got)
            a.best_of = <int32_t *>address_of(best)
            a.away_of = <int32_t *>address_of(away)
            a.state = <uint8_t *>address_of(state)
            self.forget_call(w)
            for i in range(sides):
                take_spoken(&a.said[i], outputs[i], w.side[i].inbound)
                point_results(&w.side[i], &w.made[i])
                set_cast(a, &w.side[i])
            with nogil:
                ask_all(w, a, &f, sides, which, count)
            return self.seen(w)
        finally:
            self.give_back(w)
            free(a)

    def scan(
        self, object buffer, int64_t start, int64_t end, object shape, tuple columns,
        object made, object marks=None
    ):
        """Scan records of Ethernet frames and judge them on the way, while they are in the cache.

        As the module's `scan_records`; made as in `run`, marks uint8, as long as the columns.  Not
        for machines with draws, whose frame numbers are not known on the way.
        """
        cdef Work *w = self.take()
        cdef Input x
        cdef ScanState t
        cdef Side results[2]
        cdef int i, sides = len(self.sides)
        try:
            self.set_call(w, None, 0, None)
            self.lay_results(w, made)
            memcpy(&results[0], &w.side[0], sizeof(Side))
            memcpy(&results[1], &w.side[1], sizeof(Side))
            start_scan(&x, &t, &w.round, buffer, start, end, shape, columns, marks)
            for i in range(sides):
                point_results(&w.side[i], &w.made[i])
            with nogil:
                judge_scan(&x, &t, w, sides, &results[0], NULL)
            count, place, error, chains = finish_scan(&t)
            for i in range(sides):
                close_up(results[i].entry, &t, chains, 4)
                close_up(results[i].code, &t, chains, 1)
                close_up(results[i].copy, &t, chains, 4)
                close_up(results[i].capability_copy, &t, chains, 4)
                if w.side[i].seen:
                    close_up(results[i].reads, &t, chains, 4)
            return count, place, error, self.seen(w)
        finally:
            self.give_back(w)

    def count(
        self, object buffer, int64_t start, int64_t end, object shape, tuple columns,
        object wanted
    ):
        """Scan records from `start` on and only count what becomes of their frames.

        columns: as in `scan`, for the records that are kept, or None: then nothing is kept and all
        up to `end` is counted.  wanted: an engine.native.Wanted, whose arrays are filled.
        Returns (frames found, frames kept, where the scan stopped, error).
        """
        cdef Work *w = self.take()
        cdef Input x
        cdef ScanState t
        cdef Totals found
        cdef int i, sides = len(self.sides)
        cdef int64_t k, count = 0
        cdef Follow *follow = NULL
        cdef Work *inner = NULL
        (
            frames, octets, reads, receiver, forwards, asks_recipients, keeps, apart, followed,
        ) = record(wanted)
        memset(&found, 0, sizeof(found))
        found.frames = <uint64_t *>address_of(frames)
        found.octets = <uint64_t *>address_of(octets)
        found.reads = <uint64_t *>address_of(reads) if reads is not None else NULL
        found.keys = len(frames)
        found.receiver = receiver
        found.asks_recipients = asks_recipients
        found.keeps = keeps
        for i in range(sides):
            found.forwards[i] = forwards[i]
        try:
            self.set_call(w, None, 0, None)
            for i in range(sides):
                point_results(&w.side[i], &w.made[i])
            start_scan(&x, &t, &w.round, buffer, start, end, shape, columns, apart)
            if followed is not None:
                follow = found.follow = take_follow(followed)
                inner = self.take()
                self.set_call(inner, None, 0, None)
                set_inner(follow, inner, x.buffer)
            with nogil:
                judge_scan(&x, &t, w, sides, NULL, &found)
                if proved(&t) != t.chains:  # a guess was wrong: count anew, without any
                    clear_totals(&found)
                    set_alone(&t, start, end)
                    judge_scan(&x, &t, w, sides, NULL, &found)
            kept, place, error, _ = finish_scan(&t)
            for k in range(found.keys):
                count += <int64_t>found.frames[k]
            if columns is not None:
                for k in range(<int64_t>kept):
                    count += t.mark[k]
            return count, kept if columns is not None else 0, place, error
        finally:
            self.give_back(w)
            if inner != NULL:
                self.give_back(inner)
            free(follow)
