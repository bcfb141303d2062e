#include "core/export/session_rows.h"

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/trace/annotations.h"
#include "core/trace/run_fields.h"

namespace gapscope {

namespace {

constexpr int64_t kPushPopRange = 59;  // ENUM_NSYS_EVENT_TYPE
constexpr size_t kCheckRows = 4096;    // rows between two looks at the stop token

template <class Value>
void bindOne(Statement& statement, int index, const Value& value) {
    if constexpr (std::is_same_v<Value, std::optional<int>>) {
        if (value)
            statement.bind(index, int64_t{*value});
        else
            statement.bindNull(index);
    } else if constexpr (std::is_floating_point_v<Value>) {
        statement.bind(index, static_cast<double>(value));
    } else if constexpr (std::is_enum_v<Value> || std::is_integral_v<Value>) {
        statement.bind(index, static_cast<int64_t>(value));  // unsigned 64-bit ids keep their bits
    } else {
        statement.bind(index, std::string_view(value));
    }
}

template <class... Values>
Status insert(Statement& statement, const Values&... values) {
    int index = 0;
    (bindOne(statement, index++, values), ...);
    return statement.run();
}

// Ids of strings and rows are their places; a row without one says -1 where nsys's schema forbids NULL.
template <class Id>
int64_t idOrNone(Id id) {
    return id.valid() ? static_cast<int64_t>(id.value) : -1;
}

// ENUM_CUDA_MEMCPY_OPER, told by the name.
int64_t copyKind(std::string_view name) {
    if (name.find("HtoD") != name.npos) return 1;
    if (name.find("DtoH") != name.npos) return 2;
    if (name.find("DtoD") != name.npos) return 8;
    if (name.find("HtoH") != name.npos) return 9;
    if (name.find("PtoP") != name.npos) return 10;
    return 0;
}

}  // namespace

struct SessionRows::Statements {
    Statement string, track, op, config, deviceOp, kernel, copy, set, graph, call, range, overhead, token, counter,
        counterSample, stage;
};

Status SessionRows::prepare() {
    if (m_statements) return {};
    const auto make = [&](const char* sql) { return m_database.prepare(sql); };
    ASSIGN_OR_RETURN(Statement string, make("INSERT INTO StringIds VALUES (?, ?)"));
    ASSIGN_OR_RETURN(Statement track, make("INSERT INTO GAPSCOPE_TRACK VALUES (?, ?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(Statement op, make("INSERT INTO GAPSCOPE_OP VALUES (?, ?, ?, ?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(Statement config,
                     make("INSERT INTO GAPSCOPE_LAUNCH_CONFIG VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(Statement deviceOp, make("INSERT INTO GAPSCOPE_DEVICE_OP VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(
        Statement kernel,
        make("INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL (rowid, start, end, deviceId, contextId, streamId, correlationId, "
             "globalPid, graphNodeId, demangledName, shortName, registersPerThread, gridX, gridY, gridZ, blockX, "
             "blockY, "
             "blockZ, staticSharedMemory, dynamicSharedMemory, launchType, localMemoryPerThread, localMemoryTotal, "
             "gridId, "
             "tensorSizeMinusOneElements) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0, "
             "0, '')"));
    ASSIGN_OR_RETURN(
        Statement copy,
        make("INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY (rowid, start, end, deviceId, contextId, streamId, "
             "correlationId, globalPid, graphNodeId, bytes, copyKind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(
        Statement set,
        make("INSERT INTO CUPTI_ACTIVITY_KIND_MEMSET (rowid, start, end, deviceId, contextId, streamId, "
             "correlationId, globalPid, graphNodeId, bytes, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"));
    ASSIGN_OR_RETURN(
        Statement graph,
        make("INSERT INTO CUPTI_ACTIVITY_KIND_GRAPH_TRACE (rowid, start, end, deviceId, contextId, streamId, "
             "correlationId, globalPid, graphId, graphExecId) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"));
    ASSIGN_OR_RETURN(Statement call,
                     make("INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME (rowid, start, end, eventClass, globalTid, "
                          "correlationId, nameId, returnValue) VALUES (?, ?, ?, ?, ?, ?, ?, 0)"));
    ASSIGN_OR_RETURN(Statement range,
                     make("INSERT INTO NVTX_EVENTS (rowid, start, end, eventType, category, globalTid, "
                          "textId) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(Statement overhead,
                     make("INSERT INTO CUPTI_ACTIVITY_KIND_OVERHEAD (rowid, start, end, eventClass, globalTid, nameId, "
                          "overheadType) VALUES (?, ?, ?, 0, ?, ?, 1)"));
    ASSIGN_OR_RETURN(Statement token, make("INSERT INTO GAPSCOPE_TOKEN VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(Statement counter, make("INSERT INTO GAPSCOPE_COUNTER VALUES (?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(Statement counterSample, make("INSERT INTO GAPSCOPE_COUNTER_SAMPLE VALUES (?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(Statement stage, make("INSERT INTO GAPSCOPE_STAGE VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    m_statements = std::make_shared<Statements>(Statements{
        std::move(string), std::move(track), std::move(op), std::move(config), std::move(deviceOp), std::move(kernel),
        std::move(copy), std::move(set), std::move(graph), std::move(call), std::move(range), std::move(overhead),
        std::move(token), std::move(counter), std::move(counterSample), std::move(stage)});
    return {};
}

Status SessionRows::write(const Trace& trace, std::stop_token stop) {
    RETURN_IF_ERROR(prepare());
    const ExportTexts texts(trace, m_identity);
    RETURN_IF_ERROR(writeInterned(trace, texts));
    RETURN_IF_ERROR(writeDeviceOps(trace, stop));
    RETURN_IF_ERROR(writeHostRows(trace, stop));
    return writeSmallTables(trace, texts);
}

void SessionRows::committed(const Trace& trace) {
    m_committed = {.strings = trace.stringCount(),
                   .tracks = trace.tracks().size(),
                   .ops = trace.ops().size(),
                   .configs = trace.launchConfigs().size(),
                   .deviceOps = trace.deviceOps().startNs.size(),
                   .stages = trace.stages().startNs.size(),
                   .apiCalls = trace.apiCalls().startNs.size(),
                   .ranges = trace.ranges().startNs.size(),
                   .overheads = trace.overheads().startNs.size(),
                   .tokens = trace.tokens().emittedNs.size(),
                   .counters = trace.counters().size(),
                   .counterSamples = trace.counterSamples().timeNs.size(),
                   .events = m_events};
}

Status SessionRows::writeInterned(const Trace& trace, const ExportTexts& texts) {
    for (size_t id = m_committed.strings; id < trace.stringCount(); ++id)
        RETURN_IF_ERROR(insert(m_statements->string, id, texts[StringId{static_cast<uint32_t>(id)}]));
    for (size_t id = m_committed.tracks; id < trace.tracks().size(); ++id) {
        const TrackRow& track = trace.tracks()[id];
        m_processes.insert(track.globalPid);
        RETURN_IF_ERROR(
            insert(m_statements->track, id, track.globalPid, track.deviceId, track.contextId, track.streamId));
    }
    for (size_t id = m_committed.ops; id < trace.ops().size(); ++id) {
        const OpRow& op = trace.ops()[id];
        RETURN_IF_ERROR(insert(m_statements->op, id, idOrNone(op.name), idOrNone(op.shapes), idOrNone(op.dtype),
                               op.layer, op.bytes, op.flops));
    }
    for (size_t id = m_committed.configs; id < trace.launchConfigs().size(); ++id) {
        const LaunchConfigRow& config = trace.launchConfigs()[id];
        RETURN_IF_ERROR(insert(m_statements->config, id, idOrNone(config.fullName), config.grid[0], config.grid[1],
                               config.grid[2], config.block[0], config.block[1], config.block[2],
                               config.registersPerThread, config.staticSharedBytes, config.dynamicSharedBytes,
                               config.occupancyPercent));
    }
    for (size_t id = m_committed.counters; id < trace.counters().size(); ++id) {
        const CounterRow& counter = trace.counters()[id];
        RETURN_IF_ERROR(insert(m_statements->counter, id, idOrNone(counter.name),
                               kCounterUnitNames[static_cast<size_t>(counter.unit)], counter.deviceId));
    }
    return {};
}

Status SessionRows::writeDeviceOps(const Trace& trace, std::stop_token stop) {
    m_events = m_committed.events;
    for (size_t row = m_committed.deviceOps; row < trace.deviceOps().startNs.size(); ++row) {
        if (row % kCheckRows == 0 && stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        const DeviceOpRow op = rowAt(trace.deviceOps(), row);
        const int64_t eventRow = ++m_events[static_cast<size_t>(op.kind)];
        RETURN_IF_ERROR(writeEvent(trace, op, eventRow));
        RETURN_IF_ERROR(insert(m_statements->deviceOp, row, op.kind, eventRow, idOrNone(op.name), idOrNone(op.track),
                               op.category, idOrNone(op.op), idOrNone(op.config), op.token, op.repeat));
    }
    for (size_t row = m_committed.stages; row < trace.stages().startNs.size(); ++row) {
        if (row % kCheckRows == 0 && stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        const StageRow stage = rowAt(trace.stages(), row);
        RETURN_IF_ERROR(insert(m_statements->stage, row, stage.startNs, stage.endNs, idOrNone(stage.name),
                               idOrNone(stage.track), stage.correlationId, stage.category, idOrNone(stage.op),
                               stage.token, stage.repeat));
    }
    return {};
}

Status SessionRows::writeEvent(const Trace& trace, const DeviceOpRow& op, int64_t eventRow) {
    const TrackRow track = op.track.valid() ? trace.tracks()[op.track.value] : TrackRow{};
    const auto insertWith = [&](Statement& statement, const auto&... rest) {
        return insert(statement, eventRow, op.startNs, op.endNs, track.deviceId, track.contextId, track.streamId,
                      op.correlationId, track.globalPid, op.graphNodeId, rest...);
    };
    switch (op.kind) {
        case DeviceOpKind::Kernel: {
            const LaunchConfigRow config =
                op.config.valid() ? trace.launchConfigs()[op.config.value] : LaunchConfigRow{};
            const StringId fullName = config.fullName.valid() ? config.fullName : op.name;
            return insertWith(m_statements->kernel, idOrNone(fullName), idOrNone(op.name), config.registersPerThread,
                              config.grid[0], config.grid[1], config.grid[2], config.block[0], config.block[1],
                              config.block[2], config.staticSharedBytes, config.dynamicSharedBytes);
        }
        case DeviceOpKind::Copy:
            return insertWith(m_statements->copy, op.copyBytes, copyKind(trace.string(op.name)));
        case DeviceOpKind::Set:
            return insertWith(m_statements->set, op.copyBytes);
        case DeviceOpKind::GraphLaunch:
            return insertWith(m_statements->graph);
    }
    return {};
}

Status SessionRows::writeHostRows(const Trace& trace, std::stop_token stop) {
    const auto cancelled = [&](size_t row) { return row % kCheckRows == 0 && stop.stop_requested(); };
    for (size_t row = m_committed.apiCalls; row < trace.apiCalls().startNs.size(); ++row) {
        if (cancelled(row)) return fail("Cancelled.", ErrorKind::Cancelled);
        const ApiCallRow call = rowAt(trace.apiCalls(), row);
        m_processes.insert(globalPidOf(call.globalTid));
        RETURN_IF_ERROR(insert(m_statements->call, row + 1, call.startNs, call.endNs, call.apiClass, call.globalTid,
                               call.correlationId, idOrNone(call.name)));
    }
    for (size_t row = m_committed.ranges; row < trace.ranges().startNs.size(); ++row) {
        if (cancelled(row)) return fail("Cancelled.", ErrorKind::Cancelled);
        const RangeRow range = rowAt(trace.ranges(), row);
        m_processes.insert(globalPidOf(range.globalTid));
        RETURN_IF_ERROR(insert(m_statements->range, row + 1, range.startNs, range.endNs, kPushPopRange, range.kind,
                               range.globalTid, idOrNone(range.name)));
    }
    for (size_t row = m_committed.overheads; row < trace.overheads().startNs.size(); ++row) {
        const OverheadRow overhead = rowAt(trace.overheads(), row);
        RETURN_IF_ERROR(insert(m_statements->overhead, row + 1, overhead.startNs, overhead.endNs, overhead.globalTid,
                               idOrNone(overhead.name)));
    }
    for (size_t row = m_committed.tokens; row < trace.tokens().emittedNs.size(); ++row) {
        const TokenRow token = rowAt(trace.tokens(), row);
        RETURN_IF_ERROR(insert(m_statements->token, row, token.emittedNs, token.repeat, token.index, token.id,
                               idOrNone(token.text), token.drafted, token.accepted, token.place, token.sequence));
    }
    for (size_t row = m_committed.counterSamples; row < trace.counterSamples().timeNs.size(); ++row) {
        if (cancelled(row)) return fail("Cancelled.", ErrorKind::Cancelled);
        const CounterSampleRow sample = rowAt(trace.counterSamples(), row);
        RETURN_IF_ERROR(
            insert(m_statements->counterSample, row, sample.timeNs, idOrNone(sample.counter), sample.value));
    }
    return {};
}

Status SessionRows::writeSmallTables(const Trace& trace, const ExportTexts& texts) {
    RETURN_IF_ERROR(m_database.execute(
        "DELETE FROM PROCESSES; DELETE FROM ThreadNames; DELETE FROM TARGET_INFO_SESSION_START_TIME; "
        "DELETE FROM TARGET_INFO_GPU; DELETE FROM GAPSCOPE_DEVICE; DELETE FROM GAPSCOPE_DIAGNOSTIC; "
        "DELETE FROM GAPSCOPE_RUN; DELETE FROM GAPSCOPE_PROMPT_TOKEN; DELETE FROM GAPSCOPE_REPEAT; "
        "DELETE FROM GAPSCOPE_NOTE; DELETE FROM GAPSCOPE_ROW"));
    ASSIGN_OR_RETURN(Statement process, m_database.prepare("INSERT INTO PROCESSES VALUES (?, ?, NULL)"));
    for (const uint64_t globalPid : m_processes)
        RETURN_IF_ERROR(insert(process, globalPid, processIdOf(globalPid)));
    ASSIGN_OR_RETURN(Statement thread, m_database.prepare("INSERT INTO ThreadNames VALUES (?, NULL, ?)"));
    for (const ThreadRow& row : trace.threads())
        RETURN_IF_ERROR(insert(thread, idOrNone(row.name), row.globalTid));
    ASSIGN_OR_RETURN(Statement start,
                     m_database.prepare("INSERT INTO TARGET_INFO_SESSION_START_TIME VALUES "
                                        "(?1, strftime('%Y-%m-%dT%H:%M:%S', ?1 / 1000000000, 'unixepoch'), NULL, ?2)"));
    RETURN_IF_ERROR(insert(start, trace.origin().utcEpochNs, trace.origin().steadyNs));
    ASSIGN_OR_RETURN(Statement gpu, m_database.prepare("INSERT INTO TARGET_INFO_GPU (vmId, id, name, totalMemory, "
                                                       "cuDevice) VALUES (0, ?1, ?2, ?3, ?1)"));
    ASSIGN_OR_RETURN(Statement device, m_database.prepare("INSERT INTO GAPSCOPE_DEVICE VALUES (?, ?, ?, ?, ?, ?, ?)"));
    for (size_t place = 0; place < trace.devices().size(); ++place) {
        const DeviceRow& row = trace.devices()[place];
        RETURN_IF_ERROR(insert(device, row.id, place, row.kind, row.name, row.totalMemoryBytes, row.peakBytesPerSecond,
                               row.peakFlopsPerSecond));
        RETURN_IF_ERROR(insert(gpu, row.id, row.name, row.totalMemoryBytes));
    }
    ASSIGN_OR_RETURN(Statement diagnostic,
                     m_database.prepare("INSERT INTO GAPSCOPE_DIAGNOSTIC VALUES (?, ?, ?, ?, ?)"));
    int64_t place = 0;
    for (const Diagnostic& entry : trace.diagnostics().entries())
        RETURN_IF_ERROR(insert(diagnostic, place++, entry.name, entry.severity, entry.count, texts.of(entry.text)));
    RETURN_IF_ERROR(writeAnnotations(trace.annotations(), texts));
    return trace.run() ? writeRun(texts.run(*trace.run())) : Status();
}

Status SessionRows::writeAnnotations(const Annotations& annotations, const ExportTexts& texts) {
    ASSIGN_OR_RETURN(Statement note, m_database.prepare("INSERT INTO GAPSCOPE_NOTE VALUES (?, ?, ?, ?)"));
    int64_t place = 0;
    for (const Note& entry : annotations.notes)
        RETURN_IF_ERROR(insert(note, place++, entry.range.startNs, entry.range.endNs, texts.of(entry.text)));
    ASSIGN_OR_RETURN(Statement row, m_database.prepare("INSERT INTO GAPSCOPE_ROW VALUES (?, ?, ?, ?, ?, ?, ?)"));
    place = 0;
    for (const RowChoice& choice : choicesOf(annotations.rows)) {
        const auto orNull = [](int value, int none) { return value == none ? std::optional<int>() : value; };
        RETURN_IF_ERROR(insert(row, place++, texts.of(choice.key), choice.hidden, choice.folded,
                               orNull(choice.pinnedPlace, -1), orNull(choice.orderPlace, -1),
                               orNull(choice.laneHeight, 0)));
    }
    return {};
}

Status SessionRows::writeRun(const RunInfo& run) {
    ASSIGN_OR_RETURN(Statement field, m_database.prepare("INSERT INTO GAPSCOPE_RUN VALUES (?, ?)"));
    Status status;
    forEachRunField(run, [&](std::string_view name, const auto& value) {
        if (status) status = insert(field, name, value);
    });
    RETURN_IF_ERROR(status);
    ASSIGN_OR_RETURN(Statement token, m_database.prepare("INSERT INTO GAPSCOPE_PROMPT_TOKEN VALUES (?, ?)"));
    for (size_t i = 0; i < run.promptTokens.size(); ++i)
        RETURN_IF_ERROR(insert(token, i, run.promptTokens[i]));
    ASSIGN_OR_RETURN(Statement repeat, m_database.prepare("INSERT INTO GAPSCOPE_REPEAT VALUES (?, ?, ?, ?, ?)"));
    for (size_t i = 0; i < run.repeatTimes.size(); ++i) {
        const RunInfo::Repeat& times = run.repeatTimes[i];
        RETURN_IF_ERROR(insert(repeat, i, times.prefillNs, times.timeToFirstTokenNs, times.decodeNs, times.newTokens));
    }
    return {};
}

}  // namespace gapscope
