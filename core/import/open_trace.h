// Opens any file this program can read; which reader is told by the file's first bytes, not its name.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/trace/trace.h"

namespace gapscope {

using ImportProgress = std::function<void(double share)>;  // 0..1, called on the calling thread

// Blocks; run it off the UI thread. The error says what the file is, if not one of ours, and what to do.
// A stop request ends it soon with ErrorKind::Cancelled.
Result<TracePtr> openTrace(const std::filesystem::path& path, const ImportProgress& progress = {},
                           std::stop_token stop = {});
// The same for a trace in memory; `name` is what errors call it.
Result<TracePtr> openTraceBytes(std::string_view bytes, const std::string& name, const ImportProgress& progress = {},
                                std::stop_token stop = {});
// The same for what comes out of a stream, read to its end: a pipe, the standard input.
Result<TracePtr> openTraceStream(std::istream& in, const std::string& name, const ImportProgress& progress = {},
                                 std::stop_token stop = {});

}  // namespace gapscope
