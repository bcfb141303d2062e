// The second source of a recording, beside the runner's own log: what the device's tracer (CUPTI) saw. Used by the
// recording's collecting thread, but for stop() and for the launches, which come from the threads that make them.
#pragma once

#include <memory>
#include <vector>

#include "core/base/activity.h"
#include "core/base/result.h"
#include "core/capture/cupti_records.h"
#include "core/capture/cupti_session.h"
#include "core/capture/launch_queue.h"

namespace gapscope {

class DeviceCapture final : private DeviceTracer {
public:
    // Starts tracing CUDA work of this process and tells `log`, whose LaunchScopes then reach CUPTI. Before the process
    // makes its first CUDA context, where possible. The error says in a sentence why GPU work cannot be traced; the run
    // itself can go on.
    static Result<std::unique_ptr<DeviceCapture>> start(TraceBuilder& builder, TraceOrigin origin, ActivityLog& log);
    // With a CUPTI of the caller's: tests bring their own.
    static Result<std::unique_ptr<DeviceCapture>> start(TraceBuilder& builder, TraceOrigin origin, ActivityLog& log,
                                                        const CuptiApi& api);
    ~DeviceCapture();

    // Each round: gather(), then ActivityLog::drain(), then take(). What is gathered refers to ops that were described
    // before it, so they are in that batch or an earlier one.
    void gather();
    void take(const ActivityLog::Batch& batch);

    // After the run's last device work has ended: no further records. The next gather() and take() bring the last ones.
    void stop();

private:
    DeviceCapture(TraceBuilder& builder, TraceOrigin origin, ActivityLog& log, const CuptiApi& api,
                  std::unique_ptr<CuptiSession> session);
    void enterLaunch(const LaunchContext& context, std::span<const LaunchContext> nodes) override;
    void leaveLaunch() override;

    ActivityLog& m_log;
    LaunchQueue m_queue;
    CuptiRecords m_records;
    std::unique_ptr<CuptiSession> m_session;
    bool m_stopped = false;
    // Gathered and not yet taken.
    std::vector<CuptiBuffer> m_buffers;
    std::vector<GraphNodeActivity> m_nodes;
    std::vector<LaunchActivity> m_launches;
};

}  // namespace gapscope
