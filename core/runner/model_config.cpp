// The checks that make a configuration safe to compute with.
#include "core/runner/model_config.h"

#include <cmath>

namespace gapscope {

Status checkConfig(const ModelConfig& config, const std::string& file) {
    struct Bound {
        const char* name;
        int64_t value;
        int64_t largest;
    };
    // note: the largest Gemma 3 (27B) has 62 layers, hidden 5376, feed-forward 21504, 262208 pieces.
    const Bound bounds[] = {
        {"hidden size", config.hidden, 1 << 17},         {"layer count", config.layers, 1 << 10},
        {"head count", config.heads, 1 << 10},           {"KV head count", config.kvHeads, 1 << 10},
        {"head size", config.headDim, 1 << 12},          {"feed-forward size", config.feedForward, 1 << 20},
        {"vocabulary size", config.vocabulary, 1 << 24}, {"context length", config.contextLength, int64_t{1} << 30},
    };
    for (const Bound& bound : bounds)
        if (bound.value < 1 || bound.value > bound.largest)
            return fail(file + ": the model's " + bound.name + " of " + std::to_string(bound.value) + " is impossible.",
                        ErrorKind::BadFile);
    if (config.heads % config.kvHeads != 0)
        return fail(file + ": " + std::to_string(config.heads) + " heads cannot share " +
                        std::to_string(config.kvHeads) + " KV heads.",
                    ErrorKind::BadFile);
    if (config.headDim % 2 != 0) return fail(file + ": the model's head size is odd.", ErrorKind::BadFile);
    if (config.slidingWindow < 0 || config.slidingWindow > int64_t{1} << 30)
        return fail(
            file + ": the model's sliding window of " + std::to_string(config.slidingWindow) + " is impossible.",
            ErrorKind::BadFile);
    if (static_cast<int64_t>(config.isGlobal.size()) != config.layers)
        return fail(file + ": the attention kinds of " + std::to_string(config.isGlobal.size()) +
                        " layers are given, of " + std::to_string(config.layers) + ".",
                    ErrorKind::BadFile);
    for (const bool isGlobal : config.isGlobal)
        if (!isGlobal && config.slidingWindow == 0)
            return fail(file + ": the model has sliding-window layers but no window.", ErrorKind::BadFile);
    for (const double number : {config.ropeThetaGlobal, config.ropeThetaLocal, config.ropeScaleGlobal,
                                config.attentionScale, config.embeddingScale, config.rmsEpsilon})
        if (!std::isfinite(number) || number <= 0)
            return fail(file + ": a rope base, scale or epsilon of the model is not a positive number.",
                        ErrorKind::BadFile);
    return {};
}

std::vector<bool> globalLayers(int64_t layers, int64_t period) {
    std::vector<bool> isGlobal(static_cast<size_t>(layers));
    for (int64_t layer = 0; layer < layers; ++layer)
        isGlobal[static_cast<size_t>(layer)] = period <= 0 || (layer + 1) % period == 0;
    return isGlobal;
}

}  // namespace gapscope
