#include "core/capture/activity_capture.h"

#include <unistd.h>

namespace gapscope {

namespace {

DeviceOpKind deviceOpKind(DeviceActivityKind kind) {
    switch (kind) {
        case DeviceActivityKind::Kernel:
            return DeviceOpKind::Kernel;
        case DeviceActivityKind::Copy:
            return DeviceOpKind::Copy;
        case DeviceActivityKind::Set:
            return DeviceOpKind::Set;
        case DeviceActivityKind::GraphLaunch:
            return DeviceOpKind::GraphLaunch;
    }
    return DeviceOpKind::Kernel;
}

}  // namespace

ActivityCapture::ActivityCapture(TraceBuilder& builder, TraceOrigin origin)
    : m_builder(builder), m_originNs(origin.steadyNs), m_processId(static_cast<uint32_t>(getpid())) {
    m_builder.setOrigin(origin);
}

bool ActivityCapture::timesAreSane(int64_t startNs, int64_t endNs) {
    if (startNs > 0 && endNs >= startNs) return true;
    m_builder.diagnostics().add("record_without_time", Severity::DataLoss, 1,
                                "Records came without a valid start and end and are left out of every figure.");
    return false;
}

void ActivityCapture::take(const ActivityLog::Batch& batch) {
    for (const OpActivity& op : batch.ops) {
        m_ops.push_back({m_builder.intern(op.kernelName),
                         OpRow{.name = m_builder.intern(op.opName),
                               .shapes = m_builder.intern(op.shapes),
                               .dtype = m_builder.intern(op.dtype),
                               .layer = op.layer},
                         op.category});
    }
    for (const ApiActivity& call : batch.api) {
        if (!timesAreSane(call.startNs, call.endNs)) continue;
        const auto [name, isNew] = m_apiNames.try_emplace(call.name);
        if (isNew) name->second = m_builder.intern(call.name);
        m_builder.add(ApiCallRow{.startNs = call.startNs - m_originNs,
                                 .endNs = call.endNs - m_originNs,
                                 .name = name->second,
                                 .globalTid = globalTid(call.threadId),
                                 .correlationId = call.correlationId});
    }
    for (const DeviceActivity& record : batch.device)
        take(record);
    for (const RangeActivity& range : batch.ranges) {
        if (!timesAreSane(range.startNs, range.endNs)) continue;
        m_builder.add(RangeRow{.startNs = range.startNs - m_originNs,
                               .endNs = range.endNs - m_originNs,
                               .name = m_builder.intern(range.name),
                               .globalTid = globalTid(range.threadId)});
    }
    for (const OverheadActivity& overhead : batch.overheads) {
        if (!timesAreSane(overhead.startNs, overhead.endNs)) continue;
        m_builder.add(OverheadRow{.startNs = overhead.startNs - m_originNs,
                                  .endNs = overhead.endNs - m_originNs,
                                  .name = m_builder.intern(overhead.name),
                                  .globalTid = globalTid(overhead.threadId)});
    }
    for (const TokenActivity& token : batch.tokens) {
        m_builder.add(TokenRow{.emittedNs = token.emittedNs - m_originNs,
                               .repeat = token.repeat,
                               .index = token.token,
                               .id = token.id,
                               .text = m_builder.intern(token.text),
                               .drafted = token.drafted,
                               .accepted = token.accepted,
                               .place = token.place,
                               .sequence = token.sequence});
    }
}

void ActivityCapture::take(const DeviceActivity& record) {
    if (!timesAreSane(record.startNs, record.endNs)) return;
    DeviceOpRow row{.startNs = record.startNs - m_originNs,
                    .endNs = record.endNs - m_originNs,
                    .kind = deviceOpKind(record.kind),
                    .correlationId = record.correlationId,
                    .token = record.token,
                    .repeat = record.repeat,
                    .graphNodeId = record.graphNodeId};
    row.track = m_builder.internTrack({.globalPid = globalPidOf(makeGlobalTid(m_processId, 0)),
                                       .deviceId = record.deviceId,
                                       .contextId = 1,
                                       .streamId = record.streamId});
    if (record.op < m_ops.size()) {
        const DescribedOp& described = m_ops[record.op];
        row.name = described.kernelName;
        row.category = described.category;
        OpRow op = described.row;
        op.bytes = record.bytes;
        op.flops = record.flops;
        row.op = m_builder.internOp(op);
        row.config = m_builder.internLaunchConfig(
            {.fullName = described.kernelName, .grid = {record.workers, 1, 1}, .block = {1, 1, 1}});
    } else {
        row.name = m_builder.intern("unknown");
        m_builder.diagnostics().add("device_record_without_op", Severity::Error, 1,
                                    "Device records name an op that was never described; they count as other.");
    }
    if (row.kind == DeviceOpKind::Copy || row.kind == DeviceOpKind::Set) row.copyBytes = record.bytes;
    m_builder.add(row);
}

}  // namespace gapscope
