// Activity records: what the runner (and, with a GPU, CUPTI) tells about itself, and the log they pass through.
// The runner writes here and does not know who reads; core/capture reads and turns records into Trace rows.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/category.h"
#include "core/base/ids.h"

namespace gapscope {

// One clock for every record: CLOCK_MONOTONIC ns.
inline int64_t nowNs() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

uint32_t currentThreadId();  // the OS thread id, cached per thread

enum class TraceLevel : uint8_t {
    Off,    // nothing is recorded
    Graph,  // one device record a graph launch (of a launch in other modes), the cheap mode
    Full,   // one device record a kernel
};

struct ApiActivity {
    int64_t startNs = 0;
    int64_t endNs = 0;
    const char* name = "";  // static string, for example "cpuLaunchKernel"
    uint32_t threadId = 0;
    uint32_t correlationId = 0;
};

// What a kernel is, told once and referred to by index.
struct OpActivity {
    std::string kernelName;  // as shown on the timeline
    std::string opName;      // role in the model: "q_proj", "input_norm"
    std::string shapes;      // "[1,640] x [1024,640]"
    std::string dtype;       // "q5_0", "f32"
    Category category = Category::Other;
    int32_t layer = -1;
};

enum class DeviceActivityKind : uint8_t { Kernel, Copy, Set, GraphLaunch };

struct DeviceActivity {
    int64_t startNs = 0;
    int64_t endNs = 0;
    DeviceActivityKind kind = DeviceActivityKind::Kernel;
    uint32_t op = 0;  // index from ActivityLog::describe()
    uint32_t correlationId = 0;
    uint32_t streamId = 0;
    uint32_t deviceId = 0;
    int32_t token = kNoToken;  // index of the new token it works for, or kPrefillToken
    int16_t repeat = 0;        // -1: warm-up
    uint16_t workers = 1;      // CPU: parts it was cut into
    uint64_t graphNodeId = 0;
    int64_t bytes = 0;  // moved, by the plan
    int64_t flops = 0;  // by the plan
};

struct RangeActivity {
    int64_t startNs = 0;
    int64_t endNs = 0;
    uint32_t threadId = 0;
    std::string name;  // "model_inference", "prefill", "decode 3", "layer 5"
};

struct TokenActivity {
    int64_t emittedNs = 0;
    int32_t token = 0;  // index within the repeat, over all its sequences
    int16_t repeat = 0;
    int32_t id = 0;    // vocabulary id
    std::string text;  // valid UTF-8; what this token made printable
    // Of the step that gave it. With speculative decoding a step checks drafted tokens and gives those that it accepts
    // and one of its own; in a batch it gives one of each of its sequences; else it gives one.
    int16_t drafted = 0;   // tokens that were drafted for the step
    int16_t accepted = 0;  // of those, how many it gave
    int16_t place = 0;     // of this token among the step's
    int32_t sequence = 0;  // of a batch, which prompt's it is
};

inline constexpr uint32_t kNoOp = UINT32_MAX;

// What one op does in one launch. The CPU backend writes it into its DeviceActivity; on a GPU the tracer (CUPTI) times
// the kernels without knowing why they ran, so the runner says it here, before the launch, and both are joined later.
struct LaunchContext {
    uint32_t op = kNoOp;       // index from ActivityLog::describe(); kNoOp: beside the plan, a copy of a token say
    int32_t token = kNoToken;  // as in DeviceActivity
    int16_t repeat = 0;        // -1: warm-up
    int64_t bytes = 0;         // by the plan; of a launch with several kernels they go to the first one
    int64_t flops = 0;
    uint32_t stages = 0;  // of a kernel with stages: a number of this log's, by which they are told; 0: none
};

// What a kernel that does the work of many did inside, told after it ran: its stages follow one another and fill it.
struct StagesActivity {
    uint32_t launch = 0;  // LaunchContext::stages
    struct Stage {
        uint32_t op = 0;    // index from ActivityLog::describe(); its opName is shown
        int64_t ticks = 0;  // of a clock that runs evenly, in any unit
        int64_t bytes = 0;  // of a product: what it moves by the plan; others do not tell
    };
    std::vector<Stage> stages;
};
// The opName of what brings a product's input to where it is read is the product's and this.
inline constexpr std::string_view kStageInputSuffix = ": input";

struct OverheadActivity {
    int64_t startNs = 0;
    int64_t endNs = 0;
    uint32_t threadId = 0;
    std::string name;  // "trace flush"
};

// Who times launches of a device that cannot be timed from outside: core/capture's DeviceCapture. Called on the thread
// that launches, right before and right after; scopes may nest. What a context refers to was described before.
class DeviceTracer {
public:
    virtual void enterLaunch(const LaunchContext& context, std::span<const LaunchContext> nodes) = 0;
    virtual void leaveLaunch() = 0;

protected:
    ~DeviceTracer() = default;
};

// Filled by the runner's threads, emptied by one reader. Thread-safe. Records of one kind keep their order per thread.
class ActivityLog {
public:
    struct Batch {
        uint32_t firstOp = 0;  // index of ops[0] among all ops described so far
        std::vector<OpActivity> ops;
        std::vector<ApiActivity> api;
        std::vector<DeviceActivity> device;
        std::vector<RangeActivity> ranges;
        std::vector<TokenActivity> tokens;
        std::vector<StagesActivity> stages;
        std::vector<OverheadActivity> overheads;
        int64_t untoldStages = 0;
        bool empty() const {
            return ops.empty() && api.empty() && device.empty() && ranges.empty() && tokens.empty() && stages.empty() &&
                   overheads.empty() && untoldStages == 0;
        }
    };

    explicit ActivityLog(TraceLevel level = TraceLevel::Full) : m_level(level) {}

    TraceLevel level() const { return m_level; }
    bool enabled() const { return m_level != TraceLevel::Off; }

    uint32_t describe(OpActivity op);  // also when tracing is off: plans are built once
    uint32_t nextCorrelationId() { return m_correlationId.fetch_add(1, std::memory_order_relaxed); }

    void add(const ApiActivity& record);
    void add(const DeviceActivity& record);
    void add(RangeActivity record);
    void add(TokenActivity record);
    void add(StagesActivity record);
    void add(OverheadActivity record);
    void addUntoldStages(int64_t launches);  // of kernels whose stages nobody noted

    // Set by who records, before the run starts; outlives the run. Null: nobody times launches.
    void setDeviceTracer(DeviceTracer* tracer) { m_deviceTracer.store(tracer, std::memory_order_release); }
    DeviceTracer* deviceTracer() const { return m_deviceTracer.load(std::memory_order_acquire); }

    // Moves out everything added since the last call. One thread.
    Batch drain();

private:
    const TraceLevel m_level;
    std::atomic<uint32_t> m_correlationId{1};
    std::atomic<DeviceTracer*> m_deviceTracer{nullptr};
    std::mutex m_hostMutex;    // launching side: api, ranges, tokens, ops
    std::mutex m_deviceMutex;  // executing side
    uint32_t m_opCount = 0;
    Batch m_host;
    std::vector<DeviceActivity> m_device;
    size_t m_lastApi = 0, m_lastRanges = 0, m_lastDevice = 0;  // records in the last batch; the reader's own
};

// Marks a phase of the runner on the timeline while it lives.
class PhaseScope {
public:
    PhaseScope(ActivityLog& log, std::string name)
        : m_log(log), m_name(log.enabled() ? std::move(name) : std::string()), m_startNs(log.enabled() ? nowNs() : 0) {}
    ~PhaseScope() {
        if (m_log.enabled()) m_log.add(RangeActivity{m_startNs, nowNs(), currentThreadId(), std::move(m_name)});
    }
    // For what is known at the end only.
    void rename(std::string name) {
        if (m_log.enabled()) m_name = std::move(name);
    }
    PhaseScope(const PhaseScope&) = delete;
    PhaseScope& operator=(const PhaseScope&) = delete;

private:
    ActivityLog& m_log;
    std::string m_name;
    int64_t m_startNs;
};

// Around each launch on a device that a DeviceTracer watches: everything that the calling thread launches while it
// lives works for `context`. The same around each op while a CUDA graph is captured or built, which tells the tracer
// what its nodes are for and what they cost; then around the graph's launch, with a context in `nodes` for each op
// whose cost, token or repeat is another one this time than at the capture and in the launch's own context:
//
//   {
//       LaunchScope scope(log, {.op = op, .token = step.bodyToken, .repeat = step.repeat, .bytes = b, .flops = f});
//       cudaLaunchKernelExC(...);
//   }
//
// Costs one atomic load where nobody traces.
class LaunchScope {
public:
    LaunchScope(ActivityLog& log, const LaunchContext& context, std::span<const LaunchContext> nodes = {})
        : m_tracer(log.deviceTracer()) {
        if (m_tracer) m_tracer->enterLaunch(context, nodes);
    }
    ~LaunchScope() {
        if (m_tracer) m_tracer->leaveLaunch();
    }
    LaunchScope(const LaunchScope&) = delete;
    LaunchScope& operator=(const LaunchScope&) = delete;

private:
    DeviceTracer* const m_tracer;
};

}  // namespace gapscope
