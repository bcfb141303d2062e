// Panels of a matrix's upper bits times int8 activations, with the most that the lower bits add. Included once per
// instruction set.
#pragma once

#include "kernels/cpu/simd/matmul_quantized.h"

namespace gapscope {
namespace {

// out[n] = the product of the Q5_0 panel's row, plus over blocks its step times job.x[block]. One token.
void boundPanels(const PanelJob& job) {
    constexpr WeightType kType = WeightType::Q5_0;
    constexpr int64_t kPayloadBytes = payloadVectors(kType) * kVectorBytes;
    const int64_t blocks = job.columns / 32;
    for (int64_t row = 0; row < job.rows; row += kLanes) {
        const uint8_t* const panel = job.panels + row / kLanes * job.panelBytes;
        const uint8_t* payload = panel + job.headerBytes;
        FloatV bound = zeroF();
        for (int64_t b = 0; b < blocks; ++b, payload += kPayloadBytes) {
            prefetchAhead<kPayloadBytes>(payload);
            const QuantizedBlock* const x = job.quantized + b;
            const FloatV step = loadSteps<kType>(panel, b).first;
            IntV sum = timesZeroPoint<zeroPoint(kType)>(x->minusSum);
            dotGroup<kType, 0, 1>(payload, x, 0, &sum);
            dotGroup<kType, 1, 1>(payload, x, 0, &sum);
            dotGroup<kType, 2, 1>(payload, x, 0, &sum);
            dotGroup<kType, 3, 1>(payload, x, 0, &sum);
            dotGroup<kType, 4, 1>(payload, x, 0, &sum);
            dotGroup<kType, 5, 1>(payload, x, 0, &sum);
            dotGroup<kType, 6, 1>(payload, x, 0, &sum);
            dotGroup<kType, 7, 1>(payload, x, 0, &sum);
            bound = fmaF(toFloat(sum), mulF(step, setF(x->scale)), bound);
            bound = fmaF(step, setF(job.x[b]), bound);
        }
        storeFirst(job.out + row, bound, job.rows - row < kLanes ? job.rows - row : kLanes);
    }
}

}  // namespace
}  // namespace gapscope
