// A trace as Chrome-trace JSON in the dialect of PyTorch's profiler (Kineto: schemaVersion 1, times in microseconds
// with three digits from baseTimeNanoseconds): for Perfetto's and Chrome's viewers, HTA and TensorBoard's plugin.
// Formats: "Trace Event Format" (Google, 2016); libkineto/src/output_json.cpp.
#pragma once

#include <filesystem>
#include <stop_token>

#include "core/base/result.h"
#include "core/export/export_report.h"
#include "core/export/export_texts.h"
#include "core/trace/trace.h"

namespace gapscope {

// Replaces `path` once the whole file is written, packed with gzip if its name ends in .gz. Memory: a buffer and the
// joins of launches, 24 bytes a call.
Result<ExportReport> exportChromeJson(const Trace& trace, const std::filesystem::path& path,
                                      Identity identity = Identity::LeftOut, std::stop_token stop = {});

}  // namespace gapscope
