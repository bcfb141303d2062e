// Sessions and Nsight Systems exports within gzip or zstd: SQLite needs them whole, so they are unpacked first, large
// ones to a temporary file. Internal to the import room.
#pragma once

#include <stop_token>

#include "core/import/open_trace.h"
#include "core/import/trace_input.h"

namespace gapscope {

Result<TracePtr> readPackedDatabase(const TraceInput& input, const ImportProgress& progress, std::stop_token stop);

}  // namespace gapscope
