// A comparison as text, JSON and CSV.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/analysis/compare.h"
#include "core/base/json_writer.h"
#include "core/export/csv_text.h"

namespace gapscope::cli {

struct ComparedFile {
    std::string path;
    TracePtr trace;
    TimeRange window;
};

// What --fail-above found about one figure.
struct Regression {
    std::string figure;
    double percent = 0;  // worse; negative: better
    double limitPercent = 0;
    bool exceeded() const { return percent > limitPercent; }
};

struct CompareText {
    size_t top = 30;
    bool all = false;  // figures that did not change, too
};

std::string compareText(const ComparedFile& before, const ComparedFile& after, const Comparison& comparison,
                        const CompareText& how);
// One whole object.
void writeCompareJson(JsonWriter& json, const ComparedFile& before, const ComparedFile& after,
                      const Comparison& comparison, const std::vector<Regression>& regressions);
// A row a figure of whatever was aligned.
CsvText compareCsv(const Comparison& comparison);

}  // namespace gapscope::cli
