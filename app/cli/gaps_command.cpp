#include <algorithm>
#include <memory>

#include "app/cli/csv_columns.h"
#include "app/cli/gaps_csv.h"
#include "app/cli/summary_output.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/culprits.h"
#include "core/analysis/gaps.h"
#include "core/analysis/stream_idle.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

using Align = TextTable::Align;

struct GapsOptions {
    size_t top = 30;
    bool hta = false;
    bool culprits = false;
    int64_t thresholdNs = kHtaKernelWaitNs;
};

std::string_view nextName(const Trace& trace, const Gap& gap) {
    return gap.nextOp == kNoRow ? std::string_view() : trace.string(trace.deviceOps().name[gap.nextOp]);
}

std::string shareOf(int64_t part, int64_t whole) {
    return whole > 0 ? formatPercent(static_cast<double>(part) / static_cast<double>(whole)) : std::string();
}

void printMore(size_t count, size_t shown, const char* what) {
    if (count > shown) print("and " + formatCount(static_cast<int64_t>(count - shown)) + " " + what + "\n");
}

void printGaps(const Trace& trace, const std::vector<Gap>& gaps, size_t top) {
    TextTable table({{"device"},
                     {"start"},
                     {"idle"},
                     {"host"},
                     {"launch call"},
                     {"device latency"},
                     {"unknown"},
                     {"host did", Align::Left},
                     {"ended by", Align::Left}});
    for (size_t i = 0; i < std::min(top, gaps.size()); ++i) {
        const Gap& gap = gaps[i];
        table.add({std::to_string(gap.deviceId), formatCount(gap.range.startNs), formatDuration(gap.range.durationNs()),
                   formatDuration(gap.causes.hostNs()), formatDuration(gap.causes[GapCause::LaunchCall]),
                   formatDuration(gap.causes[GapCause::DeviceLatency]), formatDuration(gap.causes[GapCause::Unknown]),
                   shortened(hostText(trace, gap), 40), shortened(nextName(trace, gap), 60)});
    }
    print(table.text());
    printMore(gaps.size(), top, "shorter ones");
}

void printCulprits(const std::vector<Culprit>& rows, int64_t idleNs, size_t top) {
    TextTable table({{"idle"}, {"share"}, {"gaps"}, {"longest"}, {"mostly"}, {"who", Align::Left}});
    for (size_t i = 0; i < std::min(top, rows.size()); ++i) {
        const Culprit& row = rows[i];
        const auto most = std::ranges::max_element(row.causes.ns);
        table.add({formatDuration(row.idleNs), shareOf(row.idleNs, idleNs), formatCount(row.gapCount),
                   formatDuration(row.longestNs),
                   std::string(kGapCauseNames[static_cast<size_t>(most - row.causes.ns.begin())]),
                   shortened(culpritTitle(row), 70)});
    }
    print(table.text());
    printMore(rows.size(), top, "smaller ones");
}

std::string streamName(const TrackRow& track) {
    return "device " + std::to_string(track.deviceId) + ", stream " + std::to_string(track.streamId);
}

void printStreamIdle(const Trace& trace, const std::vector<StreamIdle>& streams, int64_t thresholdNs) {
    print("Idle time of each stream in HTA's classes; kernel wait is below " + formatDuration(thresholdNs) + " (" +
          formatCount(thresholdNs) + " ns, --threshold).\n\n");
    TextTable table({{"stream", Align::Left},
                     {"operations"},
                     {"idle"},
                     {"class", Align::Left},
                     {"time"},
                     {"share"},
                     {"intervals"},
                     {"median"},
                     {"longest"}});
    for (const StreamIdle& stream : streams) {
        int64_t idleNs = 0;
        for (const Distribution& times : stream.classes)
            idleNs += times.totalNs;
        for (size_t i = 0; i < stream.classes.size(); ++i) {
            const Distribution& times = stream.classes[i];
            table.add({i == 0 ? streamName(trace.tracks()[stream.track.value]) : "",
                       i == 0 ? formatCount(stream.operationCount) : "", i == 0 ? formatDuration(idleNs) : "",
                       std::string(kStreamIdleClassNames[i]), formatDuration(times.totalNs),
                       shareOf(times.totalNs, idleNs), formatCount(times.count),
                       formatDuration(static_cast<int64_t>(times.medNs)), formatDuration(times.maxNs)});
        }
    }
    print(table.text());
}

void writeCulprits(JsonWriter& json, const std::vector<Gap>& gaps, const std::vector<Culprit>& rows) {
    json.key("culprits").beginArray();
    for (const Culprit& row : rows) {
        json.beginObject().field("name", row.name).field("call", row.call);
        json.field("kind", kCulpritKindNames[static_cast<size_t>(row.kind)]).field("idleNs", row.idleNs);
        json.field("gapCount", row.gapCount).field("longestNs", row.longestNs);
        json.field("longestStartNs", gaps[row.longestGap].range.startNs).key("causeNs");
        writeGapCauses(json, row.causes);
        json.endObject();
    }
    json.endArray();
}

void writeStreamIdle(JsonWriter& json, const Trace& trace, const std::vector<StreamIdle>& streams,
                     int64_t thresholdNs) {
    json.key("hta").beginObject().field("thresholdNs", thresholdNs).key("streams").beginArray();
    for (const StreamIdle& stream : streams) {
        const TrackRow& track = trace.tracks()[stream.track.value];
        json.beginObject().field("device", track.deviceId).field("context", track.contextId);
        json.field("stream", track.streamId).field("processId", processIdOf(track.globalPid));
        json.field("operationCount", stream.operationCount);
        for (size_t i = 0; i < stream.classes.size(); ++i) {
            json.key(kStreamIdleClassNames[i]).beginObject();
            writeDistribution(json, stream.classes[i]);
            json.endObject();
        }
        json.endObject();
    }
    json.endArray().endObject();
}

void printGapsCsv(const Trace& trace, const std::vector<Gap>& gaps) {
    CsvText csv;
    for (const std::string_view column : gapColumns())
        csv.cell(column);
    csv.endRow();
    for (const Gap& gap : gaps) {
        addGapCells(csv, trace, gap, [&](StringId id) { return trace.string(id); });
        csv.endRow();
    }
    printCsv(csv);
}

void printCulpritsCsv(const std::vector<Gap>& gaps, const std::vector<Culprit>& rows) {
    CsvText csv;
    std::vector<std::string> columns = {"kind", "name", "call", "idleNs", "gapCount", "longestNs", "longestStartNs"};
    for (const std::string& column : causeColumns())
        columns.push_back(column);
    addHeader(csv, columns);
    for (const Culprit& row : rows) {
        csv.cell(kCulpritKindNames[static_cast<size_t>(row.kind)]).cell(row.name).cell(row.call).cell(row.idleNs);
        csv.cell(row.gapCount).cell(row.longestNs).cell(gaps[row.longestGap].range.startNs);
        for (const int64_t ns : row.causes.ns)
            csv.cell(ns);
        csv.endRow();
    }
    printCsv(csv);
}

void printStreamIdleCsv(const Trace& trace, const std::vector<StreamIdle>& streams) {
    CsvText csv;
    std::vector<std::string> columns = {"device", "context", "stream", "processId", "operationCount", "class"};
    for (const std::string& column : distributionColumns())
        columns.push_back(column);
    addHeader(csv, columns);
    for (const StreamIdle& stream : streams) {
        const TrackRow& track = trace.tracks()[stream.track.value];
        for (size_t i = 0; i < stream.classes.size(); ++i) {
            csv.cell(track.deviceId).cell(track.contextId).cell(track.streamId).cell(processIdOf(track.globalPid));
            csv.cell(stream.operationCount).cell(kStreamIdleClassNames[i]);
            addCells(csv, stream.classes[i]);
            csv.endRow();
        }
    }
    printCsv(csv);
}

}  // namespace

void addGapsCommand(CLI::App& app, Outcome& outcome) {
    auto options = std::make_shared<GapsOptions>();
    const auto act = [options](const OpenedTrace& opened) -> Status {
        const Trace& trace = *opened.trace;
        const LaunchJoin join = joinLaunches(trace);
        std::vector<StreamIdle> streams;
        if (options->hta) streams = streamIdle(trace, join, opened.window, options->thresholdNs);
        if (options->hta && opened.csv) {
            printStreamIdleCsv(trace, streams);
            return {};
        }
        if (options->hta && !opened.json) {
            printStreamIdle(trace, streams, options->thresholdNs);
            return {};
        }
        GapTable table = findGaps(trace, join, opened.window);
        std::ranges::stable_sort(table.gaps, std::ranges::greater{},
                                 [](const Gap& gap) { return gap.range.durationNs(); });
        const std::vector<Culprit> who = culprits(trace, table.gaps);
        if (opened.csv) {
            if (options->culprits)
                printCulpritsCsv(table.gaps, who);
            else
                printGapsCsv(trace, table.gaps);
            return {};
        }
        if (!opened.json) {
            printCulprits(who, table.causes.totalNs(), options->top);
            if (options->culprits) return {};
            print("\n");
            printGaps(trace, table.gaps, options->top);
            return {};
        }
        JsonWriter json;
        json.beginObject().key("gaps").beginArray();
        for (const Gap& gap : table.gaps) {
            json.beginObject().field("device", gap.deviceId).field("startNs", gap.range.startNs);
            json.field("durationNs", gap.range.durationNs()).key("causeNs");
            writeGapCauses(json, gap.causes);
            json.field("nextName", nextName(trace, gap)).field("hostName", trace.string(gap.hostName));
            json.field("hostCall", trace.string(gap.hostCall)).endObject();
        }
        json.endArray();
        writeCulprits(json, table.gaps, who);
        if (options->hta) writeStreamIdle(json, trace, streams, options->thresholdNs);
        json.endObject();
        printJson(json);
        return {};
    };
    CLI::App* command = addTraceCommand(app, outcome, "gaps",
                                        "Idle stretches of each device with their causes, longest first, and who was "
                                        "to blame for how much in all",
                                        act);
    command->add_option("--top", options->top, "rows of each text table (JSON has all)");
    command->add_flag("--hta", options->hta,
                      "idle time of each stream in HTA's classes: host wait, kernel wait, other");
    command->add_flag("--culprits", options->culprits, "only who left the devices idle, in text and CSV");
    command
        ->add_option("--threshold", options->thresholdNs,
                     "with --hta: below so many ns a wait that is not the host's is kernel wait (HTA's 30 µs)")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber)
        ->needs("--hta");
}

}  // namespace gapscope::cli
