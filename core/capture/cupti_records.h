// Turns the bytes of CUPTI's buffers into rows of a Trace, each kernel joined to the op, layer and token that it worked
// for. One thread uses it, the same that uses the builder. A row whose op is not known yet waits, for a bounded time
// and in bounded number; no row is lost for lack of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/activity.h"
#include "core/capture/cupti_buffers.h"
#include "core/capture/cupti_library.h"
#include "core/capture/launch_joins.h"
#include "core/capture/stage_joins.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

class CuptiRecords {
public:
    // Takes getNextRecord, getCallbackName and nothing else from `api`. `origin.steadyNs` is time 0 of the trace.
    CuptiRecords(TraceBuilder& builder, TraceOrigin origin, const CuptiApi& api);

    // Each round in this order; what arrives too late for its round is joined in a later one.
    void take(const ActivityLog::Batch& batch);
    void take(std::span<const LaunchActivity> launches) { m_joins.addLaunches(launches); }
    void take(std::span<const GraphNodeActivity> nodes) { m_joins.addGraphNodes(nodes); }
    void take(const CuptiBuffer& buffer, int64_t nowNs);
    void take(const CuptiCounts& counts);
    void noteFailures(std::span<const std::string> failures);
    void endRound();  // publishes what became known, and what has waited long enough
    void finish();    // publishes all that still waits

    // A launch that nobody announced is told from one whose announcement is late by waiting.
    static constexpr int kPatienceRounds = 10;         // nothing came of its call: half a second
    static constexpr int kPatienceRoundsCallSeen = 2;  // its call came without an external id
    static constexpr size_t kMostWaiting = 65536;

private:
    struct WaitingOp {
        DeviceOpRow row;
        int rounds = 0;  // waited; since its call was seen, if it was
        bool callSeen = false;
    };
    struct WaitingSync {
        RangeRow row;
        uint32_t correlationId = 0;
        int rounds = 0;
    };
    struct KernelName {
        StringId shortName;
        StringId fullName;
    };

    void takeRecord(const cupti::Record* record, const uint8_t* end);
    void take(const cupti::KernelRecord& record);
    void take(const cupti::MemcpyRecord& record);
    void take(const cupti::MemsetRecord& record);
    void take(const cupti::GraphTraceRecord& record);
    void take(const cupti::ApiRecord& record);
    void take(const cupti::SynchronizationRecord& record);
    void take(const cupti::OverheadRecord& record);
    void take(const cupti::ExternalCorrelationRecord& record);

    // Sets start and end of a row; false, and counted, where the clock failed.
    template <class Row>
    bool setTimes(Row& row, uint64_t startNs, uint64_t endNs);
    TrackId track(uint32_t deviceId, uint32_t contextId, uint32_t streamId);
    KernelName kernelName(const char* name);
    StringId apiName(int32_t domain, uint32_t cbid);
    void addOrWait(const DeviceOpRow& row);
    bool tryToJoin(DeviceOpRow& row);
    void publish(const DeviceOpRow& row);
    void countOutsideOps(const DeviceOpRow& row);
    void publishUnjoined(const DeviceOpRow& row);
    bool tryToPlace(RangeRow& row, uint32_t correlationId);
    void publishUnplaced(RangeRow row);
    void count(const char* name, Severity severity, const char* text, int64_t count = 1);

    TraceBuilder& m_builder;
    const CuptiApi& m_api;
    const int64_t m_originNs;
    const uint32_t m_processId;
    int64_t m_latestNs = 0;  // no record of the buffer at hand can end later
    LaunchJoins m_joins;
    std::vector<DescribedOp> m_ops;
    StageJoins m_stages;
    std::vector<WaitingOp> m_waiting;
    std::vector<WaitingSync> m_waitingSyncs;
    std::unordered_set<uint32_t> m_callsMissing;            // of published rows
    std::unordered_map<const void*, KernelName> m_kernels;  // by address: the names stay for the life of the process
    std::unordered_map<uint64_t, StringId> m_apiNames;      // by domain and callback id
    TrackRow m_lastTrack;
    TrackId m_lastTrackId;
};

}  // namespace gapscope
