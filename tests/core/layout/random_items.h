// Random but repeatable items for the layout tests: tiny and long ones, gaps of every size, some of no length.
#pragma once

#include <random>
#include <vector>

#include "core/layout/lane.h"

namespace gapscope {

inline int64_t skewed(std::mt19937_64& random, int bits) {
    const int used = std::uniform_int_distribution<int>(0, bits)(random);
    return static_cast<int64_t>(random() & ((uint64_t{1} << used) - 1));
}

// Sorted, none overlapping another.
inline std::vector<LaneItem> sequentialItems(std::mt19937_64& random, size_t count) {
    std::vector<LaneItem> items;
    int64_t timeNs = static_cast<int64_t>(random() % 2000) - 1000;
    for (size_t i = 0; i < count; ++i) {
        timeNs += skewed(random, 12);
        const int64_t durationNs = random() % 400 == 0 ? skewed(random, 20) : skewed(random, 10);
        items.push_back({timeNs, timeNs + durationNs, static_cast<uint32_t>(i), static_cast<uint8_t>(random() % 13)});
        timeNs += durationNs;
    }
    return items;
}

inline Lane laneOf(const std::vector<LaneItem>& items) {
    Lane lane;
    for (const LaneItem& item : items)
        lane.append(item);
    return lane;
}

}  // namespace gapscope
