// The part of the SIMD matmuls that is the same for all instruction sets: which rows, which panels, which kernel.
#pragma once

#include "kernels/cpu/matmul.h"
#include "kernels/cpu/simd/panel_job.h"

namespace gapscope {

// Of the rows that the kernels compute together.
inline int64_t panelCount(const PanelKernels& kernels, const PackedMatrix& matrix) {
    return (matrix.rows() + kernels.panelRows - 1) / kernels.panelRows;
}

void runMatmul(const PanelKernels& kernels, const MatmulArgs& args, Part part);
void runGateUp(const PanelKernels& kernels, const GateUpArgs& args, Part part);

}  // namespace gapscope
