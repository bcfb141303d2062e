#include "app/cli/summary_output.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "app/cli/text_table.h"
#include "core/base/format.h"
#include "core/trace/annotations.h"

namespace gapscope::cli {

namespace {

std::string deviceName(const Trace& trace, uint32_t id) {
    const auto device = std::ranges::find(trace.devices(), id, &DeviceRow::id);
    return device == trace.devices().end() ? "device " + std::to_string(id) : device->name;
}

void writeRun(JsonWriter& json, const RunInfo& run, const std::optional<Phases>& phases) {
    const Phases times = phases.value_or(Phases());
    json.key("run").beginObject();
    json.field("model", run.modelName).field("device", run.device).field("precision", run.precision);
    json.field("mode", run.mode);
    json.field("promptTokenCount", run.promptTokens.size()).field("newTokenCount", times.newTokenCount);
    json.field("timeToFirstTokenNs", times.timeToFirstTokenNs).field("prefillNs", times.prefillNs);
    json.field("decodeNs", times.decodeNs).field("tokensPerSecond", times.tokensPerSecond);
    json.field("trace", run.traceLevel).field("reusedPromptTokenCount", run.reusedPromptTokens);
    json.field("repeat", times.repeat).field("stopReason", run.stopReason);
    json.field("speculation", run.speculation.empty() ? "off" : run.speculation).field("draftTokens", run.draftTokens);
    json.field("stepCount", times.drafts.steps).field("checkedStepCount", times.drafts.checks);
    json.field("draftedCount", times.drafts.drafted).field("acceptedCount", times.drafts.accepted);
    json.field("acceptance", times.drafts.acceptance()).field("tokensPerStep", times.drafts.tokensPerStep());
    json.field("weightBytesPerToken", times.weightBytesPerToken(run.weightBytes)).field("batch", run.batch);
    json.field("kvPageCount", run.kvPages).key("sequences").beginArray();
    for (const SequenceTimes& of : times.sequences) {
        json.beginObject().field("sequence", of.sequence).field("tokenCount", of.tokenCount);
        json.field("timeToFirstTokenNs", of.timeToFirstTokenNs).field("decodeNs", of.decodeNs).endObject();
    }
    json.endArray();
    json.endObject();
}

std::string promptText(const RunInfo& run) {
    std::string text = formatCount(static_cast<int64_t>(run.promptTokens.size())) + " prompt tokens";
    if (run.batch == 0 && run.reusedPromptTokens > 0)
        text += " (" + formatCount(run.reusedPromptTokens) + " known from before)";
    return text;
}

std::string draftText(const RunInfo& run, const Drafts& drafts) {
    char perStep[32];
    std::snprintf(perStep, sizeof perStep, "%.2f", drafts.tokensPerStep());
    return "speculation " + printable(run.speculation) + ": " + formatCount(drafts.accepted) + " of " +
           formatCount(drafts.drafted) + " drafted tokens accepted (" + formatPercent(drafts.acceptance()) + "), " +
           formatCount(drafts.steps) + " steps of " + perStep + " tokens\n";
}

std::string batchText(const RunInfo& run, const Phases& phases) {
    std::string text = "batch of up to " + formatCount(run.batch) + ": " + formatCount(run.sequences) + " prompts, ";
    char perStep[32];
    std::snprintf(perStep, sizeof perStep, "%.2f", phases.drafts.tokensPerStep());
    text += formatCount(phases.drafts.steps) + " steps of " + perStep + " tokens, " +
            formatBytes(phases.weightBytesPerToken(run.weightBytes)) + " of weights a token, " +
            formatCount(run.kvPages) + " KV pages, " + formatCount(run.reusedPromptTokens) + " prompt tokens shared\n";
    if (phases.sequences.empty()) return text;
    const auto [soonest, latest] = std::ranges::minmax(phases.sequences, {}, &SequenceTimes::timeToFirstTokenNs);
    return text + "time to first token by sequence: " + formatDuration(soonest.timeToFirstTokenNs) + " to " +
           formatDuration(latest.timeToFirstTokenNs) + "\n";
}

}  // namespace

void writeGapCauses(JsonWriter& json, const GapCauses& causes) {
    json.beginObject();
    for (int i = 0; i < kGapCauseCount; ++i)
        json.field(kGapCauseNames[static_cast<size_t>(i)], causes.ns[static_cast<size_t>(i)]);
    json.endObject();
}

void writeDistribution(JsonWriter& json, const Distribution& times) {
    json.field("count", times.count).field("totalNs", times.totalNs).field("avgNs", times.avgNs);
    json.field("medNs", times.medNs).field("minNs", times.minNs).field("maxNs", times.maxNs);
    json.field("stdNs", times.stdNs);
}

void writeSummaryFields(JsonWriter& json, const Trace& trace, const Summary& summary) {
    json.field("windowNs", summary.window.durationNs()).field("windowStartNs", summary.window.startNs);
    json.field("selfGpuNs", summary.selfGpuNs).field("selfCpuNs", summary.host.selfCpuNs);
    json.field("gpuBusyNs", summary.gpuBusyNs).field("gpuIdleNs", summary.gpuIdleNs);
    json.field("cpuLaunchingNs", summary.host.cpuLaunchingNs).field("hostWaitNs", summary.host.hostWaitNs);
    json.field("hostNs", summary.host.hostNs).field("kernelCount", summary.kernelCount);
    json.field("copyCount", summary.copyCount).field("graphLaunchCount", summary.graphLaunchCount);
    json.field("launchCount", summary.host.launchCount).field("gapCount", summary.gapCount);
    json.key("gapCauseNs");
    writeGapCauses(json, summary.gapCauses);
    json.key("categoryNs").beginObject();
    for (size_t i = 0; i < kCategoryNames.size(); ++i)
        json.field(kCategoryNames[i], summary.categories.categories[i].ns);
    json.endObject().key("twoWayNs").beginObject();
    json.field("gemm", summary.categories[TwoWay::Gemm].ns);
    json.field("elementwise", summary.categories[TwoWay::Elementwise].ns);
    json.field("other", summary.categories[TwoWay::Other].ns).endObject();
    json.key("launchLatency").beginObject();
    writeDistribution(json, summary.launchLatency);
    json.endObject().key("queueDelay").beginObject();
    writeDistribution(json, summary.queueDelay);
    json.endObject().key("throughput").beginObject();
    json.field("bytesPerSecond", summary.throughput.all.bytesPerSecond());
    json.field("flopsPerSecond", summary.throughput.all.flopsPerSecond());
    json.field("peakBytesPerSecond", summary.throughput.peakBytesPerSecond);
    json.field("peakFlopsPerSecond", summary.throughput.peakFlopsPerSecond).endObject();
    json.key("devices").beginArray();
    for (const DeviceBusy& device : summary.devices) {
        json.beginObject().field("id", device.deviceId).field("name", deviceName(trace, device.deviceId));
        json.field("gpuBusyNs", device.busyNs).field("gpuIdleNs", device.idleNs).field("selfGpuNs", device.selfNs);
        json.field("kernelCount", device.kernelCount).field("copyCount", device.copyCount + device.setCount);
        json.field("graphLaunchCount", device.graphLaunchCount).endObject();
    }
    json.endArray().key("verdict").beginObject().field("bound", boundName(summary.verdict.bound));
    json.field("sentence", summary.verdict.sentence).key("evidence").beginArray();
    for (const std::string& sentence : summary.verdict.evidence)
        json.value(sentence);
    json.endArray().endObject().key("diagnostics").beginArray();
    for (const Diagnostic& entry : summary.diagnostics) {
        json.beginObject().field("name", entry.name).field("severity", severityName(entry.severity));
        json.field("count", entry.count).field("text", entry.text).endObject();
    }
    json.endArray().field("noteCount", trace.annotations().notes.size());
    if (trace.run()) writeRun(json, *trace.run(), summary.phases);
}

std::string summaryText(const Trace& trace, const Summary& summary) {
    using Align = TextTable::Align;
    std::string text;
    if (const RunInfo* run = trace.run()) {
        text += printable(run->modelName + ", " + run->deviceName + ", " + run->precision + ", " + run->mode) + "\n";
        if (run->textIsNoise) text += "Random weights: the text means nothing.\n";
        if (summary.phases) {
            const Phases& phases = *summary.phases;
            text += promptText(*run) + ", " + formatCount(phases.newTokenCount) + " new: first token after " +
                    formatDuration(phases.timeToFirstTokenNs) + ", decode " + formatDuration(phases.decodeNs) + ", " +
                    formatRate(phases.tokensPerSecond, "tokens/s") + "\n";
            if (run->draftTokens > 0) text += draftText(*run, phases.drafts);
            if (run->batch > 0) text += batchText(*run, phases);
        }
        text += "\n";
    }
    text += printable(summary.verdict.sentence) + "\n";
    for (const std::string& sentence : summary.verdict.evidence)
        text += "  " + printable(sentence) + "\n";

    const int64_t windowNs = summary.window.durationNs();
    const auto share = [](int64_t part, int64_t whole) {
        return whole > 0 ? formatPercent(static_cast<double>(part) / static_cast<double>(whole)) : std::string();
    };
    TextTable times({{"", Align::Left}, {"time"}, {"share"}, {"of", Align::Left}});
    times.add({"window", formatDuration(windowNs)});
    for (const DeviceBusy& device : summary.devices) {
        const std::string name = deviceName(trace, device.deviceId);
        times.add({"busy, " + name, formatDuration(device.busyNs), share(device.busyNs, windowNs), "window"});
        times.add({"idle, " + name, formatDuration(device.idleNs), share(device.idleNs, windowNs), "window"});
    }
    times.add({"CPU launching", formatDuration(summary.host.cpuLaunchingNs),
               share(summary.host.cpuLaunchingNs, windowNs), "window"});
    times.add(
        {"CPU waiting", formatDuration(summary.host.hostWaitNs), share(summary.host.hostWaitNs, windowNs), "window"});
    times.add(
        {"CPU outside the API", formatDuration(summary.host.hostNs), share(summary.host.hostNs, windowNs), "window"});
    times.add({"self GPU", formatDuration(summary.selfGpuNs)});
    times.add({"self CPU", formatDuration(summary.host.selfCpuNs)});
    static constexpr std::array kTwoWay = {std::pair{TwoWay::Gemm, "gemm"},
                                           std::pair{TwoWay::Elementwise, "elementwise"},
                                           std::pair{TwoWay::Other, "other"}};
    for (const auto& [part, name] : kTwoWay) {
        times.add({name, formatDuration(summary.categories[part].ns),
                   share(summary.categories[part].ns, summary.selfGpuNs), "self GPU"});
    }
    text += "\n";
    text += times.text();
    text += "\n";
    text += formatCount(summary.kernelCount) + " kernels, " + formatCount(summary.copyCount) + " copies and sets, " +
            formatCount(summary.host.launchCount) + " launches, " + formatCount(summary.gapCount) + " gaps\n";
    if (const size_t notes = trace.annotations().notes.size(); notes > 0)
        text += formatCount(static_cast<int64_t>(notes)) + (notes == 1 ? " note\n" : " notes\n");

    if (summary.gpuIdleNs > 0) {
        TextTable causes({{"idle by cause", Align::Left}, {"time"}, {"share"}});
        for (size_t i = 0; i < kGapCauseNames.size(); ++i) {
            if (summary.gapCauses.ns[i] == 0) continue;
            causes.add({std::string(kGapCauseNames[i]), formatDuration(summary.gapCauses.ns[i]),
                        share(summary.gapCauses.ns[i], summary.gpuIdleNs)});
        }
        text += "\n";
        text += causes.text();
    }
    for (const Diagnostic& entry : summary.diagnostics) {
        text += "\n";
        text += std::string(severityName(entry.severity)) + ": " + printable(entry.text) + " (" +
                formatCount(entry.count) + ")\n";
    }
    return text;
}

}  // namespace gapscope::cli
