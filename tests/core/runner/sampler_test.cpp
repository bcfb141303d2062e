// The sampler: greedy, and that temperature, top-k and top-p draw what they say, the same with the same seed.
#include "core/runner/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

namespace gapscope {
namespace {

std::map<int32_t, int> draws(const SamplingSettings& settings, const std::vector<float>& logits, int count) {
    Sampler sampler(settings);
    std::map<int32_t, int> seen;
    for (int i = 0; i < count; ++i)
        ++seen[sampler.sample(logits)];
    return seen;
}

TEST(Sampler, GreedyTakesTheLargestAndTheLowerIdOfTies) {
    Sampler sampler({});
    EXPECT_TRUE(sampler.greedy());
    EXPECT_EQ(sampler.sample(std::vector<float>{1, 5, -2, 5}), 1);
    EXPECT_EQ(sampler.sample(std::vector<float>{std::nanf(""), -3, -2}), 2);
    EXPECT_EQ(sampler.sample(std::vector<float>{std::nanf("")}), 0);
}

TEST(Sampler, SameSeedSameTokens) {
    std::vector<float> logits(1000);
    for (size_t i = 0; i < logits.size(); ++i)
        logits[i] = static_cast<float>(std::sin(static_cast<double>(i)));
    SamplingSettings settings{1.0, 0, 1.0, 7};
    Sampler a(settings), b(settings);
    settings.seed = 8;
    Sampler other(settings);
    int differs = 0;
    for (int i = 0; i < 50; ++i) {
        const int32_t id = a.sample(logits);
        EXPECT_EQ(id, b.sample(logits));
        differs += id != other.sample(logits) ? 1 : 0;
    }
    EXPECT_GT(differs, 40);
}

TEST(Sampler, FrequenciesFollowTheTemperature) {
    // Odds of 3 to 1 at temperature 1 are 9 to 1 at one half.
    const std::vector<float> logits = {0.0F, std::log(3.0F)};
    const auto plain = draws({1.0, 0, 1.0, 1}, logits, 20000);
    EXPECT_NEAR(plain.at(1) / 20000.0, 0.75, 0.015);
    const auto cold = draws({0.5, 0, 1.0, 1}, logits, 20000);
    EXPECT_NEAR(cold.at(1) / 20000.0, 0.9, 0.015);
}

TEST(Sampler, TopKKeepsTheKLargest) {
    const auto seen = draws({2.0, 2, 1.0, 3}, {0.1F, 3.0F, 2.5F, 1.0F}, 2000);
    EXPECT_EQ(seen.size(), 2U);
    EXPECT_TRUE(seen.contains(1) && seen.contains(2));
}

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesIt) {
    const std::vector<float> logits = {std::log(0.5F), std::log(0.3F), std::log(0.15F), std::log(0.05F)};
    const auto seen = draws({1.0, 0, 0.79, 5}, logits, 20000);
    EXPECT_EQ(seen.size(), 2U);
    EXPECT_NEAR(seen.at(0) / 20000.0, 0.5 / 0.8, 0.015);
    EXPECT_EQ(draws({1.0, 0, 0.81, 5}, logits, 20000).size(), 3U);
    EXPECT_EQ(draws({1.0, 0, 1e-9, 5}, logits, 100).size(), 1U);
}

TEST(Sampler, TopPOverManyTokensSortsEnoughOfThem) {
    // 500 equal tokens: nine tenths of them must be kept, more than the first few that are sorted.
    const std::vector<float> logits(500, 1.0F);
    const auto seen = draws({1.0, 0, 0.9, 11}, logits, 8000);
    EXPECT_EQ(seen.size(), 450U);
    EXPECT_LT(seen.rbegin()->first, 450);
}

TEST(Sampler, OddLogitsChooseSomethingInRange) {
    const float infinity = std::numeric_limits<float>::infinity();
    EXPECT_EQ(draws({1.0, 0, 1.0, 1}, {-infinity, 0.0F, std::nanf("")}, 100).size(), 1U);
    EXPECT_EQ(draws({1.0, 5, 0.5, 1}, {infinity, 0.0F}, 100).begin()->first, 0);
}

TEST(TopLogits, SortedWithLogSumExpInDouble) {
    const TopLogits top = topLogits(std::vector<float>{1, 3, 2, 3}, 3);
    ASSERT_EQ(top.top.size(), 3U);
    EXPECT_EQ(top.top[0].id, 1);
    EXPECT_EQ(top.top[1].id, 3);
    EXPECT_EQ(top.top[2].id, 2);
    EXPECT_NEAR(top.logSumExp, std::log(std::exp(1.0) + 2 * std::exp(3.0) + std::exp(2.0)), 1e-12);
    EXPECT_EQ(topLogits(std::vector<float>{1, 2}, 10).top.size(), 2U);
}

}  // namespace
}  // namespace gapscope
