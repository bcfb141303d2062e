#include "core/capture/device_capture.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace gapscope {

Result<std::unique_ptr<DeviceCapture>> DeviceCapture::start(TraceBuilder& builder, TraceOrigin origin,
                                                            ActivityLog& log) {
    const CuptiLibrary& library = CuptiLibrary::instance();
    if (!library) return fail(library.problem, ErrorKind::NotFound);
    return start(builder, origin, log, library.api);
}

Result<std::unique_ptr<DeviceCapture>> DeviceCapture::start(TraceBuilder& builder, TraceOrigin origin, ActivityLog& log,
                                                            const CuptiApi& api) {
    ASSIGN_OR_RETURN(auto session, CuptiSession::start(api, {.level = log.level()}));
    return std::unique_ptr<DeviceCapture>(new DeviceCapture(builder, origin, log, api, std::move(session)));
}

DeviceCapture::DeviceCapture(TraceBuilder& builder, TraceOrigin origin, ActivityLog& log, const CuptiApi& api,
                             std::unique_ptr<CuptiSession> session)
    : m_log(log), m_records(builder, origin, api), m_session(std::move(session)) {
    m_records.noteFailures(m_session->failures());
    m_log.setDeviceTracer(this);
}

DeviceCapture::~DeviceCapture() {
    stop();
    for (const CuptiBuffer& buffer : m_buffers)
        m_session->recycle(buffer);
}

void DeviceCapture::enterLaunch(const LaunchContext& context, std::span<const LaunchContext> nodes) {
    m_session->enterLaunch(m_queue.add(context, nodes));
}

void DeviceCapture::leaveLaunch() {
    m_session->leaveLaunch();
}

void DeviceCapture::gather() {
    // In this order: a node was told of before its graph was launched, and a launch was noted before either.
    std::ranges::move(m_session->takeBuffers(), std::back_inserter(m_buffers));
    std::ranges::move(m_session->takeGraphNodes(), std::back_inserter(m_nodes));
    std::ranges::move(m_queue.drain(), std::back_inserter(m_launches));
}

void DeviceCapture::take(const ActivityLog::Batch& batch) {
    m_records.take(batch);
    m_records.take(std::exchange(m_launches, {}));
    m_records.take(std::exchange(m_nodes, {}));
    const int64_t now = nowNs();
    for (const CuptiBuffer& buffer : std::exchange(m_buffers, {})) {
        m_records.take(buffer, now);
        m_session->recycle(buffer);
    }
    m_records.take(m_session->takeCounts());
    if (m_stopped)
        m_records.finish();
    else
        m_records.endRound();
}

void DeviceCapture::stop() {
    if (m_stopped) return;
    m_log.setDeviceTracer(nullptr);
    m_session->stop();
    m_stopped = true;
}

}  // namespace gapscope
