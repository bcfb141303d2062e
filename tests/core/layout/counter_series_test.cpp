// Plots of counters against sums made the slow way, and that a frame costs its pixels.
#include "core/layout/counter_series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace gapscope {
namespace {

struct Sample {
    int64_t timeNs;
    double value;
};

// Looks at every sample and every nanosecond that one value holds.
CounterColumn slowly(const std::vector<Sample>& samples, TimeRange range) {
    CounterColumn column;
    double sum = 0;
    int64_t heldNs = 0;
    double latest = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
        const bool isLast = i + 1 == samples.size();
        const int64_t fromNs = samples[i].timeNs;
        const int64_t toNs = isLast ? fromNs : samples[i + 1].timeNs;
        // Taken inside the range, or held at its start.
        const bool counts = range.contains(fromNs) ||
                            (fromNs < range.startNs && (range.startNs < toNs || (isLast && range.startNs == toNs)));
        if (!counts) continue;
        if (!column.known) column = {true, samples[i].value, samples[i].value, 0};
        column.least = std::min(column.least, samples[i].value);
        column.greatest = std::max(column.greatest, samples[i].value);
        const int64_t ns = std::min(toNs, range.endNs) - std::max(fromNs, range.startNs);
        sum += samples[i].value * static_cast<double>(std::max<int64_t>(0, ns));
        heldNs += std::max<int64_t>(0, ns);
        latest = samples[i].value;
    }
    column.mean = heldNs > 0 ? sum / static_cast<double>(heldNs) : latest;
    return column;
}

void expectSame(const CounterColumn& expected, const CounterColumn& actual) {
    ASSERT_EQ(expected.known, actual.known);
    if (!expected.known) return;
    EXPECT_EQ(expected.least, actual.least);
    EXPECT_EQ(expected.greatest, actual.greatest);
    EXPECT_NEAR(expected.mean, actual.mean, 1e-6 * (1 + std::abs(expected.mean)));
}

TEST(CounterSeries, AnswersAsLookingAtEverySampleDoes) {
    for (uint32_t seed = 0; seed < 30; ++seed) {
        std::mt19937 random(seed);
        const auto number = [&](int64_t from, int64_t to) {
            return std::uniform_int_distribution<int64_t>(from, to)(random);
        };
        CounterSeries series;
        std::vector<Sample> samples;
        int64_t timeNs = number(-50, 50);
        const int64_t count = seed < 10 ? number(0, 5) : number(0, 9000);  // through three levels of blocks
        for (int64_t i = 0; i < count; ++i) {
            timeNs += number(0, 3);  // several at one time, too
            samples.push_back({timeNs, static_cast<double>(number(-20, 1000))});
            series.add(timeNs, samples.back().value, static_cast<uint32_t>(i));
        }
        ASSERT_EQ(series.size(), samples.size());
        for (int question = 0; question < 200; ++question) {
            const int64_t startNs = number(-100, timeNs + 50);
            const TimeRange range{startNs, startNs + number(1, question % 2 == 0 ? 20 : timeNs + 200)};
            SCOPED_TRACE(std::to_string(seed) + ": " + std::to_string(range.startNs) + ".." +
                         std::to_string(range.endNs));
            expectSame(slowly(samples, range), series.over(range));
            const auto at = series.sampleAt(range.startNs);
            ASSERT_EQ(at.has_value(), !samples.empty() && range.startNs >= samples.front().timeNs &&
                                          range.startNs <= samples.back().timeNs);
            if (!at) continue;
            EXPECT_LE(samples[*at].timeNs, range.startNs);
            if (*at + 1 < samples.size()) {
                EXPECT_GT(samples[*at + 1].timeNs, range.startNs);
            }
        }
    }
}

// What one column's edge knows is not asked again for the next: sparse ones, dense ones and what is in between.
TEST(CounterSeries, ColumnsSideBySideAnswerAsEachForItself) {
    for (uint32_t seed = 0; seed < 12; ++seed) {
        std::mt19937 random(seed);
        CounterSeries series;
        std::vector<Sample> samples;
        int64_t timeNs = 0;
        for (uint32_t i = 0; i < 12'000; ++i) {
            timeNs += static_cast<int64_t>(random() % (i / 3000 % 2 == 0 ? 3 : 60));
            samples.push_back({timeNs, static_cast<double>(random() % 5000) - 1000});
            series.add(timeNs, samples.back().value, i);
        }
        for (const double width : {1.0, 7.0, 40.0, 333.0, 2000.0}) {
            const TimeScale scale{{static_cast<int64_t>(random() % 900) - 500, timeNs + 200}, width};
            const std::vector<CounterColumn> columns = counterColumns(series, scale);
            ASSERT_EQ(columns.size(), static_cast<size_t>(width));
            for (size_t x = 0; x<columns.size(); x += columns.size()> 100 ? 7 : 1) {
                SCOPED_TRACE(std::to_string(seed) + ", " + std::to_string(width) + " px: " + std::to_string(x));
                const int64_t fromNs = scale.timeAt(static_cast<double>(x));
                expectSame(slowly(samples, {fromNs, scale.timeAt(static_cast<double>(x + 1))}), columns[x]);
            }
        }
    }
}

TEST(CounterSeries, ColumnsCoverThePixelsAndNothingBesideTheSamples) {
    CounterSeries series;
    series.add(1000, 5, 0);
    series.add(2000, 9, 1);
    series.add(3000, 9, 2);
    const std::vector<CounterColumn> columns = counterColumns(series, {{0, 4000}, 40});
    ASSERT_EQ(columns.size(), 40u);
    for (size_t x = 0; x < 40; ++x)
        EXPECT_EQ(columns[x].known, x >= 10 && x <= 30) << x;
    EXPECT_EQ(columns[10].mean, 5);
    EXPECT_EQ(columns[19].greatest, 5);
    EXPECT_EQ(columns[20].mean, 9);
    // One column over the step sees both values and their mean by time.
    const CounterColumn step = counterColumns(series, {{1500, 2500}, 1})[0];
    EXPECT_EQ(step.least, 5);
    EXPECT_EQ(step.greatest, 9);
    EXPECT_EQ(step.mean, 7);
    EXPECT_TRUE(counterColumns(CounterSeries(), {{0, 10}, 3})[0].known == false);
}

TEST(CounterSeries, HugeValuesAndTimesStayWithinWhatWasMeasured) {
    CounterSeries series;
    for (int i = 0; i < 300; ++i)
        series.add(int64_t{i} << 50, i % 2 == 0 ? 1e300 : -1e300, 0);
    const CounterColumn column = series.over({int64_t{1} << 51, int64_t{200} << 50});
    EXPECT_GE(column.mean, column.least);
    EXPECT_LE(column.mean, column.greatest);
}

TEST(CounterSeries, TheScaleEndsAtARoundNumber) {
    const auto topOf = [](double greatest) {
        CounterSeries series;
        series.add(0, greatest, 0);
        return counterTop(series);
    };
    EXPECT_DOUBLE_EQ(topOf(2.612e9), 5e9);
    EXPECT_DOUBLE_EQ(topOf(2.4e9), 2.5e9);
    EXPECT_DOUBLE_EQ(topOf(1.98e9), 2e9);
    EXPECT_DOUBLE_EQ(topOf(700), 1000);
    EXPECT_DOUBLE_EQ(topOf(1000), 1000);
    EXPECT_EQ(topOf(0), 1);
    EXPECT_EQ(topOf(-3), 1);
    EXPECT_EQ(counterTop(CounterSeries()), 1);
}

}  // namespace
}  // namespace gapscope
