// The ops compiled for AVX512. Nothing here may have external linkage but the two tables: no standard library, no
// inline function of ours with a name that another translation unit shares.
#include "kernels/cpu/simd/vector_avx512.h"

// The vocabulary comes first: the rest is written in it.
#include "kernels/cpu/simd/ops_table.h"
#include "kernels/cpu/simd/panel_kernels.h"
#include "kernels/cpu/simd/simd_ops.h"

namespace gapscope {

constinit const CpuOps kAvx512Ops = opsTable(Isa::Avx512);
constinit const PanelKernels kAvx512Panels = panelKernels(opsTable(Isa::Avx512));

}  // namespace gapscope
