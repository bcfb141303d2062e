// A run as an eager decode looks, made by hand: the host launches kernel after kernel, each takes a few microseconds,
// and the device waits for the next launch. For tests and pictures of the window.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "core/trace/trace_builder.h"

namespace gapscope {

struct SampleRun {
    static constexpr uint64_t kTid = makeGlobalTid(4100, 4101);
    static constexpr int64_t kLaunchNs = 4'000;  // of a launch call
    static constexpr int64_t kHostNs = 9'000;    // between two calls

    TraceBuilder builder;
    int64_t hostNs = 2'000'000;
    int64_t deviceFreeNs = 0;
    uint32_t correlation = 1;
    TrackId stream;
    std::mt19937 random{1};

    SampleRun() {
        builder.setDevice({.id = 0, .kind = DeviceKind::Cuda, .name = "NVIDIA H200"});
        builder.setThread(kTid, "generate");
        builder.setRun({.modelName = "Gemma 3", .device = "cuda:0", .mode = "eager", .traceLevel = "full"});
        stream = builder.internTrack({.globalPid = globalPidOf(kTid), .deviceId = 0, .contextId = 1, .streamId = 7});
    }

    void launch(const char* name, Category category, int64_t durationNs, int32_t layer, int32_t token) {
        const int64_t callNs = hostNs;
        builder.add(ApiCallRow{callNs, callNs + kLaunchNs, builder.intern("cudaLaunchKernel"), kTid, correlation});
        const int64_t startNs = std::max(callNs + kLaunchNs + 2'500, deviceFreeNs + 600);
        builder.add(DeviceOpRow{.startNs = startNs,
                                .endNs = startNs + durationNs,
                                .name = builder.intern(name),
                                .track = stream,
                                .category = category,
                                .correlationId = correlation,
                                .op = builder.internOp({.name = builder.intern("op"), .layer = layer}),
                                .token = token});
        ++correlation;
        deviceFreeNs = startNs + durationNs;
        hostNs = callNs + kLaunchNs + kHostNs + static_cast<int64_t>(random() % 6'000);
    }

    void step(int32_t token, int layers, int64_t scale) {
        const int64_t startNs = hostNs;
        for (int layer = 0; layer < layers; ++layer) {
            const int64_t layerNs = hostNs;
            launch("void at::native::vectorized_elementwise_kernel<4, at::native::pow_functor<float> >(int, float*)",
                   Category::Elementwise, 2'400 * scale, layer, token);
            launch("rms_norm_mean", Category::Norm, 3'100 * scale, layer, token);
            launch("void cutlass::gemm_kernel<128, 64, __nv_bfloat16>(Params)", Category::Gemm, 6'800 * scale, layer,
                   token);
            launch("rope_rotate_half", Category::Rope, 2'200 * scale, layer, token);
            launch("attention_decode", Category::Attention, 5'100 * scale, layer, token);
            launch("void cutlass::gemm_kernel<128, 64, __nv_bfloat16>(Params)", Category::Gemm, 7'400 * scale, layer,
                   token);
            launch("void at::native::elementwise_mul<float>(float*)", Category::Elementwise, 2'300 * scale, layer,
                   token);
            builder.add(RangeRow{layerNs, hostNs - 2'000, builder.intern("layer " + std::to_string(layer)), kTid});
        }
        launch("void cutlass::gemm_kernel<256, 128, __nv_bfloat16>(Params)", Category::Gemm, 61'000, -1, token);
        launch("argmax", Category::Sampling, 5'200, -1, token);
        const int64_t copyNs = deviceFreeNs + 900;
        builder.add(DeviceOpRow{.startNs = copyNs,
                                .endNs = copyNs + 1'300,
                                .name = builder.intern("Memcpy DtoH"),
                                .track = stream,
                                .kind = DeviceOpKind::Copy,
                                .category = Category::Copy,
                                .correlationId = correlation,
                                .token = token,
                                .copyBytes = 4});
        builder.add(ApiCallRow{hostNs, copyNs + 4'000, builder.intern("cudaMemcpy"), kTid, correlation++});
        deviceFreeNs = copyNs + 1'300;
        hostNs = copyNs + 25'000;
        const std::string name = token < 0 ? "prefill" : "decode " + std::to_string(token);
        builder.add(RangeRow{startNs - 1'000, hostNs - 5'000, builder.intern(name), kTid});
        if (token >= 0)
            builder.add(TokenRow{.emittedNs = hostNs - 6'000,
                                 .index = token,
                                 .id = 100 + token,
                                 .text = builder.intern(token % 3 == 0   ? " gap"
                                                        : token % 3 == 1 ? " in"
                                                                         : " time")});
    }

    // What a GPU run has beside: waits, the profiler's cost, a second stream whose kernels overlap, and NVML's counters
    // every millisecond: memory that grows in steps, a clock that falls, power that swings, limits that come and go.
    void addDeviceRows() {
        const int64_t endNs = hostNs;
        constexpr uint64_t kProfiler = makeGlobalTid(4100, 4177);
        const TrackId side =
            builder.internTrack({.globalPid = globalPidOf(kTid), .deviceId = 0, .contextId = 1, .streamId = 13});
        for (int64_t at = 2'000'000; at + 900'000 < endNs; at += 3'000'000) {
            builder.add(RangeRow{at, at + 240'000, builder.intern("wait for stream 7"), kTid, RangeKind::Wait});
            builder.add(OverheadRow{at + 300'000, at + 330'000, builder.intern("CUPTI buffer request"), kTid});
            builder.add(OverheadRow{at + 400'000, at + 900'000, builder.intern("CUPTI buffer flush"), kProfiler});
            for (int64_t i = 0; i < 4; ++i)  // each begins while the one before still runs
                builder.add(DeviceOpRow{.startNs = at + i * 60'000,
                                        .endNs = at + i * 60'000 + 90'000,
                                        .name = builder.intern("side_kernel"),
                                        .track = side,
                                        .category = Category::Attention});
        }
        const auto counter = [&](const char* name, CounterUnit unit) {
            return builder.internCounter({.name = builder.intern(name), .unit = unit, .deviceId = 0});
        };
        const CounterId memory = counter("memory used", CounterUnit::Bytes);
        const CounterId clock = counter("SM clock", CounterUnit::Hertz);
        const CounterId power = counter("power", CounterUnit::Watt);
        const CounterId temperature = counter("temperature", CounterUnit::Celsius);
        const CounterId limits = counter("clock limits", CounterUnit::ClockEventReasons);
        for (int64_t at = 0; at < endNs; at += 1'000'000) {
            const double share = static_cast<double>(at) / static_cast<double>(endNs);
            builder.add(CounterSampleRow{at, memory, share < 0.1 ? 6.1e8 : share < 0.5 ? 2.609e9 : 2.612e9});
            builder.add(CounterSampleRow{at, clock, share < 0.7 ? 1.98e9 : 1.755e9});
            builder.add(CounterSampleRow{at, power, 240 + static_cast<double>(random() % 120)});
            builder.add(CounterSampleRow{at, temperature, 38 + std::floor(9 * share)});
            builder.add(CounterSampleRow{at, limits, share < 0.1 ? 1. : share < 0.4 ? 0. : share < 0.7 ? 4. : 0x68});
        }
    }

    // A prefill and `tokens` decode steps of `layers` layers, seven kernels each.
    TracePtr whole(int tokens, int layers) {
        const int64_t startNs = hostNs;
        step(-1, layers, 4);
        for (int token = 0; token < tokens; ++token)
            step(token, layers, 1);
        builder.add(RangeRow{startNs - 3'000, hostNs, builder.intern("model_inference"), kTid});
        return builder.snapshot();
    }
};

}  // namespace gapscope
