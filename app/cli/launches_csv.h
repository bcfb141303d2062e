// Launches as CSV: each of them, each kernel with its call, or sums by name.
#pragma once

#include <span>

#include "core/analysis/kernel_executions.h"
#include "core/analysis/launches.h"
#include "core/export/csv_text.h"

namespace gapscope::cli {

CsvText launchesCsv(const Trace& trace, std::span<const Launch> launches);
CsvText executionsCsv(const Trace& trace, std::span<const KernelExecution> executions);  // --trace
CsvText executionSumsCsv(const Trace& trace, std::span<const KernelExecutionRow> rows);  // --by name

}  // namespace gapscope::cli
