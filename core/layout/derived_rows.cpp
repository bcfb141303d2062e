#include "core/layout/derived_rows.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/analysis/queue_depth.h"
#include "core/analysis/range_projection.h"
#include "core/analysis/token_table.h"
#include "core/layout/colour_by.h"

namespace gapscope {

namespace {

uint32_t deviceOf(const Trace& trace, TrackId track) {
    return track.valid() && track.value < trace.tracks().size() ? trace.tracks()[track.value].deviceId : 0;
}

void addProjections(const Trace& trace, const LaunchJoin& join, std::stop_token stop, DerivedRows& rows) {
    std::map<TrackId, std::vector<LaneItem>> items;
    for (const ProjectedRange& range : projectRanges(trace, join, stop))
        items[range.track].push_back(
            {range.startNs, range.endNs, range.range, rangeTint(trace.string(trace.ranges().name[range.range]))});
    for (auto& [track, batch] : items)
        rows.projections[track].add(std::move(batch));
}

void addLayers(const Trace& trace, DerivedRows& rows) {
    std::map<std::tuple<int16_t, int32_t, int32_t>, TimeRange> layers;
    const auto addRows = [&](const auto& rowsOf) {
        for (size_t row = 0; row < rowsOf.startNs.size(); ++row) {
            const OpId op = rowsOf.op[row];
            if (rowsOf.token[row] == kNoToken || !op.valid() || op.value >= trace.ops().size()) continue;
            const int32_t layer = trace.ops()[op.value].layer;
            if (layer < 0) continue;
            const TimeRange range{rowsOf.startNs[row], rowsOf.endNs[row]};
            const auto [it, isNew] = layers.try_emplace({rowsOf.repeat[row], rowsOf.token[row], layer}, range);
            it->second = {std::min(it->second.startNs, range.startNs), std::max(it->second.endNs, range.endNs)};
        }
    };
    addRows(trace.deviceOps());
    addRows(trace.stages());
    std::vector<LaneItem> items;
    for (const auto& [key, range] : layers) {
        const auto& [repeat, token, layer] = key;
        items.push_back({range.startNs, range.endNs, static_cast<uint32_t>(rows.layers.size()),
                         static_cast<uint8_t>(1 + layer % 2)});
        rows.layers.push_back({repeat, token, layer, range});
    }
    rows.layerLanes.add(std::move(items));
}

void addSteps(const Trace& trace, const FoundSteps& found, DerivedRows& rows) {
    if (found.steps.empty()) return;
    const auto numbers = stepNumbers(found);
    std::vector<LaneItem> items;
    for (size_t i = 0; i < found.steps.size(); ++i) {
        StepSpan span{.repeat = numbers[i].first, .index = numbers[i].second, .range = found.steps[i].device};
        if (i > 0 && numbers[i - 1].first == span.repeat)
            span.range.startNs = std::min(rows.steps.back().range.endNs, span.range.endNs);
        items.push_back({span.range.startNs, span.range.endNs, static_cast<uint32_t>(rows.steps.size()),
                         static_cast<uint8_t>(span.index < 0 ? 0 : 1 + span.index % 2)});
        rows.steps.push_back(span);
    }
    rows.stepLanes.add(std::move(items));
    rows.stepsTitle = found.source == StepSource::NamedRanges
                          ? "Steps by ranges"
                          : "Steps found, " + std::to_string(std::lround(found.confidence * 100)) + " %";
    rows.stepsDetail = found.sentence();

    const DeviceOps& ops = trace.deviceOps();
    std::vector<LaneItem> layers;
    size_t step = 0;
    for (const FoundLayer& layer : found.layers) {
        while (step < found.steps.size() && found.steps[step].end <= layer.begin)
            ++step;
        if (step == found.steps.size() || layer.begin >= layer.end) continue;
        TimeRange range{ops.startNs[found.ops[layer.begin]], ops.endNs[found.ops[layer.begin]]};
        for (uint32_t place = layer.begin; place < layer.end; ++place)
            range.endNs = std::max(range.endNs, ops.endNs[found.ops[place]]);
        layers.push_back({range.startNs, range.endNs, static_cast<uint32_t>(rows.layers.size()),
                          static_cast<uint8_t>(1 + layer.layer % 2)});
        rows.layers.push_back({numbers[step].first, numbers[step].second, layer.layer, range});
    }
    rows.layerLanes.add(std::move(layers));
}

struct Step {
    int64_t timeNs;
    double change;
    int count;  // of what goes on: +1 or -1
};

// The running sum of the changes; exactly 0 where nothing goes on, whatever rounding has left.
CounterSeries summed(std::vector<Step> steps) {
    std::ranges::sort(steps, {}, &Step::timeNs);
    CounterSeries series;
    double value = 0;
    int64_t count = 0;
    for (size_t i = 0; i < steps.size();) {
        const int64_t timeNs = steps[i].timeNs;
        for (; i < steps.size() && steps[i].timeNs == timeNs; ++i) {
            value += steps[i].change;
            count += steps[i].count;
        }
        if (count == 0) value = 0;
        if (series.empty() || series.value(series.size() - 1) != value)
            series.add(timeNs, value, static_cast<uint32_t>(series.size()));
    }
    // It holds to the end of the last.
    if (!steps.empty()) series.add(steps.back().timeNs + 1, value, static_cast<uint32_t>(series.size()));
    return series;
}

void addQueueDepths(const Trace& trace, const LaunchJoin& join, std::stop_token stop, DerivedRows& rows) {
    std::map<uint32_t, std::vector<Step>> steps;
    for (const QueueDepth& queue : queueDepths(trace, join, trace.extent(), stop)) {
        int64_t depth = 0;
        for (const QueueDepthPoint& point : queue.points) {
            const auto change = static_cast<int>(point.depth - depth);
            steps[deviceOf(trace, queue.track)].push_back({point.timeNs, static_cast<double>(change), change});
            depth = point.depth;
        }
    }
    for (auto& [device, changes] : steps)
        rows.queueDepths[device] = summed(std::move(changes));
}

void addBandwidths(const Trace& trace, DerivedRows& rows) {
    const DeviceOps& ops = trace.deviceOps();
    std::map<uint32_t, std::vector<Step>> steps;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        const OpId op = ops.op[row];
        const int64_t durationNs = ops.endNs[row] - ops.startNs[row];
        if (!op.valid() || op.value >= trace.ops().size() || durationNs <= 0) continue;
        const int64_t bytes = trace.ops()[op.value].bytes;
        if (bytes <= 0) continue;
        const double rate = static_cast<double>(bytes) * 1e9 / static_cast<double>(durationNs);
        auto& of = steps[deviceOf(trace, ops.track[row])];
        of.push_back({ops.startNs[row], rate, 1});
        of.push_back({ops.endNs[row], -rate, -1});
    }
    for (auto& [device, changes] : steps)
        rows.bandwidths[device] = summed(std::move(changes));
}

}  // namespace

DerivedRows deriveRows(const Trace& trace, const LaunchJoin& join, const FoundSteps& steps, std::stop_token stop) {
    DerivedRows rows;
    addProjections(trace, join, stop, rows);
    if (stop.stop_requested()) return rows;
    addLayers(trace, rows);
    addSteps(trace, steps, rows);
    addQueueDepths(trace, join, stop, rows);
    if (stop.stop_requested()) return rows;
    addBandwidths(trace, rows);
    return rows;
}

}  // namespace gapscope
