// Perfetto traces (.pftrace, .perfetto-trace: protocol buffers, also within gzip or zstd) to a Trace: slices of track
// events, GPU render stages, counters; our own exports come back whole.
// Format: Perfetto's public protos/perfetto/trace/*.proto. What a file can cost: limits.h.
#pragma once

#include <filesystem>
#include <stop_token>

#include "core/base/result.h"
#include "core/import/byte_source.h"
#include "core/import/open_trace.h"

namespace gapscope {

Result<TracePtr> readPerfettoTrace(const std::filesystem::path& path, const ImportProgress& progress = {},
                                   std::stop_token stop = {});
Result<TracePtr> readPerfettoTrace(ByteSource& source, const ImportProgress& progress = {}, std::stop_token stop = {},
                                   const PerfettoLimits& limits = {});

}  // namespace gapscope
