// The passes of bounded_head.h for the panel kernels of an instruction set.
#pragma once

#include "kernels/cpu/bounded_head.h"
#include "kernels/cpu/simd/panel_job.h"

namespace gapscope {

// Parts split over panels of rows, the same ones in both; the second starts when all parts of the first ended.
void runHeadBounds(const PanelKernels& kernels, const BoundedHeadArgs& args, Part part);
void runHeadChoice(const PanelKernels& kernels, const BoundedHeadArgs& args, Part part);

}  // namespace gapscope
