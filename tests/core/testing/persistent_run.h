// A run in mode persistent as a card records it: one kernel a token with its stages inside, of a model whose widths are
// those of Gemma 3 1B. Stages take what they take on an H100 (kernels/cuda/README.md), each layer a little more or
// less.
#pragma once

#include <string>

#include "core/trace/trace_builder.h"

namespace gapscope {

struct PersistentRun {
    int layers = 4;
    int tokens = 6;
    bool stages = true;
    int withoutStages = 0;      // of the last tokens' kernels: their stages were lost
    double bytesPerWeight = 2;  // of the layers
    const char* dtype = "bf16";
    double peakBytesPerSecond = 3e12;
};

inline void addPersistentRun(TraceBuilder& builder, const PersistentRun& of = {}) {
    constexpr uint64_t kHost = makeGlobalTid(100, 101);
    constexpr int64_t kHidden = 1152, kInner = 6912, kHeadRows = 262144;
    const TrackId track =
        builder.internTrack({.globalPid = globalPidOf(kHost), .deviceId = 0, .contextId = 1, .streamId = 7});
    builder.setDevice({.id = 0,
                       .kind = DeviceKind::Cuda,
                       .name = "NVIDIA H100, sm_90",
                       .peakBytesPerSecond = of.peakBytesPerSecond,
                       .peakFlopsPerSecond = 6e14});
    builder.setThread(kHost, "main");
    struct Stage {
        const char* name;
        Category category;
        int64_t ns;
        int64_t rows, columns;  // of a product's weights and of its input's
    };
    constexpr Stage kOfLayer[] = {{"qkv_proj: input", Category::Norm, 2900, 1536, kHidden},
                                  {"qkv_proj", Category::Gemm, 1500, 1536, kHidden},
                                  {"attention", Category::Attention, 3000, 0, 0},
                                  {"o_proj: input", Category::Attention, 1900, kHidden, 1024},
                                  {"o_proj", Category::Gemm, 1100, kHidden, 1024},
                                  {"gate_up_gelu: input", Category::Norm, 2600, 2 * kInner, kHidden},
                                  {"gate_up_gelu", Category::Gemm, 3900, 2 * kInner, kHidden},
                                  {"down_proj: input", Category::Communication, 3200, kHidden, kInner},
                                  {"down_proj", Category::Gemm, 3300, kHidden, kInner}};
    const auto shapesOf = [](const Stage& stage) {
        return "[1," + std::to_string(stage.columns) + "] x [" + std::to_string(stage.rows) + "," +
               std::to_string(stage.columns) + "]";
    };
    int64_t weightBytes = 0, flops = 0;
    for (const Stage& stage : kOfLayer)
        if (stage.category == Category::Gemm) {
            weightBytes +=
                of.layers * static_cast<int64_t>(static_cast<double>(stage.rows * stage.columns) * of.bytesPerWeight);
            flops += of.layers * 2 * stage.rows * stage.columns;
        }
    constexpr int64_t kHeadBytes = kHeadRows * kHidden * 11 / 16;  // 5.5 bits a weight: by its bounds
    weightBytes += kHeadBytes;
    flops += 2 * kHeadRows * kHidden;
    const OpId decode = builder.internOp({.name = builder.intern("decode"),
                                          .shapes = builder.intern("[1]"),
                                          .dtype = builder.intern(of.dtype),
                                          .bytes = weightBytes,
                                          .flops = flops});
    int64_t now = 1'000'000;
    const int64_t beginNs = now;
    uint32_t correlation = 1;
    const auto launch = [&](const char* kernel, OpId op, int64_t ns, int32_t token) {
        builder.add(ApiCallRow{.startNs = now - 9'000,
                               .endNs = now - 4'000,
                               .name = builder.intern("cudaLaunchCooperativeKernel"),
                               .globalTid = kHost,
                               .correlationId = correlation});
        builder.add(ApiCallRow{.startNs = now - 4'000,
                               .endNs = now + ns + 2'000,
                               .name = builder.intern("cudaStreamSynchronize"),
                               .globalTid = kHost});
        builder.add(DeviceOpRow{.startNs = now,
                                .endNs = now + ns,
                                .name = builder.intern(kernel),
                                .track = track,
                                .category = Category::Gemm,
                                .correlationId = correlation++,
                                .op = op,
                                .token = token});
    };
    launch("gemm_prefill", {}, 300'000, kPrefillToken);
    now += 310'000;
    for (int token = 0; token < of.tokens; ++token) {
        const int64_t startNs = now;
        const uint32_t id = correlation;
        const bool tells = of.stages && token < of.tokens - of.withoutStages;
        const auto stage = [&](const Stage& what, int layer, int64_t ns, int64_t bytes, const char* dtype) {
            if (tells)
                builder.add(StageRow{
                    .startNs = now,
                    .endNs = now + ns,
                    .name = builder.intern(what.name),
                    .track = track,
                    .correlationId = id,
                    .category = what.category,
                    .op = builder.internOp({.name = builder.intern(what.name),
                                            .shapes = builder.intern(what.rows > 0 ? shapesOf(what) : std::string()),
                                            .dtype = builder.intern(dtype),
                                            .layer = layer,
                                            .bytes = bytes}),
                    .token = token});
            now += ns;
        };
        stage({"embed_tokens", Category::Embedding, 0, 0, 0}, -1, 900, 0, "bf16");
        for (int layer = 0; layer < of.layers; ++layer)
            for (const Stage& what : kOfLayer) {
                const int64_t jitter = (layer * 7 + token * 3) % 5 - 2;  // per cent; the mean of five is none
                const int64_t bytes =
                    what.category == Category::Gemm
                        ? static_cast<int64_t>(static_cast<double>(what.rows * what.columns) * of.bytesPerWeight)
                        : 0;
                stage(what, layer, what.ns + what.ns * jitter / 100, bytes, of.dtype);
            }
        constexpr const char* kHeadType = "bf16, upper 5 bits";
        stage({"lm_head: input", Category::Norm, 0, kHeadRows, kHidden}, -1, 5'800, 0, kHeadType);
        stage({"lm_head", Category::Gemm, 0, kHeadRows, kHidden}, -1, 69'200, kHeadBytes, kHeadType);
        stage({"next_token", Category::Sampling, 0, 0, 0}, -1, 1'100, 0, "f32");
        const int64_t endNs = now;
        now = startNs;
        launch("persistent_decode_bf16", decode, endNs - startNs, token);
        now = endNs;
        builder.add(TokenRow{
            .emittedNs = now, .index = token, .id = 1000 + token, .text = builder.intern(token == 0 ? " upon" : " a")});
        builder.add(RangeRow{.startNs = startNs - 10'000,
                             .endNs = now,
                             .name = builder.intern("decode " + std::to_string(token)),
                             .globalTid = kHost});
        now += 12'000;
    }
    builder.add(RangeRow{
        .startNs = beginNs - 10'000, .endNs = now, .name = builder.intern("model_inference"), .globalTid = kHost});
    RunInfo run{.modelName = "Gemma 3 1B",
                .device = "cuda:0",
                .deviceName = "NVIDIA H100",
                .precision = "bf16",
                .mode = "persistent",
                .traceLevel = "full",
                .prompt = "Once"};
    run.stopReason = "length";
    run.maxNewTokens = of.tokens;
    run.weightBytes = weightBytes;
    run.repeatTimes = {{.prefillNs = 300'000,
                        .timeToFirstTokenNs = 320'000,
                        .decodeNs = now - beginNs - 320'000,
                        .newTokens = of.tokens}};
    builder.setRun(std::move(run));
}

inline TracePtr persistentTrace(const PersistentRun& of = {}) {
    TraceBuilder builder;
    addPersistentRun(builder, of);
    return builder.snapshot();
}

}  // namespace gapscope
