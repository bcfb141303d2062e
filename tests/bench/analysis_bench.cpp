// Run by hand: CPU seconds of each question of core/analysis, on a made trace of N kernels and N API calls (default one
// million), of one process in order and of two processes with a device each in the order in which buffers come.
//   analysis_bench [N] [--rounds R] [--json]
// Each figure is the least of R rounds (default 3). Aim: everything under 1.5 s of CPU. Measured on one core of a Xeon
// of 2023: analyze 0.30 and 0.42 s, everything 0.58 and 0.89 s, preparing 0.42 and 0.71 s; from there a new selection
// of a tenth of the trace 5 and 7 ms, of half of it 25 and 34 ms (aim: under 50 ms), of all of it 53 and 73 ms.
// Comparing two such traces costs twice what preparing one and all its figures, what-if among them, do. Beside eighteen
// other processes on two cores, which makes CPU time a fifth to a third longer: everything 0.85 and 0.99 s, what-if 0.55
// and 0.43, preparing one and all its figures 1.68 and 1.66, comparing two traces 3.19 and 3.73, two windows of one
// prepared trace 0.57 and 0.70, steps by ranges 0.04 and 0.03, by the kernel sequence 0.08 s.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/analysis/api_calls.h"
#include "core/analysis/compare.h"
#include "core/analysis/culprits.h"
#include "core/analysis/kernel_executions.h"
#include "core/analysis/kernel_summary.h"
#include "core/analysis/launch_statistics.h"
#include "core/analysis/queue_depth.h"
#include "core/analysis/range_statistics.h"
#include "core/analysis/steps.h"
#include "core/analysis/stream_idle.h"
#include "core/analysis/summary.h"
#include "core/analysis/what_if.h"
#include "core/analysis/window.h"
#include "core/base/json_writer.h"
#include "core/trace/trace_builder.h"

namespace {

using namespace gapscope;

enum class Shape { OneProcess, TwoProcesses };

// As another program would record an LLM, without ranges: steps of 26 layers of 15 kernels, an embedding and a choice,
// one in fifty kernels left out or doubled, so that the period is not exact.
TracePtr madeSteps(int64_t kernels) {
    constexpr int kLayers = 26, kPerLayer = 15;
    TraceBuilder builder;
    std::mt19937 random(11);
    const TrackId track = builder.internTrack({.streamId = 7});
    int64_t at = 1000, count = 0;
    const auto kernel = [&](const std::string& name) {
        const int times = random() % 50 == 0 ? static_cast<int>(random() % 2) * 2 : 1;
        for (int i = 0; i < times; ++i, ++count, at += 2000)
            builder.add(DeviceOpRow{.startNs = at, .endNs = at + 1500, .name = builder.intern(name), .track = track});
    };
    while (count < kernels) {
        kernel("embedding");
        for (int layer = 0; layer < kLayers; ++layer)
            for (int i = 0; i < kPerLayer; ++i)
                kernel("layer_kernel_" + std::to_string(i));
        kernel("argmax");
        at += 20'000;
    }
    return builder.snapshot();
}

// Launches of 2-4 us, kernels of 1-9 us, a synchronize every 256 launches: the host is sometimes ahead and sometimes
// late. Every 16 launches are a layer, 256 a token, as ranges; every launch stands in an operator.
TracePtr madeTrace(int64_t kernels, Shape shape) {
    TraceBuilder builder;
    std::mt19937 random(7);
    const auto number = [&](int64_t from, int64_t to) {
        return from + static_cast<int64_t>(random() % static_cast<uint64_t>(to - from));
    };
    const int processes = shape == Shape::OneProcess ? 1 : 2;
    std::vector<StringId> names;
    for (int i = 0; i < 200; ++i)
        names.push_back(builder.intern("void at::native::elementwise_kernel<" + std::to_string(i) + ">(int)"));
    const StringId launch = builder.intern("cudaLaunchKernel"), wait = builder.intern("cudaStreamSynchronize");
    const StringId op = builder.intern("aten::mul"), token = builder.intern("decode step"),
                   layer = builder.intern("layer");
    struct Process {
        TrackId track;
        uint64_t tid = 0;
        int64_t hostNs = 1000, freeNs = 1000, tokenNs = 0, layerNs = 0;
        uint32_t correlation = 0;
        std::vector<DeviceOpRow> pending;  // device records come a buffer at a time, after their calls
    };
    std::vector<Process> all(static_cast<size_t>(processes));
    for (size_t p = 0; p < all.size(); ++p) {
        all[p].tid = makeGlobalTid(100 + static_cast<uint32_t>(p), 101);
        all[p].track = builder.internTrack({globalPidOf(all[p].tid), static_cast<uint32_t>(p), 1, 7});
    }
    for (int64_t i = 0; i < kernels; ++i) {
        Process& process = all[static_cast<size_t>(i % processes)];
        if (process.correlation % 256 == 0) {
            if (i >= processes) {
                builder.add(ApiCallRow{process.hostNs, process.freeNs + 500, wait, process.tid, 0, ApiClass::Runtime});
                process.hostNs = std::max(process.hostNs, process.freeNs + 500);
                builder.add(RangeRow{process.tokenNs, process.hostNs, token, process.tid, RangeKind::User});
            }
            process.tokenNs = process.hostNs;
        }
        if (process.correlation % 16 == 0) {
            if (i >= processes)
                builder.add(RangeRow{process.layerNs, process.hostNs, layer, process.tid, RangeKind::User});
            process.layerNs = process.hostNs;
        }
        process.hostNs += number(500, 3000);
        const int64_t callNs = number(2000, 4000), startNs = process.hostNs;
        const uint32_t id = ++process.correlation;
        builder.add(ApiCallRow{startNs, startNs + callNs, launch, process.tid, id, ApiClass::Runtime});
        builder.add(RangeRow{startNs - 400, startNs + callNs + 50, op, process.tid, RangeKind::CpuOp});
        const int64_t beginNs = std::max(process.freeNs + 300, startNs + 3500);
        DeviceOpRow row{.startNs = beginNs, .endNs = beginNs + number(1000, 9000), .track = process.track};
        row.name = names[static_cast<size_t>(number(0, 200))];
        row.correlationId = id;
        process.freeNs = row.endNs;
        process.hostNs += callNs;
        process.pending.push_back(row);
        if (process.pending.size() < (shape == Shape::OneProcess ? 1 : 4096) && i + processes < kernels) continue;
        for (const DeviceOpRow& one : process.pending)
            builder.add(one);
        process.pending.clear();
    }
    return builder.snapshot();
}

struct Step {
    std::string name;
    double cpuSeconds = 0, wallSeconds = 0;
};

class Clock {
public:
    explicit Clock(int rounds) : m_rounds(rounds) {}

    template <class Act>
    void measure(const char* name, Act act) {
        Step step{.name = name, .cpuSeconds = 1e9, .wallSeconds = 1e9};
        for (int round = 0; round < m_rounds; ++round) {
            const auto begin = std::chrono::steady_clock::now();
            const std::clock_t cpuBegin = std::clock();
            act();
            const double cpu = static_cast<double>(std::clock() - cpuBegin) / CLOCKS_PER_SEC;
            const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
            step.cpuSeconds = std::min(step.cpuSeconds, cpu);
            step.wallSeconds = std::min(step.wallSeconds, wall.count());
        }
        steps.push_back(step);
    }
    std::vector<Step> steps;

private:
    int m_rounds;
};

// A new selection in the window: all that the panels show of it, from the prepared trace. `share` of the trace, its
// middle.
void measureSelection(Clock& clock, const PreparedTrace& prepared, const char* name, double share) {
    const TimeRange whole = defaultWindow(prepared.trace());
    const auto part = static_cast<int64_t>(static_cast<double>(whole.durationNs()) * (1 - share) / 2);
    volatile int64_t sink = 0;
    clock.measure(name, [&] {
        const PreparedWindow of(prepared, {whole.startNs + part, whole.endNs - part});
        sink = sink + analyze(of).summary.gpuIdleNs + kernelSummary(of).totalNs + layerTable(of).unknownNs +
               static_cast<int64_t>(tokenTable(of).rows.size()) + rangeStatistics(of).kernels.totalNs;
    });
}

std::vector<Step> measureAll(const TracePtr& tracePtr, int rounds) {
    const Trace& trace = *tracePtr;
    Clock clock(rounds);
    const TimeRange window = defaultWindow(trace);
    volatile int64_t sink = 0;
    const Analysis analysis = analyze(trace, window);
    const LaunchTable launches = launchTable(trace, analysis.join, window);
    // Everything: what `summary`, `kernels`, `gaps` and `launches` show together.
    clock.measure("everything", [&] {
        const Analysis of = analyze(trace, window);
        const LaunchTable table = launchTable(trace, of.join, window);
        sink = sink + static_cast<int64_t>(
                          kernelSummary(trace, window).kernels.size() + culprits(trace, of.gaps.gaps).size() +
                          streamIdle(trace, of.join, window).size() + queueDepths(trace, of.join, window).size() +
                          kernelExecutions(trace, of.join, window).rows.size() +
                          launchStatistics(trace, of.join, table.launches).shortLaunches.size());
    });
    clock.measure("analyze", [&] { sink = sink + analyze(trace, window).summary.gpuIdleNs; });
    clock.measure("  joinLaunches", [&] { sink = sink + static_cast<int64_t>(joinLaunches(trace).opsOfCall.size()); });
    clock.measure("  findGaps",
                  [&] { sink = sink + static_cast<int64_t>(findGaps(trace, analysis.join, window).gaps.size()); });
    clock.measure("    outermostCalls", [&] { sink = sink + static_cast<int64_t>(outermostCalls(trace).size()); });
    clock.measure("    deviceBusy", [&] { sink = sink + static_cast<int64_t>(deviceBusy(trace, window).size()); });
    const std::vector<uint32_t> outermost = outermostCalls(trace);
    clock.measure("    hostTimes", [&] { sink = sink + hostTimes(trace, analysis.join, outermost, window).selfCpuNs; });
    clock.measure("  categoryTimes", [&] { sink = sink + categoryTimes(trace, window).totalNs; });
    clock.measure("  throughput", [&] { sink = sink + throughput(trace, window).all.bytes; });
    clock.measure("  launchTable", [&] {
        sink = sink + static_cast<int64_t>(launchTable(trace, analysis.join, window).launches.size());
    });
    clock.measure("kernelSummary", [&] { sink = sink + kernelSummary(trace, window).totalNs; });
    clock.measure("culprits", [&] { sink = sink + static_cast<int64_t>(culprits(trace, analysis.gaps.gaps).size()); });
    clock.measure("streamIdle",
                  [&] { sink = sink + static_cast<int64_t>(streamIdle(trace, analysis.join, window).size()); });
    clock.measure("kernelExecutions", [&] {
        sink = sink + static_cast<int64_t>(kernelExecutions(trace, analysis.join, window).rows.size());
    });
    clock.measure("launchStatistics",
                  [&] { sink = sink + launchStatistics(trace, analysis.join, launches.launches).shortDeviceNs; });
    clock.measure("queueDepths",
                  [&] { sink = sink + static_cast<int64_t>(queueDepths(trace, analysis.join, window).size()); });
    clock.measure("prepare", [&] { sink = sink + static_cast<int64_t>(PreparedTrace(tracePtr).launches().size()); });
    const PreparedTrace prepared(tracePtr);
    // Two traces of this size from scratch, as the command does it: about twice what one costs.
    clock.measure("one prepared, all facts", [&] {
        const PreparedTrace one(tracePtr);
        sink = sink + windowFacts({one, window}).kernels.totalNs;
    });
    clock.measure("compare two", [&] {
        const PreparedTrace before(tracePtr), after(tracePtr);
        sink = sink + static_cast<int64_t>(compare({before, window}, {after, window}).kernels.size());
    });
    clock.measure("findSteps, by ranges",
                  [&] { sink = sink + static_cast<int64_t>(findSteps(trace, analysis.join).steps.size()); });
    clock.measure("whatIf",
                  [&] { sink = sink + static_cast<int64_t>(whatIf(trace, analysis.join, window).predictions.size()); });
    // Two windows of one trace, as the window does it: the trace is prepared.
    clock.measure("compare two windows", [&] {
        const int64_t middleNs = (window.startNs + window.endNs) / 2;
        const PreparedWindow first(prepared, {window.startNs, middleNs}), second(prepared, {middleNs, window.endNs});
        sink = sink + static_cast<int64_t>(compare(first, second).kernels.size());
    });
    measureSelection(clock, prepared, "select 1 %", 0.01);
    measureSelection(clock, prepared, "select 10 %", 0.1);
    measureSelection(clock, prepared, "select 50 %", 0.5);
    measureSelection(clock, prepared, "select 100 %", 1);
    return clock.steps;
}

// Steps and layers found in kernels that no range names, and the tokens that come of them.
std::vector<Step> measureSteps(const TracePtr& tracePtr, int rounds) {
    const Trace& trace = *tracePtr;
    Clock clock(rounds);
    const LaunchJoin join = joinLaunches(trace);
    volatile int64_t sink = 0;
    clock.measure("findSteps, by sequence",
                  [&] { sink = sink + static_cast<int64_t>(findSteps(trace, join).steps.size()); });
    const PreparedTrace prepared(tracePtr);
    clock.measure("tokenTable", [&] {
        sink = sink + static_cast<int64_t>(tokenTable(PreparedWindow(prepared, defaultWindow(trace))).rows.size());
    });
    return clock.steps;
}

}  // namespace

int main(int argc, char** argv) {
    int64_t kernels = 1'000'000;
    int rounds = 3;
    bool asJson = false;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--json") == 0) {
            asJson = true;
        } else if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            rounds = std::max(1, std::atoi(argv[++i]));
        } else if (std::atoll(argv[i]) > 0) {
            kernels = std::atoll(argv[i]);
        } else {
            return std::fputs("analysis_bench [KERNELS] [--rounds R] [--json]\n", stderr), 2;
        }
    }
    JsonWriter json;
    json.beginObject().field("rounds", rounds).key("traces").beginArray();
    struct Made {
        const char* name;
        TracePtr (*make)(int64_t kernels);
        std::vector<Step> (*measure)(const TracePtr& trace, int rounds);
    };
    for (const auto& [name, make, measure] :
         {Made{"one process, in order", [](int64_t n) { return madeTrace(n, Shape::OneProcess); }, measureAll},
          Made{"two processes, buffers of 4096 kernels", [](int64_t n) { return madeTrace(n, Shape::TwoProcesses); },
               measureAll},
          Made{"an LLM's kernels, nothing named", madeSteps, measureSteps}}) {
        const TracePtr trace = make(kernels);
        const size_t calls = trace->apiCalls().startNs.size(), ranges = trace->ranges().startNs.size();
        const std::vector<Step> steps = measure(trace, rounds);
        if (!asJson)
            std::printf("%s: %lld kernels, %zu calls, %zu ranges\n", name, static_cast<long long>(kernels), calls,
                        ranges);
        json.beginObject().field("name", name).field("kernelCount", kernels).field("callCount", calls);
        json.field("rangeCount", ranges).key("steps").beginArray();
        for (const Step& step : steps) {
            if (!asJson)
                std::printf("  %-23s %7.3f s CPU %7.3f s wall\n", step.name.c_str(), step.cpuSeconds, step.wallSeconds);
            json.beginObject().field("name", step.name.substr(step.name.find_first_not_of(' ')));
            json.field("cpuSeconds", step.cpuSeconds).field("wallSeconds", step.wallSeconds).endObject();
        }
        json.endArray().endObject();
    }
    json.endArray().endObject();
    if (asJson) std::printf("%s\n", json.text().c_str());
    return 0;
}
