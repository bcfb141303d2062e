// Names of kernels and ranges in shorter and shorter forms, by meaning: template arguments go first, the bare name
// last.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gapscope {

// From the full name to the shortest form, each shorter than the one before; at least one entry.
// "decode 12" -> itself, "12"
// "void ns::k<256, bf16>(float*)" -> itself, "void ns::k(float*)"... -> "k"
std::vector<std::string> nameSteps(std::string_view fullName);

}  // namespace gapscope
