// Slices of one row in the order of their begins and ends, on as many tracks as it takes for each to nest properly:
// trace viewers close the slice that was opened last, whatever a writer meant.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace gapscope {

struct NestedItem {
    int64_t startNs = 0;
    int64_t endNs = 0;
    uint32_t row = 0;
    uint16_t table = 0;  // the caller's
};

// `items` sorted by nestingOrder(). Calls begin(track, item) and end(track, timeNs) so that within a track times never
// decrease and begins and ends match as brackets do. Tracks count from 0.
template <class Begin, class End>
void forEachNested(const std::vector<NestedItem>& items, Begin begin, End end) {
    std::vector<std::vector<int64_t>> tracks;  // ends of what is open, innermost last
    const auto closeUntil = [&](size_t track, int64_t timeNs) {
        auto& open = tracks[track];
        for (; !open.empty() && open.back() <= timeNs; open.pop_back())
            end(track, open.back());
    };
    for (const NestedItem& item : items) {
        size_t track = 0;
        for (; track < tracks.size(); ++track) {
            closeUntil(track, item.startNs);
            if (tracks[track].empty() || tracks[track].back() >= item.endNs) break;
        }
        if (track == tracks.size()) tracks.emplace_back();
        begin(track, item);
        tracks[track].push_back(item.endNs);
    }
    for (size_t track = 0; track < tracks.size(); ++track)
        closeUntil(track, INT64_MAX);
}

// By start, longer ones first, so that what encloses comes before what it encloses.
inline bool nestingOrder(const NestedItem& a, const NestedItem& b) {
    return std::pair(a.startNs, b.endNs) < std::pair(b.startNs, a.endNs);
}

}  // namespace gapscope
