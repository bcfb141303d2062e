#include "app/cli/launches_json.h"

#include <optional>
#include <string_view>

#include "app/cli/summary_output.h"

namespace gapscope::cli {

namespace {

void writeOptional(JsonWriter& json, std::string_view key, std::optional<int64_t> ns) {
    json.key(key);
    if (ns) {
        json.value(*ns);
    } else {
        json.null();
    }
}

void writeLaunches(JsonWriter& json, const Trace& trace, const LaunchTable& table) {
    const ApiCalls& calls = trace.apiCalls();
    json.key("launches").beginArray();
    for (const Launch& launch : table.launches) {
        json.beginObject().field("name", trace.string(calls.name[launch.call]));
        json.field("threadId", threadIdOf(calls.globalTid[launch.call]));
        json.field("startNs", calls.startNs[launch.call]);
        json.field("durationNs", calls.endNs[launch.call] - calls.startNs[launch.call]);
        json.field("latencyNs", launch.latencyNs);
        writeOptional(json, "queueDelayNs", launch.queueDelayNs);
        json.field("operationCount", launch.opCount);
        json.field("firstName", trace.string(trace.deviceOps().name[launch.firstOp])).endObject();
    }
    json.endArray();
}

void writeTimes(JsonWriter& json, std::string_view key, const Distribution& times) {
    json.key(key).beginObject();
    writeDistribution(json, times);
    json.endObject();
}

void writeTimes(JsonWriter& json, std::string_view key, const Distribution& times, const Percentiles& percentiles,
                const std::vector<HistogramBin>& histogram) {
    json.key(key).beginObject();
    writeDistribution(json, times);
    json.field("p50Ns", percentiles.p50Ns).field("p90Ns", percentiles.p90Ns).field("p99Ns", percentiles.p99Ns);
    json.key("histogram").beginArray();
    for (const HistogramBin& bin : histogram)
        json.beginObject().field("fromNs", bin.fromNs).field("toNs", bin.toNs).field("count", bin.count).endObject();
    json.endArray().endObject();
}

void writeStatistics(JsonWriter& json, const LaunchStatistics& of) {
    json.key("statistics").beginObject().field("runtimeOutlierThresholdNs", of.thresholds.runtimeNs);
    json.field("delayOutlierThresholdNs", of.thresholds.delayNs);
    json.field("shortCount", of.shortLaunches.size()).field("shortDeviceNs", of.shortDeviceNs);
    json.field("shortCallNs", of.shortCallNs).field("runtimeOutlierCount", of.runtimeOutliers.size());
    json.field("delayOutlierCount", of.delayOutliers.size()).key("hta").beginObject();
    json.field("operationCount", of.hta.operationCount).field("shortCount", of.hta.shortCount);
    json.field("runtimeOutlierCount", of.hta.runtimeOutlierCount);
    json.field("delayOutlierCount", of.hta.delayOutlierCount).endObject().endObject();
}

void writeQueues(JsonWriter& json, const Trace& trace, const std::vector<QueueDepth>& queues, bool series) {
    json.key("queueDepth").beginArray();
    for (const QueueDepth& queue : queues) {
        const TrackRow& track = trace.tracks()[queue.track.value];
        json.beginObject().field("device", track.deviceId).field("context", track.contextId);
        json.field("stream", track.streamId).field("processId", processIdOf(track.globalPid));
        json.field("launchCount", queue.launchCount).field("maxDepth", queue.maxDepth);
        json.field("meanDepth", queue.meanDepth).field("emptyNs", queue.emptyNs).field("fullNs", queue.fullNs);
        if (series) {
            json.key("points").beginArray();
            for (const QueueDepthPoint& point : queue.points)
                json.beginArray().value(point.timeNs).value(point.depth).endArray();
            json.endArray();
        }
        json.endObject();
    }
    json.endArray();
}

void writeByName(JsonWriter& json, const Trace& trace, const std::vector<KernelExecutionRow>& rows) {
    json.key("byName").beginArray();
    for (const KernelExecutionRow& row : rows) {
        json.beginObject().field("processId", processIdOf(row.globalTid)).field("threadId", threadIdOf(row.globalTid));
        json.field("device", row.deviceId).field("apiName", trace.string(row.apiName));
        json.field("kernelName", trace.string(row.kernelName));
        writeTimes(json, "total", row.total);
        writeTimes(json, "api", row.api);
        writeTimes(json, "queue", row.queue);
        writeTimes(json, "kernel", row.kernel);
        json.endObject();
    }
    json.endArray();
}

void writeTrace(JsonWriter& json, const Trace& trace, const std::vector<KernelExecution>& rows) {
    const ApiCalls& calls = trace.apiCalls();
    const DeviceOps& ops = trace.deviceOps();
    json.key("trace").beginArray();
    for (const KernelExecution& row : rows) {
        json.beginObject().field("apiStartNs", calls.startNs[row.call]).field("apiNs", row.apiNs);
        writeOptional(json, "queueStartNs", row.queueNs ? std::optional(calls.endNs[row.call]) : std::nullopt);
        writeOptional(json, "queueNs", row.queueNs);
        json.field("kernelStartNs", ops.startNs[row.op]).field("kernelNs", row.kernelNs);
        json.field("totalNs", row.totalNs).field("processId", processIdOf(calls.globalTid[row.call]));
        json.field("threadId", threadIdOf(calls.globalTid[row.call]));
        json.field("device", trace.tracks()[ops.track[row.op].value].deviceId);
        json.field("apiName", trace.string(calls.name[row.call])).key("grid").beginArray();
        const LaunchConfigId config = ops.config[row.op];
        const LaunchConfigRow shape = config.valid() ? trace.launchConfigs()[config.value] : LaunchConfigRow{};
        for (const int32_t size : shape.grid)
            json.value(size);
        json.endArray().key("block").beginArray();
        for (const int32_t size : shape.block)
            json.value(size);
        json.endArray().field("kernelName", trace.string(ops.name[row.op])).endObject();
    }
    json.endArray();
}

}  // namespace

void writeLaunchesJson(JsonWriter& json, const Trace& trace, const Launches& of, const LaunchesOptions& options) {
    json.beginObject();
    writeLaunches(json, trace, of.table);
    writeTimes(json, "latency", of.table.latency, of.statistics.latency, of.statistics.latencyHistogram);
    writeTimes(json, "queueDelay", of.table.queueDelay, of.statistics.queueDelay, of.statistics.queueDelayHistogram);
    json.field("negativeLatencyCount", of.table.negativeLatencyCount);
    json.field("unlaunchedOperationCount", of.table.unlaunchedOpCount);
    writeStatistics(json, of.statistics);
    writeQueues(json, trace, of.queues, options.series);
    if (!options.by.empty()) writeByName(json, trace, of.executions.rows);
    if (options.trace) writeTrace(json, trace, of.executions.executions);
    json.endObject();
}

}  // namespace gapscope::cli
