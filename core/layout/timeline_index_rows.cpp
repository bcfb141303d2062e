// Which rows a TimelineIndex shows, in which order and under which names.
#include <algorithm>
#include <cstdint>
#include <string>

#include "core/layout/timeline_index.h"

namespace gapscope {

void TimelineIndex::orderRows() {
    m_tree.clear();
    if (m_tokenRow->lanes.itemCount() > 0) {
        RowNode tokens{.key = "tokens", .title = "Tokens", .row = m_tokenRow.get()};
        for (auto& [sequence, row] : m_sequenceRows) {
            if (row.lanes.itemCount() == 0) continue;
            const std::string number = std::to_string(sequence + 1);
            tokens.children.push_back({.key = "tokens/" + number, .title = "Tokens " + number, .row = &row});
        }
        m_tree.push_back(std::move(tokens));
    }
    if (m_stepRow->lanes.itemCount() > 0)
        m_tree.push_back({.key = "steps", .title = m_stepsTitle, .row = m_stepRow.get()});
    if (m_layerRow->lanes.itemCount() > 0)
        m_tree.push_back({.key = "layers", .title = "Layers", .row = m_layerRow.get()});

    // Launching threads first, then those that did something of the program's; else as they appeared, so that rows do
    // not jump during a run.
    std::vector<uint64_t> order = m_threadOrder;
    const auto rank = [&](uint64_t tid) {
        const Thread& thread = m_threads[tid];
        if (thread.apiCalls.lanes.itemCount() > 0) return 0;
        return thread.ranges.lanes.itemCount() + thread.waits.lanes.itemCount() > 0 ? 1 : 2;
    };
    std::ranges::stable_sort(order, {}, rank);
    std::map<std::string, int> named;  // threads of one name are told apart by their order
    for (const uint64_t tid : order) {
        RowNode node = threadNode(tid);
        if (const int count = ++named[node.key]; count > 1) {
            const std::string suffix = "#" + std::to_string(count);
            for (RowNode& child : node.children)
                child.key.insert(node.key.size(), suffix);
            node.key += suffix;
        }
        if (node.isGroup()) m_tree.push_back(std::move(node));
    }
    for (const auto& [deviceId, device] : m_devices)
        m_tree.push_back(deviceNode(deviceId));
    sortTree(m_tree, m_arrangement);
    m_rows = arrangeRows(m_tree, m_arrangement);
}

RowNode TimelineIndex::threadNode(uint64_t globalTid) {
    Thread& thread = m_threads[globalTid];
    const std::string name = m_trace->threadName(globalTid);
    RowNode node{.key = "thread " + name, .title = name};
    const auto add = [&](TimelineRow& row, RowKind kind, const char* key, const char* title) {
        if (row.lanes.itemCount() == 0) return;
        row.kind = kind;
        row.globalTid = globalTid;
        row.detail = name + ": " + title;
        node.children.push_back(
            {.key = node.key + "/" + key, .title = title, .row = &row, .isMain = node.children.empty()});
    };
    add(thread.ranges, RowKind::Range, "ranges", "ranges");
    add(thread.apiCalls, RowKind::ApiCall, "calls", "API calls");
    add(thread.waits, RowKind::Wait, "waits", "waits");
    // A thread of the profiler's own: what it does says more than its number.
    if (node.children.empty()) node.title = threadIdOf(globalTid) != 0 ? "tracing thread" : "tracing cost";
    add(thread.overheads, RowKind::Overhead, "tracing", "tracing cost");
    return node;
}

RowNode TimelineIndex::deviceNode(uint32_t deviceId) {
    Device& device = m_devices[deviceId];
    const auto& known = m_trace->devices();
    const auto it = std::ranges::find(known, deviceId, &DeviceRow::id);
    const bool isCpu = it != known.end() && it->kind == DeviceKind::Cpu;
    RowNode node{.key = "device " + std::to_string(deviceId),
                 .title = (isCpu ? "CPU device " : "GPU ") + std::to_string(deviceId)};
    const auto add = [](RowNode& group, TimelineRow& row, const std::string& key, const std::string& title) {
        group.children.push_back(
            {.key = group.key + "/" + key, .title = title, .row = &row, .isMain = row.kind == RowKind::Gap});
    };
    device.gaps.kind = RowKind::Gap;
    device.gaps.deviceId = deviceId;
    device.gaps.detail = it == known.end() ? node.title : node.title + ": " + it->name;
    add(node, device.gaps, "gaps", "gaps");
    std::map<std::string, int> named;  // processes may have the same streams
    for (const TrackId track : device.tracks) {
        const TrackRow info = trackOf(track);
        std::string key = "stream " + std::to_string(info.contextId) + "." + std::to_string(info.streamId);
        if (const int count = ++named[key]; count > 1) key += "#" + std::to_string(count);
        add(node, m_streams[track], key, "stream " + std::to_string(info.streamId));
        if (const auto stages = m_stages.find(track); stages != m_stages.end())
            add(node, stages->second, key + " stages", "stages on " + std::to_string(info.streamId));
        if (const auto projection = m_projections.find(track); projection != m_projections.end())
            add(node, projection->second, key + " ranges", "ranges on " + std::to_string(info.streamId));
    }
    if (device.copies.lanes.itemCount() > 0) add(node, device.copies, "copies", "copies");
    const auto addPlot = [&](TimelineRow& row, PlotFigure figure, const char* key, const char* detail) {
        row.kind = RowKind::Counter;
        row.figure = figure;
        row.deviceId = deviceId;
        row.detail = node.title + ": " + detail;
        add(node, row, key, key);
    };
    if (m_isDerived && !device.busy.lane().empty())
        addPlot(device.busyShare, PlotFigure::BusyShare, "busy", "share of each few px in which it worked");
    if (!device.queueDepth.series.empty())
        addPlot(device.queueDepth, PlotFigure::QueueDepth, "queue depth", "launches called and not begun, all streams");
    if (!device.bandwidth.series.empty())
        addPlot(device.bandwidth, PlotFigure::Bandwidth, "bandwidth",
                "bytes per second of the operations at work, by the plan");
    if (device.counters.empty()) return node;
    device.countersHeading.kind = RowKind::Counters;
    device.countersHeading.deviceId = deviceId;
    device.countersHeading.detail = node.title + ": how the device was doing";
    RowNode counters{.key = node.key + "/counters", .title = "counters", .row = &device.countersHeading};
    for (const CounterId counter : device.counters) {
        const std::string name(m_trace->string(m_trace->counters()[counter.value].name));
        add(counters, m_counters[counter], name, name);
    }
    node.children.push_back(std::move(counters));
    return node;
}

void TimelineIndex::setArrangement(RowArrangement arrangement) {
    m_arrangement = std::move(arrangement);
    orderRows();
}

}  // namespace gapscope
