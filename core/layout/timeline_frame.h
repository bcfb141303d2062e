// One frame of the timeline as numbers: where each row stands and what is drawn in each visible lane. The widget keeps
// a frame until range, size, scroll or trace change; painting, hovering and hit tests only read it.
#pragma once

#include <optional>
#include <vector>

#include "core/layout/lane_spans.h"
#include "core/layout/timeline_index.h"

namespace gapscope {

inline constexpr int kTrackHeight = 22;    // px: streams, copies, tokens
inline constexpr int kNarrowHeight = 16;   // px: ranges, API calls, gaps
inline constexpr int kCounterHeight = 32;  // px: plots
inline constexpr int kLaneSpacing = 1;
inline constexpr int kGroupSpacing = 7;  // above the first row of a thread or device

inline constexpr int kLowestRow = 14;     // px: room for a row's name
inline constexpr int kPinnedSpacing = 4;  // below the pinned rows

struct RowPlace {
    int y = 0;  // from the top of the first row, before scrolling
    int height = 0;
    int laneHeight = 0;
    bool pinned = false;  // does not scroll
    int laneY(size_t lane) const { return y + static_cast<int>(lane) * (laneHeight + kLaneSpacing); }
};

// The value at the upper edge of a plot.
double plotTop(const TimelineRow& row);

// Pinned rows that would take more than two thirds of the viewport's height scroll with the others.
std::vector<RowPlace> placeRows(const TimelineIndex& index, int height);

int usualLaneHeight(RowKind kind);

struct FrameLane {
    size_t row = 0;
    size_t lane = 0;
    int y = 0;  // as scrolled
    int height = 0;
    bool pinned = false;
    std::vector<LaneSpan> spans;
};

struct FrameCounter {
    size_t row = 0;
    int y = 0;  // as scrolled
    int height = 0;
    bool pinned = false;
    double top = 1;                      // the value at the upper edge; the lower edge is 0
    std::vector<CounterColumn> columns;  // one a px
};

struct TimelineFrame {
    TimeScale scale;
    int height = 0;  // px of the viewport for rows
    int scrollY = 0;
    int contentHeight = 0;  // of all rows
    int pinnedHeight = 0;   // of what does not scroll: other rows are seen below it only
    std::vector<RowPlace> places;
    std::vector<FrameLane> lanes;        // visible ones
    std::vector<FrameCounter> counters;  // visible ones
    // By row: share of the visible time that the stream or device worked, that outermost ranges or API calls took.
    std::vector<std::optional<double>> busy;

    size_t spanCount() const;
    // As scrolled.
    int rowY(size_t row) const { return places[row].y - (places[row].pinned ? 0 : scrollY); }
    int laneY(size_t row, size_t lane) const { return places[row].laneY(lane) - (places[row].pinned ? 0 : scrollY); }
    std::optional<size_t> rowAt(int y) const;  // as scrolled
};

TimelineFrame makeFrame(const TimelineIndex& index, const TimeScale& scale, int height, int scrollY);

// What lies at a point of a frame; y as scrolled. `span.count` 0: an empty part of the lane. On a plot the span is the
// column of a px, with the sample that holds at the pointer as `item`.
struct FrameHit {
    size_t row = 0;
    size_t lane = 0;
    LaneSpan span{.count = 0};
    size_t item = 0;  // in the lane
    uint32_t tableRow = 0;
    CounterColumn column;  // on a plot
    bool operator==(const FrameHit& other) const {
        return row == other.row && lane == other.lane && span.count == other.span.count && item == other.item;
    }
};
std::optional<FrameHit> hitTest(const TimelineIndex& index, const TimelineFrame& frame, double x, int y);

}  // namespace gapscope
