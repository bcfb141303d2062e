// The rate at which threads multiply and add: the roof over every product on the CPU that memory does not hold up.
#pragma once

#include "kernels/cpu/isa.h"

namespace gapscope::cpu {

// Floating-point operations a second (a fused multiply-add is two) in fp32 with the vectors of `isa`, best of five
// passes of about ten milliseconds on `threads` threads at once. Always above 0.
double measureArithmeticRate(Isa isa, int threads);

}  // namespace gapscope::cpu
