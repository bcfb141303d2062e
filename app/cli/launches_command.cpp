#include <algorithm>
#include <memory>

#include "app/cli/csv_columns.h"
#include "app/cli/launches_csv.h"
#include "app/cli/launches_json.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

using Align = TextTable::Align;

int64_t rounded(double ns) {
    return static_cast<int64_t>(ns);
}

std::string streamName(const TrackRow& track) {
    return "device " + std::to_string(track.deviceId) + ", stream " + std::to_string(track.streamId);
}

void printSums(const Launches& of) {
    TextTable sums({{"", Align::Left}, {"count"}, {"avg"}, {"p50"}, {"p90"}, {"p99"}, {"min"}, {"max"}});
    const auto addSum = [&](const char* name, const Distribution& times, const Percentiles& percentiles) {
        sums.add({name, formatCount(times.count), formatDuration(rounded(times.avgNs)),
                  formatDuration(percentiles.p50Ns), formatDuration(percentiles.p90Ns),
                  formatDuration(percentiles.p99Ns), formatDuration(times.minNs), formatDuration(times.maxNs)});
    };
    addSum("launch latency", of.table.latency, of.statistics.latency);
    addSum("queue delay", of.table.queueDelay, of.statistics.queueDelay);
    print(sums.text() + "\n");
}

void printHistogram(const LaunchStatistics& statistics) {
    int64_t most = 1;
    for (const HistogramBin& bin : statistics.latencyHistogram)
        most = std::max(most, bin.count);
    TextTable text({{"latency from"}, {"to"}, {"launches"}, {"", Align::Left}});
    for (const HistogramBin& bin : statistics.latencyHistogram) {
        const auto bars = static_cast<size_t>((bin.count * 40 + most - 1) / most);
        text.add(
            {formatDuration(bin.fromNs), formatDuration(bin.toNs), formatCount(bin.count), std::string(bars, '#')});
    }
    print(text.text() + "\n");
}

void printOutliers(const Launches& of) {
    const LaunchStatistics& statistics = of.statistics;
    const auto count = [](const std::vector<uint32_t>& rows) { return formatCount(static_cast<int64_t>(rows.size())); };
    TextTable text({{"launches"}, {"", Align::Left}});
    text.add({count(statistics.shortLaunches), "short: less device time (" + formatDuration(statistics.shortDeviceNs) +
                                                   " in all) than their calls took (" +
                                                   formatDuration(statistics.shortCallNs) + ")"});
    text.add({count(statistics.runtimeOutliers), "runtime outliers: the call took over " +
                                                     formatDuration(statistics.thresholds.runtimeNs) +
                                                     " (--runtime-outlier)"});
    text.add({count(statistics.delayOutliers), "delay outliers: the operation began over " +
                                                   formatDuration(statistics.thresholds.delayNs) +
                                                   " after the call returned (--delay-outlier)"});
    print(text.text() + "\n");
}

void printQueues(const Trace& trace, const std::vector<QueueDepth>& queues) {
    TextTable text(
        {{"queue of", Align::Left}, {"launches"}, {"most waiting"}, {"mean waiting"}, {"time empty"}, {"time full"}});
    for (const QueueDepth& queue : queues) {
        std::string mean = std::to_string(rounded(queue.meanDepth * 100));
        while (mean.size() < 3)
            mean.insert(mean.begin(), '0');
        mean.insert(mean.end() - 2, '.');
        text.add({streamName(trace.tracks()[queue.track.value]), formatCount(queue.launchCount),
                  formatCount(queue.maxDepth), mean, formatDuration(queue.emptyNs), formatDuration(queue.fullNs)});
    }
    print(text.text() + "\n");
}

void printSlowest(const Trace& trace, std::vector<Launch> launches, size_t top) {
    const ApiCalls& calls = trace.apiCalls();
    std::ranges::stable_sort(launches, std::ranges::greater{}, &Launch::latencyNs);
    TextTable text({{"start"},
                    {"call"},
                    {"latency"},
                    {"queue delay"},
                    {"operations"},
                    {"name", Align::Left},
                    {"first operation", Align::Left}});
    for (size_t i = 0; i < std::min(launches.size(), top); ++i) {
        const Launch& launch = launches[i];
        text.add({formatCount(calls.startNs[launch.call]),
                  formatDuration(calls.endNs[launch.call] - calls.startNs[launch.call]),
                  formatDuration(launch.latencyNs), launch.queueDelayNs ? formatDuration(*launch.queueDelayNs) : "",
                  formatCount(launch.opCount), shortened(trace.string(calls.name[launch.call]), 30),
                  shortened(trace.string(trace.deviceOps().name[launch.firstOp]), 60)});
    }
    print(text.text());
}

// As nsys stats --report cuda_kern_exec_sum prints it, with the averages in front.
void printByName(const Trace& trace, const std::vector<KernelExecutionRow>& rows, size_t top) {
    TextTable text({{"PID"},
                    {"TID"},
                    {"device"},
                    {"count"},
                    {"queued"},
                    {"total avg"},
                    {"call avg"},
                    {"queue avg"},
                    {"kernel avg"},
                    {"kernel max"},
                    {"API name", Align::Left},
                    {"kernel", Align::Left}});
    for (size_t i = 0; i < std::min(rows.size(), top); ++i) {
        const KernelExecutionRow& row = rows[i];
        text.add({std::to_string(processIdOf(row.globalTid)), std::to_string(threadIdOf(row.globalTid)),
                  std::to_string(row.deviceId), formatCount(row.total.count), formatCount(row.queue.count),
                  formatDuration(rounded(row.total.avgNs)), formatDuration(rounded(row.api.avgNs)),
                  row.queue.count > 0 ? formatDuration(rounded(row.queue.avgNs)) : "",
                  formatDuration(rounded(row.kernel.avgNs)), formatDuration(row.kernel.maxNs),
                  shortened(trace.string(row.apiName), 30), shortened(trace.string(row.kernelName), 60)});
    }
    print(text.text());
    if (rows.size() > top) print("and " + formatCount(static_cast<int64_t>(rows.size() - top)) + " more\n");
}

void printTrace(const Trace& trace, const std::vector<KernelExecution>& rows, size_t top) {
    TextTable text({{"call start"},
                    {"call"},
                    {"queue"},
                    {"kernel start"},
                    {"kernel"},
                    {"total"},
                    {"API name", Align::Left},
                    {"kernel", Align::Left}});
    for (size_t i = 0; i < std::min(rows.size(), top); ++i) {
        const KernelExecution& row = rows[i];
        text.add({formatCount(trace.apiCalls().startNs[row.call]), formatDuration(row.apiNs),
                  row.queueNs ? formatDuration(*row.queueNs) : "", formatCount(trace.deviceOps().startNs[row.op]),
                  formatDuration(row.kernelNs), formatDuration(row.totalNs),
                  shortened(trace.string(trace.apiCalls().name[row.call]), 30),
                  shortened(trace.string(trace.deviceOps().name[row.op]), 60)});
    }
    print(text.text());
    if (rows.size() > top) print("and " + formatCount(static_cast<int64_t>(rows.size() - top)) + " later ones\n");
}

}  // namespace

void addLaunchesCommand(CLI::App& app, Outcome& outcome) {
    auto options = std::make_shared<LaunchesOptions>();
    const auto act = [options](const OpenedTrace& opened) -> Status {
        const Trace& trace = *opened.trace;
        const LaunchJoin join = joinLaunches(trace);
        Launches of;
        if (!options->by.empty() || options->trace) of.executions = kernelExecutions(trace, join, opened.window);
        if (opened.csv && !options->by.empty()) {
            printCsv(executionSumsCsv(trace, of.executions.rows));
            return {};
        }
        if (opened.csv && options->trace) {
            printCsv(executionsCsv(trace, of.executions.executions));
            return {};
        }
        if (!opened.json && !options->by.empty()) {
            printByName(trace, of.executions.rows, options->top);
            return {};
        }
        if (!opened.json && options->trace) {
            printTrace(trace, of.executions.executions, options->top);
            return {};
        }
        of.table = launchTable(trace, join, opened.window);
        if (opened.csv) {
            printCsv(launchesCsv(trace, of.table.launches));
            return {};
        }
        of.statistics = launchStatistics(trace, join, of.table.launches, options->thresholds);
        of.queues = queueDepths(trace, join, opened.window);
        if (opened.json) {
            JsonWriter json;
            writeLaunchesJson(json, trace, of, *options);
            printJson(json);
            return {};
        }
        printSums(of);
        printHistogram(of.statistics);
        printOutliers(of);
        printQueues(trace, of.queues);
        printSlowest(trace, of.table.launches, options->top);
        return {};
    };
    CLI::App* command = addTraceCommand(
        app, outcome, "launches",
        "API calls and when their operations began: how latencies are spread, what stands out, how full the streams' "
        "queues were, slowest first",
        act);
    command->add_option("--top", options->top, "rows of the text table (JSON has all)");
    command
        ->add_option("--by", options->by,
                     "name: kernels summed by API call, kernel, thread and device, as nsys' cuda_kern_exec_sum")
        ->check(CLI::IsMember({"name"}));
    command->add_flag("--trace", options->trace, "a row a kernel, as nsys' cuda_kern_exec_trace");
    command->add_flag("--series", options->series, "with --json: queue depth over time");
    command
        ->add_option("--runtime-outlier", options->thresholds.runtimeNs,
                     "ns; longer calls are runtime outliers (HTA's 50 µs)")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    command
        ->add_option("--delay-outlier", options->thresholds.delayNs,
                     "ns; operations that begin later after their call are delay outliers (HTA's 100 µs)")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
}

}  // namespace gapscope::cli
