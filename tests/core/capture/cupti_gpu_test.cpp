// A known amount of real GPU work watched through the real CUPTI: nothing is missing, everything is joined, and the
// times agree with CUDA's own events. Needs a GPU, else it says why it is skipped.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "core/capture/device_capture.h"
#include "tests/core/capture/gpu_workload.h"

namespace gapscope {
namespace {

using namespace testing_support;

constexpr int kFloats = 1 << 20;

#define CUDA_OK(call) ASSERT_EQ(call, cudaSuccess) << #call

struct CuptiGpuTest : testing::Test {
    TraceBuilder builder;
    const TraceOrigin origin{.steadyNs = nowNs()};
    std::unique_ptr<ActivityLog> log;
    std::unique_ptr<DeviceCapture> capture;
    cudaStream_t stream = nullptr;
    float* values = nullptr;
    std::vector<uint32_t> ops;

    void begin(TraceLevel level = TraceLevel::Full) {
        log = std::make_unique<ActivityLog>(level);
        for (int i = 0; i < 100; ++i)
            ops.push_back(log->describe(
                {.kernelName = "k", .opName = "op " + std::to_string(i), .category = Category::Norm, .layer = i}));
        auto started = DeviceCapture::start(builder, origin, *log);
        int count = 0;
        const cudaError_t driver = cudaGetDeviceCount(&count);
        if (driver != cudaSuccess || count == 0) GTEST_SKIP() << "no GPU here: " << cudaGetErrorString(driver);
        ASSERT_TRUE(started) << started.error().message;
        capture = std::move(*started);
        CUDA_OK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
        CUDA_OK(cudaMalloc(reinterpret_cast<void**>(&values), kFloats * sizeof(float)));
        CUDA_OK(cudaMemsetAsync(values, 0, kFloats * sizeof(float), stream));
        CUDA_OK(launchSpin(1000, stream));  // loads the module
        CUDA_OK(launchAddOne(values, kFloats, stream));
        CUDA_OK(cudaDeviceSynchronize());
    }
    void TearDown() override {
        capture.reset();
        if (values) cudaFree(values);
        if (stream) cudaStreamDestroy(stream);
    }
    void collect() {
        capture->gather();
        capture->take(log->drain());
    }
    TracePtr end() {
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        capture->stop();
        collect();
        return builder.snapshot();
    }
    // Kernels of announced launches, in order of their start.
    static std::vector<DeviceOpRow> joinedKernels(const Trace& trace) {
        std::vector<DeviceOpRow> found;
        for (size_t i = 0; i < trace.deviceOps().startNs.size(); ++i) {
            const DeviceOpRow row = rowAt(trace.deviceOps(), i);
            if (row.kind == DeviceOpKind::Kernel && row.op.valid()) found.push_back(row);
        }
        std::ranges::stable_sort(found, {}, &DeviceOpRow::startNs);
        return found;
    }
    static void expectNothingLost(const Trace& trace) {
        for (const Diagnostic& diagnostic : trace.diagnostics().entries())
            EXPECT_EQ(diagnostic.severity, Severity::Info)
                << diagnostic.name << " " << diagnostic.count << ": " << diagnostic.text;
    }
    // What CUDA's own events measure between their records in the stream.
    struct EventPair {
        cudaEvent_t first = nullptr, last = nullptr;
        ~EventPair() {
            if (first) cudaEventDestroy(first);
            if (last) cudaEventDestroy(last);
        }
        double elapsedNs() const {
            float ms = 0;
            EXPECT_EQ(cudaEventElapsedTime(&ms, first, last), cudaSuccess);
            return static_cast<double>(ms) * 1e6;
        }
    };
    static void expectSpanOf(const std::vector<DeviceOpRow>& kernels, double elapsedNs) {
        ASSERT_FALSE(kernels.empty());
        const int64_t endNs = std::ranges::max(kernels, {}, &DeviceOpRow::endNs).endNs;
        const double spanNs = static_cast<double>(endNs - kernels.front().startNs);
        EXPECT_NEAR(spanNs / elapsedNs, 1.0, 0.02) << spanNs << " ns against " << elapsedNs << " of the events";
    }
    static size_t countOfKind(const Trace& trace, DeviceOpKind kind) {
        size_t count = 0;
        for (size_t i = 0; i < trace.deviceOps().kind.size(); ++i)
            count += trace.deviceOps().kind[i] == kind;
        return count;
    }
};

TEST_F(CuptiGpuTest, EveryQueuedKernelIsThereAndTheBatchLastsAsLongAsCudasEventsSay) {
    begin();
    if (IsSkipped() || HasFatalFailure()) return;
    constexpr int kLaunches = 500;  // fewer than the driver's queue holds, so that all are queued behind the plug
    EventPair events;
    CUDA_OK(cudaEventCreate(&events.first));
    CUDA_OK(cudaEventCreate(&events.last));
    CUDA_OK(launchSpin(50'000'000, stream));
    CUDA_OK(cudaEventRecord(events.first, stream));
    for (int i = 0; i < kLaunches; ++i) {
        LaunchScope scope(*log, {.op = ops[static_cast<size_t>(i) % ops.size()], .token = i, .bytes = 8});
        CUDA_OK(launchSpin(20'000, stream));
    }
    CUDA_OK(cudaEventRecord(events.last, stream));
    CUDA_OK(cudaStreamSynchronize(stream));
    const TracePtr trace = end();
    const int64_t afterNs = nowNs() - origin.steadyNs;
    expectNothingLost(*trace);

    const std::vector<DeviceOpRow> kernels = joinedKernels(*trace);
    ASSERT_EQ(kernels.size(), static_cast<size_t>(kLaunches));
    std::map<uint32_t, ApiCallRow> calls;  // the outermost, should a driver call share its runtime call's id
    for (size_t i = 0; i < trace->apiCalls().startNs.size(); ++i) {
        const ApiCallRow call = rowAt(trace->apiCalls(), i);
        const auto [known, isNew] = calls.emplace(call.correlationId, call);
        if (!isNew && call.startNs < known->second.startNs) known->second = call;
    }
    for (int i = 0; i < kLaunches; ++i) {
        const DeviceOpRow& row = kernels[static_cast<size_t>(i)];
        ASSERT_EQ(row.token, i);  // one stream: they ran in the order of their launches
        EXPECT_EQ(trace->ops()[row.op.value].layer, i % 100);
        EXPECT_EQ(trace->string(row.name), "spin_for");
        EXPECT_EQ(trace->launchConfigs()[row.config.value].block[0], 32);
        EXPECT_GE(row.endNs - row.startNs, 15'000);  // the device's timer may step by a microsecond, and more
        EXPECT_LT(row.endNs, afterNs);               // on the host's clock
        const auto call = calls.find(row.correlationId);
        ASSERT_NE(call, calls.end());
        EXPECT_EQ(threadIdOf(call->second.globalTid), currentThreadId());
        EXPECT_TRUE(trace->string(call->second.name).starts_with("cudaLaunchKernel"));
        EXPECT_GT(row.startNs + 1'000'000, call->second.startNs);
    }
    expectSpanOf(kernels, events.elapsedNs());
}

TEST_F(CuptiGpuTest, CopiesSetsAndWaitsAreThere) {
    begin();
    if (IsSkipped() || HasFatalFailure()) return;
    std::vector<float> host(kFloats);
    for (int i = 0; i < 10; ++i) {
        CUDA_OK(cudaMemcpyAsync(values, host.data(), 4096, cudaMemcpyHostToDevice, stream));
        CUDA_OK(cudaMemcpyAsync(host.data(), values, 8192, cudaMemcpyDeviceToHost, stream));
        CUDA_OK(cudaMemsetAsync(values, 0, 1024, stream));
        CUDA_OK(cudaStreamSynchronize(stream));
    }
    const TracePtr trace = end();
    expectNothingLost(*trace);
    EXPECT_EQ(countOfKind(*trace, DeviceOpKind::Copy), 20u);
    EXPECT_EQ(countOfKind(*trace, DeviceOpKind::Set), 11u);  // and one of the set-up
    int64_t bytes = 0;
    for (size_t i = 0; i < trace->deviceOps().copyBytes.size(); ++i)
        bytes += trace->deviceOps().copyBytes[i];
    EXPECT_EQ(bytes, 10 * (4096 + 8192 + 1024) + int64_t{kFloats} * 4);
    size_t waits = 0;
    for (size_t i = 0; i < trace->ranges().startNs.size(); ++i)
        waits += trace->string(trace->ranges().name[i]).starts_with("wait for stream");
    EXPECT_GE(waits, 10u);
}

struct GraphOfTest {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    ~GraphOfTest() {
        if (executable) cudaGraphExecDestroy(executable);
        if (graph) cudaGraphDestroy(graph);
    }
};

// As the runner does it: each op captured in its scope; then one scope a launch, which tells the cost of every second
// op anew.
void captureGraph(ActivityLog& log, const std::vector<uint32_t>& ops, cudaStream_t stream, GraphOfTest& made) {
    CUDA_OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    for (const uint32_t op : ops) {
        LaunchScope scope(log, {.op = op, .bytes = 4});
        CUDA_OK(launchSpin(10'000, stream));
    }
    CUDA_OK(cudaStreamEndCapture(stream, &made.graph));
    CUDA_OK(cudaGraphInstantiate(&made.executable, made.graph, 0));
}

void launchGraphs(ActivityLog& log, const std::vector<uint32_t>& ops, cudaStream_t stream, const GraphOfTest& made,
                  int launches) {
    for (int launch = 0; launch < launches; ++launch) {
        std::vector<LaunchContext> nodes;
        for (size_t i = 0; i < ops.size(); i += 2)
            nodes.push_back({.op = ops[i], .token = launch, .bytes = 4 + launch});
        LaunchScope scope(log, {.op = ops[0], .token = launch, .bytes = 400}, nodes);
        CUDA_OK(cudaGraphLaunch(made.executable, stream));
    }
}

TEST_F(CuptiGpuTest, EveryNodeOfAGraphIsThereWithItsOpAndTokenAndTheLaunchesLastAsLongAsCudasEventsSay) {
    begin();
    if (IsSkipped() || HasFatalFailure()) return;
    constexpr int kLaunches = 20;
    GraphOfTest graph;
    EventPair events;
    CUDA_OK(cudaEventCreate(&events.first));
    CUDA_OK(cudaEventCreate(&events.last));
    captureGraph(*log, ops, stream, graph);
    if (HasFatalFailure()) return;
    CUDA_OK(launchSpin(50'000'000, stream));  // all launches queue behind it
    CUDA_OK(cudaEventRecord(events.first, stream));
    launchGraphs(*log, ops, stream, graph, kLaunches);
    if (HasFatalFailure()) return;
    CUDA_OK(cudaEventRecord(events.last, stream));
    CUDA_OK(cudaStreamSynchronize(stream));
    const TracePtr trace = end();
    expectNothingLost(*trace);
    EXPECT_EQ(builder.diagnostics().countOf("gpu_graph_node_without_op"), 0);
    const std::vector<DeviceOpRow> kernels = joinedKernels(*trace);
    ASSERT_EQ(kernels.size(), static_cast<size_t>(kLaunches) * ops.size());
    std::set<uint32_t> launchIds;
    for (size_t i = 0; i < kernels.size(); ++i) {
        const OpRow op = trace->ops()[kernels[i].op.value];
        EXPECT_NE(kernels[i].graphNodeId, 0u);
        ASSERT_EQ(kernels[i].token, static_cast<int32_t>(i / ops.size())) << "kernel " << i;
        ASSERT_EQ(op.layer, static_cast<int32_t>(i % ops.size())) << "kernel " << i;
        EXPECT_EQ(op.bytes, i % 2 == 0 ? 4 + kernels[i].token : 4);
        launchIds.insert(kernels[i].correlationId);
    }
    EXPECT_EQ(launchIds.size(), static_cast<size_t>(kLaunches));
    expectSpanOf(kernels, events.elapsedNs());
}

TEST_F(CuptiGpuTest, TheCheapLevelGivesOneRecordAGraphLaunchAndOneAFreeKernel) {
    begin(TraceLevel::Graph);
    if (IsSkipped() || HasFatalFailure()) return;
    GraphOfTest graph;
    captureGraph(*log, ops, stream, graph);
    if (HasFatalFailure()) return;
    launchGraphs(*log, ops, stream, graph, 20);
    CUDA_OK(launchSpin(1000, stream));
    const TracePtr trace = end();
    expectNothingLost(*trace);
    EXPECT_EQ(countOfKind(*trace, DeviceOpKind::GraphLaunch), 20u);
    EXPECT_EQ(countOfKind(*trace, DeviceOpKind::Kernel), 3u);  // two of the set-up
    for (size_t i = 0; i < trace->deviceOps().kind.size(); ++i) {
        const DeviceOpRow row = rowAt(trace->deviceOps(), i);
        if (row.kind != DeviceOpKind::GraphLaunch) continue;
        EXPECT_GE(row.token, 0);
        ASSERT_TRUE(row.op.valid());
        EXPECT_EQ(trace->ops()[row.op.value].bytes, 400);
    }
}

TEST_F(CuptiGpuTest, RowsArriveWhileTheGpuStillWorks) {
    begin();
    if (IsSkipped() || HasFatalFailure()) return;
    {
        LaunchScope scope(*log, {.op = ops[1], .token = 1});
        CUDA_OK(launchSpin(1000, stream));
    }
    CUDA_OK(cudaStreamSynchronize(stream));
    int32_t stop = 0;
    bool arrived = false;
    while (!arrived && stop++ < 200) {  // keeps working; 20 ms each
        CUDA_OK(launchSpin(20'000'000, stream));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        collect();
        arrived = !joinedKernels(*builder.snapshot()).empty();
    }
    EXPECT_TRUE(arrived);
    expectNothingLost(*end());
}

TEST_F(CuptiGpuTest, FurtherRecordingsOfTheProcessAreAsCompleteAsTheFirst) {
    begin();
    if (IsSkipped() || HasFatalFailure()) return;
    for (int recording = 0; recording < 3; ++recording) {
        TraceBuilder own;
        ActivityLog ownLog;
        const uint32_t op = ownLog.describe({.opName = "op"});
        const TraceOrigin ownOrigin{.steadyNs = nowNs()};
        capture.reset();
        auto started = DeviceCapture::start(own, ownOrigin, ownLog);
        ASSERT_TRUE(started) << started.error().message;
        for (int i = 0; i < 300; ++i) {
            LaunchScope scope(ownLog, {.op = op, .token = i});
            CUDA_OK(launchAddOne(values, 1024, stream));
        }
        CUDA_OK(cudaDeviceSynchronize());
        (*started)->stop();
        (*started)->gather();
        (*started)->take(ownLog.drain());
        const TracePtr trace = own.snapshot();
        expectNothingLost(*trace);  // among it: no record on CUPTI's own clock
        EXPECT_EQ(joinedKernels(*trace).size(), 300u) << "recording " << recording;
    }
}

}  // namespace
}  // namespace gapscope
