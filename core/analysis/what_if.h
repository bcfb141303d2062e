// What a remedy would bring: the window is replayed (replay.h) with the remedy's change of costs, and the new time of a
// token is read off. Own runs of the other mode check it: tests/bench/prediction_check.py.
//
//   graph        One launch for what lies between two waits of the host: the first call stays, with kGraphNodeShare
//                of a launch call for each operation, kMostGraphNodesNs at most; the other calls and the host's work
//                between them go. Inside, operations follow each other after the pause that this window shows between
//                operations launched in time. Where kernels of this program overlap in graphs (programmatic dependent
//                launch), each begins earlier by what the shortest kernel takes (kOverlapKernels).
//   fused        Small operations (elementwise, norm, rope, quantize, reduction, copying kernels) between two others
//                become part of the next one, with their launches: of each such run there remains the usual time
//                (the median of its role) of its longest operation, without a kernel's fixed cost (the shortest kernel
//                of the window), or its largest traffic at peak bandwidth, if that is longer. Matrices that take the
//                same input (q, k, v; gate, up) become one product, at the highest rate that one of them reached.
//   int8, int4   Products with known weights move 8.5 or 4.5 bits a weight (blocks of 32 with a 16-bit scale) at the
//                rate they reached, not below the time of their arithmetic at its peak. Of mode persistent's one
//                kernel, what its stages allow to say (what_if_stages.h).
//   perfect      Each operation takes max(bytes / peak bandwidth, flops / peak arithmetic).
//   speculative  A step checks k drafted tokens and its own: with independent acceptance a it yields
//                (1 - a^(k+1)) / (1 - a) tokens (Leviathan et al. 2023), and drafting is free (n-grams). A token more
//                in a step costs what it does in the trace's prompt processing, at least the arithmetic at its peak.
//                This program checks drafts by kernels of their own, whose costs were measured: on the CPU products
//                of up to kFewTokens tokens take kFewTokensCpu, on a GPU passes what GpuPass says of the weights.
//   batch        A step takes the next token of n prompts by the same kernels: a pass of n tokens, of which each gives
//                one. On the CPU attention takes n times as long, since each prompt has keys of its own; on a GPU rows
//                of attention run beside each other as those of a prompt do.
#pragma once

#include <array>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/analysis/launches.h"
#include "core/analysis/phases.h"

namespace gapscope {

// What a node adds to a graph's launch call, as a share of a launch call of the same trace, and what all of them add at
// most; with every kernel recorded. Measured: 128 µs with 94 nodes and 127 with 134 on an H100, where one launch call
// took 5.4, 187 with 134 on an H200, where it took 3.9 (kernels/cuda/README.md). The CPU's graphs add nothing.
inline constexpr double kGraphNodeShare = 0.37;
inline constexpr double kMostGraphNodesNs = 150'000;
// How much a graph's kernels overlap: about what a kernel takes that does nothing. Measured on an H100
// (kernels/cuda/README.md): 0.8 and 1.3 µs, where the shortest kernel takes 0.93.
inline constexpr int64_t kOverlapKernels = 1;
// A product of two to kFewTokens tokens by that of one, on the CPU; with more, what the prompt shows begins there.
// Measured on a Xeon with AVX-512, 270M Q4_K_M (kernels/cpu/README.md).
inline constexpr double kFewTokensCpu = 1.05;
inline constexpr int kFewTokens = 8;
// A pass of two tokens by that of one on a GPU, and of each token more; the kernels that only such a pass has are in
// it. Measured on an H100, 1B as a graph, two to sixteen tokens (kernels/cuda/README.md, "Passes of several tokens").
struct GpuPass {
    double two = 1, more = 0;
};
inline constexpr GpuPass kBf16Pass{1.34, 0.115};
inline constexpr GpuPass kPackedPass{1.7, 0.2};  // block types as a GGUF file has them
inline constexpr GpuPass kInt8Pass{2.1, 0.7};
// Mode persistent checks drafts by a graph: how much longer a recorded graph's step is than the persistent kernel's.
inline constexpr double kGraphByPersistent = 1.45;
// Between nodes of a CUDA graph without overlap, where the window does not show it.
inline constexpr int64_t kAssumedNodePauseNs = 1'000;

// Every prediction that there is, by name, and what it is called where the device does not matter.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kWhatIfTitles = {
    {{"fused", "fused kernels"},
     {"fused+graph", "fused kernels in a graph"},
     {"graph", "one launch a token (graph)"},
     {"int8", "weights in 8 bits"},
     {"int4", "weights in 4 bits"},
     {"perfect", "perfect bandwidth"},
     {"speculative", "speculative decoding"},
     {"batch", "a batch of 8 prompts"}}};
// Prompts at once that a batch is predicted for; what stands beside other remedies is of kUsualBatch.
inline constexpr std::array<int, 4> kBatchSizes = {2, 4, 8, 16};
inline constexpr int kUsualBatch = 8;

struct WhatIfSettings {
    double acceptance = 0.7;  // 0..1, of a drafted token
    int draftTokens = 4;
};

// Of so many prompts decoded at once, without what processing each prompt takes.
struct BatchForecast {
    int sequences = 0;
    double nsPerStep = 0;  // mean; each sequence gets a token
    double medianNsPerStep = 0;
    double weightBytesPerToken = 0;  // 0: not told
    double tokensPerSecondEach() const { return nsPerStep > 0 ? 1e9 / nsPerStep : 0; }
    double tokensPerSecond() const { return sequences * tokensPerSecondEach(); }  // of all
};

// "8 prompts at once: 435 tokens/s in all, 54.4 each, 23.0 MB of weights a token."
std::string batchSentence(const BatchForecast& batch);

struct Prediction {
    std::string name;         // stable: those of kWhatIfTitles
    std::string title;        // "CUDA graph: no launch overhead"
    std::string description;  // what changes, one sentence
    std::vector<std::string> assumptions;
    std::string confidence;                // "high", "medium", "low", "bound" (nothing can be faster)
    std::string unavailable;               // why it cannot be told here, one sentence; empty: it was
    std::string mode;                      // run mode of this program that does it; empty: none
    int64_t predictedNs = 0;               // of the window
    double predictedNsPerToken = 0;        // mean; 0: no token lies in the window as a whole
    double predictedMedianNsPerToken = 0;  // less moved by a token that something disturbed
    double factor = 1;                     // how much faster: of a token, else of the window
    std::vector<BatchForecast> batches;    // of "batch": each of kBatchSizes
    double predictedTokensPerSecond() const { return predictedNsPerToken > 0 ? 1e9 / predictedNsPerToken : 0; }
};

struct WhatIf {
    int64_t recordedNs = 0;
    int64_t tokenCount = 0;  // after the first, as a whole in the window
    double recordedNsPerToken = 0;
    double recordedMedianNsPerToken = 0;
    std::vector<Prediction> predictions;

    // The largest gain among those that this program can run; null: none gains at least a twentieth.
    const Prediction* best() const;
    const Prediction* find(std::string_view name) const;
};
WhatIf whatIf(const Trace& trace, const LaunchJoin& join, TimeRange window, const WhatIfSettings& settings = {},
              std::stop_token stop = {});
WhatIf whatIf(const Trace& trace, TimeRange window, const WhatIfSettings& settings = {}, std::stop_token stop = {});

// The mean time of a token where it is known how many steps check drafts, how many drafts they have and how many of
// these are accepted: of a text that is known, or of the run that did it. 0: the window has no tokens.
double speculativeNsPerToken(const Trace& trace, const LaunchJoin& join, TimeRange window, const Drafts& drafts,
                             std::stop_token stop = {});

// Of the run of one prompt that was recorded. nsPerStep 0: it cannot be told.
BatchForecast batchForecast(const Trace& trace, const LaunchJoin& join, TimeRange window, int sequences,
                            std::stop_token stop = {});

}  // namespace gapscope
