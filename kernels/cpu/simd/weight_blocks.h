// Reading packed weights: 32 columns of a panel as byte vectors and their steps (layout: panel_layout.h).
// Included once per instruction set, after its vector_*.h.
#pragma once

#include "kernels/weight_type.h"

namespace gapscope {
namespace {

constexpr bool isQuantised(WeightType type) {
    return type != WeightType::F32 && type != WeightType::F16 && type != WeightType::BF16;
}

constexpr int zeroPoint(WeightType type) {
    switch (type) {
        case WeightType::Q8_0:
            return 128;
        case WeightType::Q4_0:
            return 8;
        case WeightType::Q5_0:
            return 16;
        case WeightType::Q6_K:
            return 32;
        default:
            return 0;
    }
}

constexpr bool hasMinimum(WeightType type) {
    return type == WeightType::Q4_K || type == WeightType::Q5_K;
}

constexpr int64_t payloadVectors(WeightType type) {
    switch (type) {
        case WeightType::Q8_0:
            return 8;
        case WeightType::Q5_0:
        case WeightType::Q5_K:
            return 5;
        case WeightType::Q6_K:
            return 6;
        default:
            return 4;
    }
}

// The four unsigned weights a lane of columns 4 * kGroup .. 4 * kGroup + 3.
template <WeightType kType, int kGroup>
inline IntV weightGroup(const uint8_t* payload) {
    if constexpr (kType == WeightType::Q8_0) {
        return loadI(payload + kGroup * kVectorBytes);
    } else {
        const IntV nibbles = loadI(payload + kGroup % 4 * kVectorBytes);
        const IntV low = andI(kGroup < 4 ? nibbles : shiftRight<4>(nibbles), setBytes(15));
        if constexpr (kType == WeightType::Q5_0 || kType == WeightType::Q5_K) {
            const IntV bits = loadI(payload + 4 * kVectorBytes);
            IntV moved = bits;
            if constexpr (kGroup < 4) moved = shiftLeft<4 - kGroup>(bits);
            if constexpr (kGroup > 4) moved = shiftRight<kGroup - 4>(bits);
            return orI(low, andI(moved, setBytes(16)));
        } else if constexpr (kType == WeightType::Q6_K) {
            constexpr int kShift = 4 - 2 * (kGroup % 4);
            const IntV bits = loadI(payload + (4 + kGroup / 4) * kVectorBytes);
            IntV moved = bits;
            if constexpr (kShift > 0) moved = shiftLeft<kShift>(bits);
            if constexpr (kShift < 0) moved = shiftRight<-kShift>(bits);
            return orI(low, andI(moved, setBytes(48)));
        } else {
            return low;
        }
    }
}

// weight = u * step - offset, for the first 16 and the last 16 columns.
struct Steps {
    FloatV first, second;
    FloatV minimum;  // of formats with a minimum: the offset
};

template <WeightType kType>
inline Steps loadSteps(const uint8_t* headers, int64_t block) {
    if constexpr (kType == WeightType::Q6_K) {
        const uint8_t* const base = headers + block / 8 * (kLanes * 18);
        const uint8_t* const sub = base + kLanes * (2 + 2 * (block % 8));
        const FloatV d = loadHalves(base);
        return {mulF(d, loadSignedBytes(sub)), mulF(d, loadSignedBytes(sub + kLanes)), zeroF()};
    } else if constexpr (hasMinimum(kType)) {
        const uint8_t* const base = headers + block / 8 * (kLanes * 20);
        const uint8_t* const sub = base + kLanes * (4 + 2 * (block % 8));
        const FloatV step = mulF(loadHalves(base), loadUnsignedBytes(sub));
        return {step, step, mulF(loadHalves(base + 2 * kLanes), loadUnsignedBytes(sub + kLanes))};
    } else {
        const FloatV step = loadHalves(headers + block * 2 * kLanes);
        return {step, step, zeroF()};
    }
}

// A panel is read so fast that the loads run into the limit of cache misses in flight before the hardware prefetcher
// gets ahead: 14 GB/s a core on Zen 4 without this, 19 with it (one token, Q8_0; Q5_0 10 and 17, Q4_K 13 and 17).
// With more tokens than kPrefetchTokens arithmetic takes longer than the weights do to come.
constexpr int64_t kPrefetchBytes = 4096;
constexpr int64_t kPrefetchTokens = 8;

template <int64_t kBytes>
inline void prefetchAhead(const uint8_t* payload) {
#pragma GCC unroll 16
    for (int64_t i = 0; i < kBytes; i += 64)
        __builtin_prefetch(payload + kPrefetchBytes + i, 0, 1);
}

}  // namespace
}  // namespace gapscope
