// Logits to a token: greedy, or temperature, top-k and top-p with a seed. The same seed gives the same tokens.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "core/runner/generate.h"

namespace gapscope {

class Sampler {
public:
    explicit Sampler(const SamplingSettings& settings) : m_settings(settings), m_random(settings.seed) {}

    bool greedy() const { return m_settings.temperature <= 0 || m_settings.topK == 1; }

    // In the order of Hugging Face's warpers: temperature, then the k largest, then the smallest set of the most
    // likely tokens whose probability reaches topP. NaN is never chosen; ties go to the lower id.
    int32_t sample(std::span<const float> logits);

private:
    struct Candidate {
        float logit;
        int32_t id;
    };

    SamplingSettings m_settings;
    std::mt19937_64 m_random;
    std::vector<Candidate> m_candidates;  // kept between tokens so that 262144 entries are not allocated for each
};

int32_t greedyToken(std::span<const float> logits);

// The `count` largest logits, largest first, and log(sum(exp(logit))) over all of them, summed in double.
TopLogits topLogits(std::span<const float> logits, int64_t count);

}  // namespace gapscope
