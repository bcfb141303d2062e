#include "core/layout/timeline_frame.h"

#include <algorithm>
#include <cmath>

namespace gapscope {

namespace {

int laneHeightOf(RowKind kind) {
    switch (kind) {
        case RowKind::Token:
        case RowKind::Stream:
        case RowKind::Copy:
            return kTrackHeight;
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
    } else {
        return std::nullopt;
    }
    return static_cast<double>(busyNs) / static_cast<double>(measured.durationNs());
}

}  // namespace

std::vector<RowPlace> placeRows(const TimelineIndex& index) {
    std::vector<RowPlace> places;
    int y = 0;
    for (const TimelineRow* row : index.rows()) {
        if (row->startsGroup && !places.empty()) y += kGroupSpacing;
        const int laneHeight = laneHeightOf(row->kind);
        const int lanes = std::max(1, static_cast<int>(row->lanes.lanes().size()));
        places.push_back({y, lanes * (laneHeight + kLaneSpacing) - kLaneSpacing, laneHeight});
        y += lanes * (laneHeight + kLaneSpacing) + kLaneSpacing;
    }
    return places;
}

size_t TimelineFrame::spanCount() const {
    size_t count = 0;
    for (const FrameLane& lane : lanes)
        count += lane.spans.size();
    return count;
}

TimelineFrame makeFrame(const TimelineIndex& index, const TimeScale& scale, int height, int scrollY) {
    TimelineFrame frame{.scale = scale, .height = height, .scrollY = scrollY, .places = placeRows(index)};
    frame.busy.resize(frame.places.size());
    if (!frame.places.empty()) frame.contentHeight = frame.places.back().y + frame.places.back().height;
    if (scale.range.empty()) return frame;
    for (size_t r = 0; r < frame.places.size(); ++r) {
        const RowPlace& place = frame.places[r];
        if (place.y + place.height <= scrollY || place.y >= scrollY + height) continue;
        const TimelineRow& row = *index.rows()[r];
        frame.busy[r] = busyShare(index, row, scale.range);
        if (row.kind == RowKind::Counter) {
            frame.counters.push_back({.row = r,
                                      .y = place.y - scrollY,
                                      .height = place.height,
                                      .top = counterTop(row.series),
                                      .columns = counterColumns(row.series, scale)});
            continue;
        }
        const auto& lanes = row.lanes.lanes();
        for (size_t depth = 0; depth < lanes.size(); ++depth) {
            const int y = place.laneY(depth) - scrollY;
            if (y + place.laneHeight <= 0 || y >= height) continue;
            FrameLane& lane = frame.lanes.emplace_back();
            lane.row = r;
            lane.lane = depth;
            lane.y = y;
            lane.height = place.laneHeight;
            laneSpans(lanes[depth], scale, lane.spans);
        }
    }
    return frame;
}

std::optional<FrameHit> hitTest(const TimelineIndex& index, const TimelineFrame& frame, double x, int y) {
    for (const FrameLane& shown : frame.lanes) {
        if (y < shown.y || y >= shown.y + shown.height) continue;
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
        if (y < shown.y || y >= shown.y + shown.height) continue;
        FrameHit hit{.row = shown.row};
        const CounterSeries& series = index.rows()[shown.row]->series;
        const double column = std::floor(x);
        const size_t at = static_cast<size_t>(std::max(0.0, column));
        if (at >= shown.columns.size() || !shown.columns[at].known) return hit;
        hit.span = {.x0 = column, .x1 = column + 1, .first = at, .count = 1};
        hit.column = shown.columns[at];
        hit.item = series.sampleAt(frame.scale.timeAt(x)).value_or(series.size() - 1);
        hit.tableRow = series.row(hit.item);
        return hit;
    }
    return std::nullopt;
}

}  // namespace gapscope
