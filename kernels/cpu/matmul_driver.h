// The part of the SIMD matmuls that is the same for all instruction sets: which rows, which panels, which kernel.
#pragma once

#include "kernels/cpu/matmul.h"
#include "kernels/cpu/simd/panel_job.h"

namespace gapscope {

void runMatmul(const PanelKernels& kernels, const MatmulArgs& args, Part part);
void runGateUp(const PanelKernels& kernels, const GateUpArgs& args, Part part);

}  // namespace gapscope
