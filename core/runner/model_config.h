// The numbers of a Gemma 3 text model, from whichever file they came.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace gapscope {

struct ModelConfig {
    std::string name;  // "Gemma 3 270m"
    int64_t hidden = 0;
    int64_t layers = 0;
    int64_t heads = 0;
    int64_t kvHeads = 0;
    int64_t headDim = 0;
    int64_t feedForward = 0;
    int64_t vocabulary = 0;
    int64_t contextLength = 0;   // most positions the model was made for
    int64_t slidingWindow = 0;   // keys a local layer sees, the current one included
    std::vector<bool> isGlobal;  // per layer: sees all keys (true) or the window
    double ropeThetaGlobal = 1e6;
    double ropeThetaLocal = 1e4;
    double ropeScaleGlobal = 1;  // positions of global layers are divided by this (linear rope scaling)
    double attentionScale = 0;   // 1 / sqrt(query_pre_attn_scalar)
    double embeddingScale = 0;   // sqrt(hidden), exact
    double rmsEpsilon = 1e-6;
    std::vector<int32_t> endTokens;  // generation stops on any of them
    int32_t bosToken = 2;
    bool addBos = true;
    std::string chatTemplate;  // as found in the file; empty: a base model
};

// Whether the numbers can belong to a model at all: positive, within bounds that keep every product of them small, heads
// that divide, one entry a layer. `file` stands in the error.
Status checkConfig(const ModelConfig& config, const std::string& file);

// Every `period`-th layer sees all keys; 0: every layer does.
std::vector<bool> globalLayers(int64_t layers, int64_t period);

}  // namespace gapscope
