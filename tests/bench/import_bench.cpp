// How fast Chrome traces are read, beside what reading the bytes alone and simdjson's walk over them cost on the same
// machine at the same time; and Nsight Systems' exports, beside SQLite's C API and nothing else. Each in a process of
// its own, three times: the least CPU and wall seconds, the most memory.
//   import_bench                    a synthetic trace of a million kernels, written to the temporary folder first
//   import_bench --nsys             an export of a million kernels
//   import_bench --kernels N        of N kernels
//   import_bench FILE...            these files; a packed one is unpacked to the temporary folder for the walk
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/import/byte_source.h"
#include "core/import/open_trace.h"
#include "tests/bench/simdjson_walk.h"
#include "tests/bench/synthetic_nsys.h"
#include "tests/bench/synthetic_trace.h"

namespace {

using namespace gapscope;
namespace fs = std::filesystem;

constexpr size_t kPiece = size_t{1} << 20;

struct Cost {
    double cpuSeconds = 0;
    double wallSeconds = 0;
    double peakMegabytes = 0;
    bool done = false;
};

Cost runOnce(const std::function<bool()>& work) {
    std::fflush(stdout);  // else the child would print it too
    const auto begin = std::chrono::steady_clock::now();
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work() ? 0 : 1);
    int status = 0;
    rusage usage{};
    if (child < 0 || ::wait4(child, &status, 0, &usage) != child) return {};
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return {.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime),
            .wallSeconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
            .peakMegabytes = static_cast<double>(usage.ru_maxrss) / 1024,
            .done = WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

Cost least(const std::function<bool()>& work) {
    Cost best;
    for (int run = 0; run < 3; ++run) {
        const Cost cost = runOnce(work);
        if (!cost.done) return cost;
        if (run == 0) best = cost;
        best.cpuSeconds = std::min(best.cpuSeconds, cost.cpuSeconds);
        best.wallSeconds = std::min(best.wallSeconds, cost.wallSeconds);
        best.peakMegabytes = std::max(best.peakMegabytes, cost.peakMegabytes);
    }
    return best;
}

void printCost(const char* what, const Cost& cost, double megabytes) {
    if (!cost.done) {
        std::printf("  %-24s failed\n", what);
        return;
    }
    std::printf("  %-24s %7.2f CPU s %7.2f wall s %7.0f MB/CPU s %6.0f MB peak\n", what, cost.cpuSeconds,
                cost.wallSeconds, megabytes / std::max(cost.cpuSeconds, 1e-3), cost.peakMegabytes);
}

bool readBytes(const fs::path& path, const fs::path& copyTo = {}) {
    auto source = ByteSource::open(path);
    if (!source) return false;
    std::ofstream copy;
    if (!copyTo.empty()) copy.open(copyTo, std::ios::binary);
    std::vector<char> piece(kPiece);
    for (;;) {
        const auto got = source->read(piece);
        if (!got) return false;
        if (!copyTo.empty()) copy.write(piece.data(), static_cast<std::streamsize>(*got));
        if (*got < piece.size()) return copyTo.empty() || static_cast<bool>(copy);
    }
}

bool importFile(const fs::path& path, const bench::SyntheticSums* sums) {
    const auto trace = openTrace(path);
    if (!trace) {
        std::printf("  %s\n", trace.error().message.c_str());
        return false;
    }
    if (!sums) return true;
    const DeviceOps& ops = (*trace)->deviceOps();
    int64_t selfNs = 0;
    for (size_t row = 0; row < ops.startNs.size(); ++row)
        selfNs += ops.endNs[row] - ops.startNs[row];
    return static_cast<int64_t>(ops.startNs.size()) == sums->kernelCount && selfNs == sums->selfGpuNs;
}

void measure(const fs::path& path, const bench::SyntheticSums* sums) {
    std::error_code error;
    fs::path plain = path, unpacked;
    auto source = ByteSource::open(path);
    if (!source) {
        std::printf("%s\n", source.error().message.c_str());
        return;
    }
    if (source->packing()) {
        plain = unpacked =
            fs::temp_directory_path() / ("gapscope-import-bench-" + std::to_string(::getpid()) + ".json");
        if (!readBytes(path, unpacked)) {
            std::printf("%s could not be unpacked.\n", path.c_str());
            return;
        }
    }
    const double megabytes = static_cast<double>(fs::file_size(plain, error)) * 1e-6;
    std::printf("%s (%.1f MB of text%s)\n", path.filename().c_str(), megabytes, source->packing() ? ", packed" : "");
    printCost("bytes alone", least([&] { return readBytes(plain); }), megabytes);
    Cost walk;
    if (bench::canWalk()) {
        walk = least([&] { return bench::walkWithSimdjson(plain) >= 0; });
        printCost("simdjson, 64 MB blocks", walk, megabytes);
    } else {
        std::printf("  simdjson's walk is built for AVX2, which this processor lacks.\n");
    }
    const Cost import = least([&] { return importFile(plain, sums); });
    printCost("gapscope", import, megabytes);
    if (source->packing()) {
        printCost("gapscope, packed file", least([&] { return importFile(path, sums); }), megabytes);
    }
    if (walk.done && import.done)
        std::printf("  rate of gapscope against simdjson's walk: %.0f %%\n",
                    100 * walk.cpuSeconds / std::max(import.cpuSeconds, 1e-6));
    if (!unpacked.empty()) fs::remove(unpacked, error);
}

void measureNsys(const fs::path& path, const bench::SyntheticSums& sums) {
    std::error_code error;
    const double megabytes = static_cast<double>(fs::file_size(path, error)) * 1e-6;
    std::printf("%s (%.1f MB)\n", path.filename().c_str(), megabytes);
    const Cost bare = least([&] { return bench::readBareSqlite(path) == sums.selfGpuNs; });
    printCost("SQLite's C API alone", bare, megabytes);
    const Cost import = least([&] { return importFile(path, &sums); });
    printCost("gapscope", import, megabytes);
    if (bare.done && import.done)
        std::printf("  rate of gapscope against SQLite's C API: %.0f %%\n",
                    100 * bare.cpuSeconds / std::max(import.cpuSeconds, 1e-6));
}

}  // namespace

int main(int argc, char** argv) {
    int64_t kernels = 1'000'000;
    bool isNsys = false;
    std::vector<fs::path> files;
    for (int i = 1; i < argc; ++i) {
        if (std::string(argv[i]) == "--kernels" && i + 1 < argc) {
            kernels = std::atoll(argv[++i]);
        } else if (std::string(argv[i]) == "--nsys") {
            isNsys = true;
        } else {
            files.emplace_back(argv[i]);
        }
    }
    if (!files.empty()) {
        for (const fs::path& file : files)
            measure(file, nullptr);
        return 0;
    }
    const fs::path path = fs::temp_directory_path() /
                          ("gapscope-synthetic-" + std::to_string(::getpid()) + (isNsys ? ".sqlite" : ".json"));
    bench::SyntheticSums sums;
    std::error_code error;
    const bool written =
        isNsys ? bench::writeSyntheticNsys(path, kernels, sums) : bench::writeSyntheticTrace(path, kernels, sums);
    if (written && isNsys) {
        measureNsys(path, sums);
    } else if (written) {
        measure(path, &sums);
    } else {
        std::printf("%s could not be written.\n", path.c_str());
    }
    fs::remove(path, error);
    return 0;
}
