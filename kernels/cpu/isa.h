// Which instruction set the CPU ops run with, and how an op's work is cut over threads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace gapscope {

// Scalar is plain C++ for any machine and the oracle of the other two. Avx512 means F, BW, VL, DQ and VNNI.
enum class Isa : uint8_t { Scalar, Avx2, Avx512 };

std::string_view isaName(Isa isa);  // "scalar", "avx2", "avx512"
bool isaSupported(Isa isa);         // by this CPU and operating system
std::vector<Isa> supportedIsas();   // weakest first

// The strongest one supported. The environment variable GAPSCOPE_CPU_ISA=scalar|avx2|avx512 asks for a weaker one;
// what the CPU lacks is never picked, and an unknown word is ignored.
Isa bestIsa();

// One thread's share of an op. The caller runs the op `count` times at once, with index 0 .. count-1; the shares
// write disjoint parts of the output and together all of it. A share may turn out empty.
struct Part {
    int index = 0;
    int count = 1;
};

}  // namespace gapscope
