// Random traces for property tests: overlaps, zero-length rows, rows out of order, several devices, processes, threads,
// graph launches, launches missing, nested calls, broken nesting, text of any bytes.
#pragma once

#include <algorithm>
#include <random>
#include <string>

#include "core/trace/annotations.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

struct RandomTraceShape {
    int deviceOps = 60;
    int calls = 50;
    int ranges = 30;
    int overheads = 8;
    int tokens = 6;
    int counterSamples = 20;
    int64_t spanNs = 400;  // short against the row count, so that rows touch, overlap and coincide often
    bool own = true;
    bool manyPlaces = false;  // processes of two machines and of one number, devices numbered like them
};

class RandomTrace {
public:
    RandomTrace(uint32_t seed, RandomTraceShape shape = {}) : m_random(seed), m_shape(shape) {}

    TraceBuilder build() {
        TraceBuilder builder;
        grow(builder, 1.0);
        if (m_shape.own) builder.setRun(run());
        if (m_shape.own) builder.setAnnotations(annotations());
        return builder;
    }

    // Adds about `share` of the shape's rows.
    void grow(TraceBuilder& builder, double share) {
        const auto count = [&](int rows) { return static_cast<int>(rows * share); };
        const char* apiNames[] = {"cudaLaunchKernel", "cpuLaunchKernel", "cudaStreamSynchronize",
                                  "cudaMemcpy",       "cudaMemcpyAsync", "cudaGraphLaunch",
                                  "cudaMalloc",       "cudaEventRecord", "cudaDeviceSynchronize",
                                  "cuLaunchKernel"};
        for (int i = 0; i < count(m_shape.calls); ++i) {
            const TimeRange range = randomRange(40);
            builder.add(ApiCallRow{.startNs = range.startNs,
                                   .endNs = range.endNs,
                                   .name = builder.intern(apiNames[number(0, 9)]),
                                   .globalTid = thread(),
                                   .correlationId = static_cast<uint32_t>(number(0, m_shape.calls)),
                                   .apiClass = flip() ? ApiClass::Runtime : ApiClass::Driver});
        }
        for (int i = 0; i < count(m_shape.deviceOps); ++i) {
            const TimeRange range = randomRange(12);
            DeviceOpRow op{.startNs = range.startNs,
                           .endNs = range.endNs,
                           .name = builder.intern("kernel_" + std::to_string(number(0, 9))),
                           .track = builder.internTrack({.globalPid = process(),
                                                         .deviceId = device(),
                                                         .contextId = m_shape.manyPlaces && flip() ? 2u : 1u,
                                                         .streamId = static_cast<uint32_t>(number(7, 8))}),
                           .kind = static_cast<DeviceOpKind>(number(0, 3)),
                           .category = static_cast<Category>(number(0, kCategoryCount - 1)),
                           .correlationId = static_cast<uint32_t>(number(0, m_shape.calls + 10)),
                           .token = static_cast<int32_t>(number(kNoToken, m_shape.tokens - 1)),
                           .repeat = static_cast<int16_t>(number(-1, 1)),
                           .graphNodeId = flip() ? 0 : m_random()};
            if (op.kind == DeviceOpKind::Copy || op.kind == DeviceOpKind::Set) op.copyBytes = number(0, 1 << 20);
            if (flip()) {
                op.op = builder.internOp({.name = builder.intern("role_" + std::to_string(number(0, 4))),
                                          .shapes = builder.intern("[1,640]"),
                                          .dtype = builder.intern(flip() ? "f32" : "q5_0"),
                                          .layer = static_cast<int32_t>(number(-1, 3)),
                                          .bytes = number(0, 1000),
                                          .flops = number(0, 1000)});
            }
            if (flip()) {
                op.config =
                    builder.internLaunchConfig({.fullName = builder.intern("full " + std::to_string(number(0, 9))),
                                                .grid = {static_cast<int32_t>(number(1, 9)), 1, 1},
                                                .block = {32, 1, 1},
                                                .registersPerThread = static_cast<int32_t>(number(0, 255)),
                                                .staticSharedBytes = 16,
                                                .dynamicSharedBytes = static_cast<int32_t>(number(0, 99)),
                                                .occupancyPercent = static_cast<int32_t>(number(-1, 100))});
            }
            builder.add(op);
        }
        for (int i = 0; i < count(m_shape.ranges); ++i) {
            const TimeRange range = randomRange(150);
            builder.add(RangeRow{.startNs = range.startNs,
                                 .endNs = range.endNs,
                                 .name = builder.intern(i == 0 ? "model_inference" : "range " + std::to_string(i)),
                                 .globalTid = thread(),
                                 .kind = static_cast<RangeKind>(number(0, 3))});
        }
        for (int i = 0; i < count(m_shape.overheads); ++i) {
            const TimeRange range = randomRange(30);
            builder.add(OverheadRow{.startNs = range.startNs,
                                    .endNs = range.endNs,
                                    .name = builder.intern("trace flush"),
                                    .globalTid = flip() ? thread() : process()});
        }
        for (int i = 0; i < count(m_shape.tokens); ++i) {
            const char* texts[] = {" the", "\n", "", "\xE2\x82\xAC", "a\"b", "<0x00>"};
            const auto drafted = static_cast<int16_t>(number(0, 4));
            const auto accepted = static_cast<int16_t>(number(0, drafted));
            builder.add(TokenRow{.emittedNs = number(0, m_shape.spanNs),
                                 .repeat = static_cast<int16_t>(number(-1, 1)),
                                 .index = i,
                                 .id = static_cast<int32_t>(number(0, 262143)),
                                 .text = builder.intern(texts[number(0, 5)]),
                                 .drafted = drafted,
                                 .accepted = accepted,
                                 .place = static_cast<int16_t>(number(0, accepted) + (drafted == 0 ? i % 4 : 0)),
                                 .sequence = i % 16});
        }
        const auto unit = [&] { return static_cast<CounterUnit>(number(0, 5)); };
        for (int i = 0; i < count(m_shape.counterSamples); ++i) {
            const double values[] = {0, -1.5, 1e300, 0.1, 23'456'789'012, 4};
            m_counterNs += number(0, 5);
            builder.add(CounterSampleRow{
                .timeNs = m_counterNs,
                .counter = builder.internCounter({.name = builder.intern("counter " + std::to_string(number(0, 2))),
                                                  .unit = unit(),
                                                  .deviceId = static_cast<uint32_t>(number(0, 1))}),
                .value = values[number(0, 5)]});
        }
        if (m_shape.own) addStages(builder);
        builder.setThread(makeGlobalTid(100, 100), "main");
        builder.setThread(makeGlobalTid(100, 101), "worker");
        builder.setDevice(
            {.id = 1, .kind = DeviceKind::Cuda, .name = "GPU", .totalMemoryBytes = 24, .peakBytesPerSecond = 1.1e12});
        builder.setDevice({.id = 0, .kind = DeviceKind::Cpu, .name = "CPU \xC3\xBC", .peakFlopsPerSecond = 0.1});
        builder.setOrigin({.steadyNs = 123456789, .utcEpochNs = 1790857026000000000});
        builder.diagnostics().add("lost_records", Severity::DataLoss, number(1, 5), "Some are missing.");
        builder.diagnostics().add("another", Severity::Error, 1, "");
    }

    RunInfo run() {
        return RunInfo{.modelName = "Gemma 3 270m",
                       .modelPath = "models/gemma.gguf",
                       .device = "cpu",
                       .deviceName = "CPU, 2 threads",
                       .precision = "file",
                       .mode = "fused",
                       .traceLevel = "full",
                       .prompt = std::string("Why?\n\xC3\xA4\0after", 13),
                       .chat = true,
                       .textIsNoise = true,
                       .promptTokens = {2, 105, 262143, 0},
                       .maxNewTokens = 64,
                       .contextLength = 128,
                       .threads = 2,
                       .warmup = 1,
                       .repeats = 3,
                       .temperature = 0.7,
                       .topK = 40,
                       .topP = 0.95,
                       .seed = 0xFFFFFFFFFFFFFFFFull,
                       .weightBytes = 241396224,
                       .kvBytes = 1 << 20,
                       .loadSeconds = 0.123456789012345,
                       .stopReason = "length",
                       .repeatTimes = {{1, 2, 3, 4}, {5, 6, 7, 8}}};
    }

    // What a person may have made of it: any texts, moments, times beyond the trace, rows that are not there.
    Annotations annotations() {
        const char* texts[] = {"", "why?", "a \"b\", \xE2\x82\xAC\nnext line", "<0x00>", ",;"};
        const char* keys[] = {"device 0", "device 0/stream 1.7", "thread main/calls", "gone", "\xC3\xBC"};
        Annotations made;
        for (int64_t i = number(0, 6); i > 0; --i)
            made.notes.push_back({randomRange(50), texts[number(0, 4)]});
        if (flip()) made.notes.push_back({{-number(1, 99), m_shape.spanNs * 3}, "around all"});
        for (const char* key : keys) {
            if (flip()) made.rows.hidden.insert(key);
            if (flip()) made.rows.folded.insert(key);
            if (flip()) made.rows.pinned.insert(made.rows.pinned.begin(), key);
            if (flip()) made.rows.order.insert(flip() ? made.rows.order.begin() : made.rows.order.end(), key);
            if (flip()) made.rows.laneHeights[key] = static_cast<int>(number(kLowestLane, kHighestLane));
        }
        return made;
    }

    int64_t number(int64_t from, int64_t to) { return std::uniform_int_distribution<int64_t>(from, to)(m_random); }
    bool flip() { return number(0, 1) == 1; }
    TimeRange randomRange(int64_t longest) {
        const int64_t start = number(0, m_shape.spanNs);
        return {start, start + (number(0, 9) == 0 ? 0 : number(0, longest))};
    }

private:
    // In some of the kernels, which they do not quite fill.
    void addStages(TraceBuilder& builder) {
        const TracePtr trace = builder.snapshot();
        const auto upTo = [&](int most) { return std::uniform_int_distribution<int>(0, most)(m_randomOfStages); };
        for (; m_opsWithStages < trace->deviceOps().startNs.size(); ++m_opsWithStages) {
            const DeviceOpRow op = rowAt(trace->deviceOps(), m_opsWithStages);
            if (op.kind != DeviceOpKind::Kernel || op.correlationId % 3 != 0) continue;
            for (int64_t at = op.startNs; at < op.endNs - 1; at += 4)
                builder.add(StageRow{.startNs = at,
                                     .endNs = std::min(at + 3, op.endNs),
                                     .name = builder.intern("stage " + std::to_string(upTo(3))),
                                     .track = op.track,
                                     .correlationId = op.correlationId,
                                     .category = static_cast<Category>(upTo(kCategoryCount - 1)),
                                     .op = builder.internOp({.name = builder.intern("stage_role"),
                                                             .shapes = builder.intern(""),
                                                             .dtype = builder.intern("bf16"),
                                                             .layer = upTo(4) - 1}),
                                     .token = op.token,
                                     .repeat = op.repeat});
        }
    }
    uint64_t process() {
        const uint64_t machine = m_shape.manyPlaces && flip() ? uint64_t{0x1203} << 48 : 0;
        return machine | makeGlobalTid(flip() ? 100 : 200, 0);
    }
    uint32_t device() {
        if (m_shape.manyPlaces && flip()) return 100;
        return static_cast<uint32_t>(number(0, 2));
    }
    uint64_t thread() { return process() | static_cast<uint64_t>(100 + number(0, 1)); }

    std::mt19937 m_random;
    size_t m_opsWithStages = 0;
    std::mt19937 m_randomOfStages{7};
    int64_t m_counterNs = 0;  // of one counter times never decrease
    RandomTraceShape m_shape;
};

}  // namespace gapscope
