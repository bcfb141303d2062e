// A report for people who have no Gapscope: one HTML file with verdict, figures, pictures and tables of a window, or of
// what changed between two. Nothing in it comes from the net and nothing in it runs.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "core/base/result.h"
#include "core/trace/trace.h"

namespace gapscope {

struct ReportOf {
    std::string name;  // of the file, without folders
    TracePtr trace;
    TimeRange window;
};

// Stopped: incomplete, not to be shown.
std::string htmlReport(const ReportOf& of, std::stop_token stop = {});
std::string htmlCompareReport(const ReportOf& before, const ReportOf& after, std::stop_token stop = {});

// Appears once it is whole, replacing what is there. Cancelled if stopped.
Status writeReport(const std::filesystem::path& path, const ReportOf& of, std::stop_token stop = {});
Status writeCompareReport(const std::filesystem::path& path, const ReportOf& before, const ReportOf& after,
                          std::stop_token stop = {});

}  // namespace gapscope
