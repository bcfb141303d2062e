// One recording's hold on CUPTI: switches the wanted activity kinds on, hands out buffers, flushes them on a thread of
// its own, and switches everything off again. Parses nothing; CuptiRecords does.
//
// CUPTI is one per process, and some of it can be set only once (its clock, its buffer callbacks): that part stays
// behind when a session ends. cuptiFinalize is never called; it races with every thread that uses CUDA.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/base/activity.h"
#include "core/base/result.h"
#include "core/capture/cupti_buffers.h"
#include "core/capture/cupti_library.h"

namespace gapscope {

// A node of a CUDA graph came to be; told while the graph is captured, built or instantiated.
struct GraphNodeActivity {
    uint64_t nodeId = 0;          // as kernel records name it
    uint64_t originalNodeId = 0;  // the node that it was cloned from; 0: it was created
    uint64_t externalId = 0;      // of the LaunchScope that its thread was in; 0: none
};

struct CuptiCounts {
    int64_t droppedRecords = 0;  // CUPTI had no room for them
    int64_t refusedBuffers = 0;
    int64_t grownBuffers = 0;
    int64_t failedFlushes = 0;
    int64_t lostGraphNodes = 0;  // more graph nodes were made at once than are kept
};

struct CuptiSettings {
    // Full: a record a kernel. Graph: a record a graph launch, and one a kernel that no graph launched.
    TraceLevel level = TraceLevel::Full;
    std::chrono::milliseconds flushPeriod{50};
};

class CuptiSession {
public:
    // Call before the process makes its first CUDA context, and with no session alive. `api` outlives the process.
    static Result<std::unique_ptr<CuptiSession>> start(const CuptiApi& api, const CuptiSettings& settings);
    ~CuptiSession();
    CuptiSession(const CuptiSession&) = delete;
    CuptiSession& operator=(const CuptiSession&) = delete;

    // After the device has finished its work: stops recording and collects what is still under way. May be called
    // twice.
    void stop();

    // On the launching thread, around each launch: what CUPTI sees meanwhile belongs to this id. May nest.
    void enterLaunch(uint64_t externalId);
    void leaveLaunch();

    // Full buffers, oldest first. Each goes back by recycle().
    std::vector<CuptiBuffer> takeBuffers();
    void recycle(const CuptiBuffer& buffer);
    std::vector<GraphNodeActivity> takeGraphNodes();
    CuptiCounts takeCounts();  // since the last call

    // What could not be switched on, a sentence each; the rest is recorded all the same.
    const std::vector<std::string>& failures() const { return m_failures; }
    const CuptiApi& api() const { return m_api; }

private:
    explicit CuptiSession(const CuptiApi& api) : m_api(api) {}
    Status setUp(const CuptiSettings& settings);
    Status registerOnce();
    Status subscribe();
    void chooseCalls();
    void flush(uint32_t flags);
    void flushThread(std::stop_token stop, std::chrono::milliseconds period);

    const CuptiApi& m_api;
    bool m_ownsProcess = false;
    bool m_pushesIds = false;
    void* m_subscriber = nullptr;
    std::vector<cupti::Kind> m_enabled;
    std::vector<std::string> m_failures;
    std::atomic<int64_t> m_dropped = 0;
    std::atomic<int64_t> m_failedFlushes = 0;
    std::mutex m_wakeMutex;
    std::condition_variable_any m_wake;
    std::jthread m_flusher;
};

}  // namespace gapscope
