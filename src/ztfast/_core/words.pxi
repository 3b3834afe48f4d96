# Words: one fact about 64 frames, a bit a frame; a test of 64 items at once, and bits as bytes.
#
# Contract: of a column 64 items are read, at any alignment; of words as bytes, 64 bytes a word are
# written.  Nothing else is touched.  Bit i is frame i.
#
#     zt_equal…: (item & mask) == value
#     zt_above…: ((item & mask) − low) > span, unsigned, in the column's own width: the opposite
#                of a test (fold.pxi), since vectors of x86 have "greater" and no "at most"
#     zt_bytes:  a number a frame, of the words that are its bits
#
# Compilers make vectors of loops over items, but never the step from a vector of outcomes to one
# bit each.  So that step is written out for each level of x86; elsewhere it is a multiplication,
# which gathers the lowest bits of eight bytes in its upper byte, whatever the order of bytes in
# memory is.  AVX2 and SSE2 compare as signed numbers: with the highest bit of both sides turned
# over, that is the unsigned order, and turning it over is adding it, which `low` takes along.

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__AVX512BW__) || defined(__AVX2__)
    #include <immintrin.h>
    #elif defined(__SSE2__) || defined(_M_X64)
    #include <emmintrin.h>
    #define ZT_SSE2
    #endif

    #if defined(__AVX512BW__)

    #define ZT_TESTS(W)                                                                           \\
    static inline uint64_t zt_equal##W(const uint##W##_t *p, uint##W##_t mask, uint##W##_t value) {  \\
        const __m512i m = _mm512_set1_epi##W((int##W##_t)mask);                                   \\
        const __m512i v = _mm512_set1_epi##W((int##W##_t)value);                                  \\
        uint64_t found = 0;                                                                       \\
        int i;                                                                                    \\
        for (i = 0; i < 64; i += 512 / W)                                                         \\
            found |= (uint64_t)_mm512_cmpeq_epu##W##_mask(                                        \\
                _mm512_and_si512(_mm512_loadu_si512(p + i), m), v) << i;                          \\
        return found;                                                                             \\
    }                                                                                             \\
    static inline uint64_t zt_above##W(                                                           \\
        const uint##W##_t *p, uint##W##_t mask, uint##W##_t low, uint##W##_t span) {              \\
        const __m512i m = _mm512_set1_epi##W((int##W##_t)mask);                                   \\
        const __m512i l = _mm512_set1_epi##W((int##W##_t)low);                                    \\
        const __m512i s = _mm512_set1_epi##W((int##W##_t)span);                                   \\
        uint64_t found = 0;                                                                       \\
        int i;                                                                                    \\
        for (i = 0; i < 64; i += 512 / W)                                                         \\
            found |= (uint64_t)_mm512_cmpgt_epu##W##_mask(                                        \\
                _mm512_sub_epi##W(_mm512_and_si512(_mm512_loadu_si512(p + i), m), l), s) << i;    \\
        return found;                                                                             \\
    }
    ZT_TESTS(8) ZT_TESTS(16) ZT_TESTS(32) ZT_TESTS(64)

    #elif defined(__AVX2__) || defined(ZT_SSE2)

    #if defined(__AVX2__)
    typedef __m256i zt_vector;
    #define ZT_BYTES 32
    #define ZT(name) _mm256_##name
    #define ZT_WHOLE(name) _mm256_##name##_si256
    static inline zt_vector zt_pack16(zt_vector a, zt_vector b) {
        return _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xD8);
    }
    static inline zt_vector zt_pack32(zt_vector a, zt_vector b, zt_vector c, zt_vector d) {
        return _mm256_permutevar8x32_epi32(
            _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)),
            _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    }
    #define zt_cmpeq64 _mm256_cmpeq_epi64
    #define zt_bits64(v) _mm256_movemask_pd(_mm256_castsi256_pd(v))
    #else
    typedef __m128i zt_vector;
    #define ZT_BYTES 16
    #define ZT(name) _mm_##name
    #define ZT_WHOLE(name) _mm_##name##_si128
    #define zt_pack16 _mm_packs_epi16
    static inline zt_vector zt_pack32(zt_vector a, zt_vector b, zt_vector c, zt_vector d) {
        return _mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
    }
    static inline zt_vector zt_cmpeq64(zt_vector a, zt_vector b) {
        const zt_vector halves = _mm_cmpeq_epi32(a, b);
        return _mm_and_si128(halves, _mm_shuffle_epi32(halves, 0xB1));
    }
    #define zt_bits64(v) _mm_movemask_pd(_mm_castsi128_pd(v))
    #endif

    #define ZT_LOAD(p) ZT_WHOLE(loadu)((const zt_vector *)(p))
    #define ZT_BITS8(v) ((uint64_t)(uint32_t)ZT(movemask_epi8)(v))
    /* ONE(n): the outcome of vector n of those that a word's items fill */
    #define ZT_WORD8(ONE)                                                                         \\
        for (i = 0; i < 64 / ZT_BYTES; i++) found |= ZT_BITS8(ONE(i)) << (i * ZT_BYTES);
    #define ZT_WORD16(ONE)                                                                        \\
        for (i = 0; i < 64 / ZT_BYTES; i++)                                                       \\
            found |= ZT_BITS8(zt_pack16(ONE(2 * i), ONE(2 * i + 1))) << (i * ZT_BYTES);
    #define ZT_WORD32(ONE)                                                                        \\
        for (i = 0; i < 64 / ZT_BYTES; i++)                                                       \\
            found |= ZT_BITS8(zt_pack32(                                                          \\
                ONE(4 * i), ONE(4 * i + 1), ONE(4 * i + 2), ONE(4 * i + 3))) << (i * ZT_BYTES);
    #define ZT_WORD64(ONE)                                                                        \\
        for (i = 0; i < 512 / ZT_BYTES; i++)                                                      \\
            found |= (uint64_t)(uint32_t)zt_bits64(ONE(i)) << (i * ZT_BYTES / 8);
    #define ZT_MASKED(n) ZT_WHOLE(and)(ZT_LOAD((const char *)p + (n) * ZT_BYTES), m)
    #define ZT_SET8(x) ZT(set1_epi8)((char)(x))
    #define ZT_SET16(x) ZT(set1_epi16)((short)(x))
    #define ZT_SET32(x) ZT(set1_epi32)((int)(x))
    #define ZT_SET64(x) ZT(set1_epi64x)((long long)(x))
    #define zt_cmpeq8 ZT(cmpeq_epi8)
    #define zt_cmpeq16 ZT(cmpeq_epi16)
    #define zt_cmpeq32 ZT(cmpeq_epi32)
    #define ZT_EQUAL(W)                                                                           \\
    static inline uint64_t zt_equal##W(const uint##W##_t *p, uint##W##_t mask, uint##W##_t value) {  \\
        const zt_vector m = ZT_SET##W(mask), v = ZT_SET##W(value);                                \\
        uint64_t found = 0;                                                                       \\
        int i;                                                                                    \\
        ZT_WORD##W(ZT_ONE_EQUAL##W)                                                               \\
        return found;                                                                             \\
    }
    #define ZT_ABOVE(W)                                                                           \\
    static inline uint64_t zt_above##W(                                                           \\
        const uint##W##_t *p, uint##W##_t mask, uint##W##_t low, uint##W##_t span) {              \\
        const uint##W##_t top = (uint##W##_t)((uint##W##_t)1 << (W - 1));                         \\
        const zt_vector m = ZT_SET##W(mask), l = ZT_SET##W((uint##W##_t)(low + top));             \\
        const zt_vector s = ZT_SET##W(span ^ top);                                                \\
        uint64_t found = 0;                                                                       \\
        int i;                                                                                    \\
        ZT_WORD##W(ZT_ONE_ABOVE##W)                                                               \\
        return found;                                                                             \\
    }
    #define ZT_ONE_EQUAL8(n) zt_cmpeq8(ZT_MASKED(n), v)
    #define ZT_ONE_EQUAL16(n) zt_cmpeq16(ZT_MASKED(n), v)
    #define ZT_ONE_EQUAL32(n) zt_cmpeq32(ZT_MASKED(n), v)
    #define ZT_ONE_EQUAL64(n) zt_cmpeq64(ZT_MASKED(n), v)
    #define ZT_ONE_ABOVE8(n) ZT(cmpgt_epi8)(ZT(sub_epi8)(ZT_MASKED(n), l), s)
    #define ZT_ONE_ABOVE16(n) ZT(cmpgt_epi16)(ZT(sub_epi16)(ZT_MASKED(n), l), s)
    #define ZT_ONE_ABOVE32(n) ZT(cmpgt_epi32)(ZT(sub_epi32)(ZT_MASKED(n), l), s)
    #define ZT_ONE_ABOVE64(n) ZT(cmpgt_epi64)(ZT(sub_epi64)(ZT_MASKED(n), l), s)
    ZT_EQUAL(8) ZT_EQUAL(16) ZT_EQUAL(32) ZT_EQUAL(64)
    ZT_ABOVE(8) ZT_ABOVE(16) ZT_ABOVE(32)
    #if defined(__AVX2__)
    ZT_ABOVE(64)
    #else
    #define ZT_PLAIN_ABOVE64
    #endif

    #else
    #define ZT_PLAIN
    #define ZT_PLAIN_ABOVE64
    #endif

    #if defined(ZT_PLAIN) || defined(ZT_PLAIN_ABOVE64)
    static inline uint64_t zt_gather(const uint8_t *held) {
        uint64_t found = 0, eight;
        int i, k;
        for (i = 0; i < 8; i++) {
            for (k = 0, eight = 0; k < 8; k++) eight |= (uint64_t)held[8 * i + k] << (8 * k);
            found |= (eight * 0x0102040810204080u >> 56) << (8 * i);
        }
        return found;
    }
    #define ZT_PLAIN_EQUAL(W)                                                                     \\
    static inline uint64_t zt_equal##W(const uint##W##_t *p, uint##W##_t mask, uint##W##_t value) {  \\
        uint8_t held[64];                                                                         \\
        int i;                                                                                    \\
        for (i = 0; i < 64; i++) held[i] = (uint##W##_t)(p[i] & mask) == value;                   \\
        return zt_gather(held);                                                                   \\
    }
    #define ZT_PLAIN_ABOVE(W)                                                                     \\
    static inline uint64_t zt_above##W(                                                           \\
        const uint##W##_t *p, uint##W##_t mask, uint##W##_t low, uint##W##_t span) {              \\
        uint8_t held[64];                                                                         \\
        int i;                                                                                    \\
        for (i = 0; i < 64; i++) held[i] = (uint##W##_t)((p[i] & mask) - low) > span;             \\
        return zt_gather(held);                                                                   \\
    }
    ZT_PLAIN_ABOVE(64)
    #if defined(ZT_PLAIN)
    ZT_PLAIN_EQUAL(8) ZT_PLAIN_EQUAL(16) ZT_PLAIN_EQUAL(32) ZT_PLAIN_EQUAL(64)
    ZT_PLAIN_ABOVE(8) ZT_PLAIN_ABOVE(16) ZT_PLAIN_ABOVE(32)
    #endif
    #endif

    /* out[i], for the 128 frames of words j and j + 1: the sum of 1 << b over the rows b, 0 to 7,
       whose bit i is set.  Bytes of the rows side by side are squares of 8 × 8 bits, which are
       turned over. */
    static inline void zt_bytes(uint8_t *out, const uint64_t **row, int j) {
        int k;
    #if defined(__SSE2__) || defined(_M_X64)
        __m128i v[8], u[8];
        for (k = 0; k < 8; k++) v[k] = _mm_loadu_si128((const __m128i *)(row[k] + j));
        for (k = 0; k < 4; k++) {
            u[2 * k] = _mm_unpacklo_epi8(v[2 * k], v[2 * k + 1]);
            u[2 * k + 1] = _mm_unpackhi_epi8(v[2 * k], v[2 * k + 1]);
        }
        for (k = 0; k < 2; k++) {
            v[4 * k] = _mm_unpacklo_epi16(u[4 * k], u[4 * k + 2]);
            v[4 * k + 1] = _mm_unpackhi_epi16(u[4 * k], u[4 * k + 2]);
            v[4 * k + 2] = _mm_unpacklo_epi16(u[4 * k + 1], u[4 * k + 3]);
            v[4 * k + 3] = _mm_unpackhi_epi16(u[4 * k + 1], u[4 * k + 3]);
        }
        for (k = 0; k < 4; k++) {
            u[2 * k] = _mm_unpacklo_epi32(v[k], v[k + 4]);
            u[2 * k + 1] = _mm_unpackhi_epi32(v[k], v[k + 4]);
        }
    #if defined(__AVX2__)
    #define ZT_WIDE(name) _mm256_##name
    #define ZT_WIDER(name) _mm256_##name##_si256
        for (k = 0; k < 4; k++) {
            __m256i x = _mm256_inserti128_si256(_mm256_castsi128_si256(u[2 * k]), u[2 * k + 1], 1), t;
    #else
    #define ZT_WIDE(name) _mm_##name
    #define ZT_WIDER(name) _mm_##name##_si128
        for (k = 0; k < 8; k++) {
            __m128i x = u[k], t;
    #endif
    #define ZT_TURN(shift, mask)                                                                  \
            t = ZT_WIDER(and)(                                                                    \
                ZT_WIDER(xor)(x, ZT_WIDE(srli_epi64)(x, shift)), ZT_WIDE(set1_epi64x)(mask));     \
            x = ZT_WIDER(xor)(x, ZT_WIDER(xor)(t, ZT_WIDE(slli_epi64)(t, shift)));
            ZT_TURN(7, 0x00AA00AA00AA00AA)
            ZT_TURN(14, 0x0000CCCC0000CCCC)
            ZT_TURN(28, 0x00000000F0F0F0F0)
            ZT_WIDER(storeu)((void *)(out + sizeof(x) * k), x);
        }
    #else
        int b;
        for (k = 0; k < 16; k++) {
            uint64_t x = 0, t;
            for (b = 0; b < 8; b++)
                x |= (row[b][j + (k >> 3)] >> (8 * (k & 7)) & 255) << (8 * b);
            t = (x ^ x >> 7) & 0x00AA00AA00AA00AAu;
            x ^= t ^ t << 7;
            t = (x ^ x >> 14) & 0x0000CCCC0000CCCCu;
            x ^= t ^ t << 14;
            t = (x ^ x >> 28) & 0x00000000F0F0F0F0u;
            x ^= t ^ t << 28;
            for (b = 0; b < 8; b++) out[8 * k + b] = (uint8_t)(x >> (8 * b));
        }
    #endif
    }
    static const uint64_t zt_none[16];
    """
    uint64_t zt_equal8(const uint8_t *, uint8_t, uint8_t) noexcept nogil
    uint64_t zt_equal16(const uint16_t *, uint16_t, uint16_t) noexcept nogil
    uint64_t zt_equal32(const uint32_t *, uint32_t, uint32_t) noexcept nogil
    uint64_t zt_equal64(const uint64_t *, uint64_t, uint64_t) noexcept nogil
    uint64_t zt_above8(const uint8_t *, uint8_t, uint8_t, uint8_t) noexcept nogil
    uint64_t zt_above16(const uint16_t *, uint16_t, uint16_t, uint16_t) noexcept nogil
    uint64_t zt_above32(const uint32_t *, uint32_t, uint32_t, uint32_t) noexcept nogil
    uint64_t zt_above64(const uint64_t *, uint64_t, uint64_t, uint64_t) noexcept nogil
    void zt_bytes(uint8_t *, const uint64_t **, int) noexcept nogil
    const uint64_t *zt_none
