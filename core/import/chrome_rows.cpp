#include "core/import/chrome_rows.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "core/import/category_rules.h"
#include "core/import/event_edges.h"
#include "core/import/json_cursor.h"

namespace gapscope {

namespace {

constexpr uint32_t kNoPlace = UINT32_MAX;
// Farther from the other events than this a time is wrong: some writers leave zeros beside times since 1970. Windows
// longer than this are refused as well.
constexpr int64_t kLongestTraceNs = int64_t{1} << 52;  // 52 days

// Rows of a file stand by table and thread, not by time.
template <class Row, class Use>
void forEachByStart(const ColumnWriter<Row>& rows, Use use) {
    bool isSorted = true;
    for (size_t row = 1; row < rows.size() && isSorted; ++row)
        isSorted = rows[row - 1].startNs <= rows[row].startNs;
    if (isSorted) {
        for (size_t row = 0; row < rows.size(); ++row)
            use(rows[row]);
        return;
    }
    std::vector<std::pair<int64_t, uint32_t>> order;
    order.reserve(rows.size());
    for (uint32_t row = 0; row < rows.size(); ++row)
        order.emplace_back(rows[row].startNs, row);
    std::sort(order.begin(), order.end());
    for (const auto& [startNs, row] : order)
        use(rows[row]);
}

uint32_t narrowed(int64_t value) {
    return static_cast<uint32_t>(std::clamp<int64_t>(value, 0, UINT32_MAX));
}

// "7" and "stream 7" are 7.
int64_t streamNumber(std::string_view text) {
    if (text.starts_with("stream ")) text.remove_prefix(7);
    return integerOf(text).value_or(0);
}

}  // namespace

template <class Row, class Rows>
bool ChromeRows::hasRoom(const Rows& rows, const Row&) {
    if (rows.size() < kMostEventRows) return true;
    ++m_beyondRoom;
    return false;
}

uint32_t ChromeRows::placeOfName(const EventBlock& block, uint32_t name) {
    uint32_t& place = m_places.names[name];
    if (place != kNoPlace) return place;
    const std::string_view text = block.names[name];
    if (text.size() > kMostNameBytes) ++m_cutNames;
    return place = m_builder.intern(unescapedJson(text, kMostNameBytes)).value;
}

void ChromeRows::addThreads(const EventBlock& block) {
    const auto plain = [](std::string_view text) { return unescapedJson(text, kMostNameBytes); };
    m_places.threads.clear();
    for (uint32_t i = 0; i < block.threads.size(); ++i)
        m_places.threads.push_back(m_threads.placeOf(plain(block.threads[i].process), plain(block.threads[i].thread)));
    m_threadHasRows.resize(m_threads.size());
    for (const BlockLabel& label : block.labels) {
        const uint32_t place = m_places.threads[label.thread];
        if (label.of == BlockLabel::Of::Process) {
            m_threads.nameProcess(place, plain(label.text));
        } else {
            m_threads.nameThread(place, plain(label.text));
        }
    }
}

void ChromeRows::addTracks(const EventBlock& block) {
    m_places.tracks.clear();
    for (uint32_t i = 0; i < block.tracks.size(); ++i) {
        const BlockTrack& from = block.tracks[i];
        Track track{.thread = m_places.threads[from.thread], .context = std::max<int64_t>(from.context, 0)};
        track.device = from.device >= 0
                           ? from.device
                           : integerOf(m_threads.processText(m_threads.processOf(track.thread))).value_or(0);
        track.stream = from.stream >= 0 ? from.stream : streamNumber(m_threads.threadText(track.thread));
        const auto [it, isNew] = m_trackPlaces.try_emplace(track, static_cast<uint32_t>(m_tracks.size()));
        if (isNew) m_tracks.push_back(track);
        m_places.tracks.push_back(it->second);
    }
}

void ChromeRows::noteCategory(StringId name, std::string_view text) {
    const auto [it, isNew] = m_categories.try_emplace(name, Category::Other);
    if (isNew) it->second = CategoryRules::builtIn().categoryOf(unescapedJson(text, kMostNameBytes));
}

void ChromeRows::add(const EventBlock& block) {
    m_places.names.assign(block.names.size(), kNoPlace);
    addThreads(block);
    addTracks(block);
    m_places.configs.clear();
    for (uint32_t i = 0; i < block.configs.size(); ++i) {
        const BlockConfig& config = block.configs[i];
        noteCategory(StringId{placeOfName(block, config.name)}, block.names[config.name]);
        m_places.configs.push_back(m_builder
                                       .internLaunchConfig({.fullName = StringId{placeOfName(block, config.name)},
                                                            .grid = config.grid,
                                                            .block = config.block,
                                                            .registersPerThread = config.registersPerThread,
                                                            // The file tells static and dynamic together.
                                                            .dynamicSharedBytes = config.sharedBytes})
                                       .value);
    }
    for (BlockOp op : block.ops) {
        if (!hasRoom(m_ops, op)) continue;
        op.name = placeOfName(block, op.name);
        op.track = m_places.tracks[op.track];
        if (op.config != BlockOp::kNoConfig) op.config = m_places.configs[op.config];
        m_ops.push(op);
    }
    for (BlockCall call : block.calls) {
        if (!hasRoom(m_calls, call)) continue;
        call.name = placeOfName(block, call.name);
        call.thread = m_places.threads[call.thread];
        m_calls.push(call);
    }
    for (BlockRange range : block.ranges) {
        if (!hasRoom(m_ranges, range)) continue;
        range.name = placeOfName(block, range.name);
        range.thread = m_places.threads[range.thread];
        m_ranges.push(range);
    }
    for (BlockEdge edge : block.edges) {
        if (!hasRoom(m_edges, edge)) continue;
        edge.name = placeOfName(block, edge.name);
        edge.thread = m_places.threads[edge.thread];
        if (edge.kind == BlockEdge::Kind::AsyncBegin || edge.kind == BlockEdge::Kind::AsyncEnd)
            edge.key = m_keys.try_emplace(std::string(block.names[edge.key]), static_cast<uint32_t>(m_keys.size()))
                           .first->second;
        m_edges.push_back(edge);
    }
    for (const BlockDevice& device : block.devices) {
        if (m_devices.size() < kMostDevices)
            m_devices[device.id] = {unescapedJson(device.name, kMostNameBytes), device.memoryBytes};
    }
    if (block.baseTimeNs) m_baseTimeNs = block.baseTimeNs;
    m_eventCount += static_cast<int64_t>(block.ops.size() + block.calls.size() + block.ranges.size() +
                                         block.edges.size() + block.labels.size());
    for (size_t kind = 0; kind < kUnplacedCount; ++kind) {
        m_unplaced[kind] += block.unplaced[kind];
        if (kind != static_cast<size_t>(Unplaced::NotAnEvent)) m_eventCount += block.unplaced[kind];
    }
}

// The middle of a sample of all times tells where the trace lies, whatever single times say.
void ChromeRows::findMiddle() {
    std::vector<int64_t> sample;
    const auto addSample = [&](const auto& rows, auto timeOf) {
        for (size_t row = 0; row < rows.size(); row += 1 + rows.size() / 1000)
            sample.push_back(timeOf(rows[row]));
    };
    const auto start = [](const auto& row) { return row.startNs; };
    addSample(m_ops, start);
    addSample(m_calls, start);
    addSample(m_ranges, start);
    addSample(m_edges, [](const BlockEdge& edge) { return edge.timeNs; });
    if (sample.empty()) return;
    const auto middle = sample.begin() + static_cast<ptrdiff_t>(sample.size() / 2);
    std::nth_element(sample.begin(), middle, sample.end());
    m_middleNs = *middle;
}

template <class Use>
void ChromeRows::forEachTimes(Use use) const {
    const auto visit = [&](const auto& rows) {
        for (size_t row = 0; row < rows.size(); ++row)
            if (isInReach(rows[row].startNs, rows[row].endNs)) use(rows[row].startNs, rows[row].endNs);
    };
    visit(m_ops);
    visit(m_calls);
    visit(m_ranges);
}

void ChromeRows::addEdges() {
    int64_t lastNs = m_middleNs;
    forEachTimes([&](int64_t, int64_t endNs) { lastNs = std::max(lastNs, endNs); });
    for (const BlockEdge& edge : m_edges)
        if (isInReach(edge.timeNs, edge.timeNs)) lastNs = std::max(lastNs, edge.timeNs);
    const EdgeResult result = addRangesOfEdges(std::move(m_edges), lastNs, m_ranges);
    m_builder.diagnostics().add("range_without_end", Severity::DataLoss, result.withoutEnd,
                                "Ranges without an end in the file are drawn to the end of the trace.");
    m_builder.diagnostics().add("range_without_begin", Severity::DataLoss, result.withoutBegin,
                                "Ends of ranges whose beginning is not in the file are left out.");
}

// Time 0 is the first event.
void ChromeRows::chooseOrigin() {
    m_originNs = m_middleNs;
    forEachTimes([&](int64_t startNs, int64_t) { m_originNs = std::min(m_originNs, startNs); });
    TraceOrigin origin;
    constexpr int64_t kYear2001Ns = 1'000'000'000'000'000'000;
    if (m_baseTimeNs && *m_baseTimeNs > 0 && *m_baseTimeNs < kFarthestNs) {
        origin.utcEpochNs = *m_baseTimeNs + m_originNs;
    } else if (m_originNs > kYear2001Ns) {
        origin.utcEpochNs = m_originNs;  // the times themselves count from 1970
    }
    m_builder.setOrigin(origin);
}

bool ChromeRows::isInReach(int64_t startNs, int64_t endNs) const {
    return startNs > m_middleNs - kLongestTraceNs && endNs < m_middleNs + kLongestTraceNs;
}

bool ChromeRows::isInTime(int64_t startNs, int64_t endNs) {
    if (isInReach(startNs, endNs)) return true;
    ++m_outOfTime;
    return false;
}

// The process that launched a stream's operations. GPU rows do not name it: their `pid` is the device.
std::vector<uint32_t> ChromeRows::processOfTracks() const {
    std::vector<uint32_t> processes(m_tracks.size());
    for (size_t track = 0; track < m_tracks.size(); ++track)
        processes[track] = m_threads.processOf(m_tracks[track].thread);
    if (m_launching.empty()) return processes;
    processes.assign(m_tracks.size(), *m_launching.begin());
    if (m_launching.size() == 1) return processes;

    // Several: correlation ids repeat among them. Each operation speaks for the process whose call of its id began
    // last before it.
    struct Launch {
        uint32_t correlation;
        uint32_t process;
        int64_t startNs;
        auto key() const { return std::pair(correlation, startNs); }
    };
    std::vector<Launch> launches;
    for (size_t row = 0; row < m_calls.size(); ++row) {
        const BlockCall& call = m_calls[row];
        if (call.correlation != 0)
            launches.push_back({call.correlation, m_threads.processOf(call.thread), call.startNs});
    }
    std::ranges::sort(launches, {}, &Launch::key);
    std::vector<std::map<uint32_t, int64_t>> votes(m_tracks.size());
    for (size_t row = 0; row < m_ops.size(); ++row) {
        const BlockOp& op = m_ops[row];
        const auto after = std::ranges::upper_bound(launches, std::pair(op.correlation, op.startNs), {}, &Launch::key);
        if (after == launches.begin() || std::prev(after)->correlation != op.correlation) continue;
        ++votes[op.track][std::prev(after)->process];
    }
    for (size_t track = 0; track < m_tracks.size(); ++track) {
        const auto most = std::ranges::max_element(votes[track], {}, [](const auto& vote) { return vote.second; });
        if (most != votes[track].end()) processes[track] = most->first;
    }
    return processes;
}

void ChromeRows::addDeviceOps() {
    const std::vector<uint32_t> processes = processOfTracks();
    BoundedTracks bounded;
    std::vector<TrackId> tracks;
    for (size_t track = 0; track < m_tracks.size(); ++track)
        tracks.push_back(bounded.intern({.globalPid = m_threads.globalPid(processes[track]),
                                         .deviceId = narrowed(m_tracks[track].device),
                                         .contextId = narrowed(m_tracks[track].context),
                                         .streamId = narrowed(m_tracks[track].stream)},
                                        m_builder));
    forEachByStart(m_ops, [&](const BlockOp& op) {
        if (!isInTime(op.startNs, op.endNs) || !tracks[op.track].valid()) return;
        DeviceOpRow row{.startNs = op.startNs - m_originNs,
                        .endNs = op.endNs - m_originNs,
                        .name = StringId{op.name},
                        .track = tracks[op.track],
                        .kind = op.kind,
                        .correlationId = op.correlation,
                        .copyBytes = op.bytes,
                        .graphNodeId = op.graphNode};
        switch (op.kind) {
            case DeviceOpKind::Copy:
                row.category = Category::Copy;
                break;
            case DeviceOpKind::Set:
                row.category = Category::Set;
                break;
            default:
                row.category = m_categories.at(row.name);  // noted with its launch configuration
                row.config = LaunchConfigId{op.config};
                break;
        }
        m_builder.add(row);
    });
    m_ops = {};
}

void ChromeRows::addCalls() {
    forEachByStart(m_calls, [&](const BlockCall& call) {
        if (!isInTime(call.startNs, call.endNs)) return;
        m_threadHasRows[call.thread] = true;
        m_builder.add(ApiCallRow{.startNs = call.startNs - m_originNs,
                                 .endNs = call.endNs - m_originNs,
                                 .name = StringId{call.name},
                                 .globalTid = m_threads.globalTid(call.thread),
                                 .correlationId = call.correlation,
                                 .apiClass = call.apiClass});
    });
    m_calls = {};
}

void ChromeRows::addRanges() {
    // The profiler's own cost stands beside all processes in the file; it held up the one that launched, on no thread
    // in particular.
    const auto tidOfOverhead = [&](uint32_t thread) {
        const uint32_t process = m_threads.processOf(thread);
        if (m_launching.empty() || m_launching.contains(process)) return m_threads.globalTid(thread);
        return m_threads.globalPid(*m_launching.begin());
    };
    forEachByStart(m_ranges, [&](const BlockRange& range) {
        if (!isInTime(range.startNs, range.endNs)) return;
        const int64_t startNs = range.startNs - m_originNs, endNs = range.endNs - m_originNs;
        const StringId name{range.name};
        if (range.table == RangeTable::Overhead) {
            m_builder.add(OverheadRow{startNs, endNs, name, tidOfOverhead(range.thread)});
            return;
        }
        RangeKind kind = RangeKind::User;
        if (range.table == RangeTable::CpuOp) kind = RangeKind::CpuOp;
        if (range.table == RangeTable::PythonFunction) kind = RangeKind::PythonFunction;
        m_threadHasRows[range.thread] = true;
        m_builder.add(RangeRow{startNs, endNs, name, m_threads.globalTid(range.thread), kind});
    });
    m_ranges = {};
}

void ChromeRows::addDevices() {
    std::set<int64_t> used;
    for (const Track& track : m_tracks)
        used.insert(track.device);
    size_t count = 0;
    for (const int64_t id : used) {
        if (++count > kMostDevices) break;
        DeviceRow device{.id = narrowed(id), .kind = DeviceKind::Cuda, .name = "GPU " + std::to_string(narrowed(id))};
        if (const auto it = m_devices.find(id); it != m_devices.end()) {
            if (!it->second.name.empty()) device.name = it->second.name;
            device.totalMemoryBytes = it->second.memoryBytes;
        }
        m_builder.setDevice(std::move(device));
    }
}

void ChromeRows::addThreadNames() {
    std::set<uint32_t> ofDevices;
    for (const Track& track : m_tracks)
        if (!m_launching.contains(m_threads.processOf(track.thread)))
            ofDevices.insert(m_threads.processOf(track.thread));
    std::set<uint32_t> others;
    for (uint32_t thread = 0; thread < m_threads.size(); ++thread)
        if (m_threadHasRows[thread] && !ofDevices.contains(m_threads.processOf(thread)))
            others.insert(m_threads.processOf(thread));
    for (uint32_t thread = 0; thread < m_threads.size(); ++thread) {
        if (!m_threadHasRows[thread]) continue;
        ChromeThreads::Show show = ChromeThreads::Show::Thread;
        if (others.size() > 1) show = ChromeThreads::Show::ProcessAndThread;
        if (ofDevices.contains(m_threads.processOf(thread))) show = ChromeThreads::Show::DeviceAndThread;
        m_builder.setThread(m_threads.globalTid(thread), m_threads.title(thread, show));
    }
}

void ChromeRows::countUnplaced() {
    Diagnostics& diagnostics = m_builder.diagnostics();
    const auto count = [&](Unplaced kind) { return m_unplaced[static_cast<size_t>(kind)]; };
    countRowsWithoutTime(count(Unplaced::WithoutTime) + m_outOfTime, m_builder);
    diagnostics.add("device_operation_without_end", Severity::DataLoss, count(Unplaced::DeviceOpWithoutEnd),
                    "Device operations without a duration are left out of every figure.");
    diagnostics.add("not_an_event", Severity::DataLoss, count(Unplaced::NotAnEvent),
                    "Objects in the list of events do not say what kind of event they are.");
    diagnostics.add("too_many_events", Severity::DataLoss, m_beyondRoom,
                    "Events beyond what one trace can hold are left out.");
    diagnostics.add("too_many_threads", Severity::Info, m_threads.mergedCount(),
                    "Threads beyond what a trace shows are shown as one.");
    diagnostics.add("long_name_cut", Severity::Info, m_cutNames, "Names are shown without their end.");
    diagnostics.add("flow_event", Severity::Info, count(Unplaced::Flow),
                    "Arrows between events are not kept: launches are joined to their operations by correlation id.");
    diagnostics.add("gpu_annotation", Severity::Info, count(Unplaced::GpuAnnotation),
                    "Copies of CPU annotations on GPU rows are not kept; they are no device operations.");
    diagnostics.add("profiler_span", Severity::Info, count(Unplaced::ProfilerSpan),
                    "Spans of the profiler itself, as long as the file, are not kept.");
    diagnostics.add("instant_event", Severity::Info, count(Unplaced::Instant),
                    "Moments that belong to no thread are not shown.");
    diagnostics.add("memory_event", Severity::Info, count(Unplaced::MemoryEvent),
                    "Single allocations of memory are not shown.");
    diagnostics.add("counter_event", Severity::Info, count(Unplaced::Counter), "Values of counters are not shown.");
    diagnostics.add("other_event", Severity::Info, count(Unplaced::OtherPhase),
                    "Object snapshots, samples, memory dumps and the like are not shown.");
}

Status ChromeRows::finish(std::stop_token stop) {
    const auto isStopped = [&] { return stop.stop_requested(); };
    m_threads.assignNumbers();
    for (size_t row = 0; row < m_calls.size(); ++row)
        m_launching.insert(m_threads.processOf(m_calls[row].thread));
    findMiddle();
    addEdges();
    chooseOrigin();
    if (isStopped()) return fail("Cancelled.", ErrorKind::Cancelled);
    addDeviceOps();
    if (isStopped()) return fail("Cancelled.", ErrorKind::Cancelled);
    addCalls();
    if (isStopped()) return fail("Cancelled.", ErrorKind::Cancelled);
    addRanges();
    addDevices();
    addThreadNames();
    countUnplaced();
    return {};
}

}  // namespace gapscope
