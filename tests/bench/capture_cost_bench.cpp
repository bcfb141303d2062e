// What recording a GPU run costs besides CUPTI: nanoseconds a launch on the thread that launches, and on the thread
// that collects. CUPTI is a table of functions that do nothing, and the records are written by hand, so this needs no
// GPU. Prints one JSON object; medians over the tokens. capture_cost_bench [TOKENS]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/capture/device_capture.h"
#include "core/export/session_writer.h"

namespace {

using namespace gapscope;

constexpr int kOpsOfAToken = 2228;  // eager, the 1B shape
constexpr int kLayers = 26;         // a graph's launch tells the cost of one op of each
// So many that the reading of the clock does not show.
constexpr int kPhases = 50 * kLayers;
constexpr int kGraphLaunches = 50;

cupti::BufferRequested* requested = nullptr;
cupti::BufferCompleted* completed = nullptr;
std::vector<uint64_t> pushedIds;

constexpr size_t recordBytes(cupti::Kind kind) {
    switch (kind) {
        case cupti::Kind::ConcurrentKernel:
            return 216;
        case cupti::Kind::Runtime:
            return 40;
        default:
            return 24;
    }
}

CuptiApi idleCupti() {
    CuptiApi api{};
    api.version = 130001;
    api.getResultString = [](int32_t, const char** text) {
        *text = "";
        return cupti::kSuccess;
    };
    api.registerTimestampCallback = [](cupti::TimestampCallback*) { return cupti::kSuccess; };
    api.setAttribute = [](int32_t, size_t*, void*) { return cupti::kSuccess; };
    api.setThreadIdType = [](int32_t) { return cupti::kSuccess; };
    api.registerCallbacks = [](cupti::BufferRequested* request, cupti::BufferCompleted* complete) {
        requested = request;
        completed = complete;
        return cupti::kSuccess;
    };
    api.enable = [](cupti::Kind) { return cupti::kSuccess; };
    api.disable = [](cupti::Kind) { return cupti::kSuccess; };
    api.flushAll = [](uint32_t) { return cupti::kSuccess; };
    api.getNextRecord = [](uint8_t* buffer, size_t validBytes, cupti::Record** record) {
        size_t at = 0;
        if (*record)
            at = static_cast<size_t>(reinterpret_cast<uint8_t*>(*record) - buffer) + recordBytes((*record)->kind);
        if (at >= validBytes) return cupti::kMaxLimitReached;
        *record = reinterpret_cast<cupti::Record*>(buffer + at);
        return cupti::kSuccess;
    };
    api.getNumDroppedRecords = [](void*, uint32_t, size_t* dropped) {
        *dropped = 0;
        return cupti::kSuccess;
    };
    api.pushExternalCorrelationId = [](uint32_t, uint64_t id) {
        pushedIds.push_back(id);
        return cupti::kSuccess;
    };
    api.popExternalCorrelationId = [](uint32_t, uint64_t*) { return cupti::kSuccess; };
    api.subscribe = [](void** subscriber, cupti::ResourceCallback*, void*) {
        *subscriber = nullptr;
        return cupti::kSuccess;
    };
    api.unsubscribe = [](void*) { return cupti::kSuccess; };
    api.enableCallback = [](uint32_t, void*, int32_t, uint32_t) { return cupti::kSuccess; };
    api.getCallbackName = [](int32_t, uint32_t, const char** name) {
        *name = "cudaLaunchKernelExC_v11060";
        return cupti::kSuccess;
    };
    api.getGraphNodeId = [](void*, uint64_t*) { return cupti::kUnknownError; };
    api.enableRuntimeApi = [](uint32_t, uint8_t) { return cupti::kSuccess; };
    api.enableDriverApi = [](uint32_t, uint8_t) { return cupti::kSuccess; };
    return api;
}

// Writes records as CUPTI does: into the session's buffers, one after the other.
class Records {
public:
    template <class Record>
    void add(const Record& record) {
        const size_t bytes = recordBytes(record.kind);
        if (m_used + bytes > m_size) {
            finish();
            size_t most = 0;
            requested(&m_data, &m_size, &most);
        }
        if (!m_data) std::abort();
        std::memcpy(m_data + m_used, &record, std::min(bytes, sizeof record));
        m_used += bytes;
    }
    void finish() {
        if (m_data) completed(nullptr, 0, m_data, m_size, m_used);
        m_data = nullptr;
        m_size = m_used = 0;
    }

private:
    uint8_t* m_data = nullptr;
    size_t m_size = 0;
    size_t m_used = 0;
};

void addLaunch(Records& records, uint64_t externalId, uint32_t correlationId, int64_t startNs) {
    const auto start = static_cast<uint64_t>(startNs);
    records.add(cupti::ExternalCorrelationRecord{.kind = cupti::Kind::ExternalCorrelation,
                                                 .externalKind = cupti::kExternalKindCustom0,
                                                 .externalId = externalId,
                                                 .correlationId = correlationId,
                                                 .reserved = 0});
    records.add(cupti::ApiRecord{.kind = cupti::Kind::Runtime,
                                 .cbid = 430,
                                 .start = start,
                                 .end = start + 3,
                                 .processId = 1,
                                 .threadId = 1,
                                 .correlationId = correlationId,
                                 .returnValue = 0});
    static constexpr const char* kNames[] = {"_Z4gemvIfEvPT_", "_Z8mul_rowsv", "_Z12cast_to_bf16v", "_Z9attentionv"};
    cupti::KernelRecord kernel{};
    kernel.kind = cupti::Kind::ConcurrentKernel;
    kernel.start = start + 5;
    kernel.end = start + 7;
    kernel.correlationId = correlationId;
    kernel.contextId = 1;
    kernel.streamId = 7;
    kernel.name = kNames[correlationId % std::size(kNames)];
    kernel.grid[0] = 1 + static_cast<int32_t>(correlationId % 40);
    kernel.block[0] = 256;
    records.add(kernel);
}

struct Times {
    std::vector<double> ns;
    double median() {
        std::ranges::sort(ns);
        return ns.empty() ? 0 : ns[ns.size() / 2];
    }
};

// Of this thread on a core: what else the machine does is not our cost.
double coreNs() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

template <class Work>
double timedNs(const Work& work) {
    const double before = coreNs();
    work();
    return coreNs() - before;
}

}  // namespace

int main(int argc, char** argv) {
    const int tokens = argc > 1 ? std::atoi(argv[1]) : 100;
    static const CuptiApi api = idleCupti();
    ActivityLog log;
    TraceBuilder builder;
    const TraceOrigin origin{.steadyNs = nowNs()};
    std::vector<uint32_t> ops;
    for (int i = 0; i < kOpsOfAToken; ++i)
        ops.push_back(log.describe({.kernelName = "k",
                                    .opName = "op " + std::to_string(i % 86),
                                    .shapes = "[1,1152]",
                                    .dtype = "bf16",
                                    .category = Category::Elementwise,
                                    .layer = i / 86}));
    const auto context = [&](int op, int token) {
        return LaunchContext{.op = ops[static_cast<size_t>(op)],
                             .token = token,
                             .repeat = 0,
                             .bytes = op % 86 == 20 ? 1000 + token : 1000,  // attention grows with the position
                             .flops = 2000};
    };
    Times unwatched, launch, graph, phase, parse, write;
    const auto launchToken = [&](int token) {
        for (int op = 0; op < kOpsOfAToken; ++op)
            const LaunchScope scope(log, context(op, token));
    };
    for (int token = 0; token < tokens; ++token)
        unwatched.ns.push_back(timedNs([&] { launchToken(token); }) / kOpsOfAToken);

    auto capture = DeviceCapture::start(builder, origin, log, api);
    const std::string path =
        (std::filesystem::temp_directory_path() / ("capture_cost_" + std::to_string(nowNs()) + ".gapscope")).string();
    auto writer = SessionWriter::create(path);
    if (!capture || !writer) {
        std::fprintf(stderr, "%s\n", !capture ? capture.error().message.c_str() : writer.error().message.c_str());
        return 1;
    }
    Records records;
    uint32_t correlationId = 0;
    std::vector<LaunchContext> nodes(kLayers);
    for (int token = 0; token < tokens; ++token) {
        pushedIds.clear();
        launch.ns.push_back(timedNs([&] { launchToken(token); }) / kOpsOfAToken);
        graph.ns.push_back(timedNs([&] {
                               for (int i = 0; i < kGraphLaunches; ++i) {
                                   for (int layer = 0; layer < kLayers; ++layer)
                                       nodes[static_cast<size_t>(layer)] = context(86 * layer + 20, token);
                                   const LaunchScope scope(log, context(0, token), nodes);
                               }
                           }) /
                           kGraphLaunches);
        phase.ns.push_back(timedNs([&] {
                               for (int i = 0; i < kPhases; ++i)
                                   const PhaseScope scope(log, "layer " + std::to_string(i % kLayers));
                           }) /
                           kPhases);
        int64_t now = nowNs();
        for (int op = 0; op < kOpsOfAToken; ++op)
            addLaunch(records, pushedIds[static_cast<size_t>(op)], ++correlationId, now += 10);
        records.finish();
        while (nowNs() < now) {
        }
        parse.ns.push_back(timedNs([&] {
                               (*capture)->gather();
                               (*capture)->take(log.drain());
                           }) /
                           kOpsOfAToken);
        const TracePtr trace = builder.snapshot();
        write.ns.push_back(timedNs([&] {
                               if (!(*writer)->append(*trace)) std::abort();
                           }) /
                           kOpsOfAToken);
    }
    const size_t joined = builder.snapshot()->deviceOps().startNs.size();
    std::printf(
        "{\"tokens\":%d,\"launchesOfAToken\":%d,\"unwatchedLaunchNs\":%.1f,\"launchNs\":%.1f,\"graphLaunchNs\":%.0f,"
        "\"phaseNs\":%.1f,\"collectNsALaunch\":%.1f,\"writeNsALaunch\":%.1f,\"rows\":%zu,\"diagnostics\":%zu}\n",
        tokens, kOpsOfAToken, unwatched.median(), launch.median(), graph.median(), phase.median(), parse.median(),
        write.median(), joined, builder.diagnostics().entries().size());
    capture->reset();
    writer->reset();
    for (const char* suffix : {"", "-wal", "-shm"})
        std::filesystem::remove(path + suffix);
}
