#include "core/export/export_report.h"

#include <array>

#include "core/trace/annotations.h"

namespace gapscope {

void ExportReport::wroteRows(const Trace& trace) {
    static constexpr std::array kNames = {"kernels", "copies", "sets", "graphLaunches"};
    std::array<int64_t, kNames.size()> kinds{};
    int64_t withoutStream = 0;
    for (size_t row = 0; row < trace.deviceOps().kind.size(); ++row) {
        ++kinds[static_cast<size_t>(trace.deviceOps().kind[row])];
        withoutStream += trace.deviceOps().track[row].valid() ? 0 : 1;
    }
    for (size_t kind = 0; kind < kNames.size(); ++kind)
        wrote(kNames[kind], kinds[kind]);
    wrote("stages", static_cast<int64_t>(trace.stages().startNs.size()));
    wrote("apiCalls", static_cast<int64_t>(trace.apiCalls().startNs.size()));
    wrote("ranges", static_cast<int64_t>(trace.ranges().startNs.size()));
    wrote("overheads", static_cast<int64_t>(trace.overheads().startNs.size()));
    wrote("tokens", static_cast<int64_t>(trace.tokens().emittedNs.size()));
    wrote("counterSamples", static_cast<int64_t>(trace.counterSamples().timeNs.size()));
    wrote("notes", static_cast<int64_t>(trace.annotations().notes.size()));
    lacks("operationsWithoutStream", withoutStream,
          "Operations of no known stream are written on stream 0 of device 0.");
}

void ExportReport::lacksArrangement(const Trace& trace) {
    lacks("arrangedRows", static_cast<int64_t>(choicesOf(trace.annotations().rows).size()),
          "How the rows of the timeline are arranged is kept by a session only.");
}

}  // namespace gapscope
