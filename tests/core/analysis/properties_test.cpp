// Every figure of core/analysis against the reference that counts nanosecond by nanosecond, on random traces.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "core/analysis/api_calls.h"
#include "core/analysis/culprits.h"
#include "core/analysis/gaps.h"
#include "core/analysis/host_times.h"
#include "core/analysis/kernel_summary.h"
#include "core/analysis/summary.h"
#include "core/analysis/token_table.h"
#include "tests/core/analysis/random_traces.h"
#include "tests/core/analysis/reference.h"

namespace gapscope {

using reference::Reference;

TEST_P(RandomTraces, JoinAndOutermostCalls) {
    const Reference expected(*trace, window);
    const LaunchJoin join = joinLaunches(*trace);
    const std::vector<uint32_t> outermost = outermostCalls(*trace);
    for (size_t op = 0; op < expected.ops.size(); ++op) {
        const int call = expected.callOf(expected.ops[op]);
        ASSERT_EQ(join.callOfOp[op], call < 0 ? kNoRow : static_cast<uint32_t>(call)) << op;
        if (call < 0) continue;
        const auto owned = join.opsOf(static_cast<uint32_t>(call));
        EXPECT_NE(std::ranges::find(owned, op), owned.end());
        for (size_t i = 1; i < owned.size(); ++i)
            EXPECT_LE(expected.ops[owned[i - 1]].startNs, expected.ops[owned[i]].startNs);
    }
    for (size_t call = 0; call < expected.calls.size(); ++call)
        ASSERT_EQ(static_cast<int>(outermost[call]), expected.outermostOf(static_cast<int>(call))) << call;
}

TEST_P(RandomTraces, BusyGapsAndCauses) {
    const Reference expected(*trace, window);
    const GapTable table = findGaps(*trace, window);
    std::set<uint32_t> devices;
    for (const auto& op : expected.ops)
        devices.insert(expected.deviceOf(op));
    ASSERT_EQ(table.devices.size(), devices.size());
    std::vector<Gap> gaps;
    GapCauses causes;
    int64_t idleNs = 0;
    for (const DeviceBusy& device : table.devices) {
        int64_t busyNs = 0;
        for (int64_t ns = window.startNs; ns < window.endNs; ++ns)
            busyNs += expected.busyAt(device.deviceId, ns);
        EXPECT_EQ(device.busyNs, busyNs);
        EXPECT_EQ(device.idleNs, window.durationNs() - busyNs);
        idleNs += device.idleNs;
        for (const Gap& gap : expected.gapsOf(device.deviceId))
            gaps.push_back(gap);
    }
    ASSERT_EQ(table.gaps.size(), gaps.size());
    for (size_t i = 0; i < gaps.size(); ++i) {
        SCOPED_TRACE(i);
        const Gap& gap = table.gaps[i];
        EXPECT_EQ(gap.deviceId, gaps[i].deviceId);
        EXPECT_EQ(gap.range, gaps[i].range);
        EXPECT_EQ(gap.nextOp, gaps[i].nextOp);
        EXPECT_EQ(gap.unknown, gaps[i].unknown);
        EXPECT_EQ(gap.causes.ns, gaps[i].causes.ns);
        EXPECT_EQ(gap.causes.totalNs(), gap.range.durationNs());
        EXPECT_LE(gap.range.startNs, gap.hostEndNs);
        EXPECT_LE(gap.hostEndNs, gap.launchEndNs);
        EXPECT_LE(gap.launchEndNs, gap.range.endNs);
        if (!gap.unknown) {
            EXPECT_EQ(gap.causes.hostNs(), gap.hostEndNs - gap.range.startNs);
            EXPECT_EQ(gap.causes[GapCause::DeviceLatency], gap.range.endNs - gap.launchEndNs);
        }
        causes += gap.causes;
    }
    EXPECT_EQ(table.causes, causes);
    EXPECT_EQ(table.causes.totalNs(), idleNs);
}

TEST_P(RandomTraces, HostNames) {
    const Reference expected(*trace, window);
    for (const Gap& gap : findGaps(*trace, window).gaps) {
        const TimeRange host{gap.range.startNs, gap.unknown ? gap.range.endNs : gap.hostEndNs};
        const uint64_t thread = expected.hostThread(gap);
        const auto coversMost = [&](TimeRange range) {
            return range.clippedTo(host).durationNs() * 2 > host.durationNs();
        };
        StringId innermost;
        int64_t shortest = INT64_MAX, shortestStart = INT64_MIN;
        for (size_t i = 0; i < trace->ranges().startNs.size(); ++i) {
            const RangeRow row = rowAt(trace->ranges(), i);
            const TimeRange range{row.startNs, row.endNs};
            if (row.globalTid != thread || row.kind == RangeKind::Wait || !coversMost(range)) continue;
            if (range.durationNs() > shortest || (range.durationNs() == shortest && range.startNs < shortestStart))
                continue;
            shortest = range.durationNs();
            shortestStart = range.startNs;
            innermost = row.name;
        }
        // Two outermost calls that cover the same share (broken nesting): either will do.
        std::set<StringId> calls;
        int64_t most = 0;
        for (size_t i = 0; i < expected.calls.size(); ++i) {
            const TimeRange range{expected.calls[i].startNs, expected.calls[i].endNs};
            if (expected.calls[i].globalTid != thread || !expected.isOutermost(i) || !coversMost(range)) continue;
            const int64_t ns = range.clippedTo(host).durationNs();
            if (ns > most) calls.clear();
            most = std::max(most, ns);
            if (ns == most) calls.insert(expected.calls[i].name);
        }
        if (calls.empty()) calls.insert(StringId());
        EXPECT_TRUE(calls.contains(gap.hostCall)) << trace->string(gap.hostCall);
        EXPECT_EQ(trace->string(gap.hostName), trace->string(innermost.valid() ? innermost : gap.hostCall));
    }
}

TEST_P(RandomTraces, CulpritsAddUpToTheGaps) {
    const GapTable table = findGaps(*trace, window);
    const std::vector<Culprit> rows = culprits(*trace, table.gaps);
    // The reference goes through the gaps once for each row and asks which part of each is the row's.
    GapCauses sum;
    std::set<std::tuple<int, std::string, std::string>> keys;
    for (const Culprit& row : rows) {
        EXPECT_TRUE(keys.insert({static_cast<int>(row.kind), row.name, row.call}).second);
        int64_t idleNs = 0, count = 0, longest = 0;
        for (const Gap& gap : table.gaps) {
            const std::string host = groupName(trace->string(gap.hostName));
            const bool isCall = gap.hostCall.valid() && gap.hostCall == gap.hostName;
            const bool fits = row.kind == CulpritKind::Range ? gap.hostName.valid() && !isCall && host == row.name &&
                                                                   trace->string(gap.hostCall) == row.call
                              : row.kind == CulpritKind::ApiCall ? isCall && host == row.name
                                                                 : !gap.hostName.valid();
            const std::string call(gap.call == kNoRow ? "" : trace->string(trace->apiCalls().name[gap.call]));
            int64_t ns = 0;
            if (row.kind == CulpritKind::LaunchCall) {
                ns = call == row.name ? gap.causes[GapCause::LaunchCall] : 0;
            } else if (row.kind == CulpritKind::DeviceLatency) {
                ns = call == row.name ? gap.causes[GapCause::DeviceLatency] : 0;
            } else if (row.kind == CulpritKind::Unknown) {
                ns = fits && gap.unknown ? gap.range.durationNs() : 0;
            } else if (row.kind == CulpritKind::Host) {
                ns = fits && !gap.unknown ? gap.causes.hostNs() : 0;
            } else {
                ns = fits ? (gap.unknown ? gap.range.durationNs() : gap.causes.hostNs()) : 0;
            }
            idleNs += ns;
            count += ns > 0;
            longest = std::max(longest, ns);
        }
        EXPECT_EQ(row.idleNs, idleNs);
        EXPECT_EQ(row.gapCount, count);
        EXPECT_EQ(row.longestNs, longest);
        EXPECT_EQ(row.causes.totalNs(), idleNs);
        ASSERT_LT(row.longestGap, table.gaps.size());
        EXPECT_LE(row.longestNs, table.gaps[row.longestGap].range.durationNs());
        sum += row.causes;
    }
    EXPECT_EQ(sum, table.causes);
}

TEST_P(RandomTraces, HostTimes) {
    const Reference expected(*trace, window);
    const HostTimes times = hostTimes(*trace, window);
    int64_t self = 0, launchingNs = 0, waitNs = 0, outsideNs = 0, launches = 0;
    std::set<uint64_t> threads;
    for (size_t i = 0; i < expected.calls.size(); ++i) {
        const ApiCallRow& call = expected.calls[i];
        threads.insert(call.globalTid);
        if (expected.isOutermost(i)) self += TimeRange{call.startNs, call.endNs}.clippedTo(window).durationNs();
        bool owns = false;
        for (const auto& op : expected.ops)
            owns |= expected.callOf(op) == static_cast<int>(i);
        launches += owns && window.contains(call.startNs);
    }
    const uint64_t thread = expected.launchingThread();
    for (int64_t ns = window.startNs; ns < window.endNs; ++ns) {
        bool any = false, launching = false;
        for (size_t i = 0; i < expected.calls.size(); ++i) {
            const ApiCallRow& call = expected.calls[i];
            if (call.globalTid != thread || ns < call.startNs || ns >= call.endNs || !expected.isOutermost(i)) continue;
            any = true;
            launching |= !reference::waits(trace->string(call.name));
        }
        launchingNs += launching;
        waitNs += any && !launching;
        outsideNs += !any;
    }
    EXPECT_EQ(times.selfCpuNs, self);
    EXPECT_EQ(times.launchCount, launches);
    EXPECT_EQ(times.threads.size(), threads.size());
    if (threads.empty()) return;
    EXPECT_EQ(times.threads[0].globalTid, thread);
    EXPECT_EQ(times.cpuLaunchingNs, launchingNs);
    EXPECT_EQ(times.hostWaitNs, waitNs);
    EXPECT_EQ(times.hostNs, outsideNs);
    EXPECT_EQ(times.cpuLaunchingNs + times.hostWaitNs + times.hostNs, window.durationNs());
}

TEST_P(RandomTraces, LaunchLatencies) {
    const Reference expected(*trace, window);
    const LaunchTable table = launchTable(*trace, window);
    std::map<uint32_t, const Launch*> byCall;
    for (const Launch& launch : table.launches)
        byCall[launch.call] = &launch;
    size_t count = 0;
    int64_t negative = 0;
    for (size_t i = 0; i < expected.calls.size(); ++i) {
        if (!window.contains(expected.calls[i].startNs)) continue;
        int64_t first = INT64_MAX;
        uint32_t owned = 0;
        for (const auto& op : expected.ops) {
            if (expected.callOf(op) != static_cast<int>(i)) continue;
            first = std::min(first, op.startNs);
            ++owned;
        }
        if (owned == 0) continue;
        ++count;
        ASSERT_TRUE(byCall.contains(static_cast<uint32_t>(i)));
        const Launch& launch = *byCall[static_cast<uint32_t>(i)];
        EXPECT_EQ(launch.opCount, owned);
        EXPECT_EQ(launch.latencyNs, first - expected.calls[i].startNs);
        negative += launch.latencyNs < 0;
        if (first >= expected.calls[i].endNs) {
            EXPECT_EQ(launch.queueDelayNs, first - expected.calls[i].endNs);
        } else {
            EXPECT_FALSE(launch.queueDelayNs);
        }
    }
    EXPECT_EQ(table.launches.size(), count);
    EXPECT_EQ(table.negativeLatencyCount, negative);
}

TEST_P(RandomTraces, Tokens) {
    const Reference expected(*trace, window);
    const TokenTable table = tokenTable(*trace, window);
    std::set<uint32_t> devices;
    for (const auto& op : expected.ops)
        devices.insert(expected.deviceOf(op));
    std::map<std::pair<int, int>, const TokenTime*> rows;
    for (const TokenTime& row : table.rows)
        rows[{row.repeat, row.index}] = &row;
    using Op = std::decay_t<decltype(expected.ops[0])>;
    std::map<int, const Op*> firstOfCall;  // that is for a token or the prompt
    for (const Op& op : expected.ops) {
        if (op.token == kNoToken || expected.callOf(op) < 0) continue;
        const Op*& known = firstOfCall[expected.callOf(op)];
        if (!known || op.startNs < known->startNs) known = &op;
    }
    size_t count = 0;
    for (int repeat = -1; repeat <= 1; ++repeat) {
        std::optional<int64_t> previousEnd;
        bool previousFromDevice = false;
        for (int token = -1; token < 10; ++token) {
            int64_t first = INT64_MAX, last = INT64_MIN, kernels = 0;
            std::set<int> calls;
            for (const auto& op : expected.ops) {
                if (op.repeat != repeat || op.token != token) continue;
                first = std::min(first, op.startNs);
                last = std::max(last, op.endNs);
                kernels += op.kind == DeviceOpKind::Kernel;
                const int call = expected.callOf(op);
                if (call >= 0 && firstOfCall.at(call) == &op) calls.insert(call);
            }
            std::optional<TokenRow> emitted;
            for (size_t i = 0; i < trace->tokens().emittedNs.size(); ++i) {
                const TokenRow row = rowAt(trace->tokens(), i);
                if (row.repeat == repeat && row.index == token) emitted = row;
            }
            TimeRange range;
            if (last != INT64_MIN) {
                range.startNs = previousEnd.value_or(first);
                range.endNs = std::max(range.startNs, last);
                previousFromDevice = true;
            } else if (emitted) {
                // Out of the prompt's work, or of a step whose first token has it.
                previousFromDevice = token == 0 ? previousEnd.has_value() : emitted->place > 0 && previousFromDevice;
                range.startNs = previousEnd.value_or(emitted->emittedNs);
                range.endNs = previousFromDevice ? range.startNs : std::max(range.startNs, emitted->emittedNs);
            } else {
                continue;
            }
            previousEnd = range.endNs;
            if (range.endNs <= window.startNs || range.endNs > window.endNs) continue;
            ++count;
            SCOPED_TRACE(std::to_string(repeat) + " " + std::to_string(token));
            ASSERT_TRUE((rows.contains({repeat, token})));
            const TokenTime& row = *rows[{repeat, token}];
            range = range.clippedTo(window);
            EXPECT_EQ(row.range, range);
            EXPECT_EQ(row.kernelCount, kernels);
            EXPECT_EQ(row.launchCount, static_cast<int64_t>(calls.size()));
            EXPECT_EQ(row.id, emitted ? emitted->id : -1);
            int64_t busyNs = 0;
            for (const uint32_t device : devices)
                for (int64_t ns = range.startNs; ns < range.endNs; ++ns)
                    busyNs += expected.busyAt(device, ns);
            EXPECT_EQ(row.busyNs, busyNs);
            EXPECT_EQ(row.idleNs, range.durationNs() * static_cast<int64_t>(devices.size()) - busyNs);
        }
    }
    EXPECT_EQ(table.rows.size(), count);
}

TEST_P(RandomTraces, SumsOfTheSummary) {
    const Reference expected(*trace, window);
    const Summary summary = summarize(*trace, window);
    int64_t self = 0, kernels = 0, copies = 0, graphs = 0;
    std::map<Category, int64_t> categories;
    std::map<std::string, std::vector<int64_t>> byName;
    for (const auto& op : expected.ops) {
        const int64_t ns = TimeRange{op.startNs, op.endNs}.clippedTo(window).durationNs();
        self += ns;
        categories[op.category] += ns;
        if (!window.contains(op.startNs)) continue;
        kernels += op.kind == DeviceOpKind::Kernel;
        copies += op.kind == DeviceOpKind::Copy || op.kind == DeviceOpKind::Set;
        graphs += op.kind == DeviceOpKind::GraphLaunch;
        if (op.kind == DeviceOpKind::Kernel) byName[std::string(trace->string(op.name))].push_back(ns);
    }
    // Stages give their kernel's time to their own categories.
    for (size_t row = 0; row < trace->stages().startNs.size(); ++row) {
        const StageRow stage = rowAt(trace->stages(), row);
        const DeviceOps& ops = trace->deviceOps();
        size_t kernel = 0;
        while (ops.kind[kernel] != DeviceOpKind::Kernel || ops.track[kernel] != stage.track ||
               ops.correlationId[kernel] != stage.correlationId)
            ++kernel;
        const int64_t ns = TimeRange{stage.startNs, stage.endNs}
                               .clippedTo({ops.startNs[kernel], ops.endNs[kernel]})
                               .clippedTo(window)
                               .durationNs();
        categories[ops.category[kernel]] -= ns;
        categories[stage.category] += ns;
    }
    EXPECT_EQ(summary.selfGpuNs, self);
    EXPECT_EQ(summary.categories.totalNs, self);
    EXPECT_EQ(summary.kernelCount, kernels);
    EXPECT_EQ(summary.copyCount, copies);
    EXPECT_EQ(summary.graphLaunchCount, graphs);
    for (const auto& [category, ns] : categories)
        EXPECT_EQ(summary.categories[category].ns, ns);
    int64_t twoWaySum = 0;
    for (const CategoryTime& part : summary.categories.twoWay)
        twoWaySum += part.ns;
    EXPECT_EQ(twoWaySum, self);
    const KernelSummary table = kernelSummary(*trace, window);
    ASSERT_EQ(table.kernels.size(), byName.size());
    for (const KernelRow& row : table.kernels) {
        std::vector<int64_t>& values = byName[std::string(trace->string(row.name))];
        std::ranges::sort(values);
        int64_t total = 0;
        for (const int64_t value : values)
            total += value;
        EXPECT_EQ(row.times.count, static_cast<int64_t>(values.size()));
        EXPECT_EQ(row.times.totalNs, total);
        EXPECT_EQ(row.times.minNs, values.front());
        EXPECT_EQ(row.times.maxNs, values.back());
        const size_t half = values.size() / 2;
        const double median = values.size() % 2 ? static_cast<double>(values[half])
                                                : static_cast<double>(values[half - 1] + values[half]) / 2;
        EXPECT_EQ(row.times.medNs, median);
    }
    EXPECT_EQ(summary.gapCauses.totalNs(), summary.gpuIdleNs);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomTraces, testing::Range(0, 60));

}  // namespace gapscope
