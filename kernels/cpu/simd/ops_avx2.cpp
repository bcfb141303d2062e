// The ops compiled for AVX2. Nothing here may have external linkage but the two tables: no standard library, no
// inline function of ours with a name that another translation unit shares.
#include "kernels/cpu/simd/vector_avx2.h"

// The vocabulary comes first: the rest is written in it.
#include "kernels/cpu/simd/ops_table.h"
#include "kernels/cpu/simd/panel_kernels.h"
#include "kernels/cpu/simd/simd_ops.h"

namespace gapscope {

constinit const CpuOps kAvx2Ops = opsTable(Isa::Avx2);
constinit const PanelKernels kAvx2Panels = panelKernels(opsTable(Isa::Avx2));

}  // namespace gapscope
