#include "core/runner/cpu_stream.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace gapscope {

namespace {

constexpr uint32_t kRingSize = 4096;  // launches in flight; a power of two, as tickets wrap around

OpCost costOf(const PlanOp& op, const Step& step) {
    const bool separate = step.rows != nullptr && step.rows->tableStride > 0;
    return separate ? op.cost(step.rows->positions) : op.cost(step.position);
}

}  // namespace

CpuStream::CpuStream(int threads, ActivityLog& log, uint32_t streamId)
    : m_log(log),
      m_level(log.level()),
      m_threads(std::max(threads, 1)),
      m_streamId(streamId),
      m_ring(kRingSize),
      m_barrier(static_cast<uint32_t>(m_threads)),
      m_starts(static_cast<size_t>(m_threads)) {
    m_workers.reserve(static_cast<size_t>(m_threads));
    for (int i = 0; i < m_threads; ++i)
        m_workers.emplace_back([this, i] { work(i); });
}

CpuStream::~CpuStream() {
    Launch launch;
    launch.stops = true;
    enqueue(launch);
    for (std::thread& worker : m_workers)
        worker.join();
}

uint32_t CpuStream::enqueue(const Launch& launch) {
    const uint32_t ticket = m_published.load(std::memory_order_relaxed);
    // One slot stays free: a worker may still look at the launch before the last completed one.
    while (ticket - m_completed.load(std::memory_order_acquire) >= kRingSize - 1)
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    m_ring[ticket % kRingSize] = launch;
    m_published.store(ticket + 1, std::memory_order_release);
    m_published.notify_all();
    return ticket;
}

void CpuStream::waitFor(uint32_t ticket) {
    for (;;) {
        const uint32_t signalled = m_signalled.load(std::memory_order_acquire);
        if (static_cast<int32_t>(signalled - (ticket + 1)) >= 0) return;
        m_signalled.wait(signalled, std::memory_order_acquire);
    }
}

void CpuStream::enqueueTimed(Launch launch, const char* apiName, bool wait) {
    launch.signals = wait;
    if (m_level == TraceLevel::Off) {
        const uint32_t ticket = enqueue(launch);
        if (wait) waitFor(ticket);
        return;
    }
    ApiActivity call;
    call.name = apiName;
    call.threadId = currentThreadId();
    call.correlationId = launch.correlationId = m_log.nextCorrelationId();
    call.startNs = nowNs();
    const uint32_t ticket = enqueue(launch);
    if (wait) waitFor(ticket);
    call.endNs = nowNs();
    m_log.add(call);
}

void CpuStream::launch(const CpuKernel& kernel, const Step& step, const char* apiName) {
    Launch launch;
    launch.kernels = &kernel;
    launch.count = 1;
    launch.step = step;
    enqueueTimed(launch, apiName, false);
}

void CpuStream::launchAndWait(const CpuKernel& kernel, const Step& step, const char* apiName) {
    Launch launch;
    launch.kernels = &kernel;
    launch.count = 1;
    launch.step = step;
    enqueueTimed(launch, apiName, true);
}

void CpuStream::launchGraph(std::span<const CpuKernel> kernels, uint32_t activityOp, const Step& step,
                            const char* apiName) {
    if (kernels.empty()) return;
    Launch launch;
    launch.kernels = kernels.data();
    launch.count = static_cast<uint32_t>(kernels.size());
    launch.isGraph = true;
    launch.graphOp = activityOp;
    launch.step = step;
    enqueueTimed(launch, apiName, false);
}

void CpuStream::synchronize() {
    enqueueTimed(Launch{}, "cpuStreamSynchronize", true);
}

void CpuStream::work(int index) {
    pthread_setname_np(pthread_self(), "gapscope-cpu");
    for (uint32_t ticket = 0;; ++ticket) {
        // Every worker sees tickets one by one, so "not yet published" is exactly "published == ticket".
        while (m_published.load(std::memory_order_acquire) == ticket)
            waitWhileEqual(m_published, ticket);
        const Launch& launch = m_ring[ticket % kRingSize];
        if (launch.stops) return;
        const uint32_t count = std::max(launch.count, 1U);
        for (uint32_t i = 0; i < count; ++i)
            runKernel(launch, i, ticket, index);
    }
}

void CpuStream::runKernel(const Launch& launch, uint32_t kernelIndex, uint32_t ticket, int worker) {
    const bool records = m_level != TraceLevel::Off && launch.count > 0;
    const bool endsLaunch = kernelIndex + 1 >= launch.count;
    if (records) m_starts[static_cast<size_t>(worker)].ns = nowNs();
    const size_t stageCount = launch.count > 0 ? launch.kernels[kernelIndex].stages.size() : 0;
    const Part part{worker, threads()};
    for (size_t stage = 0; stage < stageCount; ++stage) {
        if (!m_cancelled.load(std::memory_order_relaxed)) launch.kernels[kernelIndex].stages[stage](launch.step, part);
        if (stage + 1 < stageCount && m_barrier.arrive()) m_barrier.release();
    }
    if (!m_barrier.arrive()) return;
    // The last one to end. The others go on at once; what is left here is ours alone, because they cannot pass the
    // next barrier without us.
    int64_t startNs = 0;
    int64_t endNs = 0;
    if (records) {
        endNs = nowNs();
        startNs = m_starts.front().ns;
        for (const WorkerStart& start : m_starts)
            startNs = std::min(startNs, start.ns);
    }
    m_barrier.release();
    if (records) record(launch, kernelIndex, startNs, endNs);
    if (!endsLaunch) return;
    // Only now: the host may reuse the slot, or read the log, as soon as the launch is completed.
    const bool signals = launch.signals;
    m_completed.store(ticket + 1, std::memory_order_release);
    if (signals) {
        m_signalled.store(ticket + 1, std::memory_order_release);
        m_signalled.notify_all();
    }
}

void CpuStream::record(const Launch& launch, uint32_t kernelIndex, int64_t startNs, int64_t endNs) {
    const CpuKernel& kernel = launch.kernels[kernelIndex];
    const OpCost cost = kernel.op != nullptr ? costOf(*kernel.op, launch.step) : kernel.cost;
    DeviceActivity activity;
    activity.startNs = startNs;
    activity.endNs = endNs;
    activity.kind = kernel.kind;
    activity.op = kernel.activityOp;
    activity.correlationId = launch.correlationId;
    activity.streamId = m_streamId;
    activity.token = kernel.op != nullptr && !kernel.op->head ? launch.step.bodyToken : launch.step.headToken;
    activity.repeat = launch.step.repeat;
    activity.workers = static_cast<uint16_t>(threads());
    activity.bytes = cost.bytes;
    activity.flops = cost.flops;
    if (kernel.kind != DeviceActivityKind::Kernel || m_level == TraceLevel::Full) {
        if (launch.isGraph) activity.graphNodeId = kernelIndex + 1;
        m_log.add(activity);
        return;
    }
    // Level Graph: one record a launch, from its first kernel's start to its last one's end.
    if (kernelIndex == 0) {
        m_graphStartNs = startNs;
        m_graphCost = {};
    }
    m_graphCost.bytes += cost.bytes;
    m_graphCost.flops += cost.flops;
    if (kernelIndex + 1 < launch.count) return;
    activity.kind = DeviceActivityKind::GraphLaunch;
    activity.startNs = m_graphStartNs;
    activity.bytes = m_graphCost.bytes;
    activity.flops = m_graphCost.flops;
    if (launch.isGraph) {
        activity.op = launch.graphOp;
        activity.token = launch.step.bodyToken;
    }
    m_log.add(activity);
}

}  // namespace gapscope
