// What was asked of an own run and what came of it. Foreign traces have none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gapscope {

struct RunInfo {
    std::string modelName;
    std::string modelPath;
    std::string device;      // "cpu", "cuda:0"
    std::string deviceName;  // "AMD EPYC ..., avx512, 2 threads"
    std::string precision;   // "file", "fp32", ...
    std::string mode;        // "eager", "fused", "graph", ...
    std::string traceLevel;  // "off", "graph", "full"
    std::string prompt;      // text as given, before any chat template
    bool chat = false;
    bool textIsNoise = false;  // random weights: the text means nothing
    std::vector<int32_t> promptTokens;
    int64_t maxNewTokens = 0;
    int64_t contextLength = 0;
    int64_t threads = 0;
    int64_t warmup = 0;
    int64_t repeats = 1;
    double temperature = 0;
    int64_t topK = 0;
    double topP = 1;
    uint64_t seed = 0;
    std::string speculation;         // "ngram", a draft model's name; empty or "off": plain decoding
    int64_t draftTokens = 0;         // most of a step; 0 without speculation
    int64_t reusedPromptTokens = 0;  // of the last repeat, whose keys and values the cache held already
    int64_t sequences = 0;           // prompts of a batch, which are the lines of `prompt`; 0: one prompt alone
    int64_t batch = 0;               // most sequences in a step; 0 without a batch
    int64_t kvPages = 0;             // of the batch's paged cache, most in use at once in the last repeat
    int64_t weightBytes = 0;         // read for one token, in the layout used
    int64_t kvBytes = 0;
    double loadSeconds = 0;
    std::string stopReason;  // "length", "end token", "cancelled", "failed: ..."; empty while running

    struct Repeat {  // host clock, true also with tracing off
        int64_t prefillNs = 0;
        int64_t timeToFirstTokenNs = 0;
        int64_t decodeNs = 0;
        int64_t newTokens = 0;
        bool operator==(const Repeat&) const = default;
    };
    std::vector<Repeat> repeatTimes;  // without warm-ups

    bool operator==(const RunInfo&) const = default;
};

}  // namespace gapscope
