#include <algorithm>
#include <array>
#include <memory>

#include "app/cli/summary_output.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/gaps.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

std::string_view nextName(const Trace& trace, const Gap& gap) {
    return gap.nextOp == kNoRow ? std::string_view() : trace.string(trace.deviceOps().name[gap.nextOp]);
}

void printTable(const Trace& trace, const std::vector<Gap>& gaps, size_t limit) {
    using Align = TextTable::Align;
    TextTable table({{"device"},
                     {"start"},
                     {"idle"},
                     {"host"},
                     {"launch call"},
                     {"device latency"},
                     {"unknown"},
                     {"host did", Align::Left},
                     {"ended by", Align::Left}});
    for (const Gap& gap : gaps) {
        if (limit-- == 0) break;
        table.add({std::to_string(gap.deviceId), formatCount(gap.range.startNs), formatDuration(gap.range.durationNs()),
                   formatDuration(gap.causes.hostNs()), formatDuration(gap.causes[GapCause::LaunchCall]),
                   formatDuration(gap.causes[GapCause::DeviceLatency]), formatDuration(gap.causes[GapCause::Unknown]),
                   shortened(trace.string(gap.hostName), 40), shortened(nextName(trace, gap), 60)});
    }
    print(table.text());
}

}  // namespace

void addGapsCommand(CLI::App& app, Outcome& outcome) {
    auto top = std::make_shared<size_t>(30);
    const auto act = [top](const OpenedTrace& opened) -> Status {
        const Trace& trace = *opened.trace;
        GapTable table = findGaps(trace, opened.window);
        std::ranges::stable_sort(table.gaps, std::ranges::greater{},
                                 [](const Gap& gap) { return gap.range.durationNs(); });
        if (!opened.json) {
            printTable(trace, table.gaps, *top);
            if (table.gaps.size() > *top)
                print("and " + formatCount(static_cast<int64_t>(table.gaps.size() - *top)) + " shorter ones\n");
            return {};
        }
        JsonWriter json;
        json.beginObject().key("gaps").beginArray();
        for (const Gap& gap : table.gaps) {
            json.beginObject().field("device", gap.deviceId).field("startNs", gap.range.startNs);
            json.field("durationNs", gap.range.durationNs()).key("causeNs");
            writeGapCauses(json, gap.causes);
            json.field("nextName", nextName(trace, gap)).field("hostName", trace.string(gap.hostName)).endObject();
        }
        json.endArray().endObject();
        printJson(json);
        return {};
    };
    addTraceCommand(app, outcome, "gaps", "Idle stretches of each device, longest first, with their causes", act)
        ->add_option("--top", *top, "rows of the text table (JSON has all)");
}

}  // namespace gapscope::cli
