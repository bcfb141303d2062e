// Chrome traces (JSON, also in gzip or zstd) to a Trace: what PyTorch's profiler writes, in all its dialects since
// 2021, and what other programs write, as ranges on threads.
//
// Times are taken from decimal text to whole nanoseconds. Memory: about 150 bytes an event that is kept, the names, and
// a few pieces of text; bounded by the limits of byte_source.h, event_chunks.h, json_cursor.h and chrome_rows.h.
#pragma once

#include <filesystem>
#include <stop_token>

#include "core/import/event_chunks.h"

namespace gapscope {

Result<TracePtr> readChromeTrace(const std::filesystem::path& path, const ImportProgress& progress = {},
                                 std::stop_token stop = {});
Result<TracePtr> readChromeTrace(ByteSource& source, const ChunkOptions& options = {},
                                 const ImportProgress& progress = {}, std::stop_token stop = {});

}  // namespace gapscope
