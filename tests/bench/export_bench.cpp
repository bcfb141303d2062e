// Run by hand: seconds, bytes and memory of exporting a trace of N launches (default one million), one kernel each.
//   export_bench FOLDER [N]
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>

#include "core/export/chrome_json.h"
#include "core/export/csv.h"
#include "core/export/perfetto_trace.h"
#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "core/trace/trace_builder.h"

namespace {

using namespace gapscope;

TracePtr bigTrace(int64_t launches) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({makeGlobalTid(100, 0), 0, 1, 7});
    for (int64_t i = 0; i < launches; ++i) {
        const std::string name = "void at::native::vectorized_elementwise_kernel<" + std::to_string(i % 200) + ">(int)";
        const auto correlation = static_cast<uint32_t>(i + 1);
        builder.add(ApiCallRow{i * 5000, i * 5000 + 3000, builder.intern("cudaLaunchKernel"), makeGlobalTid(100, 101),
                               correlation, ApiClass::Runtime});
        builder.add(DeviceOpRow{
            .startNs = i * 5000 + 4000,
            .endNs = i * 5000 + 6001,
            .name = builder.intern(name),
            .track = track,
            .correlationId = correlation,
            .config = builder.internLaunchConfig(
                {.grid = {static_cast<int32_t>(i % 500), 1, 1}, .block = {128, 1, 1}, .registersPerThread = 32})});
    }
    return builder.snapshot();
}

double residentMb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

template <class Act>
void measure(const char* name, const std::filesystem::path& path, Act act) {
    const auto begin = std::chrono::steady_clock::now();
    const auto cpuBegin = std::clock();
    if (!act()) {
        std::printf("%-10s failed\n", name);
        return;
    }
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    std::error_code ignored;
    std::printf("%-10s %6.2f s wall %6.2f s CPU %8.1f MB file %7.0f MB most resident so far\n", name, wall.count(),
                static_cast<double>(std::clock() - cpuBegin) / CLOCKS_PER_SEC,
                static_cast<double>(std::filesystem::file_size(path, ignored)) / 1e6, residentMb());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return std::fputs("export_bench FOLDER [LAUNCHES]\n", stderr), 2;
    const std::filesystem::path folder = argv[1];
    const TracePtr trace = bigTrace(argc > 2 ? std::atoll(argv[2]) : 1'000'000);
    std::printf("the trace itself: %.0f MB resident\n", residentMb());
    const auto in = [&](const char* name) { return folder / name; };
    measure("csv", in("kernels.csv"), [&] {
        ExportReport report;
        return exportCsvTable(*trace, "kernels", in("kernels.csv"), Identity::LeftOut, report).has_value();
    });
    measure("chrome", in("t.json"), [&] { return exportChromeJson(*trace, in("t.json")).has_value(); });
    measure("chrome gz", in("t.json.gz"), [&] { return exportChromeJson(*trace, in("t.json.gz")).has_value(); });
    measure("perfetto", in("t.pftrace"), [&] { return exportPerfettoTrace(*trace, in("t.pftrace")).has_value(); });
    measure("session", in("t.gapscope"), [&] { return saveSession(*trace, in("t.gapscope")).has_value(); });
    measure("read back", in("t.pftrace"), [&] { return openTrace(in("t.pftrace")).has_value(); });
    return 0;
}
