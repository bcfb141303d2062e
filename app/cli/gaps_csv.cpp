#include "app/cli/gaps_csv.h"

#include "app/cli/csv_columns.h"

namespace gapscope::cli {

const std::vector<std::string_view>& gapColumns() {
    static const std::vector<std::string> kNames = [] {
        std::vector<std::string> names = {"device", "startNs", "endNs", "durationNs"};
        for (const std::string& cause : causeColumns())
            names.push_back(cause);
        names.insert(names.end(), {"nextName", "hostName", "hostCall"});
        return names;
    }();
    static const std::vector<std::string_view> kColumns(kNames.begin(), kNames.end());
    return kColumns;
}

void addGapCells(CsvText& csv, const Trace& trace, const Gap& gap,
                 const std::function<std::string_view(StringId)>& nameOf) {
    csv.cell(gap.deviceId).cell(gap.range.startNs).cell(gap.range.endNs).cell(gap.range.durationNs());
    for (const int64_t ns : gap.causes.ns)
        csv.cell(ns);
    csv.cell(gap.nextOp == kNoRow ? std::string_view() : nameOf(trace.deviceOps().name[gap.nextOp]));
    csv.cell(nameOf(gap.hostName)).cell(nameOf(gap.hostCall));
}

}  // namespace gapscope::cli
