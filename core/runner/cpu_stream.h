// An in-order stream with its own workers: the host enqueues and goes on, the workers execute one kernel after another,
// all of them on each. Both sides are timed into the activity log as a GPU's would be.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/base/activity.h"
#include "core/runner/backend.h"
#include "core/runner/plan.h"
#include "core/runner/spin_wait.h"
#include "kernels/cpu/isa.h"

namespace gapscope {

// One entry of the timeline. Every worker runs every stage with its own part; a barrier follows each stage.
struct CpuKernel {
    using Stage = std::function<void(const Step&, Part)>;
    std::vector<Stage> stages;
    const PlanOp* op = nullptr;  // cost and whom it works for; null for copies
    OpCost cost;                 // without `op`
    uint32_t activityOp = 0;
    DeviceActivityKind kind = DeviceActivityKind::Kernel;
};

class CpuStream {
public:
    static constexpr uint32_t kStreamId = 7;        // as CUDA numbers the first stream one gets
    static constexpr uint32_t kDraftStreamId = 13;  // and the second

    CpuStream(int threads, ActivityLog& log, uint32_t streamId = kStreamId);
    ~CpuStream();  // finishes what is enqueued, or drops it after cancel()
    CpuStream(const CpuStream&) = delete;
    CpuStream& operator=(const CpuStream&) = delete;

    int threads() const { return m_threads; }

    // All by one host thread. Kernels must live until they ran. `apiName` is a static string.
    void launch(const CpuKernel& kernel, const Step& step, const char* apiName);
    void launchGraph(std::span<const CpuKernel> kernels, uint32_t activityOp, const Step& step, const char* apiName);
    // The same for one kernel, and waits until it, and so all before it, ended.
    void launchAndWait(const CpuKernel& kernel, const Step& step, const char* apiName);
    void synchronize();

    // From any thread: stages not yet begun are skipped from now on.
    void cancel() { m_cancelled.store(true, std::memory_order_relaxed); }

private:
    struct Launch {
        const CpuKernel* kernels = nullptr;
        uint32_t count = 0;  // 0: nothing but a mark to wait for
        bool isGraph = false;
        bool signals = false;
        bool stops = false;
        uint32_t graphOp = 0;
        uint32_t correlationId = 0;
        Step step;
    };
    struct alignas(64) WorkerStart {
        int64_t ns = 0;
    };

    uint32_t enqueue(const Launch& launch);
    void waitFor(uint32_t ticket);
    void enqueueTimed(Launch launch, const char* apiName, bool wait);
    void work(int index);
    void runKernel(const Launch& launch, uint32_t kernelIndex, uint32_t ticket, int worker);
    void record(const Launch& launch, uint32_t kernelIndex, int64_t startNs, int64_t endNs);

    ActivityLog& m_log;
    const TraceLevel m_level;
    const int m_threads;
    const uint32_t m_streamId;
    std::vector<Launch> m_ring;
    SpinBarrier m_barrier;
    std::vector<WorkerStart> m_starts;
    std::atomic<bool> m_cancelled{false};
    alignas(64) std::atomic<uint32_t> m_published{0};
    alignas(64) std::atomic<uint32_t> m_completed{0};
    alignas(64) std::atomic<uint32_t> m_signalled{0};  // last completed ticket that somebody waits for
    // Used by whichever worker ends a kernel last; the barrier orders them.
    int64_t m_graphStartNs = 0;
    OpCost m_graphCost;
    std::vector<std::thread> m_workers;
};

}  // namespace gapscope
