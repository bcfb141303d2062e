#include "core/analysis/prepared_window.h"

#include <algorithm>
#include <map>

#include "core/analysis/own_time.h"

namespace gapscope {

namespace {

void addBusy(const PreparedWindow& of, std::vector<DeviceBusy>& devices) {
    for (const IntervalIndex::Part& part : of.ops.parts) {
        const PreparedTrace::OpClass& ops = of.prepared.opClasses()[part.classIndex];
        const auto device =
            std::ranges::lower_bound(devices, of.prepared.deviceOf(ops.track), {}, &DeviceBusy::deviceId);
        device->selfNs += part.ns;
        switch (ops.kind) {
            case DeviceOpKind::Kernel:
                device->kernelCount += part.count();
                break;
            case DeviceOpKind::Copy:
                device->copyCount += part.count();
                break;
            case DeviceOpKind::Set:
                device->setCount += part.count();
                break;
            case DeviceOpKind::GraphLaunch:
                device->graphLaunchCount += part.count();
                break;
        }
    }
}

}  // namespace

HostTimes hostTimes(const PreparedWindow& of) {
    std::map<uint64_t, ThreadCalls> threads;
    for (const auto& [tid, thread] : of.prepared.threads())
        threads[tid] = {.globalTid = tid,
                        .apiNs = thread.api.coveredNs(of.window),
                        .launchingNs = thread.launching.coveredNs(of.window)};
    int64_t selfCpuNs = 0;
    for (const IntervalIndex::Part& part : of.calls.parts) {
        const PreparedTrace::CallClass& calls = of.prepared.callClasses()[part.classIndex];
        ThreadCalls& thread = threads[calls.globalTid];
        if (calls.owns) thread.launches += part.count();
        if (calls.traits.launches) thread.launchesByName += part.count();
        if (calls.outermost) selfCpuNs += part.ns;
    }
    std::vector<ThreadCalls> all;
    for (const auto& [tid, thread] : threads)
        all.push_back(thread);
    return hostTimesOf(all, selfCpuNs, of.window);
}

CategoryTimes categoryTimes(const PreparedWindow& of) {
    CategoryTimes times;
    for (const IntervalIndex::Part& part : of.ops.parts) {
        CategoryTime& category =
            times.categories[static_cast<size_t>(of.prepared.opClasses()[part.classIndex].category)];
        category.ns += part.ns;
        category.count += part.count();
    }
    of.prepared.stages().split(times, of.window);
    addUp(times);
    return times;
}

ThroughputTable throughput(const PreparedWindow& of) {
    const Trace& trace = of.prepared.trace();
    ThroughputTable table;
    std::vector<int64_t> nsOfTrack(trace.tracks().size());
    const auto forPlanned = [&](const PreparedTrace::OpClass& ops, const auto& change) {
        const OpRow* plan = knownPlanOf(trace, ops.op);
        if (!plan || ops.empty) return;
        change(table.all, *plan);
        change(table.categories[static_cast<size_t>(ops.category)], *plan);
    };
    const auto addWork = [&](const PreparedTrace::OpClass& ops, double times) {
        forPlanned(ops, [&](Throughput& to, const OpRow& plan) {
            to.bytes += static_cast<double>(plan.bytes) * times;
            to.flops += static_cast<double>(plan.flops) * times;
        });
    };
    for (const IntervalIndex::Part& part : of.ops.parts) {
        const PreparedTrace::OpClass& ops = of.prepared.opClasses()[part.classIndex];
        if (ops.track.value < nsOfTrack.size()) nsOfTrack[ops.track.value] += part.ns;
        addWork(ops, static_cast<double>(part.count()));
    }
    for (const IntervalIndex::Cut& cut : of.ops.cut) {
        const double share = cut.share(trace.deviceOps().startNs, trace.deviceOps().endNs);
        addWork(of.prepared.opClasses()[cut.classIndex], cut.begins ? share - 1 : share);
    }
    for (const IntervalIndex::Part& part : of.ownParts())
        forPlanned(of.prepared.opClasses()[part.classIndex], [&](Throughput& to, const OpRow&) { to.ns += part.ns; });
    findPeaks(trace, nsOfTrack, table);
    return table;
}

std::span<const Launch> launchesIn(const PreparedWindow& of) {
    const ColumnView<int64_t>& startNs = of.prepared.trace().apiCalls().startNs;
    const auto startOf = [&](const Launch& launch) { return startNs[launch.call]; };
    const std::vector<Launch>& all = of.prepared.launches();
    if (of.window.empty()) return {};
    const auto first = std::ranges::lower_bound(all, of.window.startNs, {}, startOf);
    const auto last = std::ranges::lower_bound(all, of.window.endNs, {}, startOf);
    return {first, last};
}

TokenTable tokenTable(const PreparedWindow& of) {
    TokenTable table =
        tokenTable(of.prepared.trace(), of.prepared.tokens(), of.prepared.steps(), of.prepared.busy(), of.window);
    if (table.rows.empty()) return table;
    const HostTimes host = hostTimes(of);
    const uint64_t thread = host.threads.empty() ? HostActivity::kNoThread : host.threads[0].globalTid;
    for (TokenTime& row : table.rows)
        row.causes = of.prepared.causesIn(row.range, thread);
    return table;
}

WindowAnalysis analyze(const PreparedWindow& of) {
    WindowAnalysis analysis;
    const HostTimes host = hostTimes(of);
    analysis.gaps =
        of.prepared.gapsIn(of.window, host.threads.empty() ? HostActivity::kNoThread : host.threads[0].globalTid);
    analysis.gaps.host = host;
    addBusy(of, analysis.gaps.devices);

    SummaryParts parts{.devices = analysis.gaps.devices,
                       .gapCount = static_cast<int64_t>(analysis.gaps.gaps.size()),
                       .gapCauses = analysis.gaps.causes,
                       .host = host,
                       .categories = categoryTimes(of),
                       .throughput = throughput(of),
                       .stages = of.prepared.stages().shares(of.window)};
    std::vector<int64_t> latencies, delays;
    const std::span<const Launch> launches = launchesIn(of);
    latencies.reserve(launches.size());
    delays.reserve(launches.size());
    for (const Launch& launch : launches) {
        if (launch.latencyNs < 0) {
            ++parts.negativeLatencyCount;
        } else {
            latencies.push_back(launch.latencyNs);
        }
        if (launch.queueDelayNs) delays.push_back(*launch.queueDelayNs);
    }
    parts.launchLatency = distributionOf(std::move(latencies));
    parts.queueDelay = distributionOf(std::move(delays));
    std::map<int16_t, int64_t> nsOfRepeat;
    for (const IntervalIndex::Part& part : of.ops.parts) {
        const PreparedTrace::OpClass& ops = of.prepared.opClasses()[part.classIndex];
        if (!ops.launched) parts.unlaunchedOpCount += part.count();
        if (part.ns > 0) nsOfRepeat[ops.repeat] += part.ns;
    }
    parts.phases = phases(of.prepared.trace(), of.window, nsOfRepeat);
    analysis.summary = summaryOf(of.prepared.trace(), of.window, std::move(parts));
    return analysis;
}

}  // namespace gapscope
