#include "core/layout/timeline_index.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <thread>

#include "core/base/clock_event_reasons.h"
#include "core/layout/lane_item.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

namespace {

constexpr size_t kWorthAThread = 200'000;  // new rows: some ten milliseconds of work

// Items by the row of the timeline that they are for. Rows of many streams or threads come mixed: a search in the map
// for each would be a good part of all the work.
template <class Key>
class Batches {
public:
    void add(const Key& key, const LaneItem& item) {
        Place& place = m_places[std::hash<Key>()(key) * 0x9E3779B97F4A7C15u >> 58];
        if (!place.batch || place.key != key) place = {key, &m_batches[key]};
        place.batch->push_back(item);
    }
    std::map<Key, std::vector<LaneItem>>& all() { return m_batches; }

private:
    struct Place {
        Key key{};
        std::vector<LaneItem>* batch = nullptr;
    };
    std::map<Key, std::vector<LaneItem>> m_batches;
    std::array<Place, 64> m_places;  // found lately
};

// Rows of different kinds that share a table share the numbers of their items.
RowKind tableOf(RowKind kind) {
    if (kind == RowKind::Copy) return RowKind::Stream;
    return kind == RowKind::Wait ? RowKind::Range : kind;
}

// One item for each stretch of time with one set of reasons; none where nothing holds the clock down.
LaneSet clockLimitLanes(const CounterSeries& series) {
    std::vector<LaneItem> items;
    for (size_t i = 0; i + 1 < series.size();) {
        size_t next = i + 1;
        while (next + 1 < series.size() && series.value(next) == series.value(i))
            ++next;
        const ClockLimit limit = gravestClockLimit(clockEventReasonsOf(series.value(i)));
        if (limit != ClockLimit::None)
            items.push_back({series.timeNs(i), series.timeNs(next), series.row(i), static_cast<uint8_t>(limit)});
        i = next;
    }
    LaneSet lanes;
    lanes.add(std::move(items));
    return lanes;
}

template <class TintOf>
uint8_t tintOfName(const Trace& trace, StringId name, std::vector<uint8_t>& known, TintOf tintOf) {
    constexpr uint8_t kUnknown = 255;
    if (!name.valid()) return 0;
    if (known.size() < trace.stringCount()) known.resize(trace.stringCount(), kUnknown);
    uint8_t& tint = known[name.value];
    if (tint == kUnknown) tint = tintOf(trace.string(name));
    return tint;
}

}  // namespace

void TimelineRow::addWork(std::vector<LaneItem> batch) {
    if (lanes.lanes().size() > 1) {
        overlaps.add(batch);
        lanes.add(std::move(batch));
        return;
    }
    lanes.add(std::move(batch));
    if (lanes.lanes().size() < 2) return;
    overlaps = {};
    for (const Lane& lane : lanes.lanes()) {
        std::vector<LaneItem> items(lane.size());
        for (size_t i = 0; i < items.size(); ++i)
            items[i] = lane[i];
        overlaps.add(std::move(items));
    }
}

TimelineIndex::TimelineIndex(ApiTint apiTint, ColourBy colourBy) : m_apiTint(std::move(apiTint)), m_colourBy(colourBy) {
    if (!m_apiTint) m_apiTint = [](std::string_view) { return uint8_t{0}; };
    m_trace = TraceBuilder().snapshot();
    m_tokenRow = std::make_unique<TimelineRow>();
    m_layerRow = std::make_unique<TimelineRow>();
    m_stepRow = std::make_unique<TimelineRow>();
}

void TimelineIndex::reset() {
    m_devices.clear();
    m_streams.clear();
    m_stages.clear();
    m_projections.clear();
    *m_layerRow = {};
    m_layers.clear();
    *m_stepRow = {};
    m_steps.clear();
    m_stepsTitle.clear();
    m_isDerived = false;
    m_counters.clear();
    m_threads.clear();
    m_threadOrder.clear();
    m_repeats.clear();
    m_emitted.clear();
    m_emittedCounts.clear();
    m_isBatch = false;
    m_sequenceRows.clear();
    m_changedToken.reset();
    m_tokens.clear();
    *m_tokenRow = {};
    m_tree.clear();
    m_rows.clear();
    m_apiTints.clear();
    m_nameTints.clear();
    m_rangeTints.clear();
    m_waitTints.clear();
    m_correlations.clear();
    m_opsSeen = m_callsSeen = m_rangesSeen = m_overheadsSeen = m_stagesSeen = m_emittedSeen = m_samplesSeen = 0;
}

bool TimelineIndex::setTrace(TracePtr trace, size_t mostRows) {
    const bool afresh = !isContinuedBy(*trace);
    if (afresh) reset();
    m_trace = std::move(trace);
    m_mostRows = mostRows;
    const auto layHostRows = [this] {
        addApiCalls();
        addRanges();
        addOverheads();
    };
    const size_t left = m_trace->eventCount() - m_opsSeen - m_callsSeen - m_rangesSeen - m_overheadsSeen;
    if (mostRows == SIZE_MAX && left > kWorthAThread) {
        if (tintsNeedLaunches()) m_correlations.update(*m_trace);
        // What the host did and what devices did lie in rows of their own.
        std::jthread helper([&] {
            layHostRows();
            if (!tintsNeedLaunches()) m_correlations.update(*m_trace);
        });
        addDeviceOps();
    } else {
        m_correlations.update(*m_trace, mostRows);
        addDeviceOps();
        layHostRows();
    }
    addStages();
    addTokens();
    addCounters();
    orderRows();
    return afresh;
}

TrackRow TimelineIndex::trackOf(TrackId track) const {
    return track.valid() && track.value < m_trace->tracks().size() ? m_trace->tracks()[track.value] : TrackRow{};
}

bool TimelineIndex::isBehind() const {
    return m_opsSeen < m_trace->deviceOps().startNs.size() || m_callsSeen < m_trace->apiCalls().startNs.size() ||
           m_rangesSeen < m_trace->ranges().startNs.size() || m_overheadsSeen < m_trace->overheads().startNs.size() ||
           m_stagesSeen < m_trace->stages().startNs.size();
}

uint8_t TimelineIndex::opTint(size_t row) {
    const DeviceOps& ops = m_trace->deviceOps();
    switch (m_colourBy) {
        case ColourBy::Category:
            break;
        case ColourBy::Name:
            return tintOfName(*m_trace, ops.name[row], m_nameTints, nameTint);
        case ColourBy::Stream:
            return static_cast<uint8_t>(ops.track[row].valid() ? ops.track[row].value % kNameTints : 0);
        case ColourBy::LaunchLatency:
            return latencyTintOf(static_cast<uint32_t>(row));
    }
    return static_cast<uint8_t>(ops.category[row]);
}

// As the table of launches has it: of a call's first operation only.
uint8_t TimelineIndex::latencyTintOf(uint32_t operation) const {
    const std::optional<uint32_t> call = m_correlations.callOf(*m_trace, operation);
    if (!call || m_correlations.operationsOf(*m_trace, *call, 1) != std::vector<uint32_t>{operation}) return kNoLatency;
    return latencyTint(m_trace->deviceOps().startNs[operation] - m_trace->apiCalls().startNs[*call]);
}

uint8_t TimelineIndex::callTint(size_t row) {
    const StringId name = m_trace->apiCalls().name[row];
    switch (m_colourBy) {
        case ColourBy::Category:
            break;
        case ColourBy::Name:
            return tintOfName(*m_trace, name, m_apiTints, nameTint);
        case ColourBy::Stream:
        case ColourBy::LaunchLatency: {
            const std::vector<uint32_t> launched = m_correlations.operationsOf(*m_trace, static_cast<uint32_t>(row), 1);
            if (m_colourBy == ColourBy::Stream) return launched.empty() ? kNoStream : opTint(launched.front());
            return launched.empty() ? kNoLatency : latencyTintOf(launched.front());
        }
    }
    return tintOfName(*m_trace, name, m_apiTints, m_apiTint);
}

TintTimes TimelineIndex::deviceTintTimes() const {
    TintTimes times{};
    const auto add = [&times](const Lane& lane) {
        const TintTimes more = lane.tintTimes(0, lane.size());
        for (size_t tint = 0; tint < times.size(); ++tint)
            times[tint] += more[tint];
    };
    for (const Lane* lane : devicesBusy())
        add(*lane);
    if (m_colourBy != ColourBy::Category) return times;
    for (const auto& [track, row] : m_stages)
        for (const Lane& lane : row.lanes.lanes())
            add(lane);
    return times;
}

void TimelineIndex::addDeviceOps() {
    const DeviceOps& ops = m_trace->deviceOps();
    Batches<TrackId> kernels;
    Batches<uint32_t> copies;
    Batches<uint32_t> all;
    std::vector<uint32_t> deviceOf;  // by track
    for (size_t track = 0; track < m_trace->tracks().size(); ++track)
        deviceOf.push_back(m_trace->tracks()[track].deviceId);
    // Neighbours mostly work for one token: the maps are asked once for the lot of them.
    int16_t repeat = 0;
    int32_t token = kNoToken;
    TimeRange tokenRange;
    const size_t end = upTo(m_opsSeen, ops.startNs.size());
    for (size_t row = m_opsSeen; row < end; ++row) {
        const TrackId track = ops.track[row];
        const uint32_t deviceId = track.valid() && track.value < deviceOf.size() ? deviceOf[track.value] : 0;
        const LaneItem laid = item(ops.startNs[row], ops.endNs[row], row, opTint(row));
        const bool isCopy = ops.kind[row] == DeviceOpKind::Copy || ops.kind[row] == DeviceOpKind::Set;
        if (isCopy)
            copies.add(deviceId, laid);
        else
            kernels.add(track, laid);
        all.add(deviceId, laid);
        if (ops.token[row] == kNoToken) continue;
        if (token == ops.token[row] && repeat == ops.repeat[row]) {
            tokenRange.startNs = std::min(tokenRange.startNs, laid.startNs);
            tokenRange.endNs = std::max(tokenRange.endNs, laid.endNs);
            continue;
        }
        if (token != kNoToken) noteOps(repeat, token, tokenRange);
        repeat = ops.repeat[row];
        token = ops.token[row];
        tokenRange = {laid.startNs, laid.endNs};
    }
    if (token != kNoToken) noteOps(repeat, token, tokenRange);
    m_opsSeen = end;

    for (auto& [track, batch] : kernels.all()) {
        const auto [it, isNew] = m_streams.try_emplace(track);
        if (isNew) {
            const TrackRow info = trackOf(track);
            it->second.kind = RowKind::Stream;
            it->second.track = track;
            it->second.deviceId = info.deviceId;
            it->second.detail = "stream " + std::to_string(info.streamId) + ", context " +
                                std::to_string(info.contextId) + ", process " +
                                std::to_string(processIdOf(info.globalPid));
            m_devices[info.deviceId].tracks.push_back(track);
        }
        it->second.addWork(std::move(batch));
    }
    for (auto& [deviceId, batch] : copies.all()) {
        TimelineRow& row = m_devices[deviceId].copies;
        row.kind = RowKind::Copy;
        row.deviceId = deviceId;
        row.addWork(std::move(batch));
    }
    for (auto& [deviceId, batch] : all.all())
        m_devices[deviceId].busy.add(std::move(batch));
}

TimelineIndex::Thread& TimelineIndex::threadOf(uint64_t globalTid) {
    const auto [it, isNew] = m_threads.try_emplace(globalTid);
    if (isNew) m_threadOrder.push_back(globalTid);
    return it->second;
}

void TimelineIndex::addApiCalls() {
    const ApiCalls& calls = m_trace->apiCalls();
    Batches<uint64_t> batches;
    const size_t end = upTo(m_callsSeen, calls.startNs.size());
    for (size_t row = m_callsSeen; row < end; ++row)
        batches.add(calls.globalTid[row], item(calls.startNs[row], calls.endNs[row], row, callTint(row)));
    m_callsSeen = end;
    for (auto& [tid, batch] : batches.all())
        threadOf(tid).apiCalls.lanes.add(std::move(batch));
}

void TimelineIndex::addRanges() {
    const Ranges& ranges = m_trace->ranges();
    Batches<uint64_t> batches;
    Batches<uint64_t> waits;
    const auto tintOfRange = [byName = m_colourBy == ColourBy::Name](std::string_view name) {
        return static_cast<uint8_t>(byName ? rangeTint(name) : rangeTint(name) % kRangeTints);
    };
    const size_t end = upTo(m_rangesSeen, ranges.startNs.size());
    for (size_t row = m_rangesSeen; row < end; ++row) {
        const bool isWait = ranges.kind[row] == RangeKind::Wait;
        const uint8_t tint = isWait ? tintOfName(*m_trace, ranges.name[row], m_waitTints, nameTint)
                                    : tintOfName(*m_trace, ranges.name[row], m_rangeTints, tintOfRange);
        (isWait ? waits : batches).add(ranges.globalTid[row], item(ranges.startNs[row], ranges.endNs[row], row, tint));
    }
    m_rangesSeen = end;
    for (auto& [tid, batch] : batches.all())
        threadOf(tid).ranges.lanes.add(std::move(batch));
    for (auto& [tid, batch] : waits.all())
        threadOf(tid).waits.lanes.add(std::move(batch));
}

void TimelineIndex::addOverheads() {
    const Overheads& overheads = m_trace->overheads();
    Batches<uint64_t> batches;
    const size_t end = upTo(m_overheadsSeen, overheads.startNs.size());
    for (size_t row = m_overheadsSeen; row < end; ++row)
        batches.add(overheads.globalTid[row], item(overheads.startNs[row], overheads.endNs[row], row, 0));
    m_overheadsSeen = end;
    for (auto& [tid, batch] : batches.all())
        threadOf(tid).overheads.lanes.add(std::move(batch));
}

void TimelineIndex::addStages() {
    const Stages& stages = m_trace->stages();
    Batches<TrackId> batches;
    const size_t end = upTo(m_stagesSeen, stages.startNs.size());
    for (size_t row = m_stagesSeen; row < end; ++row)
        batches.add(stages.track[row],
                    item(stages.startNs[row], stages.endNs[row], row, static_cast<uint8_t>(stages.category[row])));
    m_stagesSeen = end;
    for (auto& [track, batch] : batches.all()) {
        TimelineRow& row = m_stages[track];
        row.kind = RowKind::Stage;
        row.track = track;
        row.deviceId = trackOf(track).deviceId;
        row.detail = "what the kernels of the stream did inside, by stamps of one of their blocks";
        row.lanes.add(std::move(batch));
    }
}

void TimelineIndex::addCounters() {
    const CounterSamples& samples = m_trace->counterSamples();
    std::set<CounterId> grown;
    for (size_t row = m_samplesSeen; row < samples.timeNs.size(); ++row) {
        const CounterId id = samples.counter[row];
        if (!id.valid() || id.value >= m_trace->counters().size()) continue;
        const auto [it, isNew] = m_counters.try_emplace(id);
        TimelineRow& counter = it->second;
        if (isNew) {
            const CounterRow info = m_trace->counters()[id.value];
            counter.kind = info.unit == CounterUnit::ClockEventReasons ? RowKind::ClockLimit : RowKind::Counter;
            counter.deviceId = info.deviceId;
            counter.unit = info.unit;
            m_devices[info.deviceId].counters.push_back(id);
        }
        counter.series.add(item(samples.timeNs[row], 0, 0, 0).startNs, samples.value[row], static_cast<uint32_t>(row));
        grown.insert(id);
    }
    m_samplesSeen = samples.timeNs.size();
    for (const CounterId id : grown)
        if (TimelineRow& counter = m_counters[id]; counter.kind == RowKind::ClockLimit)
            counter.lanes = clockLimitLanes(counter.series);
}

GapLanes gapLanesOf(std::span<const GapPiece> pieces) {
    std::map<uint32_t, std::vector<LaneItem>> batches;
    for (const GapPiece& piece : pieces)
        if (!piece.range.empty())
            batches[piece.deviceId].push_back(item(piece.range.startNs, piece.range.endNs, piece.gap, piece.tint));
    GapLanes lanes;
    for (auto& [deviceId, batch] : batches)
        lanes[deviceId].add(std::move(batch));
    return lanes;
}

void TimelineIndex::setGaps(GapLanes gaps) {
    for (auto& [deviceId, device] : m_devices)
        device.gaps.lanes = std::move(gaps[deviceId]);
}

void TimelineIndex::setDerived(DerivedRows derived) {
    m_isDerived = true;
    m_projections.clear();
    for (auto& [track, lanes] : derived.projections) {
        TimelineRow& row = m_projections[track];
        row.kind = RowKind::Projection;
        row.track = track;
        row.deviceId = trackOf(track).deviceId;
        row.detail = "ranges, from the first to the last operation launched inside them";
        row.lanes = std::move(lanes);
    }
    m_layers = std::move(derived.layers);
    m_layerRow->kind = RowKind::Layer;
    m_layerRow->lanes = std::move(derived.layerLanes);
    m_steps = std::move(derived.steps);
    m_stepsTitle = std::move(derived.stepsTitle);
    m_stepRow->kind = RowKind::Step;
    m_stepRow->detail = std::move(derived.stepsDetail);
    m_stepRow->lanes = std::move(derived.stepLanes);
    for (auto& [deviceId, device] : m_devices) {
        device.queueDepth.series = std::move(derived.queueDepths[deviceId]);
        device.bandwidth.series = std::move(derived.bandwidths[deviceId]);
    }
    orderRows();
}

DerivedRows TimelineIndex::takeDerived() {
    DerivedRows derived;
    for (auto& [track, row] : m_projections)
        derived.projections[track] = std::exchange(row.lanes, {});
    derived.layers = std::exchange(m_layers, {});
    derived.layerLanes = std::exchange(m_layerRow->lanes, {});
    derived.steps = std::exchange(m_steps, {});
    derived.stepsTitle = m_stepsTitle;
    derived.stepsDetail = m_stepRow->detail;
    derived.stepLanes = std::exchange(m_stepRow->lanes, {});
    for (auto& [deviceId, device] : m_devices) {
        derived.queueDepths[deviceId] = std::exchange(device.queueDepth.series, {});
        derived.bandwidths[deviceId] = std::exchange(device.bandwidth.series, {});
    }
    return derived;
}

GapLanes TimelineIndex::takeGaps() {
    GapLanes gaps;
    for (auto& [deviceId, device] : m_devices)
        gaps[deviceId] = std::exchange(device.gaps.lanes, {});
    return gaps;
}

const Lane* TimelineIndex::deviceBusy(uint32_t deviceId) const {
    const auto it = m_devices.find(deviceId);
    return it == m_devices.end() ? nullptr : &it->second.busy.lane();
}

std::vector<const Lane*> TimelineIndex::devicesBusy() const {
    std::vector<const Lane*> lanes;
    for (const auto& [deviceId, device] : m_devices)
        lanes.push_back(&device.busy.lane());
    return lanes;
}

std::vector<const TimelineRow*> TimelineIndex::threadRows() const {
    std::vector<const TimelineRow*> rows;
    for (const auto& [tid, thread] : m_threads)
        for (const TimelineRow* row : {&thread.ranges, &thread.apiCalls, &thread.waits})
            if (row->lanes.itemCount() > 0) rows.push_back(row);
    return rows;
}

TimelineIndex::Place TimelineIndex::placeOf(RowKind kind, uint32_t tableRow) const {
    const auto startOf = [&]() -> std::optional<int64_t> {
        const auto at = [&](const ColumnView<int64_t>& starts) {
            return tableRow < starts.size() ? std::optional(item(starts[tableRow], 0, 0, 0).startNs) : std::nullopt;
        };
        switch (kind) {
            case RowKind::Stream:
            case RowKind::Copy:
                return at(m_trace->deviceOps().startNs);
            case RowKind::ApiCall:
                return at(m_trace->apiCalls().startNs);
            case RowKind::Range:
            case RowKind::Wait:
                return at(m_trace->ranges().startNs);
            case RowKind::Overhead:
                return at(m_trace->overheads().startNs);
            case RowKind::Stage:
                return at(m_trace->stages().startNs);
            case RowKind::Token:
                return tableRow < m_tokens.size() ? std::optional(m_tokens[tableRow].range.startNs) : std::nullopt;
            case RowKind::Step:
                return tableRow < m_steps.size() ? std::optional(m_steps[tableRow].range.startNs) : std::nullopt;
            case RowKind::Projection:
            case RowKind::Layer:
            case RowKind::Gap:  // asked by time: a gap has several pieces
            case RowKind::Counters:
            case RowKind::Counter:
            case RowKind::ClockLimit:
                return std::nullopt;
        }
        return std::nullopt;
    }();
    if (!startOf) return {};
    for (size_t r = 0; r < m_rows.size(); ++r) {
        const TimelineRow& row = *m_rows[r];
        if (tableOf(row.kind) != tableOf(kind)) continue;
        const auto& lanes = row.lanes.lanes();
        for (size_t depth = 0; depth < lanes.size(); ++depth) {
            const Lane& lane = lanes[depth];
            for (size_t i = lane.firstStartingAt(*startOf); i < lane.size() && lane.startNs(i) == *startOf; ++i)
                if (lane[i].row == tableRow) return {static_cast<int>(r), depth, i};
        }
    }
    return {};
}

}  // namespace gapscope
