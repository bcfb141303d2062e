#include "core/layout/lane_spans.h"

#include <algorithm>
#include <cmath>

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
        span.shares[tint] = static_cast<uint8_t>(static_cast<double>(times[tint]) * scale + 0.5);
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

// Cells of at least so many whole blocks end at a block's end, up to half a cell late: nothing is asked of single items
// then, and what a frame costs does not grow with the lane.
constexpr size_t kDenseBlocks = 4;

// Where the run ends that starts with the tiny item `index`. Depends on the item's cell alone, not on where the run
// started in it, so that panning cuts the same.
size_t cellEnd(const Lane& lane, const Grid& grid, size_t index) {
    const int64_t cellStartNs = grid.cellStart(lane.startNs(index));
    const int64_t cellEndNs = cellStartNs + grid.cellNs;
    const size_t block = index / Lane::kBlock;
    const size_t endBlock = lane.firstBlockStartingAt(cellEndNs, block);
    const size_t firstBlock = lane.blockStartNs(block) >= cellStartNs ? block : block + 1;
    const bool isDense = endBlock < lane.blockCount() && endBlock >= firstBlock + kDenseBlocks &&
                         lane.blockStartNs(endBlock) - cellEndNs <= grid.cellNs / 2;
    return isDense ? endBlock * Lane::kBlock : lane.firstStartingAt(cellEndNs, index);
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

// Calls use(span) for each span from item `index` on, until it returns false.
template <class Use>
void walk(const Lane& lane, const TimeScale& scale, const Grid& grid, size_t index, Use use) {
    RunningTimes times;
    while (index < lane.size()) {
        LaneSpan span{.first = index};
        const LaneItem item = lane[index];
        if (item.durationNs() >= grid.singleNs) {
            span.tint = item.tint;
            span.x0 = scale.xOf(item.startNs);
            span.x1 = scale.xOf(item.endNs);
        } else {
            const size_t end = lane.nextLong(index, std::max(cellEnd(lane, grid, index), index + 1), grid.singleNs);
            span.count = end - index;
            const int64_t startNs = item.startNs;
            int64_t endNs = lane.endNs(end - 1);
            if (span.count > 1) {
                // The hole up to the next item is as idle as those inside: left out, it would draw a picket fence.
                if (end < lane.size() && lane.startNs(end) - endNs <= grid.joinNs) endNs = lane.startNs(end);
                span.tint = item.tint;
                summarise(times.upTo(lane, index, end), startNs, endNs, span);
            } else {
                span.tint = item.tint;
            }
            span.x0 = scale.xOf(startNs);
            span.x1 = scale.xOf(endNs);
        }
        index += span.count;
        if (!use(span)) return;
    }
}

// Where a walk must begin so that it sees all of what reaches `timeNs`, with runs cut as in any other walk.
size_t walkStart(const Lane& lane, const Grid& grid, int64_t timeNs) {
    const size_t reaching = lane.firstReaching(timeNs);
    if (reaching == lane.size()) return reaching;
    if (lane[reaching].durationNs() >= grid.singleNs) return reaching;
    return lane.firstStartingAt(grid.cellStart(lane.startNs(reaching)));
}

}  // namespace

void laneSpans(const Lane& lane, const TimeScale& scale, std::vector<LaneSpan>& out) {
    if (lane.empty() || scale.range.empty()) return;
    const Grid grid(scale);
    // Growing step by step would copy every span twice.
    out.reserve(out.size() + std::min(lane.size(), static_cast<size_t>(scale.width / kCellPx * 1.25) + 8));
    walk(lane, scale, grid, walkStart(lane, grid, scale.range.startNs), [&](const LaneSpan& span) {
        if (lane.startNs(span.first) >= scale.range.endNs) return false;
        const int64_t endNs = lane.endNs(span.first + span.count - 1);
        if (endNs > scale.range.startNs || lane.startNs(span.first) >= scale.range.startNs) out.push_back(span);
        return true;
    });
}

LaneSpan spanAt(const Lane& lane, const TimeScale& scale, double x, double slackPx) {
    LaneSpan best{.count = 0};
    if (lane.empty() || scale.range.empty()) return best;
    const Grid grid(scale);
    double nearest = slackPx;
    walk(lane, scale, grid, walkStart(lane, grid, scale.timeAt(x - slackPx) - 1), [&](const LaneSpan& span) {
        if (span.x0 > x + slackPx) return false;
        const double distance = std::max({span.x0 - x, x - span.x1, 0.0});
        if (distance < nearest || (distance == nearest && best.count == 0)) {
            nearest = distance;
            best = span;
        }
        return true;
    });
    return best;
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
