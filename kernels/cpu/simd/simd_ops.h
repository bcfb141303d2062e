// The tables that the translation units of the instruction sets export.
#pragma once

#include "kernels/cpu/cpu_ops.h"
#include "kernels/cpu/simd/panel_job.h"

namespace gapscope {

// Without matmul and gateUp, which cpu_ops.cpp adds from the panel kernels.
extern const CpuOps kAvx2Ops;
extern const CpuOps kAvx512Ops;
extern const PanelKernels kAvx2Panels;
extern const PanelKernels kAvx512Panels;

}  // namespace gapscope
