// Runs a fuzz target over a generated corpus: each seed whole, cut within its header (at every length, without a
// sanitizer), and with seeded changes. The same inputs every time. Passes if nothing crashes and no allocation is out
// of proportion.
//   replay [FILE...]     runs the target on these files instead (to look at a finding)
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <random>
#include <string>

#include "tests/fuzz/fuzz_target.h"

// Under a sanitizer its own limit does this (ASAN_OPTIONS=max_allocation_size_mb, set by ctest).
#if !defined(__SANITIZE_ADDRESS__)
void* operator new(size_t size) {
    constexpr size_t kLargest = 256 << 20;
    if (size > kLargest) {
        std::fprintf(stderr, "an allocation of %zu bytes\n", size);
        std::abort();
    }
    if (void* const memory = std::malloc(size ? size : 1)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}
#endif

namespace {

size_t inputCount = 0;
const std::string* currentInput = nullptr;

// So that `replay FILE` can look at it.
void keepFinding(int signal) {
    if (currentInput) {
        std::FILE* const file = std::fopen("fuzz-finding", "wb");
        if (file) {
            std::fwrite(currentInput->data(), 1, currentInput->size(), file);
            std::fclose(file);
            std::fputs("The input is kept in the file fuzz-finding.\n", stderr);
        }
    }
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

// Memory of exactly this size, so that a sanitizer sees the smallest step too far.
void runOn(const std::string& bytes) {
    const auto exact = std::make_unique<uint8_t[]>(bytes.size());
    if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
    currentInput = &bytes;
    LLVMFuzzerTestOneInput(exact.get(), bytes.size());
    currentInput = nullptr;
    ++inputCount;
}

void change(std::string& bytes, size_t header, std::mt19937& random) {
    // Numbers that lengths and offsets break on.
    static constexpr uint64_t kNumbers[] = {0,          1,          0x7F,       0xFF,       0xFFFF,     0x7FFFFFFF,
                                            0x80000000, 0xFFFFFFFF, 1ULL << 40, 1ULL << 62, 1ULL << 63, ~0ULL};
    const size_t at = random() % header;
    switch (random() % 4) {
        case 0:
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
            break;
        case 1:
            bytes[at] = static_cast<char>(random());
            break;
        case 2: {
            const uint64_t number = kNumbers[random() % std::size(kNumbers)];
            std::memcpy(bytes.data() + at, &number, std::min<size_t>(random() % 2 ? 8 : 4, bytes.size() - at));
            break;
        }
        default:
            bytes.erase(at, 1 + random() % 8);
            break;
    }
}

}  // namespace

int main(int argc, char** argv) {
    for (int index = 1; index < argc; ++index) {
        std::ifstream file(argv[index], std::ios::binary);
        runOn(std::string(std::istreambuf_iterator<char>(file), {}));
    }
    if (argc > 1) return 0;
    for (const int signal : {SIGABRT, SIGSEGV})
        std::signal(signal, keepFinding);

        // A seed, and the bytes from one cut to the next. Under AddressSanitizer an input takes up to a hundred times
        // as long; run.sh is for searching there.
#ifdef __SANITIZE_ADDRESS__
    constexpr int kChangedInputs = 100;
    constexpr size_t kCutStep = 13;
#else
    constexpr int kChangedInputs = 4000;
    constexpr size_t kCutStep = 1;
#endif
    std::mt19937 random(270);
    for (const auto& seed : gapscope::test::fuzzSeeds()) {
        const size_t header = seed.header ? std::min(seed.header, seed.bytes.size()) : seed.bytes.size();
        runOn(seed.bytes);
        for (size_t length = 0; length < header; length += kCutStep)
            runOn(seed.bytes.substr(0, length));
        for (size_t length = header; length < seed.bytes.size(); length += 1 + (seed.bytes.size() - header) / 50)
            runOn(seed.bytes.substr(0, length));
        for (int round = 0; round < kChangedInputs; ++round) {
            std::string bytes = seed.bytes;
            for (auto times = 1 + random() % 3; times > 0 && !bytes.empty(); --times)
                change(bytes, std::min(header, bytes.size()), random);
            runOn(bytes);
        }
    }
    std::printf("%zu inputs, no crash\n", inputCount);
    return 0;
}
