#include "core/capture/cupti_records.h"

#include <unistd.h>

#include <cstring>

#include "core/capture/cupti_names.h"

namespace gapscope {

namespace {

// CUPTI converts GPU times by interpolation; a kernel may seem to end a little after it was reported.
constexpr int64_t kClockSlackNs = 1'000'000'000;

// Keeps what `isKept` says, in order; it may change an element, which std::erase_if's predicate may not.
template <class Element, class IsKept>
void keepIf(std::vector<Element>& elements, IsKept isKept) {
    size_t kept = 0;
    for (Element& element : elements)
        if (isKept(element)) elements[kept++] = element;
    elements.resize(kept);
}

// Results that are answers and not failures: "not ready" of cudaEventQuery, cudaStreamQuery and their driver calls.
constexpr uint32_t kNotReady = 600;

}  // namespace

CuptiRecords::CuptiRecords(TraceBuilder& builder, TraceOrigin origin, const CuptiApi& api)
    : m_builder(builder),
      m_api(api),
      m_originNs(origin.steadyNs),
      m_processId(static_cast<uint32_t>(getpid())),
      m_stages(builder, m_ops) {}

void CuptiRecords::count(const char* name, Severity severity, const char* text, int64_t count) {
    m_builder.diagnostics().add(name, severity, count, text);
}

void CuptiRecords::take(const ActivityLog::Batch& batch) {
    for (const OpActivity& op : batch.ops) {
        m_ops.push_back({OpRow{.name = m_builder.intern(op.opName),
                               .shapes = m_builder.intern(op.shapes),
                               .dtype = m_builder.intern(op.dtype),
                               .layer = op.layer},
                         op.category});
    }
    for (const StagesActivity& stages : batch.stages)
        m_stages.add(stages);
    count("kernel_stages_untold", Severity::DataLoss,
          "More kernels were launched between two waits than their stages have room for: what these did inside is not "
          "shown.",
          batch.untoldStages);
}

void CuptiRecords::take(const CuptiCounts& counts) {
    count("cupti_dropped_records", Severity::DataLoss,
          "CUPTI had no room for these records: kernels or calls are missing from the trace.", counts.droppedRecords);
    count("cupti_buffers_refused", Severity::DataLoss,
          "No further memory was given to CUPTI, so it dropped records; tracing outran the reading.",
          counts.refusedBuffers);
    count("cupti_buffers_added", Severity::Info,
          "Buffers were made while a launch waited for one, which shows in that launch's time.", counts.grownBuffers);
    count("cupti_failed_flushes", Severity::Info, "CUPTI refused to hand over its records; the next flush repeats it.",
          counts.failedFlushes);
    count("cupti_graph_nodes_lost", Severity::DataLoss,
          "More graph nodes were made at once than are kept; their kernels name no op.", counts.lostGraphNodes);
}

void CuptiRecords::noteFailures(std::span<const std::string> failures) {
    // One entry each: the sentence names what is missing from the trace.
    for (size_t i = 0; i < failures.size(); ++i)
        m_builder.diagnostics().add("cupti_not_enabled_" + std::to_string(i + 1), Severity::DataLoss, 1, failures[i]);
}

void CuptiRecords::take(const CuptiBuffer& buffer, int64_t nowNs) {
    m_latestNs = nowNs + kClockSlackNs;
    const uint8_t* const end = buffer.data + buffer.validBytes;
    cupti::Record* record = nullptr;
    const cupti::Record* previous = nullptr;
    while (true) {
        const int32_t result = m_api.getNextRecord(buffer.data, buffer.validBytes, &record);
        if (result == cupti::kMaxLimitReached) return;
        const auto* bytes = reinterpret_cast<const uint8_t*>(record);
        const bool inside =
            record && bytes >= buffer.data && bytes + sizeof(cupti::Record) <= end && (!previous || record > previous);
        if (result != cupti::kSuccess || !inside) {
            count("cupti_truncated_buffers", Severity::DataLoss,
                  "Buffers broke off inside a record; what came behind it is missing from the trace.");
            return;
        }
        takeRecord(record, end);
        previous = record;
    }
}

void CuptiRecords::takeRecord(const cupti::Record* record, const uint8_t* end) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(record);
    // Copied and not cast: a record may stand at the buffer's end, and another release's is shorter than ours.
    const auto takeAs = [&]<class Known>(Known known) {
        if (static_cast<size_t>(end - bytes) < sizeof known) {
            count("cupti_truncated_records", Severity::DataLoss, "Records were cut short by the end of their buffer.");
            return;
        }
        std::memcpy(&known, bytes, sizeof known);
        take(known);
    };
    switch (record->kind) {
        case cupti::Kind::Kernel:
        case cupti::Kind::ConcurrentKernel:
            return takeAs(cupti::KernelRecord{});
        case cupti::Kind::Memcpy:
            return takeAs(cupti::MemcpyRecord{});
        case cupti::Kind::Memset:
            return takeAs(cupti::MemsetRecord{});
        case cupti::Kind::GraphTrace:
            return takeAs(cupti::GraphTraceRecord{});
        case cupti::Kind::Driver:
        case cupti::Kind::Runtime:
            return takeAs(cupti::ApiRecord{});
        case cupti::Kind::Synchronization:
            return takeAs(cupti::SynchronizationRecord{});
        case cupti::Kind::Overhead:
            return takeAs(cupti::OverheadRecord{});
        case cupti::Kind::ExternalCorrelation:
            return takeAs(cupti::ExternalCorrelationRecord{});
        case cupti::Kind::Invalid:
            break;
    }
    count("cupti_unknown_records", Severity::Info, "CUPTI sent records of kinds that are not read.");
}

template <class Row>
bool CuptiRecords::setTimes(Row& row, uint64_t startNs, uint64_t endNs) {
    const auto start = static_cast<int64_t>(startNs), end = static_cast<int64_t>(endNs);
    if (startNs == cupti::kNoTimestamp && endNs == cupti::kNoTimestamp) {
        count("gpu_timestamps_lost", Severity::DataLoss,
              "CUPTI had no device buffer for the times of these records; they are left out of every figure.");
    } else if (start <= 0 || end < start) {
        count("record_without_time", Severity::DataLoss,
              "Records came without a valid start and end and are left out of every figure.");
    } else if (end > m_latestNs) {
        count("record_on_another_clock", Severity::DataLoss,
              "Records carry times of another clock than ours and are left out of every figure.");
    } else if (start < m_originNs) {
        count("record_before_recording", Severity::Info, "Records of work before this recording began are left out.");
    } else {
        row.startNs = start - m_originNs;
        row.endNs = end - m_originNs;
        return true;
    }
    return false;
}

TrackId CuptiRecords::track(uint32_t deviceId, uint32_t contextId, uint32_t streamId) {
    const TrackRow wanted{.globalPid = globalPidOf(makeGlobalTid(m_processId, 0)),
                          .deviceId = deviceId,
                          .contextId = contextId,
                          .streamId = streamId};
    if (!m_lastTrackId.valid() || wanted != m_lastTrack) {
        m_lastTrack = wanted;
        m_lastTrackId = m_builder.internTrack(wanted);
    }
    return m_lastTrackId;
}

CuptiRecords::KernelName CuptiRecords::kernelName(const char* name) {
    const auto [it, isNew] = m_kernels.try_emplace(name);
    if (isNew) {
        const std::string full = name && *name ? demangled(name) : "unnamed kernel";
        it->second = {m_builder.intern(shortKernelName(full)), m_builder.intern(full)};
    }
    return it->second;
}

StringId CuptiRecords::apiName(int32_t domain, uint32_t cbid) {
    const auto [it, isNew] = m_apiNames.try_emplace((static_cast<uint64_t>(domain) << 32) | cbid);
    if (isNew) {
        const char* name = nullptr;
        const bool known = m_api.getCallbackName(domain, cbid, &name) == cupti::kSuccess && name;
        const std::string unknown =
            (domain == cupti::kDomainDriver ? "driver call " : "runtime call ") + std::to_string(cbid);
        it->second = m_builder.intern(known ? apiNameWithoutSuffix(name) : unknown);
    }
    return it->second;
}

void CuptiRecords::take(const cupti::KernelRecord& record) {
    DeviceOpRow row{.kind = DeviceOpKind::Kernel,
                    .category = Category::Other,
                    .correlationId = record.correlationId,
                    .graphNodeId = record.graphNodeId};
    if (!setTimes(row, record.start, record.end)) return;
    const KernelName name = kernelName(record.name);
    row.name = name.shortName;
    row.track = track(record.deviceId, record.contextId, record.streamId);
    row.config = m_builder.internLaunchConfig({.fullName = name.fullName,
                                               .grid = {record.grid[0], record.grid[1], record.grid[2]},
                                               .block = {record.block[0], record.block[1], record.block[2]},
                                               .registersPerThread = record.registersPerThread,
                                               .staticSharedBytes = record.staticSharedMemory,
                                               .dynamicSharedBytes = record.dynamicSharedMemory});
    addOrWait(row);
}

void CuptiRecords::take(const cupti::MemcpyRecord& record) {
    DeviceOpRow row{.kind = DeviceOpKind::Copy,
                    .category = Category::Copy,
                    .correlationId = record.correlationId,
                    .copyBytes = static_cast<int64_t>(record.bytes),
                    .graphNodeId = record.graphNodeId};
    if (!setTimes(row, record.start, record.end)) return;
    row.name = m_builder.intern(copyName(record.copyKind, record.srcKind, record.dstKind));
    row.track = track(record.deviceId, record.contextId, record.streamId);
    addOrWait(row);
}

void CuptiRecords::take(const cupti::MemsetRecord& record) {
    DeviceOpRow row{.kind = DeviceOpKind::Set,
                    .category = Category::Set,
                    .correlationId = record.correlationId,
                    .copyBytes = static_cast<int64_t>(record.bytes),
                    .graphNodeId = record.graphNodeId};
    if (!setTimes(row, record.start, record.end)) return;
    row.name = m_builder.intern("Memset");
    row.track = track(record.deviceId, record.contextId, record.streamId);
    addOrWait(row);
}

void CuptiRecords::take(const cupti::GraphTraceRecord& record) {
    DeviceOpRow row{
        .kind = DeviceOpKind::GraphLaunch, .category = Category::Other, .correlationId = record.correlationId};
    if (!setTimes(row, record.start, record.end)) return;
    row.name = m_builder.intern("graph launch");
    row.track = track(record.deviceId, record.contextId, record.streamId);
    addOrWait(row);
}

void CuptiRecords::take(const cupti::ApiRecord& record) {
    const bool isDriver = record.kind == cupti::Kind::Driver;
    m_joins.addCall(record.correlationId, record.threadId);
    m_callsMissing.erase(record.correlationId);
    ApiCallRow row{.globalTid = makeGlobalTid(m_processId, record.threadId),
                   .correlationId = record.correlationId,
                   .apiClass = isDriver ? ApiClass::Driver : ApiClass::Runtime};
    if (!setTimes(row, record.start, record.end)) return;
    row.name = apiName(isDriver ? cupti::kDomainDriver : cupti::kDomainRuntime, record.cbid);
    if (record.returnValue != 0 && record.returnValue != kNotReady)
        count("cuda_calls_failed", Severity::Info, "CUDA calls returned an error; they are shown like any other.");
    m_builder.add(row);
}

void CuptiRecords::take(const cupti::SynchronizationRecord& record) {
    RangeRow row{.kind = RangeKind::Wait};
    if (!setTimes(row, record.start, record.end)) return;
    row.name = m_builder.intern(waitName(record.type, record.streamId));
    if (tryToPlace(row, record.correlationId)) return;
    if (m_waitingSyncs.size() < kMostWaiting)
        m_waitingSyncs.push_back({row, record.correlationId, 0});
    else
        publishUnplaced(row);
}

// A wait stands on the thread that waited, which only the record of its call tells.
bool CuptiRecords::tryToPlace(RangeRow& row, uint32_t correlationId) {
    const std::optional<uint32_t> thread = m_joins.threadOfCall(correlationId);
    if (!thread) return false;
    row.globalTid = makeGlobalTid(m_processId, *thread);
    m_builder.add(row);
    return true;
}

void CuptiRecords::publishUnplaced(RangeRow row) {
    count("gpu_wait_without_call", Severity::Info, "Waits name no call, so it is not known which thread waited.");
    row.globalTid = makeGlobalTid(m_processId, 0);
    m_builder.add(row);
}

void CuptiRecords::take(const cupti::OverheadRecord& record) {
    OverheadRow row;
    if (!setTimes(row, record.start, record.end)) return;
    row.name = m_builder.intern(overheadName(record.overheadKind));
    row.globalTid = makeGlobalTid(m_processId, record.objectKind == cupti::ObjectKind::Thread ? record.threadId : 0);
    m_builder.add(row);
}

void CuptiRecords::take(const cupti::ExternalCorrelationRecord& record) {
    if (record.externalKind == cupti::kExternalKindCustom0)
        m_joins.addExternalId(record.correlationId, record.externalId);
}

void CuptiRecords::addOrWait(const DeviceOpRow& row) {
    DeviceOpRow joined = row;
    if (tryToJoin(joined)) {
        publish(joined);
        return;
    }
    // Past the bound the oldest goes out as it is: memory stays bounded, and no row is lost.
    if (m_waiting.size() >= kMostWaiting) {
        const size_t oldest = m_waiting.size() / 8;
        for (size_t i = 0; i < oldest; ++i)
            publishUnjoined(m_waiting[i].row);
        m_waiting.erase(m_waiting.begin(), m_waiting.begin() + static_cast<std::ptrdiff_t>(oldest));
    }
    m_waiting.push_back({.row = row});
}

bool CuptiRecords::tryToJoin(DeviceOpRow& row) {
    LaunchContext context;
    const LaunchJoins::Found found = m_joins.find(row.correlationId, row.graphNodeId, context);
    if (found == LaunchJoins::Found::NotYet) return false;
    row.token = context.token;
    row.repeat = context.repeat;
    if (found == LaunchJoins::Found::NoOp) {
        count("gpu_graph_node_without_op", Severity::DataLoss,
              "Kernels of a CUDA graph could not be joined to an op; they count as other.");
        return true;
    }
    if (context.op == kNoOp) {
        countOutsideOps(row);
        return true;
    }
    if (context.op >= m_ops.size()) {
        count("device_record_without_op", Severity::Error,
              "Device records name an op that was never described; they count as other.");
        return true;
    }
    const DescribedOp& described = m_ops[context.op];
    OpRow op = described.row;
    op.bytes = context.bytes;
    op.flops = context.flops;
    row.op = m_builder.internOp(op);
    if (row.kind == DeviceOpKind::Kernel || row.kind == DeviceOpKind::GraphLaunch) row.category = described.category;
    if (context.stages != 0) m_stages.addKernel(context.stages, row);
    return true;
}

void CuptiRecords::publish(const DeviceOpRow& row) {
    if (!m_joins.callSeen(row.correlationId) && m_callsMissing.size() < kMostWaiting)
        m_callsMissing.insert(row.correlationId);
    m_builder.add(row);
}

// Copies and sets around the run (weights, buffers) belong to no op; a kernel should.
void CuptiRecords::countOutsideOps(const DeviceOpRow& row) {
    if (row.kind == DeviceOpKind::Kernel || row.kind == DeviceOpKind::GraphLaunch)
        count("gpu_kernel_outside_ops", Severity::Info,
              "GPU kernels were launched for no op of the plan (set-up, measurements); they count as other.");
}

void CuptiRecords::publishUnjoined(const DeviceOpRow& row) {
    if (m_joins.callSeen(row.correlationId))
        countOutsideOps(row);
    else if (row.kind == DeviceOpKind::Kernel || row.kind == DeviceOpKind::GraphLaunch)
        count("gpu_kernel_without_op", Severity::DataLoss,
              "GPU kernels could not be joined to a launch, because its records are missing; they count as other.");
    publish(row);
}

void CuptiRecords::endRound() {
    m_joins.forgetOldLaunches();
    keepIf(m_waiting, [&](WaitingOp& waiting) {
        if (tryToJoin(waiting.row)) {
            publish(waiting.row);
            return false;
        }
        if (!waiting.callSeen && m_joins.callSeen(waiting.row.correlationId)) {
            waiting.callSeen = true;
            waiting.rounds = 0;
        }
        const int patience = waiting.callSeen ? kPatienceRoundsCallSeen : kPatienceRounds;
        if (++waiting.rounds < patience) return true;
        publishUnjoined(waiting.row);
        return false;
    });
    keepIf(m_waitingSyncs, [&](WaitingSync& waiting) {
        if (tryToPlace(waiting.row, waiting.correlationId)) return false;
        if (++waiting.rounds < kPatienceRounds) return true;
        publishUnplaced(waiting.row);
        return false;
    });
}

void CuptiRecords::finish() {
    for (int round = 0; round < kPatienceRounds; ++round)
        endRound();
    m_stages.finish();
    count("gpu_record_without_call", Severity::DataLoss,
          "Device records have no launching call in the trace; their launch latency is unknown.",
          static_cast<int64_t>(m_callsMissing.size()));
    m_callsMissing.clear();
}

}  // namespace gapscope
