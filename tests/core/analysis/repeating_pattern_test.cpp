// What repeats in sequences whose repetitions are known, random ones among them.
#include "core/analysis/repeating_pattern.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace gapscope {

namespace {

using Symbols = std::vector<uint32_t>;

struct Made {
    Symbols symbols;
    std::vector<int64_t> idle;
    std::vector<PatternUnit> units;
    std::vector<bool> another;  // a symbol that belongs nowhere comes after the unit
    std::vector<PatternUnit> inners;
    uint32_t innersPerUnit = 0;
    uint32_t symbolCount = 64;
};

// Something before, then `units` times a head, `inners` times one stretch, and a tail; something after. From one unit
// on there is a symbol more in the tail, and now and then one that belongs nowhere.
Made make(std::mt19937& random) {
    const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
    Made made;
    const auto randomSymbols = [&](uint32_t count, uint32_t from, uint32_t to) {
        Symbols symbols;
        for (uint32_t i = 0; i < count; ++i)
            symbols.push_back(from + below(to - from));
        return symbols;
    };
    // Some symbols are of layers alone, some of heads and tails alone, some of both.
    Symbols inner = randomSymbols(3 + below(15), 0, 30);
    inner.insert(inner.begin() + below(static_cast<uint32_t>(inner.size())), 60);
    const uint32_t least = 2 + static_cast<uint32_t>(inner.size()) / 5;
    Symbols head = randomSymbols(least + below(5), 20, 50);
    Symbols tail = randomSymbols(least + below(5), 20, 50);
    // Where a layer begins cannot be told if what comes before the first is what a layer ends with.
    head.back() = 61;
    tail.front() = 62;
    made.innersPerUnit = 5 + below(30);
    const uint32_t units = 4 + below(50), growsAt = below(2 * units);
    const auto add = [&](const Symbols& symbols, int64_t idle) {
        for (size_t i = 0; i < symbols.size(); ++i) {
            made.symbols.push_back(symbols[i]);
            made.idle.push_back(i == 0 ? idle : static_cast<int64_t>(below(40)));
        }
    };
    add(randomSymbols(below(300), 0, 60), 0);
    for (uint32_t unit = 0; unit < units; ++unit) {
        PatternUnit whole{.begin = static_cast<uint32_t>(made.symbols.size())};
        add(head, 100 + static_cast<int64_t>(below(50)));
        for (uint32_t i = 0; i < made.innersPerUnit; ++i) {
            const auto begin = static_cast<uint32_t>(made.symbols.size());
            add(inner, 10);
            made.inners.push_back({begin, static_cast<uint32_t>(made.symbols.size())});
        }
        add(tail, 10);
        if (unit >= growsAt) add({63}, 5);
        whole.end = static_cast<uint32_t>(made.symbols.size());
        made.units.push_back(whole);
        made.another.push_back(below(10) == 0 && unit > 0 && unit + 1 < units);
        if (made.another.back()) add({59}, 10);
    }
    return made;
}

PatternHints hintsOf(std::span<const int64_t> idleBeforeNs) {
    PatternHints hints;
    hints.idleBeforeNs = idleBeforeNs;
    return hints;
}

}  // namespace

TEST(RepeatingPattern, FindsWhatWasPutThere) {
    for (uint32_t seed = 0; seed < 400; ++seed) {
        std::mt19937 random(seed);
        const Made made = make(random);
        SCOPED_TRACE("seed " + std::to_string(seed));
        const RepeatingPattern found = findPattern(made.symbols, made.symbolCount, hintsOf(made.idle));
        ASSERT_EQ(found.unit.units.size(), made.units.size());
        // The last may take in what comes after it or leave out what grew.
        for (size_t i = 0; i + 1 < made.units.size(); ++i) {
            ASSERT_EQ(found.unit.units[i].begin, made.units[i].begin) << i;
            ASSERT_GE(found.unit.units[i].end + 1, made.units[i].end) << i;  // what grew in one unit alone
            ASSERT_LE(found.unit.units[i].end, made.units[i].end + made.another[i]) << i;
        }
        EXPECT_EQ(found.unit.units.back().begin, made.units.back().begin);
        EXPECT_EQ(found.innersPerUnit, made.innersPerUnit);
        EXPECT_EQ(found.inner.units, made.inners);
        EXPECT_GT(found.unit.confidence, 0.85);
        EXPECT_GT(found.inner.confidence, 0.85);
    }
}

TEST(RepeatingPattern, NothingRepeatsInNoise) {
    for (uint32_t seed = 0; seed < 50; ++seed) {
        std::mt19937 random(seed);
        Symbols symbols(2000);
        for (uint32_t& symbol : symbols)
            symbol = static_cast<uint32_t>(random() % 40);
        EXPECT_TRUE(findPattern(symbols, 40).unit.units.empty()) << seed;
    }
    EXPECT_EQ(findPattern({}, 0).unit.length, 0u);
    EXPECT_EQ(findPattern(Symbols(1000, 0), 1).unit.length, 0u);  // all the same: no unit to tell
}

TEST(RepeatingPattern, OneLevelWithoutWaitsBeginsWithItsHint) {
    Symbols symbols;
    for (int unit = 0; unit < 9; ++unit)
        symbols.insert(symbols.end(), {1, 2, 3, 4, 5});
    std::vector<uint8_t> begins(6);
    begins[3] = 1;
    PatternHints hints;
    hints.beginsUnit = begins;
    const RepeatingPattern found = findPattern(symbols, 6, hints);
    ASSERT_EQ(found.unit.units.size(), 8u);  // the first two symbols and the last three are parts of units
    EXPECT_EQ(found.unit.units[0], (PatternUnit{2, 7}));
    EXPECT_EQ(found.innersPerUnit, 0u);
}

TEST(RepeatingPattern, RequestsOfManyStepsAreNotUnitsWhereStepsCanBeTold) {
    // Three requests of a prompt and twelve steps; 9 is known to belong to steps.
    Symbols symbols;
    for (int request = 0; request < 4; ++request) {
        symbols.insert(symbols.end(), {20, 21, 22, 20, 21, 22, 23, 24, 25});
        for (int step = 0; step < 12; ++step)
            symbols.insert(symbols.end(), {1, 2, 3, 9});
    }
    std::vector<uint8_t> ofUnit(30);
    ofUnit[9] = 1;
    PatternHints hints;
    hints.ofUnit = ofUnit;
    const RepeatingPattern found = findPattern(symbols, 30, hints);
    EXPECT_EQ(found.unit.length, 4u);
    EXPECT_NEAR(static_cast<double>(found.unit.units.size()), 48, 4);
    EXPECT_LT(found.unit.confidence, 0.9);  // the prompts between them do not fit
}

}  // namespace gapscope
