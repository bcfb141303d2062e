#include "core/import/chrome_assembly.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "core/import/event_edges.h"
#include "core/import/own_chrome.h"
#include "core/import/row_checks.h"

namespace gapscope {

namespace {

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

RangeKind rangeKind(RangeTable table) {
    switch (table) {
        case RangeTable::CpuOp:
            return RangeKind::CpuOp;
        case RangeTable::PythonFunction:
            return RangeKind::PythonFunction;
        case RangeTable::Wait:
            return RangeKind::Wait;
        default:
            return RangeKind::User;
    }
}

class Assembly {
public:
    Assembly(ChromeTables& tables, TraceBuilder& builder) : m_tables(tables), m_builder(builder) {}
    Status run(std::stop_token stop);

private:
    void findMiddle();
    template <class Use>
    void forEachTimes(Use use) const;
    void addWaits();
    void addEdges();
    void chooseOrigin();
    bool isInReach(int64_t startNs, int64_t endNs) const;
    bool isInTime(int64_t startNs, int64_t endNs);
    std::vector<uint32_t> processOfTracks() const;
    void addDeviceOps();
    void addCalls();
    void addRanges();
    void addCounters();
    void addTokens();
    void addDevices();
    void addThreadNames();
    void addRun();
    void countUnplaced();

    ChromeTables& m_tables;
    TraceBuilder& m_builder;
    std::optional<OwnHead> m_own;    // the file is an own export
    std::set<uint32_t> m_launching;  // processes that call the API
    std::vector<bool> m_threadHasRows;
    int64_t m_middleNs = 0;  // a time among those of most events
    int64_t m_originNs = 0;
    int64_t m_outOfTime = 0;
};

// The middle of a sample of all times tells where the trace lies, whatever single times say.
void Assembly::findMiddle() {
    std::vector<int64_t> sample;
    const auto addSample = [&](const auto& rows, auto timeOf) {
        for (size_t row = 0; row < rows.size(); row += 1 + rows.size() / 1000)
            sample.push_back(timeOf(rows[row]));
    };
    const auto start = [](const auto& row) { return row.startNs; };
    addSample(m_tables.ops, start);
    addSample(m_tables.calls, start);
    addSample(m_tables.ranges, start);
    addSample(m_tables.waits, start);
    addSample(m_tables.edges, [](const BlockEdge& edge) { return edge.timeNs; });
    addSample(m_tables.samples, [](const BlockSample& value) { return value.timeNs; });
    addSample(m_tables.tokens, [](const BlockToken& token) { return token.timeNs; });
    if (sample.empty()) return;
    const auto middle = sample.begin() + static_cast<ptrdiff_t>(sample.size() / 2);
    std::nth_element(sample.begin(), middle, sample.end());
    m_middleNs = *middle;
}

template <class Use>
void Assembly::forEachTimes(Use use) const {
    const auto visit = [&](const auto& rows) {
        for (size_t row = 0; row < rows.size(); ++row)
            if (isInReach(rows[row].startNs, rows[row].endNs)) use(rows[row].startNs, rows[row].endNs);
    };
    visit(m_tables.ops);
    visit(m_tables.calls);
    visit(m_tables.ranges);
}

void Assembly::addEdges() {
    int64_t lastNs = m_middleNs;
    forEachTimes([&](int64_t, int64_t endNs) { lastNs = std::max(lastNs, endNs); });
    for (const BlockEdge& edge : m_tables.edges)
        if (isInReach(edge.timeNs, edge.timeNs)) lastNs = std::max(lastNs, edge.timeNs);
    const EdgeResult result = addRangesOfEdges(std::move(m_tables.edges), lastNs, m_tables.ranges);
    m_builder.diagnostics().add("range_without_end", Severity::DataLoss, result.withoutEnd,
                                "Ranges without an end in the file are drawn to the end of the trace.");
    m_builder.diagnostics().add("range_without_begin", Severity::DataLoss, result.withoutBegin,
                                "Ends of ranges whose beginning is not in the file are left out.");
}

// The file has them on rows of the device; they stand on the thread that waited, which the call of their id tells.
void Assembly::addWaits() {
    if (m_tables.waits.empty()) return;
    std::unordered_map<uint32_t, std::vector<uint32_t>> callsOf;  // rows, of the correlation ids that are asked for
    for (const BlockWait& wait : m_tables.waits)
        if (wait.correlation != 0) callsOf[wait.correlation];
    for (uint32_t row = 0; row < m_tables.calls.size(); ++row)
        if (const auto it = callsOf.find(m_tables.calls[row].correlation); it != callsOf.end())
            it->second.push_back(row);
    int64_t withoutCall = 0;
    for (const BlockWait& wait : m_tables.waits) {
        BlockRange range{.startNs = wait.startNs,
                         .endNs = wait.endNs,
                         .name = wait.name,
                         .thread = wait.thread,
                         .table = RangeTable::Wait};
        // Of several processes' calls with this id the one that was running.
        const std::vector<uint32_t>& rows = callsOf[wait.correlation];
        const auto running = std::ranges::find_if(rows, [&](uint32_t row) {
            return m_tables.calls[row].startNs <= wait.endNs && wait.startNs <= m_tables.calls[row].endNs;
        });
        if (running != rows.end()) {
            range.thread = m_tables.calls[*running].thread;
        } else {
            ++withoutCall;
        }
        m_tables.ranges.push(range);
    }
    m_tables.waits = {};
    if (m_own) return;  // they stand on their threads
    m_builder.diagnostics().add("gpu_wait_without_call", Severity::Info, withoutCall,
                                "Waits name no call, so it is not known which thread waited.");
}

// Time 0 is the first event; that of an own export what it was when it was recorded.
void Assembly::chooseOrigin() {
    if (m_own) {
        m_originNs = -m_own->zeroNs;
        return m_builder.setOrigin(m_own->origin);
    }
    m_originNs = m_middleNs;
    forEachTimes([&](int64_t startNs, int64_t) { m_originNs = std::min(m_originNs, startNs); });
    TraceOrigin origin;
    constexpr int64_t kYear2001Ns = 1'000'000'000'000'000'000;
    if (m_tables.baseTimeNs && *m_tables.baseTimeNs > 0 && *m_tables.baseTimeNs < kFarthestNs) {
        origin.utcEpochNs = *m_tables.baseTimeNs + m_originNs;
    } else if (m_originNs > kYear2001Ns) {
        origin.utcEpochNs = m_originNs;  // the times themselves count from 1970
    }
    m_builder.setOrigin(origin);
}

bool Assembly::isInReach(int64_t startNs, int64_t endNs) const {
    return startNs > m_middleNs - kLongestTraceNs && endNs < m_middleNs + kLongestTraceNs;
}

bool Assembly::isInTime(int64_t startNs, int64_t endNs) {
    if (isInReach(startNs, endNs)) return true;
    ++m_outOfTime;
    return false;
}

// The process that launched a stream's operations. GPU rows do not name it: their `pid` is the device.
std::vector<uint32_t> Assembly::processOfTracks() const {
    std::vector<uint32_t> processes(m_tables.tracks.size());
    for (size_t track = 0; track < m_tables.tracks.size(); ++track)
        processes[track] = m_tables.threads.processOf(m_tables.tracks[track].thread);
    if (m_launching.empty()) return processes;
    processes.assign(m_tables.tracks.size(), *m_launching.begin());
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
    for (size_t row = 0; row < m_tables.calls.size(); ++row) {
        const BlockCall& call = m_tables.calls[row];
        if (call.correlation != 0)
            launches.push_back({call.correlation, m_tables.threads.processOf(call.thread), call.startNs});
    }
    std::ranges::sort(launches, {}, &Launch::key);
    std::vector<std::map<uint32_t, int64_t>> votes(m_tables.tracks.size());
    for (size_t row = 0; row < m_tables.ops.size(); ++row) {
        const BlockOp& op = m_tables.ops[row];
        const auto after = std::ranges::upper_bound(launches, std::pair(op.correlation, op.startNs), {}, &Launch::key);
        if (after == launches.begin() || std::prev(after)->correlation != op.correlation) continue;
        ++votes[op.track][std::prev(after)->process];
    }
    for (size_t track = 0; track < m_tables.tracks.size(); ++track) {
        const auto most = std::ranges::max_element(votes[track], {}, [](const auto& vote) { return vote.second; });
        if (most != votes[track].end()) processes[track] = most->first;
    }
    return processes;
}

void Assembly::addDeviceOps() {
    const std::vector<uint32_t> processes = processOfTracks();
    BoundedTracks bounded;
    std::vector<TrackId> tracks;
    for (size_t track = 0; track < m_tables.tracks.size(); ++track) {
        TrackRow row{.globalPid = m_tables.threads.globalPid(processes[track]),
                     .deviceId = narrowed(m_tables.tracks[track].device),
                     .contextId = narrowed(m_tables.tracks[track].context),
                     .streamId = narrowed(m_tables.tracks[track].stream)};
        if (m_own) {
            const uint32_t thread = m_tables.tracks[track].thread;
            const auto told = m_own->tracks.find({m_tables.threads.processText(m_tables.threads.processOf(thread)),
                                                  m_tables.threads.threadText(thread)});
            if (told != m_own->tracks.end()) row = told->second;
        }
        tracks.push_back(bounded.intern(row, m_builder));
    }
    forEachByStart(m_tables.ops, [&](const BlockOp& op) {
        if (!isInTime(op.startNs, op.endNs) || !tracks[op.track].valid()) return;
        if (op.isStage) {
            m_builder.add(StageRow{.startNs = op.startNs - m_originNs,
                                   .endNs = op.endNs - m_originNs,
                                   .name = StringId{op.name},
                                   .track = tracks[op.track],
                                   .correlationId = op.correlation,
                                   .category = op.category,
                                   .op = OpId{op.role},
                                   .token = op.token,
                                   .repeat = op.repeat});
            return;
        }
        DeviceOpRow row{.startNs = op.startNs - m_originNs,
                        .endNs = op.endNs - m_originNs,
                        .name = StringId{op.name},
                        .track = tracks[op.track],
                        .kind = op.kind,
                        .correlationId = op.correlation,
                        .copyBytes = op.bytes,
                        .graphNodeId = op.graphNode};
        if (m_own) {
            row.category = op.category;
            row.config = LaunchConfigId{op.config};
            row.op = OpId{op.role};
            row.token = op.token;
            row.repeat = op.repeat;
        } else if (op.kind == DeviceOpKind::Copy || op.kind == DeviceOpKind::Set) {
            row.category = op.kind == DeviceOpKind::Copy ? Category::Copy : Category::Set;
        } else {
            if (const auto known = m_tables.categories.find(row.name); known != m_tables.categories.end())
                row.category = known->second;  // noted with its launch configuration
            row.config = LaunchConfigId{op.config};
        }
        m_builder.add(row);
    });
    m_tables.ops = {};
}

void Assembly::addCalls() {
    forEachByStart(m_tables.calls, [&](const BlockCall& call) {
        if (!isInTime(call.startNs, call.endNs)) return;
        m_threadHasRows[call.thread] = true;
        m_builder.add(ApiCallRow{.startNs = call.startNs - m_originNs,
                                 .endNs = call.endNs - m_originNs,
                                 .name = StringId{call.name},
                                 .globalTid = m_tables.threads.globalTid(call.thread),
                                 .correlationId = call.correlation,
                                 .apiClass = call.apiClass});
    });
    m_tables.calls = {};
}

void Assembly::addRanges() {
    // The profiler's own cost stands beside all processes in the file; it held up the one that launched, on no thread
    // in particular.
    const auto tidOfOverhead = [&](uint32_t thread) {
        const uint32_t process = m_tables.threads.processOf(thread);
        if (m_own) return m_tables.threads.globalTid(thread);
        if (m_launching.empty() || m_launching.contains(process)) return m_tables.threads.globalTid(thread);
        return m_tables.threads.globalPid(*m_launching.begin());
    };
    forEachByStart(m_tables.ranges, [&](const BlockRange& range) {
        if (!isInTime(range.startNs, range.endNs)) return;
        const int64_t startNs = range.startNs - m_originNs, endNs = range.endNs - m_originNs;
        const StringId name{range.name};
        if (range.table == RangeTable::Overhead) {
            m_builder.add(OverheadRow{startNs, endNs, name, tidOfOverhead(range.thread)});
            return;
        }
        m_threadHasRows[range.thread] = true;
        m_builder.add(RangeRow{startNs, endNs, name, m_tables.threads.globalTid(range.thread), rangeKind(range.table)});
    });
    m_tables.ranges = {};
}

void Assembly::addCounters() {
    std::ranges::stable_sort(m_tables.samples, {}, &BlockSample::timeNs);  // times of a counter never decrease
    std::set<CounterRow> counters;
    int64_t beyond = 0;
    for (const BlockSample& sample : m_tables.samples) {
        CounterRow counter{.name = StringId{sample.name}, .unit = sample.unit, .deviceId = narrowed(sample.device)};
        if (sample.thread != BlockSample::kOfDevice) {
            const uint32_t process = m_tables.threads.processOf(sample.thread);
            if (!m_own || !m_own->deviceIds.contains(m_tables.threads.processText(process))) {
                ++m_tables.unplaced[static_cast<size_t>(Unplaced::Counter)];
                continue;
            }
            counter.deviceId = m_own->deviceIds.at(m_tables.threads.processText(process));
        }
        if (!isInTime(sample.timeNs, sample.timeNs)) continue;
        if (counters.size() >= kMostCounters && !counters.contains(counter)) {
            ++beyond;
            continue;
        }
        counters.insert(counter);
        m_builder.add(CounterSampleRow{
            .timeNs = sample.timeNs - m_originNs, .counter = m_builder.internCounter(counter), .value = sample.value});
    }
    m_builder.diagnostics().add("too_many_counters", Severity::DataLoss, beyond,
                                "Samples of more counters than a trace shows are left out.");
}

void Assembly::addTokens() {
    for (const BlockToken& token : m_tables.tokens) {
        if (!m_own) {
            ++m_tables.unplaced[static_cast<size_t>(Unplaced::Instant)];
        } else if (isInTime(token.timeNs, token.timeNs)) {
            TokenRow row{.emittedNs = token.timeNs - m_originNs,
                         .repeat = token.repeat,
                         .index = token.index,
                         .id = token.id,
                         .text = StringId{token.text}};
            setDrafts(row, token.drafted, token.accepted, token.place);
            setSequence(row, token.sequence);
            m_builder.add(row);
        }
    }
}

void Assembly::addDevices() {
    if (m_own) {
        for (const DeviceRow& device : m_own->devices)
            m_builder.setDevice(device);
        return;
    }
    std::set<int64_t> used;
    for (const ChromeTrack& track : m_tables.tracks)
        used.insert(track.device);
    int64_t count = 0, unnamed = m_tables.unnamedDevices;
    for (const int64_t id : used) {
        if (++count > static_cast<int64_t>(kMostDevices)) {
            ++unnamed;
            continue;
        }
        DeviceRow device{.id = narrowed(id), .kind = DeviceKind::Cuda, .name = "GPU " + std::to_string(narrowed(id))};
        if (const auto it = m_tables.devices.find(id); it != m_tables.devices.end()) {
            if (!it->second.name.empty()) device.name = it->second.name;
            device.totalMemoryBytes = it->second.memoryBytes;
        }
        m_builder.setDevice(std::move(device));
    }
    countDevicesWithoutName(unnamed, m_builder);
}

void Assembly::addThreadNames() {
    if (m_own) {
        for (const auto& [globalTid, name] : m_own->threads)
            m_builder.setThread(globalTid, name);
        return;
    }
    std::set<uint32_t> ofDevices;
    for (const ChromeTrack& track : m_tables.tracks)
        if (!m_launching.contains(m_tables.threads.processOf(track.thread)))
            ofDevices.insert(m_tables.threads.processOf(track.thread));
    std::set<uint32_t> others;
    for (uint32_t thread = 0; thread < m_tables.threads.size(); ++thread)
        if (m_threadHasRows[thread] && !ofDevices.contains(m_tables.threads.processOf(thread)))
            others.insert(m_tables.threads.processOf(thread));
    for (uint32_t thread = 0; thread < m_tables.threads.size(); ++thread) {
        if (!m_threadHasRows[thread]) continue;
        ChromeThreads::Show show = ChromeThreads::Show::Thread;
        if (others.size() > 1) show = ChromeThreads::Show::ProcessAndThread;
        if (ofDevices.contains(m_tables.threads.processOf(thread))) show = ChromeThreads::Show::DeviceAndThread;
        m_builder.setThread(m_tables.threads.globalTid(thread), m_tables.threads.title(thread, show));
    }
}

void Assembly::addRun() {
    if (!m_own) return;
    if (m_own->run) m_builder.setRun(std::move(*m_own->run));
    for (const Diagnostic& entry : m_own->diagnostics)
        m_builder.diagnostics().add(entry.name, entry.severity, entry.count, entry.text);
    m_tables.unplaced[static_cast<size_t>(Unplaced::Flow)] = 0;  // the correlation ids say the same
    m_own->annotations.finish(m_builder);
    int64_t& instants = m_tables.unplaced[static_cast<size_t>(Unplaced::Instant)];
    instants = std::max<int64_t>(0, instants - m_own->noteCount);
}

void Assembly::countUnplaced() {
    Diagnostics& diagnostics = m_builder.diagnostics();
    const auto count = [&](Unplaced kind) { return m_tables.unplaced[static_cast<size_t>(kind)]; };
    countRowsWithoutTime(count(Unplaced::WithoutTime) + m_outOfTime, m_builder);
    diagnostics.add("device_operation_without_end", Severity::DataLoss, count(Unplaced::DeviceOpWithoutEnd),
                    "Device operations without a duration are left out of every figure.");
    diagnostics.add("not_an_event", Severity::DataLoss, count(Unplaced::NotAnEvent),
                    "Objects in the list of events do not say what kind of event they are.");
    diagnostics.add("too_many_events", Severity::DataLoss, m_tables.beyondRoom,
                    "Events beyond what one trace can hold are left out.");
    diagnostics.add("too_many_threads", Severity::Info, m_tables.threads.mergedCount(),
                    "Threads beyond what a trace shows are shown as one.");
    diagnostics.add("long_name_cut", Severity::Info, m_tables.cutNames, "Names are shown without their end.");
    diagnostics.add("flow_event", Severity::Info, count(Unplaced::Flow),
                    "Arrows between events are not kept: launches are joined to their operations by correlation id.");
    diagnostics.add("gpu_annotation", Severity::Info, count(Unplaced::GpuAnnotation),
                    "Copies of CPU annotations on GPU rows are not kept; they are no device operations.");
    diagnostics.add("profiler_span", Severity::Info, count(Unplaced::ProfilerSpan),
                    "Spans of the profiler itself, as long as the file, are not kept.");
    diagnostics.add("instant_event", Severity::Info, count(Unplaced::Instant),
                    "Moments that belong to no thread are not shown.");
    diagnostics.add("memory_event", Severity::Info, count(Unplaced::MemoryEvent),
                    "Allocations that tell no total of a device are not shown.");
    diagnostics.add("counter_event", Severity::Info, count(Unplaced::Counter),
                    "Values of counters that belong to no device are not shown.");
    diagnostics.add("other_event", Severity::Info, count(Unplaced::OtherPhase),
                    "Object snapshots, samples, memory dumps and the like are not shown.");
}

Status Assembly::run(std::stop_token stop) {
    const auto isStopped = [&] { return stop.stop_requested(); };
    m_tables.threads.assignNumbers();
    if (!m_tables.ownHead.empty()) m_own = readOwnHead(m_tables.ownHead);
    if (m_own)
        for (const auto& [process, globalPid] : m_own->globalPids)
            m_tables.threads.setGlobalPid(process, globalPid);
    m_threadHasRows.resize(m_tables.threads.size());
    for (size_t row = 0; row < m_tables.calls.size(); ++row)
        m_launching.insert(m_tables.threads.processOf(m_tables.calls[row].thread));
    findMiddle();
    addWaits();
    addEdges();
    chooseOrigin();
    if (isStopped()) return fail("Cancelled.", ErrorKind::Cancelled);
    addDeviceOps();
    if (isStopped()) return fail("Cancelled.", ErrorKind::Cancelled);
    addCalls();
    if (isStopped()) return fail("Cancelled.", ErrorKind::Cancelled);
    addRanges();
    addCounters();
    addTokens();
    addDevices();
    addThreadNames();
    addRun();
    countUnplaced();
    return {};
}

}  // namespace

Status assembleChromeTrace(ChromeTables& tables, TraceBuilder& builder, std::stop_token stop) {
    return Assembly(tables, builder).run(stop);
}

}  // namespace gapscope
