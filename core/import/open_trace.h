// Opens any file this program can read; which reader is told by the file's first bytes, not its name.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "core/base/result.h"
#include "core/trace/trace.h"

namespace gapscope {

using ImportProgress = std::function<void(double share)>;  // 0..1, called on the calling thread

// Blocks; run it off the UI thread. The error says what the file is, if not one of ours, and what to do.
// A stop request ends it soon with ErrorKind::Cancelled.
Result<TracePtr> openTrace(const std::filesystem::path& path, const ImportProgress& progress = {},
                           std::stop_token stop = {});

}  // namespace gapscope
