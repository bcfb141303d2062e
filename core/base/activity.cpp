#include "core/base/activity.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace gapscope {

uint32_t currentThreadId() {
    thread_local const uint32_t id = static_cast<uint32_t>(syscall(SYS_gettid));
    return id;
}

uint32_t ActivityLog::describe(OpActivity op) {
    const std::lock_guard lock(m_hostMutex);
    m_host.ops.push_back(std::move(op));
    return m_opCount++;
}

void ActivityLog::add(const ApiActivity& record) {
    const std::lock_guard lock(m_hostMutex);
    m_host.api.push_back(record);
}

void ActivityLog::add(const DeviceActivity& record) {
    const std::lock_guard lock(m_deviceMutex);
    m_device.push_back(record);
}

void ActivityLog::add(RangeActivity record) {
    const std::lock_guard lock(m_hostMutex);
    m_host.ranges.push_back(std::move(record));
}

void ActivityLog::add(TokenActivity record) {
    const std::lock_guard lock(m_hostMutex);
    m_host.tokens.push_back(std::move(record));
}

void ActivityLog::add(StagesActivity record) {
    const std::lock_guard lock(m_hostMutex);
    m_host.stages.push_back(std::move(record));
}

void ActivityLog::add(OverheadActivity record) {
    const std::lock_guard lock(m_hostMutex);
    m_host.overheads.push_back(std::move(record));
}

void ActivityLog::addUntoldStages(int64_t launches) {
    const std::lock_guard lock(m_hostMutex);
    m_host.untoldStages += launches;
}

ActivityLog::Batch ActivityLog::drain() {
    Batch batch;
    // Room for as much as came last time: growing would take the runner's threads longer than the records themselves.
    batch.api.reserve(m_lastApi);
    batch.ranges.reserve(m_lastRanges);
    std::vector<DeviceActivity> device;
    device.reserve(m_lastDevice);
    // Device records first: an op or call that a drained device record names is then in this batch or an earlier one.
    {
        const std::lock_guard lock(m_deviceMutex);
        device.swap(m_device);
    }
    {
        const std::lock_guard lock(m_hostMutex);
        std::swap(batch, m_host);
        batch.firstOp = m_opCount - static_cast<uint32_t>(batch.ops.size());
    }
    batch.device = std::move(device);
    m_lastApi = batch.api.size();
    m_lastRanges = batch.ranges.size();
    m_lastDevice = batch.device.size();
    return batch;
}

}  // namespace gapscope
