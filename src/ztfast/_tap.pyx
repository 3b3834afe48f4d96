# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The live tap's loops: walking a ring, what goes where, sending frames where they lie, doubles.

Contract: built on Linux only, and reached through ztfast.live.loops alone, which has plain Python
where this was not built.  Columns have room for what is asked for (live/ring.py makes them); a
ring's blocks are checked as they are walked.  The GIL is released while frames are judged, sent and
waited for.  tests/live/test_loops.py and test_plain_turns.py compare everything here with the plain loops.
"""

from libc.errno cimport EAGAIN, ECONNREFUSED, EINTR, ENOBUFS, errno
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memmove, memset
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <stdint.h>
    #include <sys/socket.h>
    #include <sys/uio.h>
    #define zt_acquire(p) __atomic_load_n((const uint32_t *)(p), __ATOMIC_ACQUIRE)
    #define zt_prefetch(p) __builtin_prefetch((p), 0, 3)
    #define zt_release(p, value) __atomic_store_n((uint32_t *)(p), (value), __ATOMIC_RELEASE)
    #define zt_bits(x) ((x) ? 64 - __builtin_clzll(x) : 0)
    """
    int zt_bits(uint64_t) noexcept nogil
    uint32_t zt_acquire(const void *) noexcept nogil
    void zt_release(void *, uint32_t) noexcept nogil
    void zt_prefetch(const void *) noexcept nogil

cdef extern from "<sys/socket.h>" nogil:
    struct iovec:
        void *iov_base
        size_t iov_len
    struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    int sendmmsg(int, mmsghdr *, unsigned int, int)
    enum:
        MSG_DONTWAIT

cdef extern from "<unistd.h>" nogil:
    ssize_t write(int, const void *, size_t)

cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    int ppoll(pollfd *, unsigned long, const timespec *, const void *)
    enum:
        POLLIN
        POLLERR

cdef enum:
    BLOCK_STATUS = 8    # linux/if_packet.h, tpacket_block_desc: where its fields stand
    BLOCK_FRAMES = 12
    BLOCK_FIRST = 16
    FRAME_HEADER = 48   # tpacket3_hdr
    MACS = 12
    ETHERNET = 14
    TAG = 4
    USER = 1            # tp_status
    LINE = 64           # bytes of a cache line
    AHEAD = 2048        # bytes that are fetched before they are looked at
    VLAN_VALID = 1 << 4
    VLAN_TPID_VALID = 1 << 6

cdef enum:
    DROP, ACCEPT, REDIRECTED        # engine.network_verdicts.Action
    CODE_REDIRECT = 2               # model.result.Result
    CODE_ACCEPT = 3
    CODES = 5

cdef uint32_t WHOLE = <uint32_t>0xFFFFFFFF

cdef packed struct FrameHeader:     # tpacket3_hdr, as far as it is read
    uint32_t next
    uint32_t seconds
    uint32_t nanoseconds
    uint32_t captured
    uint32_t length
    uint32_t status
    uint16_t mac
    uint16_t net
    uint32_t rxhash
    uint32_t tci
    uint16_t tpid


# --- the ring ------------------------------------------------------------------------------------

cdef class Walker:
    """As live.plain_loops.Walker; what it is given is looked at once, not at every walk."""

    cdef uint8_t[::1] ring
    cdef int64_t[::1] offsets
    cdef uint32_t[::1] captured
    cdef uint32_t[::1] lengths
    cdef int64_t[::1] times
    cdef int64_t block_size
    cdef int64_t blocks
    cdef object wrong
    cdef int64_t found      # what the last walk found
    cdef int64_t taken
    cdef int64_t octets

    def __cinit__(
        self, uint8_t[::1] ring, int64_t block_size, int64_t blocks,
        int64_t[::1] offsets, uint32_t[::1] captured, uint32_t[::1] lengths, int64_t[::1] times,
        object wrong=ValueError,
    ):
        self.ring, self.block_size, self.blocks, self.wrong = ring, block_size, blocks, wrong
        self.offsets, self.captured, self.lengths, self.times = offsets, captured, lengths, times

    def walk(self, int64_t current, int64_t most):
        """As live.plain_loops.Walker.walk."""
        self.follow(current, most)
        return self.found, self.taken, self.octets

    cdef int follow(self, int64_t current, int64_t most) except -1:
        cdef int64_t room = len(self.offsets), found = 0, taken = 0, octets = 0
        cdef int64_t at, ahead, start, frames
        cdef int64_t size = self.block_size
        cdef uint8_t *base = &self.ring[0]
        cdef uint8_t *block
        cdef uint8_t *frame
        cdef FrameHeader *h
        cdef uint16_t tpid
        while taken < most and taken < self.blocks:
            start = current * size
            block = base + start
            if not zt_acquire(block + BLOCK_STATUS) & USER:
                break
            frames = (<uint32_t *>(block + BLOCK_FRAMES))[0]
            if found + frames > room and found:
                break
            ahead = at = (<uint32_t *>(block + BLOCK_FIRST))[0]
            if found + frames > room:
                raise self.wrong(f"block {current} of the ring says that it holds {frames} frames")
            for _ in range(frames):
                if at < 0 or at + FRAME_HEADER > size:
                    raise self.wrong(f"block {current} of the ring has a frame outside of it")
                h = <FrameHeader *>(block + at)
                while ahead < at + AHEAD:  # another core wrote it, and one frame leads to the next
                    zt_prefetch(block + ahead)
                    ahead += LINE
                frame = block + at + h.mac
                if at + h.mac + <int64_t>h.captured > size:
                    raise self.wrong(f"block {current} of the ring has a frame outside of it")
                self.offsets[found] = frame - base
                self.captured[found] = h.captured
                self.lengths[found] = h.length
                self.times[found] = <int64_t>h.seconds * 1000000000 + h.nanoseconds
                if h.status & VLAN_VALID and h.captured >= MACS and h.mac >= FRAME_HEADER + TAG:
                    memmove(frame - TAG, frame, MACS)
                    tpid = h.tpid if h.status & VLAN_TPID_VALID else 0x8100
                    frame[8] = tpid >> 8
                    frame[9] = tpid & 0xFF
                    frame[10] = h.tci >> 8 & 0xFF
                    frame[11] = h.tci & 0xFF
                    self.offsets[found] -= TAG
                    self.captured[found] += TAG
                    self.lengths[found] += TAG
                octets += self.lengths[found]
                found += 1
                at += h.next
            taken += 1
            current = current + 1 if current + 1 < self.blocks else 0
        self.found, self.taken, self.octets = found, taken, octets
        return 0

    def release(self, int64_t first, int64_t count):
        """As live.plain_loops.Walker.release."""
        self.give_back(first, count)

    cdef void give_back(self, int64_t first, int64_t count) noexcept:
        for _ in range(count):
            zt_release(&self.ring[first * self.block_size + BLOCK_STATUS], 0)
            first = first + 1 if first + 1 < self.blocks else 0


# --- what becomes of frames ----------------------------------------------------------------------

cdef struct SideColumns:
    const int32_t *entry
    const uint8_t *code
    const int32_t *copy
    const int32_t *capability_copy
    const int32_t *target
    const uint32_t *limit
    uint64_t *frames
    uint64_t *octets
    const uint32_t *reads
    int redirects


cdef const int32_t *numbers(object column) except? NULL:
    """An optional column of entries."""
    cdef const int32_t[::1] view
    if column is None:
        return NULL
    view = column
    return &view[0]


cdef int take_side(SideColumns *to, object outputs, object facts) except -1:
    """Read a SideOutputs and a live.judge.SideFacts; the caller keeps both."""
    cdef const int32_t[::1] entry = outputs[0]
    cdef const uint8_t[::1] code = outputs[1]
    cdef const uint32_t[::1] reads
    cdef const int32_t[::1] target = facts[0]
    cdef const uint32_t[::1] limit = facts[1]
    cdef uint64_t[:, ::1] totals = facts[2]
    to.entry, to.code = &entry[0], &code[0]
    to.copy, to.capability_copy = numbers(outputs[2]), numbers(outputs[3])
    to.reads = NULL
    if outputs[4] is not None:
        reads = outputs[4]
        to.reads = &reads[0]
    to.target, to.limit = &target[0], &limit[0]
    to.frames, to.octets = &totals[0, 0], &totals[1, 0]
    to.redirects = facts[3]
    return 0


cdef class Joiner:
    """As live.plain_loops.Joiner; what it is given is looked at once, not at every call."""

    cdef SideColumns side[2]
    cdef int sides
    cdef object run
    cdef object results
    cdef list outputs
    cdef list facts
    cdef object recipients
    cdef uint8_t[::1] action
    cdef uint8_t[::1] apart
    cdef int64_t[::1] row_frame
    cdef int32_t[::1] row_target
    cdef uint32_t[::1] row_limit
    cdef const uint8_t[::1] undirected
    cdef bint asks
    cdef uint32_t uncertain_bits
    cdef object raw             # the frames that came last, and their lengths
    cdef const uint32_t[::1] lengths
    cdef readonly int64_t uncertain
    cdef int64_t rows       # what the last call found
    cdef int64_t set_apart

    def __cinit__(
        self, object run, object results, list sides, list facts, object undirected, bint asks,
        uint32_t uncertain_bits, uint8_t[::1] action, uint8_t[::1] apart,
        int64_t[::1] row_frame, int32_t[::1] row_target, uint32_t[::1] row_limit,
    ):
        cdef int s
        self.run, self.results, self.recipients = run, results, undirected
        self.outputs, self.facts = sides, facts  # whose memory is looked into
        self.sides = <int>len(sides)
        for s in range(self.sides):
            take_side(&self.side[s], sides[s], facts[s])
        self.asks = asks and undirected is not None
        self.undirected = undirected if self.asks else action
        self.uncertain_bits = uncertain_bits
        self.action, self.apart = action, apart
        self.row_frame, self.row_target, self.row_limit = row_frame, row_target, row_limit
        self.uncertain = 0

    def judge(self, object raw, int64_t first, int64_t count):
        """As live.plain_loops.Joiner.judge."""
        self.decide(raw, first, count)
        return self.rows, self.set_apart

    cdef int decide(self, object raw, int64_t first, int64_t count) except -1:
        cdef int noted
        if raw is not self.raw:
            self.raw, self.lengths = raw, raw[3]
        noted = self.run(raw, self.results, None, first, None, 0, count, self.recipients)
        self.join(noted, count)
        return 0

    cdef int join(self, int noted, int64_t count) except -1:
        """What both sides say of each frame, as one: `rows` and `set_apart` are of these frames.

        noted: bits of `Machine.run`.
        """
        cdef SideColumns *side = self.side
        cdef SideColumns *x
        cdef bint told[2]
        cdef int several = self.sides == 2, s, last
        cdef int64_t i, key, rows = 0, set_apart = 0, uncertain = 0
        cdef int32_t entry
        cdef uint32_t read
        cdef uint8_t away
        for s in range(self.sides):
            told[s] = noted >> s & 1 and side[s].reads != NULL
        with nogil:
            for i in range(count):
                last = several and side[0].code[i] >= CODE_ACCEPT
                away = self.undirected[i] != 0 if self.asks else 0
                for s in range(last + 1):
                    if side[s].redirects and side[s].code[i] == CODE_REDIRECT:
                        away = 1
                self.apart[i] = away
                if away:
                    set_apart += 1
                    continue
                x = &side[last]
                self.action[i] = ACCEPT if x.code[i] >= CODE_ACCEPT else DROP
                key = <int64_t>(x.entry[i] + 1) * CODES + x.code[i]
                x.frames[key] += 1
                x.octets[key] += self.lengths[i]
                read = 0
                for s in range(last + 1):
                    x = &side[s]
                    if told[s]:
                        read |= x.reads[i]
                    if x.capability_copy != NULL:
                        entry = x.capability_copy[i]
                        if entry >= 0:
                            self.row_frame[rows] = i
                            self.row_target[rows] = x.target[entry]
                            self.row_limit[rows] = x.limit[entry]
                            rows += 1
                    if x.copy != NULL:
                        entry = x.copy[i]
                        if entry >= 0:
                            self.row_frame[rows] = i
                            self.row_target[rows] = x.target[entry]
                            self.row_limit[rows] = x.limit[entry]
                            rows += 1
                uncertain += read & self.uncertain_bits != 0
        self.rows, self.set_apart = rows, set_apart
        self.uncertain += uncertain
        return 0


def pick_copies(
    const int64_t[::1] row_frame, const int32_t[::1] row_target, const uint32_t[::1] row_limit,
    int64_t rows, const uint8_t[::1] wanted,
    const uint32_t[::1] captured, const uint32_t[::1] lengths,
    int64_t[::1] index, uint32_t[::1] kept, uint32_t[::1] noted, int32_t[::1] times_sent,
):
    """As live.plain_loops.pick_copies."""
    cdef int64_t copies = 0, chosen = choose_copies(
        row_frame, row_target, row_limit, rows, wanted, captured, lengths,
        index, kept, noted, times_sent, &copies,
    )
    return chosen, copies


cdef int64_t choose_copies(
    const int64_t[::1] row_frame, const int32_t[::1] row_target, const uint32_t[::1] row_limit,
    int64_t rows, const uint8_t[::1] wanted,
    const uint32_t[::1] captured, const uint32_t[::1] lengths,
    int64_t[::1] index, uint32_t[::1] kept, uint32_t[::1] noted, int32_t[::1] times_sent,
    int64_t *all_copies,
) noexcept nogil:
    cdef int64_t k, chosen = 0, copies = 0, frame
    cdef uint32_t limit, whole
    for k in range(rows):
        if not wanted[row_target[k]]:
            continue
        copies += 1
        frame, limit = row_frame[k], row_limit[k]
        if chosen and index[chosen - 1] == frame:
            times_sent[chosen - 1] += 1
            chosen -= 1
            limit = max(limit, noted[chosen])
        else:
            times_sent[chosen] = 1
            index[chosen] = frame
        whole = max(lengths[frame], captured[frame])
        kept[chosen] = min(captured[frame], limit)
        noted[chosen] = min(whole, limit)
        chosen += 1
    all_copies[0] = copies
    return chosen


def pick_frames(
    const uint8_t[::1] action, int64_t count, int which,
    const uint32_t[::1] captured, const uint32_t[::1] lengths,
    int64_t[::1] index, uint32_t[::1] kept, uint32_t[::1] noted, int32_t[::1] times_sent,
):
    """As live.plain_loops.pick_frames."""
    return choose_frames(action, count, which, captured, lengths, index, kept, noted, times_sent)


cdef int64_t choose_frames(
    const uint8_t[::1] action, int64_t count, int which,
    const uint32_t[::1] captured, const uint32_t[::1] lengths,
    int64_t[::1] index, uint32_t[::1] kept, uint32_t[::1] noted, int32_t[::1] times_sent,
) noexcept nogil:
    cdef int64_t i, chosen = 0
    for i in range(count):
        if which >= 0 and action[i] != which:
            continue
        index[chosen] = i
        kept[chosen] = captured[i]
        noted[chosen] = max(lengths[i], captured[i])
        times_sent[chosen] = 1
        chosen += 1
    return chosen


# --- out -----------------------------------------------------------------------------------------

cdef enum:
    AT_ONCE = 64        # messages of one sendmmsg


def send(
    int descriptor, const uint8_t[::1] ring, const int64_t[::1] offsets,
    const int64_t[::1] index, const uint32_t[::1] kept, int64_t first, int64_t count,
    const uint8_t[::1] header, bint stop_when_full, uint64_t[::1] errors,
):
    """As live.plain_loops.send."""
    cdef int64_t octets = 0, sent = 0, done
    with nogil:
        while first < count:
            done = send_some(
                descriptor, ring, offsets, index, kept, first, min(count, first + AT_ONCE),
                header, stop_when_full, errors, &sent, &octets,
            )
            first += done
            if first < count and done < AT_ONCE:
                break
    return first, sent, octets


cdef int64_t send_some(
    int descriptor, const uint8_t[::1] ring, const int64_t[::1] offsets,
    const int64_t[::1] index, const uint32_t[::1] kept, int64_t first, int64_t end,
    const uint8_t[::1] header, bint stop_when_full, uint64_t[::1] errors,
    int64_t *sent, int64_t *octets,
) noexcept nogil:
    """Send AT_ONCE frames at most: how many are done, which are fewer where the queue is full."""
    cdef mmsghdr messages[AT_ONCE]
    cdef iovec parts[AT_ONCE][2]
    cdef int done = 0, k, told, failed, lead = len(header) > 0, some = <int>(end - first)
    memset(messages, 0, some * sizeof(mmsghdr))
    for k in range(some):
        if lead:
            parts[k][0].iov_base = <void *>&header[0]
            parts[k][0].iov_len = len(header)
        parts[k][lead].iov_base = <void *>&ring[offsets[index[first + k]]]
        parts[k][lead].iov_len = kept[first + k]
        messages[k].msg_hdr.msg_iov = parts[k]
        messages[k].msg_hdr.msg_iovlen = 1 + lead
    while done < some:
        told = sendmmsg(descriptor, &messages[done], some - done, MSG_DONTWAIT)
        if told > 0:
            for k in range(done, done + told):
                octets[0] += kept[first + k]
            done += told
            sent[0] += told
            continue
        failed = errno
        if failed == EINTR or failed == ECONNREFUSED:  # of a message before this one
            continue
        if stop_when_full and (failed == EAGAIN or failed == ENOBUFS):
            break
        errors[failed if failed < len(errors) else 0] += 1
        done += 1
    return done


cdef inline void put32(uint8_t *to, uint32_t value) noexcept nogil:
    memcpy(to, &value, 4)


def pack(
    bint blocks, const uint8_t[::1] ring, const int64_t[::1] offsets, const int64_t[::1] times,
    const int64_t[::1] index, const uint32_t[::1] kept, const uint32_t[::1] noted,
    int64_t first, int64_t count, uint32_t interface, uint8_t[::1] out, int64_t[::1] ends,
):
    """As live.plain_loops.pack."""
    cdef int64_t used = 0
    with nogil:
        first = pack_some(
            blocks, ring, offsets, times, index, kept, noted, first, count, interface, out, ends,
            &used,
        )
    return first, used


cdef int64_t pack_some(
    bint blocks, const uint8_t[::1] ring, const int64_t[::1] offsets, const int64_t[::1] times,
    const int64_t[::1] index, const uint32_t[::1] kept, const uint32_t[::1] noted,
    int64_t first, int64_t count, uint32_t interface, uint8_t[::1] out, int64_t[::1] ends,
    int64_t *all_used,
) noexcept nogil:
    """Pack what has room: the first frame that has none; the bytes used are written down."""
    cdef int64_t used = 0, room = len(out), i, size, padded, packed = 0
    cdef uint64_t time
    cdef uint8_t *to
    while first < count:
        i = index[first]
        time = <uint64_t>times[i]
        padded = (<int64_t>kept[first] + 3) & ~<int64_t>3 if blocks else kept[first]
        size = padded + (32 if blocks else 16)
        if used + size > room or packed == len(ends):
            break
        to = &out[used]
        if blocks:
            put32(to, 6)
            put32(to + 4, <uint32_t>size)
            put32(to + 8, interface)
            put32(to + 12, <uint32_t>(time >> 32))
            put32(to + 16, <uint32_t>time)
            put32(to + 20, kept[first])
            put32(to + 24, noted[first])
            memcpy(to + 28, &ring[offsets[i]], kept[first])
            memset(to + 28 + kept[first], 0, padded - kept[first])
            put32(to + 28 + padded, <uint32_t>size)
        else:
            put32(to, <uint32_t>(time // 1000000000))
            put32(to + 4, <uint32_t>(time % 1000000000))
            put32(to + 8, kept[first])
            put32(to + 12, noted[first])
            memcpy(to + 16, &ring[offsets[i]], kept[first])
        used += size
        ends[packed] = used
        packed += 1
        first += 1
    all_used[0] = used
    return first


# --- doubles -------------------------------------------------------------------------------------

cdef enum:
    WAYS = 8            # places in which a frame may be remembered


cdef struct Seen:
    uint64_t high
    uint64_t low
    int64_t first       # when it came first
    int64_t left        # doubles that are still to come; 0: the place is free


cdef struct Sip:
    uint64_t a
    uint64_t b
    uint64_t c
    uint64_t d


cdef inline uint64_t turned(uint64_t x, int by) noexcept nogil:
    return x << by | x >> (64 - by)


cdef inline void sip_round(Sip *s) noexcept nogil:
    s.a += s.b; s.c += s.d
    s.b = turned(s.b, 13) ^ s.a; s.d = turned(s.d, 16) ^ s.c
    s.a = turned(s.a, 32)
    s.c += s.b; s.a += s.d
    s.b = turned(s.b, 17) ^ s.c; s.d = turned(s.d, 21) ^ s.a
    s.c = turned(s.c, 32)


cdef void digest(const uint64_t *key, const uint8_t *data, int64_t size, uint64_t *to) noexcept nogil:
    """SipHash-1-3 with 128 bits of result (Aumasson and Bernstein 2012, and its reference code)."""
    cdef Sip s
    cdef uint64_t word = 0
    cdef int64_t at = 0
    cdef int k
    s.a = key[0] ^ <uint64_t>0x736f6d6570736575
    s.b = key[1] ^ <uint64_t>0x646f72616e646f6d ^ 0xEE
    s.c = key[0] ^ <uint64_t>0x6c7967656e657261
    s.d = key[1] ^ <uint64_t>0x7465646279746573
    while at + 8 <= size:
        memcpy(&word, data + at, 8)
        s.d ^= word
        sip_round(&s)
        s.a ^= word
        at += 8
    word = <uint64_t>size << 56
    for k in range(<int>(size - at)):
        word |= <uint64_t>data[at + k] << (8 * k)
    s.d ^= word
    sip_round(&s)
    s.a ^= word
    s.c ^= 0xEE
    for k in range(3):
        sip_round(&s)
    to[0] = s.a ^ s.b ^ s.c ^ s.d
    s.b ^= 0xDD
    for k in range(3):
        sip_round(&s)
    to[1] = s.a ^ s.b ^ s.c ^ s.d


cdef class Window:
    """As live.plain_loops.Window; a frame is remembered in one of eight places, 2**bits times."""

    cdef Seen *seen
    cdef uint64_t key[2]
    cdef uint64_t last
    cdef int64_t width
    cdef readonly int64_t forgotten

    def __cinit__(self, int64_t width, bytes key, int bits=15):
        self.width = width
        self.last = (<uint64_t>1 << bits) - 1
        self.forgotten = 0
        if len(key) != 16:
            raise ValueError("a key has 16 bytes")
        memcpy(self.key, <const uint8_t *>key, 16)
        self.seen = <Seen *>calloc(<size_t>(self.last + 1) * WAYS, sizeof(Seen))
        if self.seen == NULL:
            raise MemoryError("no memory to remember frames in")

    def __dealloc__(self):
        free(self.seen)

    cdef bint is_double(
        self, const uint8_t *data, uint32_t size, uint32_t length, int64_t time, int32_t expected
    ) noexcept nogil:
        cdef uint64_t what[2]
        cdef Seen *row
        cdef Seen *place = NULL
        cdef int k
        digest(self.key, data, size, what)
        what[1] ^= length * <uint64_t>0x9E3779B97F4A7C15
        row = &self.seen[(what[0] & self.last) * WAYS]
        for k in range(WAYS):
            if row[k].left and row[k].high == what[0] and row[k].low == what[1]:
                if 0 <= time - row[k].first <= self.width:
                    row[k].left -= 1
                    return True
                place = &row[k]
                break
        if place == NULL:
            place = &row[0]
            for k in range(WAYS):
                if not row[k].left:
                    place = &row[k]
                    break
                if row[k].first < place.first:
                    place = &row[k]
            if place.left and time - place.first <= self.width:
                self.forgotten += 1
        place.high, place.low, place.first, place.left = what[0], what[1], time, expected - 1
        return False

    def sift(
        self, const uint8_t[::1] ring, const int64_t[::1] offsets, const int64_t[::1] times,
        int64_t[::1] index, uint32_t[::1] kept, uint32_t[::1] noted,
        int32_t[::1] expected, int64_t count,
    ):
        """As live.plain_loops.Window.sift."""
        cdef int64_t k, i, passed = 0
        with nogil:
            for k in range(count):
                i = index[k]
                if expected[k] > 1 and self.is_double(
                    &ring[offsets[i]], kept[k], noted[k], times[i], expected[k]
                ):
                    continue
                index[passed], kept[passed], noted[passed] = i, kept[k], noted[k]
                expected[passed] = expected[k]
                passed += 1
        return passed


# --- turns ---------------------------------------------------------------------------------------

cdef enum:
    COPIES = -2         # live.plain_ways
    MOST_BLOCKS = 4     # live.plain_turns
    TURNS = 64
    STEPS = 100         # live.counters.Latency


cdef inline int64_t nanoseconds(int clock) noexcept nogil:
    cdef timespec now
    clock_gettime(clock, &now)
    return <int64_t>now.tv_sec * 1000000000 + now.tv_nsec


cdef class Way:
    """As live.plain_ways.Way."""

    cdef object route
    cdef int which
    cdef Messages messages
    cdef Records records
    cdef object chosen
    cdef const uint8_t[::1] wanted
    cdef int64_t[::1] index
    cdef uint32_t[::1] kept
    cdef uint32_t[::1] noted
    cdef int32_t[::1] times_sent
    cdef public int64_t copies
    cdef public int64_t found

    def __cinit__(self, object route, int which, object direct):
        self.route, self.which = route, which
        if isinstance(direct, Messages):
            self.messages = direct
        elif direct is not None:
            self.records = direct
        self.copies = self.found = 0

    cdef bint is_direct(self):
        if self.messages is not None:
            return self.messages.descriptor >= 0
        return self.records is not None and self.records.descriptor >= 0

    def want(self, const uint8_t[::1] wanted, object chosen):
        """As live.plain_ways.Way.want."""
        self.wanted, self.chosen = wanted, chosen
        self.index, self.kept, self.noted, self.times_sent = chosen

    cdef int64_t pick(self, Lane lane, object judged, int64_t rows, int64_t count) except -1:
        """How many frames go this way, by what was judged (None: by the joiner alone)."""
        cdef const uint32_t[::1] captured = lane.walker.captured
        cdef const uint32_t[::1] lengths = lane.walker.lengths
        cdef const uint8_t[::1] action
        cdef const int64_t[::1] row_frame
        cdef const int32_t[::1] row_target
        cdef const uint32_t[::1] row_limit
        cdef int64_t found, copies = 0
        if judged is None:
            action, row_frame = lane.joiner.action, lane.joiner.row_frame
            row_target, row_limit = lane.joiner.row_target, lane.joiner.row_limit
        else:
            action, row_frame, row_target, row_limit, rows = judged
        if self.which == COPIES:
            found = choose_copies(
                row_frame, row_target, row_limit, rows, self.wanted, captured, lengths,
                self.index, self.kept, self.noted, self.times_sent, &copies,
            )
        else:
            copies = found = choose_frames(
                action, count, self.which, captured, lengths,
                self.index, self.kept, self.noted, self.times_sent,
            )
        self.copies += copies
        self.found += found
        return found


cdef class Messages:
    """As live.plain_ways.Messages."""

    cdef public int descriptor
    cdef public int64_t sent
    cdef public int64_t octets
    cdef const uint8_t[::1] header
    cdef uint64_t[::1] errors
    cdef object failed

    def __cinit__(self, const uint8_t[::1] header, uint64_t[::1] errors, object failed):
        self.descriptor = -1
        self.header, self.errors, self.failed = header, errors, failed

    cdef int send(self, Lane lane, Way way, int64_t count, bint last) except -1:
        cdef int64_t first = 0, before = self.sent
        with nogil:
            while first < count:
                first += send_some(
                    self.descriptor, lane.walker.ring, lane.walker.offsets, way.index, way.kept,
                    first, min(count, first + AT_ONCE), self.header, False, self.errors,
                    &self.sent, &self.octets,
                )
                if last:
                    lane.note(way.index[first - 1] + 1)
        if self.sent - before < count:
            lane.asked = True
            self.failed()
        return 0


cdef class Records:
    """As live.plain_ways.Records."""

    cdef public int descriptor
    cdef public int64_t sent
    cdef public int64_t octets
    cdef bint blocks
    cdef uint8_t[::1] scratch
    cdef int64_t[::1] ends
    cdef object rest

    def __cinit__(self, bint blocks, uint8_t[::1] scratch, int64_t[::1] ends, object rest):
        self.descriptor = -1
        self.blocks, self.scratch, self.ends, self.rest = blocks, scratch, ends, rest

    cdef int send(self, Lane lane, Way way, int64_t count) except -1:
        cdef int64_t done = 0, before, used = 0, written = 0
        cdef Walker walker = lane.walker
        while done < count:
            before = done
            with nogil:
                done = pack_some(
                    self.blocks, walker.ring, walker.offsets, walker.times, way.index, way.kept,
                    way.noted, done, count, lane.interface, self.scratch, self.ends, &used,
                )
                written = write(self.descriptor, &self.scratch[0], used)
            if written < used:
                lane.asked = True
                self.rest(lane.some(), way.chosen, count, done, done - before, max(0, written))
                break
            self.sent += done - before
            self.octets += used
        return 0


cdef class Lane:
    """As live.plain_turns.Lane."""

    cdef Walker walker
    cdef object frames
    cdef object raw
    cdef int64_t current
    cdef const int64_t[::1] times
    cdef int64_t[::1] held
    cdef double[::1] total
    cdef object judge
    cdef Joiner joiner
    cdef list ways
    cdef object send
    cdef uint32_t interface
    cdef int64_t noted      # frames of this turn that are behind everything
    cdef public int64_t judged
    cdef public int64_t octets
    cdef public bint asked

    def __cinit__(self, Walker walker, object frames, int64_t[::1] held, double[::1] total):
        if len(held) != STEPS:
            raise ValueError("steps of another number")
        self.walker, self.frames, self.raw, self.times = walker, frames, frames.raw(), walker.times
        self.held, self.total, self.interface = held, total, frames.interface
        self.current = self.judged = self.octets = 0
        self.asked = False

    def judge_by(self, object judge, list ways, object send):
        """As live.plain_turns.Lane.judge_by."""
        self.judge, self.joiner, self.ways, self.send = judge, judge.joiner, ways, send

    def turn(self):
        """As live.plain_turns.Lane.turn."""
        return self.take()

    cdef bint take(self) except -1:
        cdef Walker walker = self.walker
        cdef int64_t taken
        walker.follow(self.current, MOST_BLOCKS)
        taken = walker.taken
        if not taken:
            return False
        try:
            if walker.found:
                self.pass_on(walker.found)
        finally:
            walker.give_back(self.current, taken)
            self.current = (self.current + taken) % walker.blocks
        self.judged += walker.found
        self.octets += walker.octets
        return taken == MOST_BLOCKS

    cdef int pass_on(self, int64_t count) except -1:
        """Judge the frames, send them, note how long they were held."""
        cdef object judged = None
        cdef int64_t rows = 0, apart = count, first = self.judge.first
        if self.joiner is not None:
            self.joiner.decide(self.raw, first, count)
            rows, apart = self.joiner.rows, self.joiner.set_apart
        if apart:
            self.asked = True
            judged = self.judge.rest(self.some(), rows)
        self.judge.first = first + count
        self.noted = 0
        if self.ways:
            self.pass_out(judged, rows, count)
        self.note(count)
        return 0

    cdef int pass_out(self, object judged, int64_t rows, int64_t count) except -1:
        """Send what the loops can send; the other routes' frames are for Python."""
        cdef Way way
        cdef int64_t found
        cdef int left = <int>len(self.ways)
        cdef list others = []
        for way in self.ways:
            left -= 1
            if not way.is_direct():
                others.append(way.route)
                continue
            found = way.pick(self, judged, rows, count)
            if not found:
                continue
            if way.messages is not None:
                way.messages.send(self, way, found, not left and not others)
            else:
                way.records.send(self, way, found)
        if others:
            self.asked = True
            self.send(self.judge.quick(rows) if judged is None else judged, self.some(), others)
        return 0

    cdef object some(self):
        """The frames as Python takes them."""
        return self.frames._replace(size=self.walker.found, octets=self.walker.octets)

    cdef void note(self, int64_t end) noexcept nogil:
        """The frames before `end` are behind everything."""
        cdef int64_t now = nanoseconds(CLOCK_REALTIME), held, i
        cdef uint64_t micros
        cdef double total = 0
        cdef int above
        for i in range(self.noted, end):
            held = max(0, now - self.times[i])
            micros = <uint64_t>held // 1000
            above = max(0, zt_bits(micros) - 3)
            self.held[min(<uint64_t>STEPS - 1, 4 * above + (micros >> above))] += 1
            total += held
        self.total[0] += total
        self.noted = max(self.noted, end)


cdef class Rounds:
    """As live.plain_turns.Rounds."""

    cdef list lanes
    cdef pollfd *polled
    cdef int rings
    cdef int count

    def __cinit__(self, list lanes, list rings, list others):
        cdef int k
        self.lanes, self.rings, self.count = lanes, <int>len(rings), <int>(len(rings) + len(others))
        self.polled = <pollfd *>calloc(<size_t>self.count + 1, sizeof(pollfd))
        if self.polled == NULL:
            raise MemoryError("no memory for what is waited for")
        for k in range(self.count):
            if k < self.rings:
                self.polled[k].fd, self.polled[k].events = rings[k], POLLIN | POLLERR
            else:
                self.polled[k].fd, self.polled[k].events = others[k - self.rings]

    def __dealloc__(self):
        free(self.polled)

    def go(self, double due):
        """As live.plain_turns.Rounds.go."""
        cdef Lane lane
        cdef int64_t left
        cdef timespec wait
        cdef bint more, asked
        cdef int k, found
        while True:
            more = asked = False
            for lane in self.lanes:
                lane.asked = False
                for k in range(TURNS):
                    if not lane.take():
                        break
                else:
                    more = True
                asked |= lane.asked
            left = 0 if more or asked else max(0, <int64_t>(due * 1e9) - nanoseconds(CLOCK_MONOTONIC))
            wait.tv_sec, wait.tv_nsec = left // 1000000000, left % 1000000000
            with nogil:
                found = ppoll(self.polled, self.count, &wait, NULL)
            told = []
            for k in range(self.count if found > 0 else 0):
                if self.polled[k].revents and (k >= self.rings or self.polled[k].revents != POLLIN):
                    told.append((self.polled[k].fd, self.polled[k].revents))
            if told or asked or found < 0 or nanoseconds(CLOCK_MONOTONIC) >= <int64_t>(due * 1e9):
                return told
