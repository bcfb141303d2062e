#include "core/capture/cupti_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/capture/cupti_choices.h"

namespace gapscope {

namespace {

constexpr size_t kPreallocatedBuffers = 16;
constexpr size_t kMostBuffers = 512;          // 256 MiB
constexpr size_t kMostGraphNodes = 1U << 20;  // waiting to be collected

// What outlives every session, because CUPTI keeps pointers to it: its callbacks take no argument of ours, and it may
// complete a buffer at any time until the process ends. The one mutable thing of the process in this room.
struct ProcessState {
    CuptiBuffers buffers{kPreallocatedBuffers, kMostBuffers};
    std::atomic<bool> inUse = false;
    const CuptiApi* clocked = nullptr;                  // whose clock is ours already
    std::atomic<const CuptiApi*> registered = nullptr;  // whose callbacks are, too
    std::mutex nodesMutex;
    std::vector<GraphNodeActivity> nodes;
    int64_t lostNodes = 0;
};

ProcessState& process() {
    static ProcessState& state = *new ProcessState;
    return state;
}

// External ids of the LaunchScopes that this thread is in. Deeper ones than there is room for count as none.
struct Scopes {
    std::array<uint64_t, 16> ids{};
    size_t depth = 0;

    void enter(uint64_t id) {
        if (depth < ids.size()) ids[depth] = id;
        ++depth;
    }
    void leave() {
        if (depth > 0) --depth;
    }
    uint64_t innermost() const { return depth == 0 || depth > ids.size() ? 0 : ids[depth - 1]; }
};
constinit thread_local Scopes scopesOfThread;

// CUPTI's own clock is CLOCK_REALTIME, which jumps. It calls this on any thread and also when it converts GPU times
// later, so it must be the live clock and cheap.
uint64_t steadyClock() {
    return static_cast<uint64_t>(nowNs());
}

void bufferRequested(uint8_t** buffer, size_t* size, size_t* maxNumRecords) {
    ProcessState& state = process();
    const CuptiApi* api = state.registered;
    const bool takesRefusals = api && api->version >= kCuptiVersionTakesRefusals;
    *buffer =
        state.buffers.request(takesRefusals ? CuptiBuffers::WhenExhausted::Refuse : CuptiBuffers::WhenExhausted::Grow);
    *size = *buffer ? CuptiBuffers::kBufferBytes : 0;
    *maxNumRecords = 0;  // as many as fit
}

void bufferCompleted(void*, uint32_t, uint8_t* buffer, size_t, size_t validSize) {
    process().buffers.complete(buffer, validSize);
}

void resourceEvent(void*, int32_t domain, uint32_t cbid, const void* data) {
    if (domain != cupti::kDomainResource || !data) return;
    if (cbid != cupti::kGraphNodeCreated && cbid != cupti::kGraphNodeCloned) return;
    ProcessState& state = process();
    const CuptiApi* api = state.registered;
    const auto* graph =
        static_cast<const cupti::GraphData*>(static_cast<const cupti::ResourceData*>(data)->resourceDescriptor);
    if (!api || !graph) return;
    GraphNodeActivity activity;
    if (api->getGraphNodeId(graph->node, &activity.nodeId) != cupti::kSuccess) return;
    if (cbid == cupti::kGraphNodeCloned)
        api->getGraphNodeId(graph->originalNode, &activity.originalNodeId);  // 0 where it fails: not known
    activity.externalId = scopesOfThread.innermost();
    const std::lock_guard lock(state.nodesMutex);
    if (state.nodes.size() < kMostGraphNodes)
        state.nodes.push_back(activity);
    else
        ++state.lostNodes;
}

std::string explain(const CuptiApi& api, int32_t result) {
    std::string text = api.resultText(result) + ".";
    if (result == cupti::kInsufficientPrivileges)
        text += " The driver keeps profiling to administrators (RmProfilingAdminOnly in /proc/driver/nvidia/params).";
    if (result == cupti::kUnknownError) text += " Usually this means that no NVIDIA driver is loaded.";
    return text;
}

}  // namespace

Result<std::unique_ptr<CuptiSession>> CuptiSession::start(const CuptiApi& api, const CuptiSettings& settings) {
    if (process().inUse.exchange(true))
        return fail("GPU work is being recorded already; a process can do that once at a time.");
    auto session = std::unique_ptr<CuptiSession>(new CuptiSession(api));
    session->m_ownsProcess = true;
    RETURN_IF_ERROR(session->setUp(settings));  // what was switched on before a failure, the destructor switches off
    return session;
}

CuptiSession::~CuptiSession() {
    stop();
    if (m_ownsProcess) process().inUse = false;
}

Status CuptiSession::setUp(const CuptiSettings& settings) {
    ProcessState& state = process();
    RETURN_IF_ERROR(registerOnce());
    // What an earlier session left under way came too late for it.
    for (const CuptiBuffer& late : state.buffers.takeCompleted())
        state.buffers.recycle(late);
    state.buffers.takeCounts();
    {
        const std::lock_guard lock(state.nodesMutex);
        state.nodes.clear();
        state.lostNodes = 0;
    }
    RETURN_IF_ERROR(subscribe());

    for (const auto& [kind, what] : cuptiKinds(settings.level)) {
        if (const int32_t result = m_api.enable(kind); result == cupti::kSuccess)
            m_enabled.push_back(kind);
        else if (kind == cupti::Kind::ConcurrentKernel)
            return fail("GPU kernels cannot be traced: " + explain(m_api, result));
        else
            m_failures.push_back("CUPTI does not record " + std::string(what) + ": " + explain(m_api, result));
    }
    m_pushesIds = std::ranges::find(m_enabled, cupti::Kind::ExternalCorrelation) != m_enabled.end();
    chooseCalls();

    m_flusher = std::jthread(
        [this, period = settings.flushPeriod](const std::stop_token& stopped) { flushThread(stopped, period); });
    return {};
}

// The clock before any kind is enabled and once per process: registering it again makes the records that are under way
// fall back to CUPTI's own clock. The same for the buffers' attributes and callbacks.
Status CuptiSession::registerOnce() {
    ProcessState& state = process();
    if (state.registered == &m_api) return {};
    if (state.clocked != &m_api) {
        if (const int32_t result = m_api.registerTimestampCallback(steadyClock); result != cupti::kSuccess)
            return fail("GPU work cannot be traced: CUPTI refuses our clock: " + explain(m_api, result));
        state.clocked = &m_api;
    }
    uint8_t zeroed = 1;  // else CUPTI zeroes each buffer on the thread that launches
    size_t size = sizeof zeroed;
    if (const int32_t result = m_api.setAttribute(cupti::kAttributeZeroedBuffers, &size, &zeroed);
        result != cupti::kSuccess)
        m_failures.push_back("CUPTI zeroes its buffers itself, which costs launch time: " + explain(m_api, result));
    if (const int32_t result = m_api.setThreadIdType(cupti::kThreadIdSystem); result != cupti::kSuccess)
        m_failures.push_back("Calls may stand on another thread's row: CUPTI refuses system thread ids: " +
                             explain(m_api, result));
    state.registered = &m_api;  // the callbacks read it
    if (const int32_t result = m_api.registerCallbacks(bufferRequested, bufferCompleted); result != cupti::kSuccess) {
        state.registered = nullptr;
        return fail("GPU work cannot be traced: CUPTI refuses our buffers: " + explain(m_api, result));
    }
    return {};
}

Status CuptiSession::subscribe() {
    const int32_t result = m_api.subscribe(&m_subscriber, resourceEvent, nullptr);
    if (result == cupti::kMultipleSubscribers) {
        m_subscriber = nullptr;
        return fail(
            "GPU work cannot be traced: another profiler or debugger holds CUPTI in this process (nsys, ncu, cuda-gdb, "
            "compute-sanitizer or a second CUPTI client). Start without it.");
    }
    if (result != cupti::kSuccess) {
        m_subscriber = nullptr;
        return fail("GPU work cannot be traced: CUPTI refuses a subscriber: " + explain(m_api, result));
    }
    for (const uint32_t cbid : kGraphNodeEvents) {
        const int32_t enabled = m_api.enableCallback(1, m_subscriber, cupti::kDomainResource, cbid);
        if (enabled != cupti::kSuccess)
            m_failures.push_back("Kernels of CUDA graphs cannot be joined to their ops: " + explain(m_api, enabled));
    }
    return {};
}

void CuptiSession::chooseCalls() {
    if (m_api.enableRuntimeApi)
        for (const uint32_t cbid : kNoisyRuntimeCalls)
            m_api.enableRuntimeApi(cbid, 0);  // a call that this CUPTI does not know needs no hiding
    if (!m_api.enableDriverApi) {
        m_failures.push_back(
            "Launches that call the driver directly have no call on the timeline: this CUPTI cannot "
            "choose driver calls.");
        return;
    }
    int failed = 0;
    for (const uint32_t cbid : kDriverLaunches)
        if (m_api.enableDriverApi(cbid, 1) != cupti::kSuccess) ++failed;
    if (failed > 0)
        m_failures.push_back("CUPTI does not record " + std::to_string(failed) + " of the driver's launch calls.");
}

// CUPTI's own periodic flush returns full buffers only; this one returns every buffer whose records are complete.
void CuptiSession::flushThread(std::stop_token stop, std::chrono::milliseconds period) {
    while (true) {
        {
            std::unique_lock lock(m_wakeMutex);
            m_wake.wait_for(lock, stop, period, [] { return false; });
        }
        if (stop.stop_requested()) return;  // stop() flushes itself
        flush(0);
        process().buffers.refill();
    }
}

// Holds no lock of ours: the callbacks run inside, and CUPTI has locks of its own.
void CuptiSession::flush(uint32_t flags) {
    if (m_api.flushAll(flags) != cupti::kSuccess) ++m_failedFlushes;
    size_t dropped = 0;
    if (m_api.getNumDroppedRecords(nullptr, 0, &dropped) == cupti::kSuccess)  // reading sets CUPTI's count to 0
        m_dropped += static_cast<int64_t>(dropped);
}

void CuptiSession::stop() {
    if (m_flusher.joinable()) {
        m_flusher.request_stop();
        m_flusher.join();
    }
    if (!m_enabled.empty()) {
        if (m_api.enableDriverApi)
            for (const uint32_t cbid : kDriverLaunches)
                m_api.enableDriverApi(cbid, 0);
        for (auto kind = m_enabled.rbegin(); kind != m_enabled.rend(); ++kind)
            m_api.disable(*kind);
        m_enabled.clear();
        flush(cupti::kFlushForced);
    }
    if (m_subscriber) m_api.unsubscribe(std::exchange(m_subscriber, nullptr));
}

void CuptiSession::enterLaunch(uint64_t externalId) {
    scopesOfThread.enter(externalId);
    if (m_pushesIds) m_api.pushExternalCorrelationId(cupti::kExternalKindCustom0, externalId);
}

void CuptiSession::leaveLaunch() {
    if (m_pushesIds) {
        uint64_t last = 0;
        m_api.popExternalCorrelationId(cupti::kExternalKindCustom0, &last);
    }
    scopesOfThread.leave();
}

std::vector<CuptiBuffer> CuptiSession::takeBuffers() {
    return process().buffers.takeCompleted();
}

void CuptiSession::recycle(const CuptiBuffer& buffer) {
    process().buffers.recycle(buffer);
}

std::vector<GraphNodeActivity> CuptiSession::takeGraphNodes() {
    ProcessState& state = process();
    const std::lock_guard lock(state.nodesMutex);
    return std::exchange(state.nodes, {});
}

CuptiCounts CuptiSession::takeCounts() {
    ProcessState& state = process();
    const CuptiBuffers::Counts buffers = state.buffers.takeCounts();
    const std::lock_guard lock(state.nodesMutex);
    return {.droppedRecords = m_dropped.exchange(0),
            .refusedBuffers = buffers.refused,
            .grownBuffers = buffers.grown,
            .failedFlushes = m_failedFlushes.exchange(0),
            .lostGraphNodes = std::exchange(state.lostNodes, 0)};
}

}  // namespace gapscope
