// Gaps as rows of CSV: for `gaps --csv` and for `convert --table gaps`.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/export/csv_text.h"

namespace gapscope::cli {

const std::vector<std::string_view>& gapColumns();
// `nameOf` gives the text of a string of the trace.
void addGapCells(CsvText& csv, const Trace& trace, const Gap& gap,
                 const std::function<std::string_view(StringId)>& nameOf);

}  // namespace gapscope::cli
