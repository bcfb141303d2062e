#include "core/export/csv.h"

#include <array>
#include <unordered_map>

#include "core/trace/annotations.h"

namespace gapscope {

namespace {

constexpr int64_t kCheckRows = 4096;  // rows between two looks at the stop token

struct Source {
    const Trace& trace;
    ExportTexts texts;
    std::unordered_map<uint64_t, StringId> threadNames;
};

struct Table {
    std::string_view name;
    std::vector<std::string_view> columns;
    void (*writeRow)(CsvFile& csv, const Source& source, size_t row);
    size_t (*rowCount)(const Trace& trace);
};

void writeOp(CsvFile& csv, const Source& source, size_t row) {
    static constexpr std::array<std::string_view, 4> kKinds = {"kernel", "copy", "set", "graph"};
    const DeviceOpRow op = rowAt(source.trace.deviceOps(), row);
    csv.cell(kKinds[static_cast<size_t>(op.kind)]).cell(source.texts[op.name]).cell(categoryName(op.category));
    csv.cell(op.startNs).cell(op.endNs).cell(op.endNs - op.startNs);
    const TrackRow track = op.track.valid() ? source.trace.tracks()[op.track.value] : TrackRow{};
    csv.cell(processIdOf(track.globalPid)).cell(track.deviceId).cell(track.contextId).cell(track.streamId);
    csv.cell(op.correlationId).cell(op.token).cell(op.repeat).cell(op.copyBytes).cell(op.graphNodeId);
    if (op.op.valid()) {
        const OpRow& role = source.trace.ops()[op.op.value];
        csv.cell(source.texts[role.name])
            .cell(source.texts[role.shapes])
            .cell(source.texts[role.dtype])
            .cell(role.layer);
        csv.cell(role.bytes).cell(role.flops);
    } else {
        for (int column = 0; column < 6; ++column)
            csv.emptyCell();
    }
    if (op.config.valid()) {
        const LaunchConfigRow& config = source.trace.launchConfigs()[op.config.value];
        csv.cell(source.texts[config.fullName]);
        for (const int32_t size : config.grid)
            csv.cell(size);
        for (const int32_t size : config.block)
            csv.cell(size);
        csv.cell(config.registersPerThread).cell(config.staticSharedBytes).cell(config.dynamicSharedBytes);
    } else {
        for (int column = 0; column < 10; ++column)
            csv.emptyCell();
    }
}

void writeStage(CsvFile& csv, const Source& source, size_t row) {
    const StageRow stage = rowAt(source.trace.stages(), row);
    const TrackRow track = source.trace.tracks()[stage.track.value];
    csv.cell(source.texts[stage.name]).cell(categoryName(stage.category));
    csv.cell(stage.startNs).cell(stage.endNs).cell(stage.endNs - stage.startNs);
    csv.cell(track.deviceId).cell(track.streamId).cell(stage.correlationId).cell(stage.token).cell(stage.repeat);
    csv.cell(stage.op.valid() ? source.trace.ops()[stage.op.value].layer : -1);
}

void writeThread(CsvFile& csv, const Source& source, uint64_t globalTid) {
    csv.cell(processIdOf(globalTid)).cell(threadIdOf(globalTid));
    const auto name = source.threadNames.find(globalTid);
    csv.cell(name == source.threadNames.end() ? std::string_view() : source.texts[name->second]);
}

void writeCall(CsvFile& csv, const Source& source, size_t row) {
    const ApiCallRow call = rowAt(source.trace.apiCalls(), row);
    csv.cell(source.texts[call.name]).cell(call.apiClass == ApiClass::Driver ? "driver" : "runtime");
    csv.cell(call.startNs).cell(call.endNs).cell(call.endNs - call.startNs).cell(call.correlationId);
    writeThread(csv, source, call.globalTid);
}

void writeRange(CsvFile& csv, const Source& source, size_t row) {
    static constexpr std::array<std::string_view, 4> kKinds = {"user", "cpu op", "python function", "wait"};
    const RangeRow range = rowAt(source.trace.ranges(), row);
    csv.cell(source.texts[range.name]).cell(kKinds[static_cast<size_t>(range.kind)]);
    csv.cell(range.startNs).cell(range.endNs).cell(range.endNs - range.startNs);
    writeThread(csv, source, range.globalTid);
}

void writeOverhead(CsvFile& csv, const Source& source, size_t row) {
    const OverheadRow overhead = rowAt(source.trace.overheads(), row);
    csv.cell(source.texts[overhead.name]);
    csv.cell(overhead.startNs).cell(overhead.endNs).cell(overhead.endNs - overhead.startNs);
    writeThread(csv, source, overhead.globalTid);
}

void writeToken(CsvFile& csv, const Source& source, size_t row) {
    const TokenRow token = rowAt(source.trace.tokens(), row);
    csv.cell(token.repeat).cell(token.index).cell(token.id).cell(source.texts[token.text]).cell(token.emittedNs);
    csv.cell(token.drafted).cell(token.accepted).cell(token.place).cell(token.sequence);
}

void writeSample(CsvFile& csv, const Source& source, size_t row) {
    const CounterSampleRow sample = rowAt(source.trace.counterSamples(), row);
    const CounterRow& counter = source.trace.counters()[sample.counter.value];
    csv.cell(counter.deviceId)
        .cell(source.texts[counter.name])
        .cell(kCounterUnitNames[static_cast<size_t>(counter.unit)]);
    csv.cell(sample.timeNs).cell(sample.value);
}

void writeNote(CsvFile& csv, const Source& source, size_t row) {
    const Note& note = source.trace.annotations().notes[row];
    csv.cell(note.range.startNs).cell(note.range.endNs).cell(note.range.durationNs());
    csv.cell(source.texts.of(note.text));
}

const std::vector<Table>& tables() {
    static const std::vector<Table> kTables = {
        {"kernels",
         {"kind",
          "name",
          "category",
          "startNs",
          "endNs",
          "durationNs",
          "process",
          "device",
          "context",
          "stream",
          "correlationId",
          "token",
          "repeat",
          "copyBytes",
          "graphNodeId",
          "op",
          "shapes",
          "dtype",
          "layer",
          "bytes",
          "flops",
          "fullName",
          "gridX",
          "gridY",
          "gridZ",
          "blockX",
          "blockY",
          "blockZ",
          "registersPerThread",
          "staticSharedBytes",
          "dynamicSharedBytes"},
         writeOp,
         [](const Trace& trace) { return trace.deviceOps().startNs.size(); }},
        {"stages",
         {"name", "category", "startNs", "endNs", "durationNs", "device", "stream", "correlationId", "token", "repeat",
          "layer"},
         writeStage,
         [](const Trace& trace) { return trace.stages().startNs.size(); }},
        {"api_calls",
         {"name", "class", "startNs", "endNs", "durationNs", "correlationId", "process", "thread", "threadName"},
         writeCall,
         [](const Trace& trace) { return trace.apiCalls().startNs.size(); }},
        {"ranges",
         {"name", "kind", "startNs", "endNs", "durationNs", "process", "thread", "threadName"},
         writeRange,
         [](const Trace& trace) { return trace.ranges().startNs.size(); }},
        {"overheads",
         {"name", "startNs", "endNs", "durationNs", "process", "thread", "threadName"},
         writeOverhead,
         [](const Trace& trace) { return trace.overheads().startNs.size(); }},
        {"tokens",
         {"repeat", "index", "id", "text", "emittedNs", "drafted", "accepted", "place", "sequence"},
         writeToken,
         [](const Trace& trace) { return trace.tokens().emittedNs.size(); }},
        {"counters",
         {"device", "name", "unit", "timeNs", "value"},
         writeSample,
         [](const Trace& trace) { return trace.counterSamples().timeNs.size(); }},
        {"notes",
         {"startNs", "endNs", "durationNs", "text"},
         writeNote,
         [](const Trace& trace) { return trace.annotations().notes.size(); }},
    };
    return kTables;
}

}  // namespace

Result<CsvFile> CsvFile::create(const std::filesystem::path& path, const std::vector<std::string_view>& columns) {
    ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
    CsvFile csv(std::move(file));
    for (const std::string_view column : columns)
        csv.cell(column);
    RETURN_IF_ERROR(csv.endRow());
    csv.m_rowCount = 0;
    return csv;
}

Status CsvFile::endRow() {
    m_rows.endRow();
    m_file.write(m_rows.text());
    m_rows.clearText();
    return ++m_rowCount % kCheckRows == 0 ? m_file.status() : Status();
}

const std::vector<std::string_view>& csvTables() {
    static const std::vector<std::string_view> kNames = [] {
        std::vector<std::string_view> names;
        for (const Table& table : tables())
            names.push_back(table.name);
        return names;
    }();
    return kNames;
}

Status exportCsvTable(const Trace& trace, std::string_view name, const std::filesystem::path& path, Identity identity,
                      ExportReport& report, std::stop_token stop) {
    for (const Table& table : tables()) {
        if (table.name != name) continue;
        Source source{trace, ExportTexts(trace, identity), {}};
        for (const ThreadRow& thread : trace.threads())
            source.threadNames.emplace(thread.globalTid, thread.name);
        ASSIGN_OR_RETURN(CsvFile csv, CsvFile::create(path, table.columns));
        for (size_t row = 0; row < table.rowCount(trace); ++row) {
            if (row % kCheckRows == 0 && stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
            table.writeRow(csv, source, row);
            RETURN_IF_ERROR(csv.endRow());
        }
        report.wrote(name, csv.rowCount());
        ASSIGN_OR_RETURN(const int64_t bytes, csv.finish());
        report.bytes += bytes;
        return {};
    }
    return fail("There is no table '" + std::string(name) + "'.", ErrorKind::WrongUse);
}

}  // namespace gapscope
