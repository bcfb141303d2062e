#include "core/runner/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gapscope {

namespace {

// Largest first; NaN last; ties by id so that the result does not depend on the sort.
bool before(float a, int32_t aId, float b, int32_t bId) {
    const bool aNan = std::isnan(a);
    const bool bNan = std::isnan(b);
    if (aNan || bNan) return aNan == bNan ? aId < bId : bNan;
    return a != b ? a > b : aId < bId;
}

// Uniform in [0, 1). std::uniform_real_distribution may differ between libraries; this cannot.
double uniform(std::mt19937_64& random) {
    return static_cast<double>(random() >> 11) * 0x1p-53;
}

}  // namespace

int32_t greedyToken(std::span<const float> logits) {
    int32_t best = 0;
    float bestLogit = -std::numeric_limits<float>::infinity();
    for (size_t i = 0; i < logits.size(); ++i) {
        if (logits[i] > bestLogit) {
            bestLogit = logits[i];
            best = static_cast<int32_t>(i);
        }
    }
    return best;
}

int32_t Sampler::sample(std::span<const float> logits) {
    if (greedy()) return greedyToken(logits);
    m_candidates.resize(logits.size());
    for (size_t i = 0; i < logits.size(); ++i)
        m_candidates[i] = {logits[i], static_cast<int32_t>(i)};
    const auto order = [](const Candidate& a, const Candidate& b) { return before(a.logit, a.id, b.logit, b.id); };

    size_t count = m_candidates.size();
    if (m_settings.topK > 0) count = std::min(count, static_cast<size_t>(m_settings.topK));
    std::partial_sort(m_candidates.begin(),
                      m_candidates.begin() + static_cast<std::ptrdiff_t>(std::min(count, size_t{1})),
                      m_candidates.end(), order);
    const double largest = m_candidates.front().logit;
    if (std::isnan(largest) || std::isinf(largest)) return m_candidates.front().id;
    const auto weight = [&](const Candidate& candidate) {
        const double value = std::exp((candidate.logit - largest) / m_settings.temperature);
        return std::isnan(value) ? 0.0 : value;
    };

    // Top-p needs the tokens in order only until their sum reaches it, which is soon for most distributions: sort a
    // few, and four times as many if that was not enough.
    const bool cutByK = count < m_candidates.size();
    double total = 0;
    if (cutByK) {
        std::partial_sort(m_candidates.begin(), m_candidates.begin() + static_cast<std::ptrdiff_t>(count),
                          m_candidates.end(), order);
        for (size_t i = 0; i < count; ++i)
            total += weight(m_candidates[i]);
    } else {
        for (const Candidate& candidate : m_candidates)
            total += weight(candidate);
    }
    const double wanted = std::clamp(m_settings.topP, 0.0, 1.0) * total;
    const double draw = uniform(m_random);
    if (m_settings.topP < 1) {
        size_t sorted = cutByK ? count : 0;
        double sum = 0;
        size_t kept = 0;
        while (kept < count && (kept == 0 || sum < wanted)) {
            if (kept == sorted) {
                const size_t next = std::min(count, std::max<size_t>(sorted * 4, 256));
                std::partial_sort(m_candidates.begin() + static_cast<std::ptrdiff_t>(sorted),
                                  m_candidates.begin() + static_cast<std::ptrdiff_t>(next), m_candidates.end(), order);
                sorted = next;
            }
            sum += weight(m_candidates[kept++]);
        }
        count = kept;
        total = sum;
    }
    double left = draw * total;
    for (size_t i = 0; i < count; ++i) {
        left -= weight(m_candidates[i]);
        if (left < 0) return m_candidates[i].id;
    }
    return m_candidates.front().id;  // only rounding brings us here: the most likely one
}

TopLogits topLogits(std::span<const float> logits, int64_t count) {
    TopLogits result;
    if (logits.empty()) return result;
    std::vector<int32_t> ids(logits.size());
    for (size_t i = 0; i < ids.size(); ++i)
        ids[i] = static_cast<int32_t>(i);
    const size_t wanted = std::min(ids.size(), static_cast<size_t>(std::max<int64_t>(count, 1)));
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(wanted), ids.end(),
                      [&](int32_t a, int32_t b) {
                          return before(logits[static_cast<size_t>(a)], a, logits[static_cast<size_t>(b)], b);
                      });
    const double largest = logits[static_cast<size_t>(ids.front())];
    double sum = 0;
    for (const float logit : logits) {
        const double value = std::exp(static_cast<double>(logit) - largest);
        if (!std::isnan(value)) sum += value;
    }
    result.logSumExp = largest + std::log(sum);
    if (count > 0) {
        result.top.reserve(wanted);
        for (size_t i = 0; i < wanted; ++i)
            result.top.push_back({ids[i], logits[static_cast<size_t>(ids[i])]});
    }
    return result;
}

}  // namespace gapscope
