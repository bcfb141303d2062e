// Finds what repeats in a sequence of symbols: a unit (the step of a token), and in it a smaller one (a layer).
//
// How. A symbol that occurs once a unit (an anchor) cuts the sequence into stretches that are alike. Every symbol is
// tried: its stretches are compared by hash, and by the share of symbols they have in common where hashes differ, with
// the one that covers most. Stretches of at least kAlike in common are alike, so a unit may grow by a few symbols. The
// finest symbol whose stretches are mostly alike gives the smallest unit. Where the others come at regular distances
// (the head and tail of a step among its layers) they part greater units, for which the same is asked again.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace gapscope {

struct PatternUnit {
    uint32_t begin = 0;  // places in the sequence
    uint32_t end = 0;
    bool operator==(const PatternUnit&) const = default;
};

struct PatternLevel {
    std::vector<PatternUnit> units;  // that are alike, by place; they do not overlap
    uint32_t length = 0;             // of the typical one; 0: nothing repeats
    // The share of the symbols from the first unit to the last that lie in units, times how alike these are (1: all the
    // same), times 1 - 1 / 2^(units - 1): three units may be chance, ten are not. At most 0.99.
    double confidence = 0;
};

struct RepeatingPattern {
    PatternLevel unit;
    PatternLevel inner;          // within units; length 0: nothing repeats in them
    uint32_t innersPerUnit = 0;  // that most units have
};

struct PatternHints {
    // Of each place, how long nothing happened before it: a unit is cut where this is longest, as a rule. Empty:
    // unknown.
    std::span<const int64_t> idleBeforeNs;
    // By symbol: whether it is known to belong to a unit as a whole (sampling), not to what repeats inside it, and
    // whether a unit begins with it (embedding). Empty: unknown.
    std::span<const uint8_t> ofUnit;
    std::span<const uint8_t> beginsUnit;
};

inline constexpr double kAlike = 0.9;

// Symbols below `symbolCount`. About n log n for n symbols.
RepeatingPattern findPattern(std::span<const uint32_t> symbols, uint32_t symbolCount, const PatternHints& hints = {},
                             std::stop_token stop = {});

}  // namespace gapscope
