#include "core/layout/timeline_index.h"

#include <algorithm>
#include <iterator>

#include "core/trace/trace_builder.h"

namespace gapscope {

namespace {

constexpr uint8_t kRangeTints = 4;

// Far beyond any trace, near enough to zero that sums and differences of times cannot overflow.
LaneItem item(int64_t startNs, int64_t endNs, size_t row, uint8_t tint) {
    constexpr int64_t kFar = int64_t{1} << 59;
    return {std::clamp(startNs, -kFar, kFar), std::clamp(endNs, -kFar, kFar), static_cast<uint32_t>(row), tint};
}

// "layer 3" and "layer 4" are of one kind and get one tint.
uint8_t rangeTint(std::string_view name) {
    uint32_t hash = 2166136261u;
    for (const char c : name)
        if (c < '0' || c > '9') hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
    return static_cast<uint8_t>((hash >> 8) % kRangeTints);
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

TimelineIndex::TimelineIndex(ApiTint apiTint) : m_apiTint(std::move(apiTint)) {
    if (!m_apiTint) m_apiTint = [](std::string_view) { return uint8_t{0}; };
    m_trace = TraceBuilder().snapshot();
    m_tokenRow = std::make_unique<TimelineRow>();
}

void TimelineIndex::reset() {
    m_devices.clear();
    m_streams.clear();
    m_threads.clear();
    m_threadOrder.clear();
    m_repeats.clear();
    m_tokens.clear();
    *m_tokenRow = {};
    m_rows.clear();
    m_apiTints.clear();
    m_rangeTints.clear();
    m_correlations.clear();
    m_opsSeen = m_callsSeen = m_rangesSeen = 0;
}

bool TimelineIndex::setTrace(TracePtr trace) {
    const bool afresh = !isContinuedBy(*trace);
    if (afresh) reset();
    m_trace = std::move(trace);
    addDeviceOps();
    addApiCalls();
    addRanges();
    addTokens();
    m_correlations.update(*m_trace);
    orderRows();
    return afresh;
}

void TimelineIndex::addDeviceOps() {
    const DeviceOps& ops = m_trace->deviceOps();
    std::map<TrackId, std::vector<LaneItem>> kernels;
    std::map<uint32_t, std::vector<LaneItem>> copies;
    std::map<uint32_t, std::vector<LaneItem>> all;
    for (size_t row = m_opsSeen; row < ops.startNs.size(); ++row) {
        const TrackId track = ops.track[row];
        const uint32_t deviceId =
            track.valid() && track.value < m_trace->tracks().size() ? m_trace->tracks()[track.value].deviceId : 0;
        const LaneItem laid = item(ops.startNs[row], ops.endNs[row], row, static_cast<uint8_t>(ops.category[row]));
        const bool isCopy = ops.kind[row] == DeviceOpKind::Copy || ops.kind[row] == DeviceOpKind::Set;
        (isCopy ? copies[deviceId] : kernels[track]).push_back(laid);
        all[deviceId].push_back(laid);
        if (ops.token[row] == kNoToken) continue;
        Repeat& repeat = m_repeats[ops.repeat[row]];
        const auto [it, isNew] = repeat.ops.try_emplace(ops.token[row], TimeRange{laid.startNs, laid.endNs});
        if (isNew) continue;
        it->second.startNs = std::min(it->second.startNs, laid.startNs);
        it->second.endNs = std::max(it->second.endNs, laid.endNs);
    }
    m_opsSeen = ops.startNs.size();

    for (auto& [track, batch] : kernels) {
        const auto [it, isNew] = m_streams.try_emplace(track);
        if (isNew) {
            const TrackRow info =
                track.valid() && track.value < m_trace->tracks().size() ? m_trace->tracks()[track.value] : TrackRow{};
            it->second.kind = RowKind::Stream;
            it->second.track = track;
            it->second.deviceId = info.deviceId;
            it->second.title = "stream " + std::to_string(info.streamId);
            it->second.detail = it->second.title + ", context " + std::to_string(info.contextId) + ", process " +
                                std::to_string(processIdOf(info.globalPid));
            m_devices[info.deviceId].tracks.push_back(track);
        }
        it->second.lanes.add(std::move(batch));
    }
    for (auto& [deviceId, batch] : copies) {
        TimelineRow& row = m_devices[deviceId].copies;
        row.kind = RowKind::Copy;
        row.deviceId = deviceId;
        row.title = "copies";
        row.lanes.add(std::move(batch));
    }
    for (auto& [deviceId, batch] : all)
        m_devices[deviceId].busy.add(std::move(batch));
}

void TimelineIndex::addApiCalls() {
    const ApiCalls& calls = m_trace->apiCalls();
    std::map<uint64_t, std::vector<LaneItem>> batches;
    for (size_t row = m_callsSeen; row < calls.startNs.size(); ++row) {
        const uint8_t tint = tintOfName(*m_trace, calls.name[row], m_apiTints, m_apiTint);
        batches[calls.globalTid[row]].push_back(item(calls.startNs[row], calls.endNs[row], row, tint));
    }
    m_callsSeen = calls.startNs.size();
    for (auto& [tid, batch] : batches) {
        const auto [it, isNew] = m_threads.try_emplace(tid);
        if (isNew) m_threadOrder.push_back(tid);
        it->second.apiCalls.kind = RowKind::ApiCall;
        it->second.apiCalls.globalTid = tid;
        it->second.apiCalls.lanes.add(std::move(batch));
    }
}

void TimelineIndex::addRanges() {
    const Ranges& ranges = m_trace->ranges();
    std::map<uint64_t, std::vector<LaneItem>> batches;
    for (size_t row = m_rangesSeen; row < ranges.startNs.size(); ++row) {
        const uint8_t tint = tintOfName(*m_trace, ranges.name[row], m_rangeTints, rangeTint);
        batches[ranges.globalTid[row]].push_back(item(ranges.startNs[row], ranges.endNs[row], row, tint));
    }
    m_rangesSeen = ranges.startNs.size();
    for (auto& [tid, batch] : batches) {
        const auto [it, isNew] = m_threads.try_emplace(tid);
        if (isNew) m_threadOrder.push_back(tid);
        it->second.ranges.kind = RowKind::Range;
        it->second.ranges.globalTid = tid;
        it->second.ranges.lanes.add(std::move(batch));
    }
}

void TimelineIndex::addTokens() {
    const Tokens& emitted = m_trace->tokens();
    std::map<std::pair<int16_t, int32_t>, int64_t> rowOfToken;
    for (size_t row = 0; row < emitted.emittedNs.size(); ++row)
        rowOfToken[{emitted.repeat[row], emitted.index[row]}] = static_cast<int64_t>(row);

    m_tokens.clear();
    *m_tokenRow = {.kind = RowKind::Token, .startsGroup = true, .title = "Tokens"};
    std::vector<LaneItem> items;
    for (const auto& [repeat, known] : m_repeats) {
        // A token lasts from the one before's last device end to its own.
        std::optional<int64_t> previousEndNs;
        for (const auto& [index, ops] : known.ops) {
            TokenSpan span{.repeat = repeat, .index = index, .range = ops};
            if (previousEndNs) span.range.startNs = std::min(*previousEndNs, ops.endNs);
            previousEndNs = std::max(previousEndNs.value_or(ops.endNs), ops.endNs);
            if (const auto it = rowOfToken.find({repeat, index}); it != rowOfToken.end()) span.tokenRow = it->second;
            const uint8_t tint = index < 0 ? 0 : static_cast<uint8_t>(1 + index % 2);
            items.push_back(item(span.range.startNs, span.range.endNs, m_tokens.size(), tint));
            m_tokens.push_back(span);
        }
    }
    m_tokenRow->lanes.add(std::move(items));
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

void TimelineIndex::orderRows() {
    m_rows.clear();
    if (m_tokenRow->lanes.itemCount() > 0) m_rows.push_back(m_tokenRow.get());

    // Launching threads first; else as they appeared, so that rows do not jump during a run.
    std::vector<uint64_t> order = m_threadOrder;
    std::stable_partition(order.begin(), order.end(),
                          [&](uint64_t tid) { return m_threads[tid].apiCalls.lanes.itemCount() > 0; });
    for (const uint64_t tid : order) {
        Thread& thread = m_threads[tid];
        const std::string name = m_trace->threadName(tid);
        bool starts = true;
        for (TimelineRow* row : {&thread.ranges, &thread.apiCalls}) {
            if (row->lanes.itemCount() == 0) continue;
            row->startsGroup = starts;
            row->title = starts ? name : "API calls";
            row->detail = name + (row == &thread.ranges ? ": ranges" : ": API calls");
            m_rows.push_back(row);
            starts = false;
        }
    }

    for (auto& [deviceId, device] : m_devices) {
        const auto& known = m_trace->devices();
        const auto it = std::ranges::find(known, deviceId, &DeviceRow::id);
        const bool isCpu = it != known.end() && it->kind == DeviceKind::Cpu;
        device.gaps.kind = RowKind::Gap;
        device.gaps.deviceId = deviceId;
        device.gaps.startsGroup = true;
        device.gaps.title = (isCpu ? "CPU device " : "GPU ") + std::to_string(deviceId);
        device.gaps.detail = it == known.end() ? device.gaps.title : device.gaps.title + ": " + it->name;
        m_rows.push_back(&device.gaps);
        for (const TrackId track : device.tracks)
            m_rows.push_back(&m_streams[track]);
        if (device.copies.lanes.itemCount() > 0) m_rows.push_back(&device.copies);
    }
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
                return at(m_trace->ranges().startNs);
            case RowKind::Token:
                return tableRow < m_tokens.size() ? std::optional(m_tokens[tableRow].range.startNs) : std::nullopt;
            case RowKind::Gap:
                return std::nullopt;  // asked by time: a gap has several pieces
        }
        return std::nullopt;
    }();
    if (!startOf) return {};
    for (size_t r = 0; r < m_rows.size(); ++r) {
        const TimelineRow& row = *m_rows[r];
        const bool isDeviceOp = kind == RowKind::Stream || kind == RowKind::Copy;
        const bool matches = isDeviceOp ? row.kind == RowKind::Stream || row.kind == RowKind::Copy : row.kind == kind;
        if (!matches) continue;
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
