#include <algorithm>
#include <memory>

#include "app/cli/summary_output.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/launches.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

void printJsonTable(const Trace& trace, const LaunchTable& table) {
    const ApiCalls& calls = trace.apiCalls();
    JsonWriter json;
    json.beginObject().key("launches").beginArray();
    for (const Launch& launch : table.launches) {
        json.beginObject().field("name", trace.string(calls.name[launch.call]));
        json.field("threadId", threadIdOf(calls.globalTid[launch.call]));
        json.field("startNs", calls.startNs[launch.call]);
        json.field("durationNs", calls.endNs[launch.call] - calls.startNs[launch.call]);
        json.field("latencyNs", launch.latencyNs).key("queueDelayNs");
        if (launch.queueDelayNs) {
            json.value(*launch.queueDelayNs);
        } else {
            json.null();
        }
        json.field("operationCount", launch.opCount);
        json.field("firstName", trace.string(trace.deviceOps().name[launch.firstOp])).endObject();
    }
    json.endArray().key("latency").beginObject();
    writeDistribution(json, table.latency);
    json.endObject().key("queueDelay").beginObject();
    writeDistribution(json, table.queueDelay);
    json.endObject().field("negativeLatencyCount", table.negativeLatencyCount);
    json.field("unlaunchedOperationCount", table.unlaunchedOpCount).endObject();
    printJson(json);
}

}  // namespace

void addLaunchesCommand(CLI::App& app, Outcome& outcome) {
    auto top = std::make_shared<size_t>(30);
    const auto act = [top](const OpenedTrace& opened) -> Status {
        const Trace& trace = *opened.trace;
        const LaunchTable table = launchTable(trace, opened.window);
        if (opened.json) {
            printJsonTable(trace, table);
            return {};
        }
        using Align = TextTable::Align;
        const ApiCalls& calls = trace.apiCalls();
        TextTable sums({{"", Align::Left}, {"count"}, {"avg"}, {"med"}, {"min"}, {"max"}});
        const auto addSum = [&](const char* name, const Distribution& times) {
            sums.add({name, formatCount(times.count), formatDuration(static_cast<int64_t>(times.avgNs)),
                      formatDuration(static_cast<int64_t>(times.medNs)), formatDuration(times.minNs),
                      formatDuration(times.maxNs)});
        };
        addSum("launch latency", table.latency);
        addSum("queue delay", table.queueDelay);
        print(sums.text() + "\n");
        std::vector<Launch> slowest = table.launches;
        std::ranges::stable_sort(slowest, std::ranges::greater{}, &Launch::latencyNs);
        TextTable text({{"start"},
                        {"call"},
                        {"latency"},
                        {"queue delay"},
                        {"operations"},
                        {"name", Align::Left},
                        {"first operation", Align::Left}});
        for (size_t i = 0; i < std::min(slowest.size(), *top); ++i) {
            const Launch& launch = slowest[i];
            text.add({formatCount(calls.startNs[launch.call]),
                      formatDuration(calls.endNs[launch.call] - calls.startNs[launch.call]),
                      formatDuration(launch.latencyNs), launch.queueDelayNs ? formatDuration(*launch.queueDelayNs) : "",
                      formatCount(launch.opCount), shortened(trace.string(calls.name[launch.call]), 30),
                      shortened(trace.string(trace.deviceOps().name[launch.firstOp]), 60)});
        }
        print(text.text());
        return {};
    };
    addTraceCommand(app, outcome, "launches", "API calls and when their operations began, slowest first", act)
        ->add_option("--top", *top, "rows of the text table (JSON has all)");
}

}  // namespace gapscope::cli
