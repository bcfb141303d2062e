// What reading a Chrome trace costs at least with simdjson: its On-Demand walk over blocks of 64 MB, nine fields an
// event into plain columns, nothing interned, joined or checked.
#pragma once

#include <cstdint>
#include <filesystem>

namespace gapscope::bench {

bool canWalk();  // compiled for AVX2, where simdjson is quickest

// How many complete ("X") events there are; -1: the text is not what simdjson takes.
int64_t walkWithSimdjson(const std::filesystem::path& path);

}  // namespace gapscope::bench
