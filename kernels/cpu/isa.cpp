// Run-time choice of instruction set.
#include "kernels/cpu/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>

namespace gapscope {

std::string_view isaName(Isa isa) {
    switch (isa) {
        case Isa::Scalar:
            return "scalar";
        case Isa::Avx2:
            return "avx2";
        case Isa::Avx512:
            return "avx512";
    }
    return "scalar";
}

namespace {
#if defined(__x86_64__)
// By hand: clang's builtin of that name came late.
bool hasF16c() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif
}  // namespace

// The builtins also check that the operating system saves the wide registers.
bool isaSupported(Isa isa) {
    switch (isa) {
        case Isa::Scalar:
            return true;
#if defined(__x86_64__)
        case Isa::Avx2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && hasF16c();
        case Isa::Avx512:
            return isaSupported(Isa::Avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vnni");
#else
        default:
            return false;
#endif
    }
    return false;
}

std::vector<Isa> supportedIsas() {
    std::vector<Isa> isas;
    for (const Isa isa : {Isa::Scalar, Isa::Avx2, Isa::Avx512})
        if (isaSupported(isa)) isas.push_back(isa);
    return isas;
}

Isa bestIsa() {
    const std::vector<Isa> isas = supportedIsas();
    if (const char* const wanted = std::getenv("GAPSCOPE_CPU_ISA"))
        for (const Isa isa : {Isa::Scalar, Isa::Avx2, Isa::Avx512})
            if (isaName(isa) == wanted) return isaSupported(isa) ? isa : isas.back();
    return isas.back();
}

}  // namespace gapscope
