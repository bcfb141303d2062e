// What the matmul driver (matmul.cpp, compiled for any CPU) hands to the panel kernels of an instruction set.
#pragma once

#include <cstdint>

#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/quantize_rows.h"
#include "kernels/cpu/rms_norm.h"

namespace gapscope {

// out[t, n] (+)= sum over k of x[t, k] * w[n, k] for consecutive panels.
struct PanelJob {
    const uint8_t* panels;  // ceil(rows / R) panels
    int64_t panelBytes;
    int64_t headerBytes;
    int64_t rows;     // outputs; the last panel may be partly filled
    int64_t columns;  // K
    const float* x;   // [tokens, K]
    int64_t xStride;
    const QuantizedBlock* quantized;  // [tokens][quantizedStride]
    int64_t quantizedStride;          // in blocks
    int64_t tokens;
    float* out;  // of the first panel's first row
    int64_t outStride;
    bool accumulate;  // add to what `out` holds
    bool asSingles;   // MatmulArgs::asSingles
};

using PanelKernel = void (*)(const PanelJob&);

inline constexpr int kWeightTypeCount = 9;  // kernels are indexed by WeightType

struct PanelKernels {
    int64_t panelRows;
    PanelKernel exact[kWeightTypeCount];
    PanelKernel quantized[kWeightTypeCount];  // null for float formats
    PanelKernel bounds;                       // simd/bound_panels.h
    void (*quantizeRows)(const QuantizeRowsArgs&, Part);
    void (*geluGate)(const GeluGateArgs&, Part);
};

}  // namespace gapscope
