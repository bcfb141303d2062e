// The panel kernels of one instruction set as a table. Included once per instruction set.
#pragma once

#include "kernels/cpu/cpu_ops.h"
#include "kernels/cpu/simd/bound_panels.h"
#include "kernels/cpu/simd/matmul_exact.h"
#include "kernels/cpu/simd/matmul_quantized.h"
#include "kernels/cpu/simd/panel_job.h"

namespace gapscope {
namespace {

template <WeightType kType>
constexpr void setKernels(PanelKernels& kernels) {
    kernels.exact[static_cast<int>(kType)] = exactPanels<kType>;
    if constexpr (isQuantised(kType)) kernels.quantized[static_cast<int>(kType)] = quantizedPanels<kType>;
}

constexpr PanelKernels panelKernels(const CpuOps& ops) {
    PanelKernels kernels{};
    kernels.panelRows = kLanes;
    setKernels<WeightType::F32>(kernels);
    setKernels<WeightType::F16>(kernels);
    setKernels<WeightType::BF16>(kernels);
    setKernels<WeightType::Q8_0>(kernels);
    setKernels<WeightType::Q4_0>(kernels);
    setKernels<WeightType::Q5_0>(kernels);
    setKernels<WeightType::Q4_K>(kernels);
    setKernels<WeightType::Q5_K>(kernels);
    setKernels<WeightType::Q6_K>(kernels);
    kernels.bounds = boundPanels;
    kernels.quantizeRows = ops.quantizeRows;
    kernels.geluGate = ops.geluGate;
    return kernels;
}

}  // namespace
}  // namespace gapscope
