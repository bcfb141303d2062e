// One line of non-overlapping items on the timeline, with what a frame needs to cost pixels and not events: prefix sums
// of busy time by tint and the longest item, a block of 64 items each and upwards.
// Items stand sorted; both starts and ends never decrease, so that every question is a binary search.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/time_range.h"
#include "core/layout/chunked.h"

namespace gapscope {

inline constexpr int kTintCount = 16;

// Sixteen sums, one a tint: what a tint means is the row's affair (a category, a gap cause, a class of API calls).
using TintTimes = std::array<int64_t, kTintCount>;

struct LaneItem {
    int64_t startNs = 0;
    int64_t endNs = 0;
    uint32_t row = 0;  // in the table that the lane shows
    uint8_t tint = 0;
    int64_t durationNs() const { return endNs - startNs; }
    bool operator==(const LaneItem&) const = default;
};

class Lane {
public:
    size_t size() const { return m_starts.size(); }
    bool empty() const { return m_starts.empty(); }
    LaneItem operator[](size_t index) const { return {m_starts[index], endNs(index), m_rows[index], m_tints[index]}; }
    int64_t startNs(size_t index) const { return m_starts[index]; }
    int64_t endNs(size_t index) const { return m_starts[index] + durationNs(index); }
    int64_t durationNs(size_t index) const {
        return m_durations[index] != kLong ? int64_t{m_durations[index]} : longDurationNs(index);
    }
    uint8_t tint(size_t index) const { return m_tints[index]; }
    int64_t lastEndNs() const { return m_lastEndNs; }

    // Needs item.startNs >= the last end, and endNs >= startNs.
    void append(const LaneItem& item);
    // Removes the items that start at or after `fromNs` and returns them.
    std::vector<LaneItem> takeFrom(int64_t fromNs);

    // First item with start >= t; size() if there is none. `hint`: an index known to be at or before it.
    size_t firstStartingAt(int64_t timeNs, size_t hint = 0) const;
    // The same of whole blocks of kBlock items, which costs a fraction in long lanes: the first block that starts at or
    // after `timeNs`; blockCount() if there is none.
    size_t firstBlockStartingAt(int64_t timeNs, size_t hintBlock = 0) const;
    size_t blockCount() const { return m_blockStarts.size(); }
    int64_t blockStartNs(size_t block) const { return m_blockStarts[block]; }
    int64_t longestNs() const { return m_longest.back().front(); }  // needs an item
    int64_t blockLongestNs(size_t block) const { return m_longest[0][block]; }
    // Where the last item in front of a block ends; needs block > 0.
    int64_t endBeforeBlockNs(size_t block) const { return m_endsBefore[block]; }
    // What a question about [from, to) will read, on its way into the processor's cache.
    void prefetchTintTimes(size_t from, size_t to) const;
    // First item with end > t, or of no length at or after t.
    size_t firstReaching(int64_t timeNs) const;

    // First item in [from, to) with duration >= minDurationNs; `to` if there is none.
    size_t nextLong(size_t from, size_t to, int64_t minDurationNs) const;
    // The longest item in [from, to), the earliest of equals; needs from < to.
    size_t longest(size_t from, size_t to) const;

    // Items that a summary covers: a question about fewer reads them one by one.
    static constexpr size_t kBlock = 32;

    // Time by tint of the items before one, and of the items [from, to).
    TintTimes tintTimesBefore(size_t index) const;
    TintTimes tintTimes(size_t from, size_t to) const;
    // Busy time of the part of the lane inside the range, items clipped to it.
    int64_t busyNs(TimeRange range) const;
    // The same from the lane's beginning to `timeNs`; `next` is firstStartingAt(timeNs).
    int64_t busyBeforeNs(int64_t timeNs, size_t next) const;

    // For tests and diagnostics.
    size_t memoryBytes() const;

private:
    static constexpr uint32_t kLong = UINT32_MAX;  // 4.3 s or more: looked up

    int64_t longDurationNs(size_t index) const;
    template <class Take>
    void eachTime(size_t from, size_t to, Take take) const;  // take(tint, ns) of the items [from, to)
    void raise(size_t index, int64_t durationNs);

    Chunked<int64_t> m_starts;
    Chunked<uint32_t> m_durations;
    Chunked<uint32_t> m_rows;
    Chunked<uint8_t> m_tints;
    std::vector<std::pair<size_t, int64_t>> m_longDurations;  // by index, of those that are kLong
    int64_t m_lastEndNs = INT64_MIN;
    Chunked<int64_t> m_blockStarts;
    Chunked<int64_t> m_endsBefore;    // [b]: end of the last item before block b
    Chunked<TintTimes> m_blockTimes;  // [b]: time by tint of all items before block b
    Chunked<int64_t> m_blockBusy;     // the same over all tints
    TintTimes m_times{};              // of all items
    int64_t m_busy = 0;
    std::vector<std::vector<int64_t>> m_longest;  // level 0: a value a block; level n: one a kBlock values of level n-1
};

}  // namespace gapscope
