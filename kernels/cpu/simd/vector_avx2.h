// Eight lanes: the small vocabulary that the SIMD ops are written in, for AVX2 with FMA and F16C.
// Everything has internal linkage, for the reason given in vector_avx512.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace gapscope {
namespace {

using FloatV = __m256;
using IntV = __m256i;
using AliasedInt = int32_t __attribute__((may_alias));  // four int8 read as one word
constexpr int64_t kLanes = 8;
constexpr int64_t kVectorBytes = 32;
constexpr int64_t kExactTokens = 6;      // x 2 panels: 12 of 16 registers hold sums
constexpr int64_t kQuantizedTokens = 4;  // 4 integer and 4 float sums
// AVX2 has no product of unsigned and signed bytes without 16-bit saturation, so Q8_0 is multiplied as signed.
constexpr int kQ8ZeroPoint = 0;

inline IntV firstLanes(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline FloatV zeroF() {
    return _mm256_setzero_ps();
}
inline FloatV setF(float value) {
    return _mm256_set1_ps(value);
}
inline FloatV loadF(const float* from) {
    return _mm256_loadu_ps(from);
}
inline void storeF(float* to, FloatV v) {
    _mm256_storeu_ps(to, v);
}
// The first `count` (0 .. kLanes) lanes; the others load as 0 and are not stored.
inline FloatV loadFirst(const float* from, int64_t count) {
    return _mm256_maskload_ps(from, firstLanes(count));
}
inline void storeFirst(float* to, FloatV v, int64_t count) {
    _mm256_maskstore_ps(to, firstLanes(count), v);
}

inline FloatV addF(FloatV a, FloatV b) {
    return _mm256_add_ps(a, b);
}
inline FloatV subF(FloatV a, FloatV b) {
    return _mm256_sub_ps(a, b);
}
inline FloatV mulF(FloatV a, FloatV b) {
    return _mm256_mul_ps(a, b);
}
inline FloatV divF(FloatV a, FloatV b) {
    return _mm256_div_ps(a, b);
}
inline FloatV fmaF(FloatV a, FloatV b, FloatV c) {
    return _mm256_fmadd_ps(a, b, c);
}  // a * b + c
inline FloatV fnmaF(FloatV a, FloatV b, FloatV c) {
    return _mm256_fnmadd_ps(a, b, c);
}  // c - a * b
inline FloatV maxF(FloatV a, FloatV b) {
    return _mm256_max_ps(a, b);
}
inline FloatV minF(FloatV a, FloatV b) {
    return _mm256_min_ps(a, b);
}
inline FloatV sqrtF(FloatV a) {
    return _mm256_sqrt_ps(a);
}
inline FloatV absF(FloatV a) {
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a);
}
inline FloatV roundF(FloatV a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline float sumF(FloatV a) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}
inline float largestF(FloatV a) {
    __m128 best = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    best = _mm_max_ps(best, _mm_movehl_ps(best, best));
    return _mm_cvtss_f32(_mm_max_ss(best, _mm_movehdup_ps(best)));
}
// a * 2^n for whole n in the range of floats' exponents. In two steps, because 2^n itself may be subnormal.
inline FloatV scaleByPowerF(FloatV a, FloatV n) {
    const IntV whole = _mm256_cvtps_epi32(n);
    const IntV half = _mm256_srai_epi32(whole, 1);
    const auto power = [](IntV exponent) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23));
    };
    return _mm256_mul_ps(_mm256_mul_ps(a, power(half)), power(_mm256_sub_epi32(whole, half)));
}

inline FloatV loadHalves(const void* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(from)));
}
inline void storeHalves(void* to, FloatV v) {
    _mm_storeu_si128(static_cast<__m128i*>(to), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline FloatV loadBfloats(const void* from) {
    const IntV wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(from)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
inline FloatV loadUnsignedBytes(const void* from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(from))));
}
inline FloatV loadSignedBytes(const void* from) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(from))));
}

// Lanes that hold whole numbers within int8, as bytes.
inline void storeBytes(int8_t* to, FloatV v) {
    const IntV whole = _mm256_cvtps_epi32(v);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(words, words));
}

inline IntV loadI(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
inline IntV setI(int32_t value) {
    return _mm256_set1_epi32(value);
}
inline IntV setBytes(char value) {
    return _mm256_set1_epi8(value);
}
inline IntV andI(IntV a, IntV b) {
    return _mm256_and_si256(a, b);
}
inline IntV orI(IntV a, IntV b) {
    return _mm256_or_si256(a, b);
}
inline IntV subI(IntV a, IntV b) {
    return _mm256_sub_epi32(a, b);
}
template <int kBits>
inline IntV shiftLeft(IntV a) {
    return _mm256_slli_epi32(a, kBits);
}
template <int kBits>
inline IntV shiftRight(IntV a) {
    return _mm256_srli_epi32(a, kBits);
}
inline FloatV toFloat(IntV a) {
    return _mm256_cvtepi32_ps(a);
}

// Byte kByte of each lane as a float.
template <int kByte>
inline FloatV byteToFloat(IntV a) {
    if constexpr (kByte == 0) return toFloat(andI(a, setI(255)));
    if constexpr (kByte == 3) return toFloat(shiftRight<24>(a));
    return toFloat(andI(shiftRight<8 * kByte>(a), setI(255)));
}

inline IntV addPairs(IntV sums, IntV products) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(products, _mm256_set1_epi16(1)));
}
inline IntV broadcast4(const int8_t* activations) {
    return _mm256_set1_epi32(*reinterpret_cast<const AliasedInt*>(activations));
}

// sums[lane] += the four unsigned weights (at most 6 bits: two products fit 16 bits) of the lane times four signed
// activations, the same for all lanes.
inline IntV dot4(IntV sums, IntV weights, const int8_t* activations) {
    return addPairs(sums, _mm256_maddubs_epi16(weights, broadcast4(activations)));
}
// The same for Q8_0 payload bytes (128 + weight), as |weight| * (activation with the weight's sign).
inline IntV dot4Q8(IntV sums, IntV weights, const int8_t* activations) {
    const IntV isSigned = _mm256_xor_si256(weights, setBytes(-128));
    return addPairs(
        sums, _mm256_maddubs_epi16(_mm256_abs_epi8(isSigned), _mm256_sign_epi8(broadcast4(activations), isSigned)));
}

}  // namespace
}  // namespace gapscope
