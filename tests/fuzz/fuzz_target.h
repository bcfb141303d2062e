// What a fuzz target provides. `LLVMFuzzerTestOneInput` is libFuzzer's entry, so that a target can be linked with
// clang's -fsanitize=fuzzer as it stands; ctest links it with replay.cpp instead, which needs no such engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace gapscope::test {

struct FuzzSeed {
    std::string bytes;
    size_t header = 0;  // bytes that decide; truncations and changes concentrate on them (0: all)
};

// Valid inputs that the replay cuts and changes.
std::vector<FuzzSeed> fuzzSeeds();

}  // namespace gapscope::test
