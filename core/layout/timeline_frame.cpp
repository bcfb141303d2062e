#include "core/layout/timeline_frame.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>

#include "core/layout/parallel_frame.h"

namespace gapscope {

int usualLaneHeight(RowKind kind) {
    switch (kind) {
        case RowKind::Token:
        case RowKind::Step:
        case RowKind::Stream:
        case RowKind::Copy:
            return kTrackHeight;
        case RowKind::Layer:
        case RowKind::Stage:
        case RowKind::Projection:
        case RowKind::Range:
        case RowKind::ApiCall:
        case RowKind::Wait:
        case RowKind::Overhead:
        case RowKind::Gap:
        case RowKind::Counters:
        case RowKind::ClockLimit:
            return kNarrowHeight;
        case RowKind::Counter:
            return kCounterHeight;
    }
    return kTrackHeight;
}

namespace {

// How busy the device was in each stretch of a few px: one px of a deep zoom would only say busy or not.
std::vector<CounterColumn> busyColumns(const TimelineIndex& index, const TimelineRow& row, const TimeScale& scale) {
    constexpr double kWindowPx = 4;
    std::vector<CounterColumn> columns(static_cast<size_t>(std::max(0.0, std::ceil(scale.width))));
    const Lane* lane = index.deviceBusy(row.deviceId);
    if (!lane) return columns;
    const std::vector<float> stretches = busyShares(*lane, scale, kWindowPx);
    const double first = scale.xOf(index.trace().extent().startNs);
    const double last = scale.xOf(index.trace().extent().endNs);
    for (size_t x = 0; x < columns.size(); ++x) {
        const auto at = static_cast<double>(x);
        if (at + 1 <= first || at >= last) continue;  // beyond the trace nothing was measured
        const double busy = static_cast<double>(stretches[static_cast<size_t>(at / kWindowPx)]);
        columns[x] = {true, busy, busy, busy};
    }
    return columns;
}

std::optional<double> busyShare(const TimelineIndex& index, const TimelineRow& row, TimeRange visible) {
    // What is shown beyond the trace's ends was never measured and is no idle time.
    const TimeRange measured = visible.clippedTo(index.trace().extent());
    if (measured.empty()) return std::nullopt;
    int64_t busyNs = 0;
    if (row.kind == RowKind::Gap) {
        const Lane* lane = index.deviceBusy(row.deviceId);
        if (!lane) return std::nullopt;
        busyNs = lane->busyNs(measured);
    } else if (row.kind == RowKind::Stream || row.kind == RowKind::Copy) {
        busyNs = row.busy().busyNs(measured);
    } else if ((row.kind == RowKind::Range || row.kind == RowKind::Projection || row.kind == RowKind::ApiCall ||
                row.kind == RowKind::Wait) &&
               !row.lanes.lanes().empty()) {
        busyNs = row.lanes.lanes().front().busyNs(measured);  // the outermost hold the others
    } else {
        return std::nullopt;
    }
    return static_cast<double>(busyNs) / static_cast<double>(measured.durationNs());
}

constexpr size_t kWorthHelp = 100'000;  // events: below, a frame takes less than waking a thread does

// Calls act(0) to act(count - 1), each once, here and by those that help. Who comes late finds nothing left, and
// touches nothing that may be gone by then.
void shareOut(size_t count, std::function<void(size_t)> act, const RunElsewhere& elsewhere) {
    struct Work {
        size_t count;
        std::function<void(size_t)> act;
        std::atomic<size_t> next = 0;
        std::atomic<size_t> done = 0;
    };
    const auto work = std::make_shared<Work>(count, std::move(act));
    const auto help = [work] {
        for (size_t part; (part = work->next.fetch_add(1)) < work->count;) {
            work->act(part);
            work->done.fetch_add(1);
            work->done.notify_one();
        }
    };
    if (elsewhere && count > 1) elsewhere(help);
    help();
    for (size_t done; (done = work->done.load()) < count;)
        work->done.wait(done);
}

}  // namespace

double plotTop(const TimelineRow& row) {
    return row.figure == PlotFigure::BusyShare ? 1 : counterTop(row.series);
}

std::vector<RowPlace> placeRows(const TimelineIndex& index, int height) {
    std::vector<RowPlace> places;
    int y = 0;
    bool pinning = true;
    for (const TimelineRow* row : index.rows()) {
        const int lanes = std::max(1, static_cast<int>(row->lanes.lanes().size()));
        const int wanted = row->wantedLaneHeight > 0 ? row->wantedLaneHeight : usualLaneHeight(row->kind);
        const int laneHeight = std::max(wanted, (kLowestRow + lanes - 1) / lanes - kLaneSpacing * (lanes > 1));
        const int rowHeight = lanes * (laneHeight + kLaneSpacing) - kLaneSpacing;
        const bool wasPinned = !places.empty() && places.back().pinned;
        pinning = pinning && row->pinned && y + rowHeight <= height * 2 / 3;
        if (wasPinned && !pinning)
            y += kPinnedSpacing;
        else if (row->startsGroup && !places.empty())
            y += kGroupSpacing;
        places.push_back({y, rowHeight, laneHeight, pinning});
        y += rowHeight + 2 * kLaneSpacing;
    }
    return places;
}

std::optional<size_t> TimelineFrame::rowAt(int y) const {
    for (size_t r = 0; r < places.size(); ++r)
        if (places[r].pinned == (y < pinnedHeight) && y >= rowY(r) && y < rowY(r) + places[r].height) return r;
    return std::nullopt;
}

size_t TimelineFrame::spanCount() const {
    size_t count = 0;
    for (const FrameLane& lane : lanes)
        count += lane.spans.size();
    return count;
}

TimelineFrame makeFrame(const TimelineIndex& index, const TimeScale& scale, int height, int scrollY) {
    return makeFrame(index, scale, height, scrollY, {});
}

TimelineFrame makeFrame(const TimelineIndex& index, const TimeScale& scale, int height, int scrollY,
                        const RunElsewhere& elsewhere) {
    TimelineFrame frame{.scale = scale, .height = height, .scrollY = scrollY, .places = placeRows(index, height)};
    frame.busy.resize(frame.places.size());
    if (!frame.places.empty()) frame.contentHeight = frame.places.back().y + frame.places.back().height;
    for (const RowPlace& place : frame.places)
        if (place.pinned) frame.pinnedHeight = place.y + place.height + kPinnedSpacing;
    if (scale.range.empty()) return frame;
    for (size_t r = 0; r < frame.places.size(); ++r) {
        const RowPlace& place = frame.places[r];
        const int top = place.pinned ? 0 : frame.pinnedHeight;
        const int rowY = frame.rowY(r);
        if (rowY + place.height <= top || rowY >= height) continue;
        const TimelineRow& row = *index.rows()[r];
        frame.busy[r] = busyShare(index, row, scale.range);
        if (row.kind == RowKind::Counter) {
            frame.counters.push_back(
                {.row = r, .y = rowY, .height = place.height, .pinned = place.pinned, .top = plotTop(row)});
            continue;
        }
        const auto& lanes = row.lanes.lanes();
        for (size_t depth = 0; depth < lanes.size(); ++depth) {
            const int y = frame.laneY(r, depth);
            if (y + place.laneHeight <= top || y >= height) continue;
            FrameLane& lane = frame.lanes.emplace_back();
            lane.row = r;
            lane.lane = depth;
            lane.y = y;
            lane.height = place.laneHeight;
            lane.pinned = place.pinned;
        }
    }
    const auto fill = [&](size_t part) {
        if (part < frame.lanes.size()) {
            FrameLane& lane = frame.lanes[part];
            laneSpans(index.rows()[lane.row]->lanes.lanes()[lane.lane], scale, lane.spans);
            return;
        }
        FrameCounter& counter = frame.counters[part - frame.lanes.size()];
        const TimelineRow& row = *index.rows()[counter.row];
        counter.columns =
            row.figure == PlotFigure::BusyShare ? busyColumns(index, row, scale) : counterColumns(row.series, scale);
    };
    const bool isWorthHelp = index.trace().eventCount() > kWorthHelp;
    shareOut(frame.lanes.size() + frame.counters.size(), fill, isWorthHelp ? elsewhere : RunElsewhere());
    return frame;
}

std::optional<FrameHit> hitTest(const TimelineIndex& index, const TimelineFrame& frame, double x, int y) {
    for (const FrameLane& shown : frame.lanes) {
        if (shown.pinned != (y < frame.pinnedHeight) || y < shown.y || y >= shown.y + shown.height) continue;
        FrameHit hit{.row = shown.row, .lane = shown.lane};
        const Lane& lane = index.rows()[shown.row]->lanes.lanes()[shown.lane];
        hit.span = spanAt(lane, frame.scale, x);
        if (hit.span.count > 0) {
            hit.item = itemAt(lane, hit.span, frame.scale, x);
            hit.tableRow = lane[hit.item].row;
        }
        return hit;
    }
    for (const FrameCounter& shown : frame.counters) {
        if (shown.pinned != (y < frame.pinnedHeight) || y < shown.y || y >= shown.y + shown.height) continue;
        FrameHit hit{.row = shown.row};
        const CounterSeries& series = index.rows()[shown.row]->series;
        const double column = std::floor(x);
        const size_t at = static_cast<size_t>(std::max(0.0, column));
        if (at >= shown.columns.size() || !shown.columns[at].known) return hit;
        hit.span = {.x0 = column, .x1 = column + 1, .first = at, .count = 1};
        hit.column = shown.columns[at];
        if (series.empty()) return hit;  // the column says it all
        hit.item = series.sampleAt(frame.scale.timeAt(x)).value_or(series.size() - 1);
        hit.tableRow = series.row(hit.item);
        return hit;
    }
    return std::nullopt;
}

}  // namespace gapscope
