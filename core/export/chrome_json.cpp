#include "core/export/chrome_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "core/base/json_writer.h"
#include "core/base/perfetto_format.h"
#include "core/export/export_places.h"
#include "core/export/launch_flows.h"
#include "core/export/output_file.h"
#include "core/trace/annotations.h"
#include "core/trace/run_fields.h"

namespace gapscope {

namespace {

constexpr size_t kFlushBytes = size_t{1} << 16;
constexpr size_t kCheckRows = 4096;  // rows between two looks at the stop token

// What an event's place in the file is: PyTorch puts GPU rows under the device's number, host rows under the process's.
struct Place {
    uint32_t pid = 0;
    uint32_t tid = 0;
};

// Nsight Systems calls copies otherwise; analysers of this format know them by PyTorch's names.
std::string pytorchName(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNames = {{
        {"[CUDA memcpy Host-to-Device]", "Memcpy HtoD"},
        {"[CUDA memcpy Device-to-Host]", "Memcpy DtoH"},
        {"[CUDA memcpy Device-to-Device]", "Memcpy DtoD"},
        {"[CUDA memcpy Host-to-Host]", "Memcpy HtoH"},
        {"[CUDA memcpy Peer-to-Peer]", "Memcpy PtoP"},
        {"[CUDA memset]", "Memset"},
    }};
    for (const auto& [nsight, pytorch] : kNames)
        if (name == nsight) return std::string(pytorch);
    return std::string(name);
}

std::string_view categoryOf(DeviceOpKind kind) {
    switch (kind) {
        case DeviceOpKind::Copy:
            return "gpu_memcpy";
        case DeviceOpKind::Set:
            return "gpu_memset";
        case DeviceOpKind::Kernel:
        case DeviceOpKind::GraphLaunch:
            break;
    }
    return "kernel";
}

std::string_view categoryOf(RangeKind kind) {
    switch (kind) {
        case RangeKind::CpuOp:
            return "cpu_op";
        case RangeKind::PythonFunction:
            return "python_function";
        case RangeKind::Wait:
            return "cuda_sync";
        case RangeKind::User:
            break;
    }
    return "user_annotation";
}

std::string_view kindName(DeviceKind kind) {
    switch (kind) {
        case DeviceKind::Cpu:
            return "cpu";
        case DeviceKind::Cuda:
            return "cuda";
        case DeviceKind::Other:
            break;
    }
    return "other";
}

class ChromeWriter {
public:
    ChromeWriter(const Trace& trace, Identity identity, OutputFile& file, std::stop_token stop)
        : m_trace(trace),
          m_texts(trace, identity),
          m_places(placesOf(trace, m_texts)),
          m_flows(trace),
          m_file(file),
          m_stop(stop) {
        m_zeroNs = earliestNs(trace);
        for (const auto& [globalPid, pid] : m_places.pids)
            m_takenPids.insert(pid);
        placeTracks();
    }

    Status write(ExportReport& report) {
        m_json.beginObject();
        writeHead();
        m_json.key("traceEvents").beginArray();
        writeProcesses();
        RETURN_IF_ERROR(writeDeviceOps());
        RETURN_IF_ERROR(writeStages());
        RETURN_IF_ERROR(writeCalls());
        RETURN_IF_ERROR(writeRanges());
        RETURN_IF_ERROR(writeOverheads());
        writeTokens();
        RETURN_IF_ERROR(writeCounters());
        writeNotes();
        m_json.endArray().field("traceName", "gapscope").endObject();
        m_file.write(m_json.text());
        m_file.write("\n");
        report.wroteRows(m_trace);
        report.wrote("flows", m_flowCount);
        report.lacksArrangement(m_trace);
        report.lacks("graphLaunches", m_graphCount,
                     "Launches of whole graphs are written as kernels: the format has no word for them.");
        report.lacks("launchesOutsideTrace", m_flows.opsWithoutCall(),
                     "Operations whose call is not in the trace have no arrow to one.");
        return {};
    }

private:
    void placeTracks() {
        // Two processes may use a stream of the same number on one device; each row needs a number of its own.
        std::set<std::pair<uint32_t, uint32_t>> taken;
        for (size_t id = 0; id < m_trace.tracks().size(); ++id) {
            const TrackRow& track = m_trace.tracks()[id];
            uint32_t tid = track.streamId;
            while (!taken.emplace(track.deviceId, tid).second)
                ++tid;
            m_tracks.push_back({devicePid(track.deviceId), tid});
        }
        for (size_t id = 0; id < m_trace.counters().size(); ++id)
            devicePid(m_trace.counters()[id].deviceId);
    }

    uint32_t devicePid(uint32_t device) {
        const auto [it, isNew] = m_devicePids.try_emplace(device);
        if (isNew) it->second = takePid(m_takenPids, device);
        return it->second;
    }

    Place placeOf(TrackId track) const { return track.valid() ? m_tracks[track.value] : Place{}; }
    Place placeOf(uint64_t globalTid) const {
        return {m_places.pids.at(globalPidOf(globalTid)), threadIdOf(globalTid)};
    }

    void flushSometimes() {
        if (m_json.text().size() < kFlushBytes) return;
        m_file.write(m_json.text());
        m_json.clearText();
    }

    Status checkSometimes(size_t row) {
        flushSometimes();
        if (row % kCheckRows != 0) return {};
        if (m_stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        return m_file.status();
    }

    void microseconds(std::string_view name, int64_t ns) {
        std::array<char, 32> text;
        char* end = std::to_chars(text.data(), text.data() + 24, ns / 1000).ptr;
        const auto rest = static_cast<int>(ns % 1000);
        *end++ = '.';
        *end++ = static_cast<char>('0' + rest / 100);
        *end++ = static_cast<char>('0' + rest / 10 % 10);
        *end++ = static_cast<char>('0' + rest % 10);
        m_json.key(name).number({text.data(), static_cast<size_t>(end - text.data())});
    }

    void beginEvent(char phase, std::string_view category, std::string_view name, Place place, int64_t atNs) {
        m_json.beginObject().field("ph", std::string_view(&phase, 1)).field("cat", category).field("name", name);
        m_json.field("pid", place.pid).field("tid", place.tid);
        microseconds("ts", atNs - m_zeroNs);
    }

    void beginSlice(std::string_view category, std::string_view name, Place place, TimeRange range) {
        beginEvent('X', category, name, place, range.startNs);
        microseconds("dur", range.durationNs());
        m_json.key("args").beginObject();
    }
    void endSlice() { m_json.endObject().endObject(); }

    void writeFlow(char phase, uint64_t flow, Place place, int64_t atNs) {
        beginEvent(phase, "ac2g", "ac2g", place, atNs);
        m_json.field("id", flow);
        if (phase == 'f') m_json.field("bp", "e");
        m_json.endObject();
        m_flowCount += phase == 'f' ? 1 : 0;
    }

    void writeMetadata(std::string_view name, Place place, std::string_view key, std::string_view value) {
        beginMetadata(name, place);
        m_json.field(key, value).endObject().endObject();
    }
    void writeSortIndex(std::string_view name, Place place, uint32_t index) {
        beginMetadata(name, place);
        m_json.field("sort_index", index).endObject().endObject();
    }
    void beginMetadata(std::string_view name, Place place) {
        m_json.beginObject().field("name", name).field("ph", "M");
        microseconds("ts", 0);
        m_json.field("pid", place.pid).field("tid", place.tid).key("args").beginObject();
    }

    void writeHead() {
        m_json.field("schemaVersion", 1).key("deviceProperties").beginArray();
        for (const DeviceRow& device : m_trace.devices()) {
            m_json.beginObject().field("id", device.id).field("name", device.name);
            m_json.field("totalGlobalMem", device.totalMemoryBytes);
            m_json.field("peakBytesPerSecond", device.peakBytesPerSecond);
            m_json.field("peakFlopsPerSecond", device.peakFlopsPerSecond).endObject();
        }
        m_json.endArray().field("displayTimeUnit", "ms");
        const TraceOrigin origin = originOf(m_trace);
        if (origin.utcEpochNs != 0) m_json.field("baseTimeNanoseconds", origin.utcEpochNs + m_zeroNs);
        m_json.key("gapscope").beginObject().field("version", GAPSCOPE_VERSION);
        m_json.field("steadyNs", origin.steadyNs).field("utcEpochNs", origin.utcEpochNs).field("zeroNs", m_zeroNs);
        writeOwnPlaces();
        if (m_trace.run()) writeRun(m_texts.run(*m_trace.run()));
        m_json.key("diagnostics").beginArray();
        for (const Diagnostic& entry : m_trace.diagnostics().entries()) {
            m_json.beginObject().field("name", entry.name).field("severity", severityName(entry.severity));
            m_json.field("count", entry.count).field("text", m_texts.of(entry.text)).endObject();
        }
        m_json.endArray().key("notes").beginArray();
        for (const Note& note : m_trace.annotations().notes) {
            m_json.beginObject().field("startNs", note.range.startNs).field("endNs", note.range.endNs);
            m_json.field("text", m_texts.of(note.text)).endObject();
            flushSometimes();
        }
        m_json.endArray().endObject();
    }

    // What the format's rows and numbers stand for, so that our own reader gives the same trace back.
    void writeOwnPlaces() {
        m_json.key("processes").beginArray();
        for (const auto& [globalPid, pid] : m_places.pids) {
            m_json.beginObject().field("pid", pid).field("number", processIdOf(globalPid));
            m_json.field("machine", globalPid >> 48).endObject();
        }
        m_json.endArray().key("threads").beginArray();
        for (const ThreadRow& thread : m_trace.threads()) {
            const Place place = placeOf(thread.globalTid);
            m_json.beginObject().field("pid", place.pid).field("tid", place.tid);
            m_json.field("name", m_texts[thread.name]).endObject();
            flushSometimes();
        }
        m_json.endArray().key("streams").beginArray();
        for (size_t id = 0; id < m_tracks.size(); ++id) {
            const TrackRow& track = m_trace.tracks()[id];
            m_json.beginObject().field("pid", m_tracks[id].pid).field("tid", m_tracks[id].tid);
            m_json.field("process", placeOf(track.globalPid).pid).field("device", track.deviceId);
            m_json.field("context", track.contextId).field("stream", track.streamId).endObject();
            flushSometimes();
        }
        m_json.endArray().key("devicePids").beginArray();
        for (const auto& [device, pid] : m_devicePids)
            m_json.beginObject().field("device", device).field("pid", pid).endObject();
        m_json.endArray().key("devices").beginArray();
        for (const DeviceRow& device : m_trace.devices()) {
            m_json.beginObject().field("id", device.id).field("kind", kindName(device.kind));
            m_json.field("name", device.name).field("totalMemoryBytes", device.totalMemoryBytes);
            m_json.field("peakBytesPerSecond", device.peakBytesPerSecond);
            m_json.field("peakFlopsPerSecond", device.peakFlopsPerSecond).endObject();
        }
        m_json.endArray();
    }

    void writeRun(RunInfo run) {
        m_json.key("run").beginObject();
        forEachRunField(run, [&](std::string_view name, auto& value) { m_json.field(name, value); });
        m_json.key("promptTokens").beginArray();
        for (const int32_t token : run.promptTokens)
            m_json.value(token);
        m_json.endArray().key("repeatTimes").beginArray();
        for (const RunInfo::Repeat& repeat : run.repeatTimes) {
            m_json.beginObject().field("prefillNs", repeat.prefillNs);
            m_json.field("timeToFirstTokenNs", repeat.timeToFirstTokenNs).field("decodeNs", repeat.decodeNs);
            m_json.field("newTokens", repeat.newTokens).endObject();
        }
        m_json.endArray().endObject();
    }

    void writeProcesses() {
        for (const auto& [globalPid, name] : m_places.processes) {
            const Place place = placeOf(globalPid);
            if (!name.empty()) writeMetadata("process_name", place, "name", name);
            writeMetadata("process_labels", place, "labels", "CPU");
            writeSortIndex("process_sort_index", place, place.pid);
        }
        for (const auto& [globalTid, name] : m_places.threads) {
            if (!name.empty()) writeMetadata("thread_name", placeOf(globalTid), "name", name);
            writeSortIndex("thread_sort_index", placeOf(globalTid), threadIdOf(globalTid));
            flushSometimes();
        }
        for (const auto& [device, pid] : m_devicePids) {
            const auto row = std::ranges::find(m_trace.devices(), device, &DeviceRow::id);
            const bool known = row != m_trace.devices().end() && !row->name.empty();
            const std::string number =
                (known && row->kind == DeviceKind::Cpu ? "CPU " : "GPU ") + std::to_string(device);
            writeMetadata("process_name", {pid, 0}, "name", known ? row->name : number);
            writeMetadata("process_labels", {pid, 0}, "labels", number);
            writeSortIndex("process_sort_index", {pid, 0}, kBeyondPids + device % kBeyondPids);
        }
        for (size_t id = 0; id < m_tracks.size(); ++id) {
            writeMetadata("thread_name", m_tracks[id], "name",
                          "stream " + std::to_string(m_trace.tracks()[id].streamId));
            writeSortIndex("thread_sort_index", m_tracks[id], m_tracks[id].tid);
        }
    }

    void writeConfig(const LaunchConfigRow& config) {
        m_json.field("registers per thread", config.registersPerThread);
        m_json.field("shared memory", int64_t{config.staticSharedBytes} + config.dynamicSharedBytes);
        if (config.staticSharedBytes != 0) m_json.field("static shared memory", config.staticSharedBytes);
        if (config.occupancyPercent >= 0) m_json.field("est. achieved occupancy %", config.occupancyPercent);
        for (const auto& [name, size] : {std::pair("grid", config.grid), std::pair("block", config.block)})
            m_json.key(name).beginArray().value(size[0]).value(size[1]).value(size[2]).endArray();
    }

    void writeOp(const OpRow& op) {
        m_json.field("op", m_texts[op.name]).field("shapes", m_texts[op.shapes]).field("dtype", m_texts[op.dtype]);
        m_json.field("layer", op.layer).field("bytes moved", op.bytes).field("flops", op.flops);
    }

    Status writeDeviceOps() {
        const DeviceOps& ops = m_trace.deviceOps();
        for (size_t row = 0; row < ops.startNs.size(); ++row) {
            RETURN_IF_ERROR(checkSometimes(row));
            const DeviceOpRow op = rowAt(ops, row);
            m_graphCount += op.kind == DeviceOpKind::GraphLaunch ? 1 : 0;
            const TrackRow track = op.track.valid() ? m_trace.tracks()[op.track.value] : TrackRow{};
            const Place place = placeOf(op.track);
            const std::string_view recorded = m_texts[op.name];
            const std::string name = pytorchName(recorded);
            beginSlice(categoryOf(op.kind), name, place, {op.startNs, op.endNs});
            m_json.field("device", track.deviceId).field("context", track.contextId).field("stream", track.streamId);
            m_json.field("correlation", op.correlationId);
            const bool isCopy = op.kind == DeviceOpKind::Copy || op.kind == DeviceOpKind::Set;
            if (isCopy || op.copyBytes != 0) m_json.field("bytes", op.copyBytes);
            if (op.graphNodeId != 0) m_json.field("graph node id", op.graphNodeId);
            if (op.kind == DeviceOpKind::GraphLaunch) m_json.field("whole graph", true);
            if (op.config.valid()) {
                const LaunchConfigRow& config = m_trace.launchConfigs()[op.config.value];
                writeConfig(config);
                if (config.fullName != op.name) m_json.field("full name", m_texts[config.fullName]);
            }
            if (name != recorded) m_json.field("recorded name", recorded);
            if (op.op.valid()) writeOp(m_trace.ops()[op.op.value]);
            m_json.field("category", categoryName(op.category));
            if (m_trace.run() || op.token != kNoToken || op.repeat != 0)
                m_json.field("token", op.token).field("repeat", op.repeat);
            endSlice();
            if (const uint64_t flow = m_flows.ofOp(row)) writeFlow('f', flow, place, op.startNs);
        }
        return {};
    }

    // Within their kernels' slices.
    Status writeStages() {
        const Stages& stages = m_trace.stages();
        for (size_t row = 0; row < stages.startNs.size(); ++row) {
            RETURN_IF_ERROR(checkSometimes(row));
            const StageRow stage = rowAt(stages, row);
            beginSlice(perfetto::kStageCategory, m_texts[stage.name], placeOf(stage.track),
                       {stage.startNs, stage.endNs});
            m_json.field("stream", m_trace.tracks()[stage.track.value].streamId);
            m_json.field("correlation", stage.correlationId);
            if (stage.op.valid()) writeOp(m_trace.ops()[stage.op.value]);
            m_json.field("category", categoryName(stage.category)).field("token", stage.token);
            m_json.field("repeat", stage.repeat);
            endSlice();
        }
        return {};
    }

    Status writeCalls() {
        const ApiCalls& calls = m_trace.apiCalls();
        for (size_t row = 0; row < calls.startNs.size(); ++row) {
            RETURN_IF_ERROR(checkSometimes(row));
            const ApiCallRow call = rowAt(calls, row);
            const Place place = placeOf(call.globalTid);
            beginSlice(call.apiClass == ApiClass::Driver ? "cuda_driver" : "cuda_runtime", m_texts[call.name], place,
                       {call.startNs, call.endNs});
            m_json.field("correlation", call.correlationId);
            endSlice();
            if (const uint64_t flow = m_flows.ofCall(row)) writeFlow('s', flow, place, call.startNs);
        }
        return {};
    }

    Status writeRanges() {
        const Ranges& ranges = m_trace.ranges();
        for (size_t row = 0; row < ranges.startNs.size(); ++row) {
            RETURN_IF_ERROR(checkSometimes(row));
            const RangeRow range = rowAt(ranges, row);
            beginSlice(categoryOf(range.kind), m_texts[range.name], placeOf(range.globalTid),
                       {range.startNs, range.endNs});
            endSlice();
        }
        return {};
    }

    Status writeOverheads() {
        const Overheads& overheads = m_trace.overheads();
        for (size_t row = 0; row < overheads.startNs.size(); ++row) {
            RETURN_IF_ERROR(checkSometimes(row));
            const OverheadRow overhead = rowAt(overheads, row);
            beginSlice("overhead", m_texts[overhead.name], placeOf(overhead.globalTid),
                       {overhead.startNs, overhead.endNs});
            endSlice();
        }
        return {};
    }

    void writeTokens() {
        const Tokens& tokens = m_trace.tokens();
        const uint64_t process = m_places.processes.empty() ? 0 : m_places.processes.begin()->first;
        for (size_t row = 0; row < tokens.emittedNs.size(); ++row) {
            const TokenRow token = rowAt(tokens, row);
            const Place place = m_places.processes.empty() ? Place{} : placeOf(process);
            beginEvent('i', "token", "token " + std::to_string(token.index), place, token.emittedNs);
            m_json.field("s", "g").key("args").beginObject().field("index", token.index).field("id", token.id);
            m_json.field("repeat", token.repeat).field("text", m_texts[token.text]);
            if (token.drafted > 0) m_json.field("drafted", token.drafted).field("accepted", token.accepted);
            if (token.drafted > 0 || token.place > 0) m_json.field("place", token.place);
            if (token.sequence > 0) m_json.field("sequence", token.sequence);
            m_json.endObject().endObject();
            flushSometimes();
        }
    }

    // For other programs: our reader takes them from the head.
    void writeNotes() {
        const Place place = m_places.processes.empty() ? Place{} : placeOf(m_places.processes.begin()->first);
        for (const Note& note : m_trace.annotations().notes) {
            beginEvent('i', "note", note.text.empty() ? "mark" : m_texts.of(note.text), place, note.range.startNs);
            m_json.field("s", "g").key("args").beginObject().field("durationNs", note.range.durationNs());
            m_json.endObject().endObject();
            flushSometimes();
        }
    }

    Status writeCounters() {
        const CounterSamples& samples = m_trace.counterSamples();
        for (size_t row = 0; row < samples.timeNs.size(); ++row) {
            RETURN_IF_ERROR(checkSometimes(row));
            const CounterSampleRow sample = rowAt(samples, row);
            const CounterRow& counter = m_trace.counters()[sample.counter.value];
            beginEvent('C', "counter", m_texts[counter.name], {devicePid(counter.deviceId), 0}, sample.timeNs);
            m_json.key("args").beginObject().field(kCounterUnitNames[static_cast<size_t>(counter.unit)], sample.value);
            m_json.endObject().endObject();
        }
        return {};
    }

    const Trace& m_trace;
    ExportTexts m_texts;
    ExportPlaces m_places;
    LaunchFlows m_flows;
    OutputFile& m_file;
    std::stop_token m_stop;
    JsonWriter m_json;
    int64_t m_zeroNs = 0;
    std::set<uint32_t> m_takenPids;
    std::map<uint32_t, uint32_t> m_devicePids;
    std::vector<Place> m_tracks;
    int64_t m_flowCount = 0;
    int64_t m_graphCount = 0;
};

}  // namespace

Result<ExportReport> exportChromeJson(const Trace& trace, const std::filesystem::path& path, Identity identity,
                                      std::stop_token stop) {
    const auto packing = path.extension() == ".gz" ? OutputFile::Packing::Gzip : OutputFile::Packing::None;
    ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path, packing));
    ExportReport report;
    RETURN_IF_ERROR(ChromeWriter(trace, identity, file, stop).write(report));
    ASSIGN_OR_RETURN(report.bytes, file.finish());
    return report;
}

}  // namespace gapscope
