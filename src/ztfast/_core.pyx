# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The hot loops: decoding headers into columns, folding a table over them, scanning captures.

Contract: nothing here checks its arguments' meaning (program.verify and frames.batch did);
every read of frame bytes stays below `captured`, every column is a block of BLOCK items,
and nothing here holds the GIL while it works.  The numbers are those of
program/opcodes.py; tests/program/test_opcodes.py compares them.  Built once for each
instruction level (setup.py).

The parts are included as text, each after those whose types it needs: one module and one C
file, so that a small function of one part is compiled into the loops of another.  Each opens
with what it trusts and, where that is not plain, why it is right.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcpy, memmove, memset

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

include "_core/constants.pxi"
include "_core/types.pxi"
include "_core/decode.pxi"
include "_core/words.pxi"
include "_core/numbers.pxi"
include "_core/fold.pxi"
include "_core/lookup.pxi"
include "_core/run.pxi"
include "_core/block.pxi"
include "_core/members.pxi"
include "_core/join.pxi"
include "_core/records.pxi"
include "_core/scan.pxi"
include "_core/count.pxi"
include "_core/follow.pxi"
include "_core/judge_scan.pxi"
include "_core/given.pxi"
include "_core/recipients.pxi"
include "_core/machine.pxi"
include "_core/copy.pxi"
include "_core/text.pxi"
include "_core/csv.pxi"
