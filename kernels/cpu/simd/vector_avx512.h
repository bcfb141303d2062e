// Sixteen lanes: the small vocabulary that the SIMD ops are written in, for AVX-512 with VNNI.
// Everything has internal linkage: an inline function compiled here must never be the copy that another translation
// unit ends up with, or the program would die on a CPU without AVX-512.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace gapscope {
namespace {

using FloatV = __m512;
using IntV = __m512i;
using AliasedInt = int32_t __attribute__((may_alias));  // four int8 read as one word
constexpr int64_t kLanes = 16;
constexpr int64_t kVectorBytes = 64;
constexpr int64_t kExactTokens = 12;      // x 2 panels: 24 of 32 registers hold sums
constexpr int64_t kQuantizedTokens = 12;  // 12 integer and 12 float sums
// Q8_0 weights are multiplied as unsigned bytes, which is what VNNI takes.
constexpr int kQ8ZeroPoint = 128;

inline __mmask16 firstLanes(int64_t count) {
    return static_cast<__mmask16>((1U << count) - 1U);
}

inline FloatV zeroF() {
    return _mm512_setzero_ps();
}
inline FloatV setF(float value) {
    return _mm512_set1_ps(value);
}
inline FloatV loadF(const float* from) {
    return _mm512_loadu_ps(from);
}
inline void storeF(float* to, FloatV v) {
    _mm512_storeu_ps(to, v);
}
// The first `count` (0 .. kLanes) lanes; the others load as 0 and are not stored.
inline FloatV loadFirst(const float* from, int64_t count) {
    return _mm512_maskz_loadu_ps(firstLanes(count), from);
}
inline void storeFirst(float* to, FloatV v, int64_t count) {
    _mm512_mask_storeu_ps(to, firstLanes(count), v);
}

inline FloatV addF(FloatV a, FloatV b) {
    return _mm512_add_ps(a, b);
}
inline FloatV subF(FloatV a, FloatV b) {
    return _mm512_sub_ps(a, b);
}
inline FloatV mulF(FloatV a, FloatV b) {
    return _mm512_mul_ps(a, b);
}
inline FloatV divF(FloatV a, FloatV b) {
    return _mm512_div_ps(a, b);
}
inline FloatV fmaF(FloatV a, FloatV b, FloatV c) {
    return _mm512_fmadd_ps(a, b, c);
}  // a * b + c
inline FloatV fnmaF(FloatV a, FloatV b, FloatV c) {
    return _mm512_fnmadd_ps(a, b, c);
}  // c - a * b
inline FloatV maxF(FloatV a, FloatV b) {
    return _mm512_max_ps(a, b);
}
inline FloatV minF(FloatV a, FloatV b) {
    return _mm512_min_ps(a, b);
}
inline FloatV sqrtF(FloatV a) {
    return _mm512_sqrt_ps(a);
}
inline FloatV absF(FloatV a) {
    return _mm512_abs_ps(a);
}
inline FloatV roundF(FloatV a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline float sumF(FloatV a) {
    return _mm512_reduce_add_ps(a);
}
inline float largestF(FloatV a) {
    return _mm512_reduce_max_ps(a);
}
// a * 2^n for whole n in the range of floats' exponents.
inline FloatV scaleByPowerF(FloatV a, FloatV n) {
    return _mm512_scalef_ps(a, n);
}

inline FloatV loadHalves(const void* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(from)));
}
inline void storeHalves(void* to, FloatV v) {
    _mm256_storeu_si256(static_cast<__m256i*>(to), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline FloatV loadBfloats(const void* from) {
    const IntV wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(from)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
inline FloatV loadUnsignedBytes(const void* from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(from))));
}
inline FloatV loadSignedBytes(const void* from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(from))));
}

// Lanes that hold whole numbers within int8, as bytes.
inline void storeBytes(int8_t* to, FloatV v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}

inline IntV loadI(const void* from) {
    return _mm512_loadu_si512(from);
}
inline IntV setI(int32_t value) {
    return _mm512_set1_epi32(value);
}
inline IntV setBytes(char value) {
    return _mm512_set1_epi8(value);
}
inline IntV andI(IntV a, IntV b) {
    return _mm512_and_si512(a, b);
}
inline IntV orI(IntV a, IntV b) {
    return _mm512_or_si512(a, b);
}
inline IntV subI(IntV a, IntV b) {
    return _mm512_sub_epi32(a, b);
}
template <int kBits>
inline IntV shiftLeft(IntV a) {
    return _mm512_slli_epi32(a, kBits);
}
template <int kBits>
inline IntV shiftRight(IntV a) {
    return _mm512_srli_epi32(a, kBits);
}
inline FloatV toFloat(IntV a) {
    return _mm512_cvtepi32_ps(a);
}

// Byte kByte of each lane as a float.
template <int kByte>
inline FloatV byteToFloat(IntV a) {
    if constexpr (kByte == 0) return toFloat(andI(a, setI(255)));
    if constexpr (kByte == 3) return toFloat(shiftRight<24>(a));
    const IntV pick =
        _mm512_set4_epi32(static_cast<int>(0x80808000U | (12 + kByte)), static_cast<int>(0x80808000U | (8 + kByte)),
                          static_cast<int>(0x80808000U | (4 + kByte)), static_cast<int>(0x80808000U | kByte));
    return toFloat(_mm512_shuffle_epi8(a, pick));
}

// sums[lane] += the four unsigned weights of the lane times four signed activations, the same for all lanes.
inline IntV dot4(IntV sums, IntV weights, const int8_t* activations) {
    return _mm512_dpbusd_epi32(sums, weights, _mm512_set1_epi32(*reinterpret_cast<const AliasedInt*>(activations)));
}
// The same for Q8_0 payload bytes.
inline IntV dot4Q8(IntV sums, IntV weights, const int8_t* activations) {
    return dot4(sums, weights, activations);
}

}  // namespace
}  // namespace gapscope
