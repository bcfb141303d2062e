#include "core/export/perfetto_trace.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "core/base/perfetto_format.h"
#include "core/export/export_places.h"
#include "core/export/launch_flows.h"
#include "core/export/nesting.h"
#include "core/export/perfetto_packets.h"
#include "core/trace/annotations.h"
#include "core/trace/run_fields.h"

namespace gapscope {

namespace {

namespace pf = perfetto;
using pf::Arg;

constexpr size_t kCheckRows = 4096;  // rows between two looks at the stop token

constexpr std::array<std::string_view, 4> kOpCategories = {"kernel", "gpu_memcpy", "gpu_memset", pf::kGraphCategory};
constexpr std::array<std::string_view, 4> kRangeCategories = {"user_annotation", "cpu_op", "python_function",
                                                              pf::kWaitCategory};

class PerfettoWriter : private PerfettoPackets {
public:
    PerfettoWriter(const Trace& trace, Identity identity, OutputFile& file, std::stop_token stop)
        : PerfettoPackets(trace, identity, file),
          m_trace(trace),
          m_places(placesOf(trace, m_texts)),
          m_flows(trace),
          m_stop(stop) {
        // Times of the format do not go below 0. Where the machine's clock is known they are that clock's.
        m_clockNs = std::max(originOf(trace).steadyNs, -earliestNs(trace));
    }

    Status write(ExportReport& report) {
        writeStart();
        writeTracks();
        writeDevices();
        if (m_trace.run()) writeRun(m_texts.run(*m_trace.run()));
        writeDiagnostics();
        RETURN_IF_ERROR(writeDeviceOps());
        RETURN_IF_ERROR(writeHostRows());
        writeTokens();
        RETURN_IF_ERROR(writeCounters());
        writeNotes();
        report.lacksArrangement(m_trace);
        report.wroteRows(m_trace);
        report.wrote("flows", m_flowCount);
        report.lacks("launchesOutsideTrace", m_flows.opsWithoutCall(),
                     "Operations whose call is not in the trace have no arrow to one.");
        return m_file.status();
    }

private:
    void writeStart() {
        const TraceOrigin origin = originOf(m_trace);
        const bool isSteady = origin.steadyNs != 0 && m_clockNs == origin.steadyNs;
        const uint32_t clock = isSteady ? pf::clocks::kMonotonic : pf::clocks::kBoottime;
        ProtoMessage defaults;
        defaults.number(pf::defaults::kClockId, clock);
        m_packet.clear();
        m_packet.number(pf::packet::kTimestamp, static_cast<uint64_t>(m_clockNs)).number(pf::packet::kClockId, clock);
        m_packet.number(pf::packet::kSequenceId, kSequence);
        m_packet.number(pf::packet::kSequenceFlags, pf::packet::kStateClearedFlag);
        m_packet.message(pf::packet::kDefaults, defaults);
        ProtoMessage snapshot;
        const auto addClock = [&](uint32_t id, int64_t time) {
            m_part.clear();
            m_part.number(pf::clocks::kId, id).number(pf::clocks::kTime, static_cast<uint64_t>(time));
            snapshot.message(pf::clocks::kClocks, m_part);
        };
        addClock(clock, m_clockNs);
        if (origin.utcEpochNs > 0) addClock(pf::clocks::kRealtime, origin.utcEpochNs);
        snapshot.number(pf::clocks::kPrimary, clock);
        m_packet.message(pf::packet::kClockSnapshot, snapshot);
        writePacket();

        m_ownTrack = plainTrack("Gapscope", 0);
        beginOwnEvent(pf::kOriginEvent);
        namedArg("steadyNs", origin.steadyNs);
        namedArg("utcEpochNs", origin.utcEpochNs);
        namedArg("version", std::string_view(GAPSCOPE_VERSION));
        writeEvent(0);
    }

    void writeTracks() {
        for (const auto& [globalPid, name] : m_places.processes) {
            const uint64_t uuid = newTrack();
            beginTrack(uuid, 0);
            m_part.clear();
            m_part.number(pf::process::kPid, m_places.pids.at(globalPid));
            if (!name.empty()) m_part.text(pf::process::kName, name);
            m_event.message(pf::track::kProcess, m_part);
            endTrack();
            m_hostTracks[globalPid] = uuid;
        }
        for (const auto& [globalTid, name] : m_places.threads) {
            const uint64_t uuid = newTrack();
            beginTrack(uuid, m_hostTracks[globalPidOf(globalTid)]);
            m_part.clear();
            m_part.number(pf::thread::kPid, m_places.pids.at(globalPidOf(globalTid)));
            m_part.number(pf::thread::kTid, threadIdOf(globalTid));
            if (!name.empty()) m_part.text(pf::thread::kName, name);
            m_event.message(pf::track::kThread, m_part);
            endTrack();
            m_hostTracks[globalTid] = uuid;
        }
        writeOwnPlaces();
    }

    // Where a process's number or a thread's name is not what its track says.
    void writeOwnPlaces() {
        for (const auto& [globalPid, pid] : m_places.pids) {
            if (globalPid == makeGlobalTid(pid, 0)) continue;
            beginOwnEvent(pf::kProcessEvent);
            namedArg("pid", pid);
            namedArg("number", processIdOf(globalPid));
            namedArg("machine", globalPid >> 48);
            writeEvent(0);
        }
        for (const ThreadRow& thread : m_trace.threads()) {
            const auto shown = m_places.threads.find(thread.globalTid);
            const std::string_view name = m_texts[thread.name];
            if (shown != m_places.threads.end() && shown->second == name) continue;
            beginOwnEvent(pf::kThreadEvent);
            namedArg("pid", m_places.pids.at(globalPidOf(thread.globalTid)));
            namedArg("tid", threadIdOf(thread.globalTid));
            namedArg("name", name);
            writeEvent(0);
        }
    }

    uint64_t deviceTrack(uint32_t id) {
        const auto [it, isNew] = m_deviceTracks.try_emplace(id, 0);
        if (!isNew) return it->second;
        const auto row = std::ranges::find(m_trace.devices(), id, &DeviceRow::id);
        const bool known = row != m_trace.devices().end();
        std::string name = (known && row->kind == DeviceKind::Cpu ? "CPU " : "GPU ") + std::to_string(id);
        if (known && !row->name.empty() && row->name != name) name += ": " + row->name;
        return it->second = plainTrack(name, 0);
    }

    void addStream(const TrackRow& row) {
        std::string name = "stream " + std::to_string(row.streamId);
        if (row.contextId > 1) name += " of context " + std::to_string(row.contextId);
        if (m_places.processes.size() > 1) name += " of process " + std::to_string(processIdOf(row.globalPid));
        const uint64_t track = plainTrack(name, deviceTrack(row.deviceId));
        m_streams.push_back({row, std::move(name), {track}});
    }

    // Operations of no known stream lie on one behind all others.
    size_t streamOf(TrackId track) const { return track.valid() ? track.value : m_trace.tracks().size(); }

    // Said beside the tracks, which have no place for numbers.
    void writeDevices() {
        for (const DeviceRow& device : m_trace.devices())
            deviceTrack(device.id);
        for (size_t id = 0; id < m_trace.tracks().size(); ++id)
            addStream(m_trace.tracks()[id]);
        const ColumnView<TrackId>& used = m_trace.deviceOps().track;
        bool allKnown = true;
        for (size_t row = 0; row < used.size() && allKnown; ++row)
            allKnown = used[row].valid();
        if (!allKnown) addStream({});
        for (size_t id = 0; id < m_trace.counters().size(); ++id)
            deviceTrack(m_trace.counters()[id].deviceId);
        for (const DeviceRow& device : m_trace.devices()) {
            beginOwnEvent(pf::kDeviceEvent);
            namedArg("id", device.id);
            namedArg("track", deviceTrack(device.id));
            namedArg("kind", static_cast<uint32_t>(device.kind));
            namedArg("name", device.name);
            namedArg("totalMemoryBytes", device.totalMemoryBytes);
            namedArg("peakBytesPerSecond", device.peakBytesPerSecond);
            namedArg("peakFlopsPerSecond", device.peakFlopsPerSecond);
            writeEvent(0);
        }
        for (const auto& [id, uuid] : m_deviceTracks) {
            if (std::ranges::find(m_trace.devices(), id, &DeviceRow::id) != m_trace.devices().end()) continue;
            beginOwnEvent(pf::kDeviceEvent);
            namedArg("id", id);
            namedArg("track", uuid);
            writeEvent(0);
        }
    }

    void writeRun(RunInfo run) {
        beginOwnEvent(pf::kRunEvent);
        forEachRunField(run, [&](std::string_view field, auto& value) { namedArg(field, value); });
        m_part.clear();
        m_part.text(pf::annotation::kName, "promptTokens");
        for (const int32_t token : run.promptTokens) {
            m_element.clear();
            m_element.signedNumber(pf::annotation::kSigned, token);
            m_part.message(pf::annotation::kArray, m_element);
        }
        endArg();
        writeEvent(0);
        for (const RunInfo::Repeat& repeat : run.repeatTimes) {
            beginOwnEvent(pf::kRepeatEvent);
            namedArg("prefillNs", repeat.prefillNs);
            namedArg("timeToFirstTokenNs", repeat.timeToFirstTokenNs);
            namedArg("decodeNs", repeat.decodeNs);
            namedArg("newTokens", repeat.newTokens);
            writeEvent(0);
        }
    }

    void writeDiagnostics() {
        for (const Diagnostic& entry : m_trace.diagnostics().entries()) {
            beginOwnEvent(pf::kDiagnosticEvent);
            namedArg("name", entry.name);
            namedArg("severity", static_cast<uint32_t>(entry.severity));
            namedArg("count", entry.count);
            namedArg("text", m_texts.of(entry.text));
            writeEvent(0);
        }
    }

    void writeNotes() {
        if (!m_trace.annotations().notes.empty()) m_ownTrack = plainTrack("Notes", 0);
        for (const Note& note : m_trace.annotations().notes) {
            beginOwnEvent(pf::kNoteEvent);
            namedArg("durationNs", note.range.durationNs());
            namedArg("text", m_texts.of(note.text));
            writeEvent(note.range.startNs);
        }
    }

    // Rows.

    Status check(size_t row) const {
        if (row % kCheckRows != 0) return {};
        if (m_stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        return m_file.status();
    }

    void writeEnd(uint64_t track, int64_t atNs) {
        beginEvent(pf::event::kSliceEnd, track);
        writeEvent(atNs);
    }

    // Writes the slices of one row of the timeline; those that do not nest go to tracks beside the first.
    template <class Begin>
    void writeRow(std::vector<NestedItem>& items, std::vector<uint64_t>& tracks, const std::string& name,
                  uint64_t parent, Begin begin) {
        std::ranges::stable_sort(items, nestingOrder);
        const auto trackAt = [&](size_t place) {
            if (place == tracks.size()) tracks.push_back(plainTrack(name, parent));
            return tracks[place];
        };
        forEachNested(
            items,
            [&](size_t place, const NestedItem& item) {
                const uint64_t track = trackAt(place);
                begin(track, item);
            },
            [&](size_t place, int64_t endNs) { writeEnd(tracks[place], endNs); });
    }

    // Items by key, each list sorted for its row; keys in the order of a map.
    template <class Key, class Use>
    Status forEachRow(std::map<Key, std::vector<NestedItem>>& rows, Use use) {
        for (auto& [key, items] : rows) {
            RETURN_IF_ERROR(check(0));
            use(key, items);
            items = {};
        }
        return {};
    }

    // Of a device operation or a stage inside one.
    template <class Row>
    void beginOnStream(uint64_t track, std::string_view what, const Row& row) {
        const TrackRow& place = m_streams[streamOf(row.track)].row;
        beginEvent(pf::event::kSliceBegin, track);
        category(what);
        name(row.name);
        arg(Arg::Device, place.deviceId);
        arg(Arg::Context, place.contextId);
        arg(Arg::Stream, place.streamId);
        const auto pid = m_places.pids.find(place.globalPid);
        arg(Arg::Process, pid == m_places.pids.end() ? 0 : pid->second);
        if (row.correlationId != 0) arg(Arg::Correlation, row.correlationId);
    }
    template <class Row>
    void workArgs(const Row& row) {
        if (row.op.valid()) {
            const OpRow& role = m_trace.ops()[row.op.value];
            textArg(Arg::Op, role.name);
            textArg(Arg::Shapes, role.shapes);
            textArg(Arg::Dtype, role.dtype);
            signedArg(Arg::Layer, role.layer);
            signedArg(Arg::BytesMoved, role.bytes);
            signedArg(Arg::Flops, role.flops);
        }
        beginArg(Arg::Category).text(pf::annotation::kText, categoryName(row.category));
        endArg();
        // What a row says anyway is not said; readers begin with the same row.
        if (row.token != Row().token) signedArg(Arg::Token, row.token);
        if (row.repeat != Row().repeat) signedArg(Arg::Repeat, row.repeat);
    }

    void writeStageBegin(uint64_t track, size_t row) {
        const StageRow stage = rowAt(m_trace.stages(), row);
        beginOnStream(track, pf::kStageCategory, stage);
        workArgs(stage);
        writeEvent(stage.startNs);
    }

    void writeOpBegin(uint64_t track, size_t row) {
        const DeviceOpRow op = rowAt(m_trace.deviceOps(), row);
        beginOnStream(track, kOpCategories[static_cast<size_t>(op.kind)], op);
        if (op.copyBytes != 0) signedArg(Arg::Bytes, op.copyBytes);
        if (op.graphNodeId != 0) arg(Arg::GraphNode, op.graphNodeId);
        if (op.config.valid()) {
            const LaunchConfigRow& config = m_trace.launchConfigs()[op.config.value];
            sizeArg(Arg::Grid, config.grid);
            sizeArg(Arg::Block, config.block);
            signedArg(Arg::Registers, config.registersPerThread);
            signedArg(Arg::StaticShared, config.staticSharedBytes);
            signedArg(Arg::DynamicShared, config.dynamicSharedBytes);
            textArg(Arg::FullName, config.fullName);
            if (config.occupancyPercent >= 0) signedArg(Arg::Occupancy, config.occupancyPercent);
        }
        workArgs(op);
        writeFlow(m_flows.ofOp(row), op.startNs);
        m_flowCount += m_flows.ofOp(row) != 0 ? 1 : 0;
    }

    void writeFlow(uint64_t flow, int64_t atNs) {
        if (flow != 0) m_event.fixed64(pf::event::kFlows, flow);
        writeEvent(atNs);
    }

    enum StreamTable : uint16_t { kOp, kStage };

    Status writeDeviceOps() {
        std::map<size_t, std::vector<NestedItem>> rows;
        const DeviceOps& ops = m_trace.deviceOps();
        for (size_t row = 0; row < ops.startNs.size(); ++row) {
            RETURN_IF_ERROR(check(row));
            rows[streamOf(ops.track[row])].push_back({ops.startNs[row], ops.endNs[row], static_cast<uint32_t>(row)});
        }
        const Stages& stages = m_trace.stages();
        for (size_t row = 0; row < stages.startNs.size(); ++row)
            rows[streamOf(stages.track[row])].push_back(
                {stages.startNs[row], stages.endNs[row], static_cast<uint32_t>(row), kStage});
        RETURN_IF_ERROR(forEachRow(rows, [&](size_t stream, std::vector<NestedItem>& items) {
            writeRow(items, m_streams[stream].tracks, m_streams[stream].name,
                     deviceTrack(m_streams[stream].row.deviceId), [&](uint64_t uuid, const NestedItem& item) {
                         item.table == kStage ? writeStageBegin(uuid, item.row) : writeOpBegin(uuid, item.row);
                     });
        }));
        return {};
    }

    enum HostTable : uint16_t { kRange, kCall, kOverhead };

    void writeHostBegin(uint64_t track, const NestedItem& item) {
        beginEvent(pf::event::kSliceBegin, track);
        switch (static_cast<HostTable>(item.table)) {
            case kCall: {
                const ApiCallRow call = rowAt(m_trace.apiCalls(), item.row);
                category(call.apiClass == ApiClass::Driver ? "cuda_driver" : "cuda_runtime");
                name(call.name);
                if (call.correlationId != 0) arg(Arg::Correlation, call.correlationId);
                writeFlow(m_flows.ofCall(item.row), call.startNs);
                return;
            }
            case kRange:
                category(kRangeCategories[static_cast<size_t>(m_trace.ranges().kind[item.row])]);
                name(m_trace.ranges().name[item.row]);
                break;
            case kOverhead:
                category("overhead");
                name(m_trace.overheads().name[item.row]);
                break;
        }
        writeEvent(item.startNs);
    }

    Status writeHostRows() {
        std::map<uint64_t, std::vector<NestedItem>> rows;
        const auto add = [&](const auto& table, HostTable which) -> Status {
            for (size_t row = 0; row < table.startNs.size(); ++row) {
                RETURN_IF_ERROR(check(row));
                rows[table.globalTid[row]].push_back(
                    {table.startNs[row], table.endNs[row], static_cast<uint32_t>(row), which});
            }
            return {};
        };
        RETURN_IF_ERROR(add(m_trace.ranges(), kRange));
        RETURN_IF_ERROR(add(m_trace.apiCalls(), kCall));
        RETURN_IF_ERROR(add(m_trace.overheads(), kOverhead));
        RETURN_IF_ERROR(forEachRow(rows, [&](uint64_t globalTid, std::vector<NestedItem>& items) {
            const uint64_t first = m_hostTracks.at(globalTid);
            std::vector<uint64_t> tracks{first};
            writeRow(items, tracks, "overlapping", first,
                     [&](uint64_t uuid, const NestedItem& item) { writeHostBegin(uuid, item); });
        }));
        return {};
    }

    void writeTokens() {
        const Tokens& tokens = m_trace.tokens();
        const uint64_t track = tokens.emittedNs.empty() ? 0 : plainTrack("tokens", 0);
        for (size_t row = 0; row < tokens.emittedNs.size(); ++row) {
            const TokenRow token = rowAt(tokens, row);
            beginEvent(pf::event::kInstant, track);
            category(pf::kTokenCategory);
            name(token.text);
            signedArg(Arg::Index, token.index);
            signedArg(Arg::Id, token.id);
            signedArg(Arg::Repeat, token.repeat);
            textArg(Arg::Text, token.text);
            if (token.drafted > 0) {
                signedArg(Arg::Drafted, token.drafted);
                signedArg(Arg::Accepted, token.accepted);
            }
            if (token.drafted > 0 || token.place > 0) signedArg(Arg::Place, token.place);
            if (token.sequence > 0) signedArg(Arg::Sequence, token.sequence);
            writeEvent(token.emittedNs);
        }
    }

    Status writeCounters() {
        std::vector<uint64_t> tracks;
        for (size_t id = 0; id < m_trace.counters().size(); ++id) {
            const CounterRow& counter = m_trace.counters()[id];
            const uint64_t parent = deviceTrack(counter.deviceId);
            tracks.push_back(newTrack());
            beginTrack(tracks.back(), parent);
            m_event.text(pf::track::kName, m_texts[counter.name]);
            m_part.clear();
            if (counter.unit == CounterUnit::Bytes) m_part.number(pf::counter::kUnit, pf::counter::kUnitBytes);
            if (counter.unit != CounterUnit::Bytes && counter.unit != CounterUnit::Number)
                m_part.text(pf::counter::kUnitName, kCounterUnitNames[static_cast<size_t>(counter.unit)]);
            m_event.message(pf::track::kCounter, m_part);
            endTrack();
        }
        const CounterSamples& samples = m_trace.counterSamples();
        for (size_t row = 0; row < samples.timeNs.size(); ++row) {
            RETURN_IF_ERROR(check(row));
            beginEvent(pf::event::kCounter, tracks[samples.counter[row].value]);
            m_event.real(pf::event::kDoubleValue, samples.value[row]);
            writeEvent(samples.timeNs[row]);
        }
        return {};
    }

    const Trace& m_trace;
    ExportPlaces m_places;
    LaunchFlows m_flows;
    std::stop_token m_stop;

    std::map<uint64_t, uint64_t> m_hostTracks;  // of global pids and tids
    std::map<uint32_t, uint64_t> m_deviceTracks;
    struct Stream {
        TrackRow row;
        std::string name;
        std::vector<uint64_t> tracks;  // the first, and what it takes beside it
    };
    std::vector<Stream> m_streams;
    int64_t m_flowCount = 0;
};

}  // namespace

Result<ExportReport> exportPerfettoTrace(const Trace& trace, const std::filesystem::path& path, Identity identity,
                                         std::stop_token stop) {
    ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
    ExportReport report;
    RETURN_IF_ERROR(PerfettoWriter(trace, identity, file, stop).write(report));
    ASSIGN_OR_RETURN(report.bytes, file.finish());
    return report;
}

}  // namespace gapscope
