// Launch statistics: worked examples, and random traces against the definitions read row by row.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/analysis/kernel_executions.h"
#include "core/analysis/launch_statistics.h"
#include "core/analysis/queue_depth.h"
#include "tests/core/analysis/hand_made_trace.h"
#include "tests/core/analysis/random_traces.h"
#include "tests/core/analysis/reference.h"

namespace gapscope {

namespace {

using reference::Reference;

struct LaunchViews : RandomTraces {};

void expectDistribution(const Distribution& actual, std::vector<int64_t> values) {
    std::ranges::sort(values);
    ASSERT_EQ(actual.count, static_cast<int64_t>(values.size()));
    int64_t total = 0;
    for (const int64_t value : values)
        total += value;
    EXPECT_EQ(actual.totalNs, total);
    if (values.empty()) return;
    EXPECT_EQ(actual.minNs, values.front());
    EXPECT_EQ(actual.maxNs, values.back());
}

}  // namespace

TEST(KernelExecutions, MeasureEachKernelFromItsCall) {
    Builder b;
    b.call(0, 50, "cudaGraphLaunch", 1);
    b.kernel(40, 45, 1, -1, "first");   // began in the call, ended in it: no queue, total is the call
    b.kernel(70, 80, 1, -1, "second");  // of the same call: queue 20, total 80
    b.call(100, 110, "cudaLaunchKernel", 2);
    b.kernel(110, 130, 2, -1, "first");  // as the call returned: 0 is no queue, as nsys counts
    b.kernel(140, 150, 0);               // without a call: left out
    const TracePtr trace = b.snapshot();
    const KernelExecutionTable table = kernelExecutions(*trace, joinLaunches(*trace), {0, 200});
    ASSERT_EQ(table.executions.size(), 3u);
    EXPECT_FALSE(table.executions[0].queueNs);
    EXPECT_EQ(table.executions[0].totalNs, 50);
    EXPECT_EQ(table.executions[1].queueNs, 20);
    EXPECT_EQ(table.executions[1].totalNs, 80);
    EXPECT_EQ(table.executions[1].apiNs, 50);
    EXPECT_FALSE(table.executions[2].queueNs);
    EXPECT_EQ(table.executions[2].totalNs, 30);
    ASSERT_EQ(table.rows.size(), 3u);  // "first" by two API names are two rows
    EXPECT_EQ(trace->string(table.rows[0].kernelName), "second");
    EXPECT_EQ(table.rows[0].queue.count, 1);
    EXPECT_EQ(table.rows[1].total.totalNs, 50);
    EXPECT_EQ(table.rows[1].queue.count, 0);
}

TEST_P(LaunchViews, KernelExecutionsByTheDefinition) {
    const Reference expected(*trace, window);
    const KernelExecutionTable table = kernelExecutions(*trace, joinLaunches(*trace), window);
    struct Values {
        std::vector<int64_t> total, api, queue, kernel;
    };
    std::map<std::tuple<std::string, std::string, uint64_t, uint32_t>, Values> groups;
    size_t count = 0;
    for (uint32_t i = 0; i < expected.ops.size(); ++i) {
        const DeviceOpRow& op = expected.ops[i];
        const int owner = expected.callOf(op);
        if (owner < 0 || op.kind != DeviceOpKind::Kernel) continue;
        const ApiCallRow& call = expected.calls[static_cast<size_t>(owner)];
        if (!window.contains(call.startNs)) continue;
        ++count;
        const auto row = std::ranges::find(table.executions, i, &KernelExecution::op);
        ASSERT_NE(row, table.executions.end());
        EXPECT_EQ(row->call, static_cast<uint32_t>(owner));
        Values& of = groups[{std::string(trace->string(call.name)), std::string(trace->string(op.name)), call.globalTid,
                             expected.deviceOf(op)}];
        of.api.push_back(call.endNs - call.startNs);
        of.kernel.push_back(op.endNs - op.startNs);
        of.total.push_back(std::max(call.endNs, op.endNs) - call.startNs);
        if (op.startNs - call.endNs > 0) of.queue.push_back(op.startNs - call.endNs);
        EXPECT_EQ(row->queueNs.has_value(), op.startNs - call.endNs > 0);
    }
    ASSERT_EQ(table.executions.size(), count);
    ASSERT_EQ(table.rows.size(), groups.size());
    for (const KernelExecutionRow& row : table.rows) {
        const Values& of = groups.at({std::string(trace->string(row.apiName)),
                                      std::string(trace->string(row.kernelName)), row.globalTid, row.deviceId});
        expectDistribution(row.total, of.total);
        expectDistribution(row.api, of.api);
        expectDistribution(row.queue, of.queue);
        expectDistribution(row.kernel, of.kernel);
    }
}

TEST(LaunchStatistics, PercentilesAreValuesThatOccurred) {
    std::vector<int64_t> values;
    for (int64_t i = 100; i > 0; --i)
        values.push_back(i * 10);
    Percentiles of = percentilesOf(values);
    EXPECT_EQ(of.p50Ns, 500);
    EXPECT_EQ(of.p90Ns, 900);
    EXPECT_EQ(of.p99Ns, 990);
    of = percentilesOf({7});
    EXPECT_EQ(of.p50Ns, 7);
    EXPECT_EQ(of.p99Ns, 7);
    of = percentilesOf({3, 1, 2});
    EXPECT_EQ(of.p50Ns, 2);
    EXPECT_EQ(of.p90Ns, 3);
    EXPECT_EQ(percentilesOf({}).p99Ns, 0);
}

TEST(LaunchStatistics, HistogramHasABinForEachPowerOfTwo) {
    const std::vector<int64_t> values = {-5, 0, 1, 2, 3, 4, 17};
    const auto bins = histogramOf(values);
    ASSERT_EQ(bins.size(), 6u);  // 0, 1, 2-3, 4-7, 8-15, 16-31
    const int64_t counts[] = {1, 1, 2, 1, 0, 1};
    for (size_t i = 0; i < bins.size(); ++i) {
        EXPECT_EQ(bins[i].count, counts[i]);
        EXPECT_EQ(bins[i].fromNs, i == 0 ? 0 : bins[i - 1].toNs);
    }
    EXPECT_EQ(bins.back().fromNs, 16);
    EXPECT_EQ(bins.back().toNs, 32);
    EXPECT_TRUE(histogramOf({}).empty());
    EXPECT_EQ(histogramOf(std::vector<int64_t>{INT64_MAX}).front().toNs, INT64_MAX);
}

TEST(LaunchStatistics, FindShortKernelsAndOutliers) {
    Builder b;
    b.call(0, 10, "cudaLaunchKernel", 1);  // 10 ns to launch 4 ns of work: short
    b.kernel(20, 24, 1);
    b.call(30, 35, "cudaGraphLaunch", 2);  // 5 ns to launch 8 ns in two kernels: not short; unknown to HTA
    b.kernel(40, 44, 2);
    b.kernel(46, 50, 2);
    b.call(60'000, 120'000, "cudaMemcpyAsync", 3);  // 60 us: runtime outlier, and short by ours but not by HTA's
    b.kernel(130'000, 131'000, 3);
    b.call(140'000, 150'000, "cudaLaunchKernel", 4);
    b.kernel(250'001, 300'000, 4);  // 100,001 ns after the call
    const TracePtr trace = b.snapshot();
    const LaunchJoin join = joinLaunches(*trace);
    const LaunchTable table = launchTable(*trace, join, {0, 400'000});
    const LaunchStatistics of = launchStatistics(*trace, join, table.launches);
    EXPECT_EQ(of.shortLaunches, (std::vector<uint32_t>{0, 2}));
    EXPECT_EQ(of.shortDeviceNs, 4 + 1'000);
    EXPECT_EQ(of.shortCallNs, 10 + 60'000);
    EXPECT_EQ(of.runtimeOutliers, (std::vector<uint32_t>{2}));
    EXPECT_EQ(of.delayOutliers, (std::vector<uint32_t>{3}));
    EXPECT_EQ(of.hta.operationCount, 3);
    EXPECT_EQ(of.hta.shortCount, 1);
    EXPECT_EQ(of.hta.runtimeOutlierCount, 1);
    EXPECT_EQ(of.hta.delayOutlierCount, 1);
    const LaunchStatistics loose =
        launchStatistics(*trace, join, table.launches, {.runtimeNs = 60'000, .delayNs = 100'001});
    EXPECT_TRUE(loose.runtimeOutliers.empty());
    EXPECT_TRUE(loose.delayOutliers.empty());
    EXPECT_EQ(loose.hta.shortCount, 2);
}

TEST_P(LaunchViews, StatisticsByTheDefinition) {
    const LaunchJoin join = joinLaunches(*trace);
    const LaunchTable table = launchTable(*trace, join, window);
    const LaunchThresholds thresholds{.runtimeNs = 12, .delayNs = 40};
    const LaunchStatistics of = launchStatistics(*trace, join, table.launches, thresholds);
    std::vector<int64_t> latencies;
    size_t shorts = 0, runtimes = 0, delays = 0;
    for (const Launch& launch : table.launches) {
        const ApiCallRow call = rowAt(trace->apiCalls(), launch.call);
        int64_t deviceNs = 0;
        for (size_t op = 0; op < join.callOfOp.size(); ++op)
            if (join.callOfOp[op] == launch.call)
                deviceNs += trace->deviceOps().endNs[op] - trace->deviceOps().startNs[op];
        shorts += deviceNs < call.endNs - call.startNs;
        runtimes += call.endNs - call.startNs > thresholds.runtimeNs;
        delays += launch.queueDelayNs.value_or(0) > thresholds.delayNs;
        if (launch.latencyNs >= 0) latencies.push_back(launch.latencyNs);
    }
    HtaLaunchCounts hta;
    for (size_t row = 0; row < join.callOfOp.size(); ++row) {
        if (join.callOfOp[row] == kNoRow) continue;
        const DeviceOpRow op = rowAt(trace->deviceOps(), row);
        const ApiCallRow call = rowAt(trace->apiCalls(), join.callOfOp[row]);
        const std::string_view name = trace->string(call.name);
        const bool known = name == "cudaLaunchKernel" || name == "cudaMemcpyAsync";
        if (!known || !window.contains(call.startNs)) continue;
        const int64_t callNs = call.endNs - call.startNs;
        ++hta.operationCount;
        hta.shortCount += callNs <= thresholds.runtimeNs && op.endNs - op.startNs < callNs;
        hta.runtimeOutlierCount += callNs > thresholds.runtimeNs;
        hta.delayOutlierCount += op.startNs - call.endNs > thresholds.delayNs;
    }
    EXPECT_EQ(of.hta, hta);
    EXPECT_EQ(of.shortLaunches.size(), shorts);
    EXPECT_EQ(of.runtimeOutliers.size(), runtimes);
    EXPECT_EQ(of.delayOutliers.size(), delays);
    int64_t counted = 0;
    for (const HistogramBin& bin : of.latencyHistogram) {
        EXPECT_EQ(bin.count,
                  std::ranges::count_if(latencies, [&](int64_t ns) { return ns >= bin.fromNs && ns < bin.toNs; }));
        counted += bin.count;
    }
    EXPECT_EQ(counted, static_cast<int64_t>(latencies.size()));
    if (latencies.empty()) return;
    const auto share = [&](int64_t limit) {
        return static_cast<double>(std::ranges::count_if(latencies, [&](int64_t ns) { return ns <= limit; })) /
               static_cast<double>(latencies.size());
    };
    for (const auto& [ns, part] :
         {std::pair{of.latency.p50Ns, 0.5}, {of.latency.p90Ns, 0.9}, {of.latency.p99Ns, 0.99}}) {
        EXPECT_NE(std::ranges::find(latencies, ns), latencies.end());
        EXPECT_GE(share(ns), part);
        EXPECT_LT(share(ns - 1), part);
    }
}

TEST(QueueDepth, CountsLaunchesThatHaveNotBegun) {
    // Called at 0, 10 and 20; begun at 15, 30 and 40: depth 1 from 0, 2 from 10, 1 from 15, 2 from 20, 1 from 30, 0
    // from 40.
    Builder b;
    b.call(0, 5, "cudaLaunchKernel", 1);
    b.kernel(15, 30, 1);
    b.call(10, 12, "cudaGraphLaunch", 2);
    b.kernel(30, 35, 2);
    b.kernel(36, 40, 2);  // of the same launch
    b.call(20, 25, "cudaLaunchKernel", 3);
    b.kernel(40, 50, 3);
    b.call(60, 61, "cudaLaunchKernel", 4);
    b.kernel(55, 70, 4);  // began before its call: left out
    const TracePtr trace = b.snapshot();
    const auto depths = queueDepths(*trace, joinLaunches(*trace), {5, 55});
    ASSERT_EQ(depths.size(), 1u);
    const QueueDepth& of = depths[0];
    std::vector<std::pair<int64_t, int64_t>> points;
    for (const QueueDepthPoint& point : of.points)
        points.emplace_back(point.timeNs, point.depth);
    EXPECT_EQ(points, (std::vector<std::pair<int64_t, int64_t>>{{5, 1}, {10, 2}, {15, 1}, {20, 2}, {30, 1}, {40, 0}}));
    EXPECT_EQ(of.launchCount, 3);
    EXPECT_EQ(of.maxDepth, 2);
    EXPECT_EQ(of.emptyNs, 15);
    EXPECT_EQ(of.fullNs, 0);
    EXPECT_DOUBLE_EQ(of.meanDepth, (5 + 10 + 5 + 20 + 10) / 50.0);
}

TEST(QueueDepth, IsFullFrom1024On) {
    Builder b;
    for (uint32_t i = 0; i < 1024; ++i) {
        b.call(i, i + 1, "cudaLaunchKernel", i + 1);
        b.kernel(2000 + i, 2001 + i, i + 1);
    }
    const TracePtr trace = b.snapshot();
    const auto depths = queueDepths(*trace, joinLaunches(*trace), {0, 4000});
    ASSERT_EQ(depths.size(), 1u);
    EXPECT_EQ(depths[0].maxDepth, 1024);
    EXPECT_EQ(depths[0].fullNs, 2000 - 1023);
}

TEST_P(LaunchViews, QueueDepthNanosecondByNanosecond) {
    const Reference expected(*trace, window);
    const auto depths = queueDepths(*trace, joinLaunches(*trace), window);
    size_t streams = 0;
    for (size_t track = 0; track < trace->tracks().size(); ++track) {
        std::vector<TimeRange> waits;
        for (size_t call = 0; call < expected.calls.size(); ++call) {
            int64_t begun = INT64_MAX;
            for (const auto& op : expected.ops)
                if (op.track.value == track && expected.callOf(op) == static_cast<int>(call))
                    begun = std::min(begun, op.startNs);
            const TimeRange wait{expected.calls[call].startNs, begun};
            if (begun != INT64_MAX && wait.startNs < wait.endNs && !wait.clippedTo(window).empty())
                waits.push_back(wait);
        }
        const auto found = std::ranges::find(depths, TrackId{static_cast<uint16_t>(track)}, &QueueDepth::track);
        ASSERT_EQ(found != depths.end(), !waits.empty());
        if (waits.empty()) continue;
        ++streams;
        EXPECT_EQ(found->launchCount, static_cast<int64_t>(waits.size()));
        int64_t most = 0, emptyNs = 0;
        double sum = 0;
        size_t point = 0;
        for (int64_t ns = window.startNs; ns < window.endNs; ++ns) {
            const int64_t depth = std::ranges::count_if(waits, [&](TimeRange wait) { return wait.contains(ns); });
            most = std::max(most, depth);
            emptyNs += depth == 0;
            sum += static_cast<double>(depth);
            while (point + 1 < found->points.size() && found->points[point + 1].timeNs <= ns)
                ++point;
            ASSERT_EQ(found->points[point].depth, depth) << ns;
        }
        EXPECT_EQ(found->maxDepth, most);
        EXPECT_EQ(found->emptyNs, emptyNs);
        EXPECT_NEAR(found->meanDepth, sum / static_cast<double>(window.durationNs()), 1e-9);
        for (size_t i = 1; i < found->points.size(); ++i) {
            EXPECT_LT(found->points[i - 1].timeNs, found->points[i].timeNs);
            EXPECT_NE(found->points[i - 1].depth, found->points[i].depth);
        }
    }
    EXPECT_EQ(depths.size(), streams);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LaunchViews, testing::Range(0, 60));

}  // namespace gapscope
