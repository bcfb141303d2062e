// What both reports are made of.
#pragma once

#include <string>

#include "core/analysis/figures.h"
#include "core/report/html_report.h"

namespace gapscope {

std::string runLine(const ReportOf& of);  // file, window, model, device, mode
std::string diagnosticsSection(const std::vector<Diagnostic>& entries, std::string_view of);
std::string duration(double ns);
std::string percentOf(int64_t part, int64_t whole);  // empty of nothing
std::string categoryCell(Category category);

}  // namespace gapscope
