// A small run as the runner would record it: a prompt and `tokens` tokens, each of a gemm, a norm and a gap between.
#pragma once

#include <string>

#include "core/trace/trace_builder.h"

namespace gapscope {

inline void addSampleRun(TraceBuilder& builder, int tokens) {
    constexpr uint32_t kProcess = 100;
    const uint64_t thread = makeGlobalTid(kProcess, 101);
    const TrackId track = builder.internTrack({.globalPid = globalPidOf(thread), .deviceId = 0, .streamId = 7});
    builder.setDevice({.id = 0, .kind = DeviceKind::Cpu, .name = "test device"});
    builder.setThread(thread, "main");
    RunInfo run;
    run.modelName = "sample";
    run.device = "cpu";
    run.mode = "eager";
    run.prompt = "Once";
    run.stopReason = "length";
    run.maxNewTokens = tokens;
    int64_t now = 1'000'000;
    uint32_t correlation = 1;
    const int64_t begin = now;
    const auto launch = [&](const char* name, Category category, int64_t durationNs, int token) {
        builder.add(ApiCallRow{.startNs = now,
                               .endNs = now + 5'000,
                               .name = builder.intern("cpuLaunchKernel"),
                               .globalTid = thread,
                               .correlationId = correlation});
        now += 10'000;
        builder.add(DeviceOpRow{.startNs = now,
                                .endNs = now + durationNs,
                                .name = builder.intern(name),
                                .track = track,
                                .category = category,
                                .correlationId = correlation++,
                                .token = token});
        now += durationNs;
    };
    launch("prompt_gemm", Category::Gemm, 400'000, -1);
    for (int token = 0; token < tokens; ++token) {
        const int64_t stepBegin = now;
        launch("decode_gemm", Category::Gemm, 60'000, token);
        launch("rms_norm", Category::Norm, 30'000, token);
        builder.add(TokenRow{
            .emittedNs = now, .index = token, .id = 1000 + token, .text = builder.intern(token == 0 ? " upon" : " a")});
        builder.add(RangeRow{.startNs = stepBegin,
                             .endNs = now,
                             .name = builder.intern("decode " + std::to_string(token)),
                             .globalTid = thread});
    }
    builder.add(
        RangeRow{.startNs = begin, .endNs = now, .name = builder.intern("model_inference"), .globalTid = thread});
    run.repeatTimes = {
        {.prefillNs = 410'000, .timeToFirstTokenNs = 510'000, .decodeNs = now - begin - 510'000, .newTokens = tokens}};
    builder.setRun(run);
}

inline TracePtr sampleTrace(int tokens = 4) {
    TraceBuilder builder;
    addSampleRun(builder, tokens);
    return builder.snapshot();
}

}  // namespace gapscope
