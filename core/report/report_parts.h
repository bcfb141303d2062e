// What both reports are made of.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "core/analysis/figures.h"
#include "core/report/html_report.h"

namespace gapscope {

std::string runLine(const ReportOf& of);  // file, window, model, device, mode
std::string diagnosticsSection(const std::vector<Diagnostic>& entries, std::string_view of);
// Empty where the trace has no notes. Of the whole trace, whatever the window: their times say where.
std::string notesSection(const PreparedTrace& prepared, std::string_view title, std::stop_token stop);
std::string leftOut(size_t count, size_t most, std::string_view what);  // the sentence; empty: nothing was left out
std::string duration(double ns);
std::string percentOf(int64_t part, int64_t whole);  // empty of nothing
std::string categoryCell(Category category);

}  // namespace gapscope
