#include "core/layout/lane_spans.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace gapscope {

namespace {

// What a merged stretch says of its items; `startNs` to `endNs` is what it covers.
void summarise(const TintTimes& times, int64_t startNs, int64_t endNs, LaneSpan& span) {
    int64_t busyNs = 0;
    int64_t mostNs = 0;
    for (uint8_t tint = 0; tint < kTintCount; ++tint) {
        busyNs += times[tint];
        if (times[tint] <= mostNs) continue;
        mostNs = times[tint];
        span.tint = tint;
    }
    span.busy =
        endNs > startNs ? static_cast<float>(static_cast<double>(busyNs) / static_cast<double>(endNs - startNs)) : 0.0F;
    if (busyNs == 0) return;
    const double scale = 255 / static_cast<double>(busyNs);
    for (size_t tint = 0; tint < kTintCount; ++tint)
        if (times[tint] != 0) span.shares[tint] = static_cast<uint8_t>(static_cast<double>(times[tint]) * scale + 0.5);
}

// The grid of cells and the width limit, in whole ns: integers, so that no rounding decides differently after a pan.
struct Grid {
    explicit Grid(const TimeScale& scale)
        : cellNs(std::max<int64_t>(1, std::llround(scale.nsPerPx() * kCellPx))),
          singleNs(std::max<int64_t>(1, std::llround(std::ceil(scale.nsPerPx() * kSinglePx)))),
          joinNs(std::llround(scale.nsPerPx() * kJoinPx)) {}

    int64_t cellStart(int64_t timeNs) const {
        int64_t cell = timeNs / cellNs;
        if (cell * cellNs > timeNs) --cell;  // floor, also below zero
        return cell * cellNs;
    }

    int64_t cellNs;
    int64_t singleNs;
    int64_t joinNs;
};

// The items of a cell in which a whole block begins end at the edge of a block, up to half a cell late: nothing is
// asked of single items then, and what a frame costs does not grow with the lane. Where they end depends on the cell
// alone, not on where a walk began, so that panning and pointing cut the same.
// The first item behind those of a dense cell; none: it is not dense. `hint`: an item that starts before the cell ends.
std::optional<size_t> denseEnd(const Lane& lane, const Grid& grid, int64_t cellStartNs, size_t hint) {
    const int64_t cellEndNs = cellStartNs + grid.cellNs;
    const size_t block = lane.firstBlockStartingAt(cellEndNs, hint / Lane::kBlock);
    if (block == 0 || block >= lane.blockCount() || lane.blockStartNs(block - 1) < cellStartNs ||
        lane.blockStartNs(block) - cellEndNs > grid.cellNs / 2)
        return std::nullopt;
    return block * Lane::kBlock;
}

// The same of the cell before the one that `index` starts in; 0: nothing of that lies behind its end.
size_t endOfCellBefore(const Lane& lane, const Grid& grid, int64_t cellStartNs, size_t index) {
    if (index == 0) return 0;
    // The last item in front of the cell; where it is further away, that cell is empty.
    const size_t first = lane.startNs(index - 1) < cellStartNs ? index : lane.firstStartingAt(cellStartNs);
    if (first == 0 || lane.startNs(first - 1) < cellStartNs - grid.cellNs) return 0;
    return denseEnd(lane, grid, cellStartNs - grid.cellNs, first - 1).value_or(0);
}

// Of items and whole blocks alike, without touching an item where a block's edge says it.
int64_t startOf(const Lane& lane, size_t index) {
    return index % Lane::kBlock == 0 ? lane.blockStartNs(index / Lane::kBlock) : lane.startNs(index);
}

int64_t endBefore(const Lane& lane, size_t index) {
    return index % Lane::kBlock == 0 && index < lane.size() ? lane.endBeforeBlockNs(index / Lane::kBlock)
                                                            : lane.endNs(index - 1);
}

// A span before it is known what a merged stretch says of its items.
struct Stretch {
    size_t first = 0;
    size_t count = 1;
    int64_t startNs = 0;
    int64_t endNs = 0;      // of what it covers
    int64_t lastEndNs = 0;  // of the last item
};

// Calls use(stretch) for each from item `index` on, until it returns false.
template <class Use>
void walk(const Lane& lane, const Grid& grid, size_t index, Use use) {
    // From a distance most lanes have none that stands for itself, and nobody need look for one.
    const bool hasLong = !lane.empty() && lane.longestNs() >= grid.singleNs;
    size_t cellEnd = 0;  // behind the items of the cell that is walked
    int64_t cellEndNs = INT64_MIN;
    while (index < lane.size()) {
        Stretch stretch{.first = index, .startNs = startOf(lane, index)};
        // Where a block's longest is tiny, its items are, and none is looked at.
        const bool mayBeLong = hasLong && lane.blockLongestNs(index / Lane::kBlock) >= grid.singleNs;
        if (mayBeLong && lane.durationNs(index) >= grid.singleNs) {
            stretch.endNs = stretch.lastEndNs = lane.endNs(index);
        } else {
            if (index >= cellEnd) {
                const int64_t cellStartNs = grid.cellStart(stretch.startNs);
                const size_t before =
                    cellStartNs == cellEndNs ? cellEnd : endOfCellBefore(lane, grid, cellStartNs, index);
                if (before > index) {
                    cellEnd = before;
                    cellEndNs = cellStartNs;
                } else {
                    cellEndNs = cellStartNs + grid.cellNs;
                    const std::optional<size_t> dense = denseEnd(lane, grid, cellStartNs, index);
                    cellEnd = std::max(dense ? *dense : lane.firstStartingAt(cellEndNs, index), index + 1);
                }
            }
            const size_t longOne = hasLong ? lane.nextLong(index, cellEnd, grid.singleNs) : cellEnd;
            stretch.count = longOne - index;
            stretch.endNs = stretch.lastEndNs = endBefore(lane, longOne);
            // The hole up to the next item is as idle as those inside: left out, it would draw a picket fence.
            if (stretch.count > 1 && longOne < lane.size()) {
                const int64_t nextNs = startOf(lane, longOne);
                if (nextNs - stretch.endNs <= grid.joinNs) stretch.endNs = nextNs;
            }
        }
        index += stretch.count;
        if (!use(stretch)) return;
    }
}

// Time by tint of one stretch after another: where one begins at the end of the one before, half of the work is done.
class RunningTimes {
public:
    TintTimes upTo(const Lane& lane, size_t from, size_t to) {
        if (to - from <= Lane::kBlock) return lane.tintTimes(from, to);
        if (from != m_at) m_before = lane.tintTimesBefore(from);
        const TintTimes before = m_before;
        m_before = lane.tintTimesBefore(to);
        m_at = to;
        TintTimes times;
        for (size_t tint = 0; tint < times.size(); ++tint)
            times[tint] = m_before[tint] - before[tint];
        return times;
    }

private:
    size_t m_at = SIZE_MAX;
    TintTimes m_before{};
};

LaneSpan spanOf(const Lane& lane, const TimeScale& scale, const Stretch& stretch, RunningTimes& times) {
    LaneSpan span{.x0 = scale.xOf(stretch.startNs),
                  .x1 = scale.xOf(stretch.endNs),
                  .first = stretch.first,
                  .count = stretch.count};
    if (stretch.count > 1)
        summarise(times.upTo(lane, stretch.first, stretch.first + stretch.count), stretch.startNs, stretch.endNs, span);
    if (stretch.count == 1 || span.busy <= 0) span.tint = lane.tint(stretch.first);
    return span;
}

// Where a walk must begin so that it sees all of what reaches `timeNs`, with runs cut as in any other walk.
size_t walkStart(const Lane& lane, const Grid& grid, int64_t timeNs) {
    const size_t reaching = lane.firstReaching(timeNs);
    if (reaching == lane.size()) return reaching;
    if (lane.durationNs(reaching) >= grid.singleNs) return reaching;
    const int64_t cellStartNs = grid.cellStart(lane.startNs(reaching));
    const size_t before = endOfCellBefore(lane, grid, cellStartNs, reaching);
    if (before <= reaching) return std::max(before, lane.firstStartingAt(cellStartNs));
    // It is among the items of the cell before.
    const size_t first = lane.firstStartingAt(cellStartNs - grid.cellNs);
    return std::max(first, endOfCellBefore(lane, grid, cellStartNs - grid.cellNs, first));
}

}  // namespace

void laneSpans(const Lane& lane, const TimeScale& scale, std::vector<LaneSpan>& out) {
    if (lane.empty() || scale.range.empty()) return;
    const Grid grid(scale);
    // Where they are cut first, what they hold then: the sums of a long lane lie far apart in memory, and only who
    // knows several of them can ask for the next ones while it works on one.
    std::vector<Stretch> stretches;
    stretches.reserve(std::min(lane.size(), static_cast<size_t>(scale.width / kCellPx * 1.25) + 8));
    walk(lane, grid, walkStart(lane, grid, scale.range.startNs), [&](const Stretch& stretch) {
        if (stretch.startNs >= scale.range.endNs) return false;
        if (stretch.lastEndNs > scale.range.startNs || stretch.startNs >= scale.range.startNs)
            stretches.push_back(stretch);
        return true;
    });
    constexpr size_t kAhead = 6;
    const auto prefetch = [&](size_t s) {
        if (s < stretches.size()) lane.prefetchTintTimes(stretches[s].first, stretches[s].first + stretches[s].count);
    };
    for (size_t s = 0; s < kAhead; ++s)
        prefetch(s);
    out.reserve(out.size() + stretches.size());
    RunningTimes times;
    for (size_t s = 0; s < stretches.size(); ++s) {
        prefetch(s + kAhead);
        out.push_back(spanOf(lane, scale, stretches[s], times));
    }
}

LaneSpan spanAt(const Lane& lane, const TimeScale& scale, double x, double slackPx) {
    LaneSpan none{.count = 0};
    if (lane.empty() || scale.range.empty()) return none;
    const Grid grid(scale);
    Stretch best{.count = 0};
    double nearest = slackPx;
    walk(lane, grid, walkStart(lane, grid, scale.timeAt(x - slackPx) - 1), [&](const Stretch& stretch) {
        const double x0 = scale.xOf(stretch.startNs);
        if (x0 > x + slackPx) return false;
        const double distance = std::max({x0 - x, x - scale.xOf(stretch.endNs), 0.0});
        if (distance < nearest || (distance == nearest && best.count == 0)) {
            nearest = distance;
            best = stretch;
        }
        return true;
    });
    RunningTimes times;
    return best.count == 0 ? none : spanOf(lane, scale, best, times);
}

size_t itemAt(const Lane& lane, const LaneSpan& span, const TimeScale& scale, double x) {
    if (span.count <= 1) return span.first;
    const int64_t timeNs = scale.timeAt(x);
    size_t after = std::clamp(lane.firstStartingAt(timeNs, span.first), span.first, span.first + span.count - 1);
    if (after == span.first) return after;
    const size_t before = after - 1;
    return timeNs - lane.endNs(before) < lane.startNs(after) - timeNs ? before : after;
}

}  // namespace gapscope
