// Gives a libFuzzer target its seeds as files:  TARGET --write-seeds=FOLDER
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    constexpr std::string_view kOption = "--write-seeds=";
    if (*argc < 2 || !std::string_view((*argv)[1]).starts_with(kOption)) return 0;
    const std::string folder((*argv)[1] + kOption.size());
    size_t count = 0;
    for (const gapscope::test::FuzzSeed& seed : gapscope::test::fuzzSeeds()) {
        std::ofstream file(folder + "/seed-" + std::to_string(count++), std::ios::binary);
        file.write(seed.bytes.data(), static_cast<std::streamsize>(seed.bytes.size()));
        if (!file.flush()) std::exit(1);
    }
    std::exit(0);
}
