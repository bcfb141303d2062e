// Nsight Systems' SQLite export and our own sessions (the same schema and GAPSCOPE_* tables) to a Trace.
#pragma once

#include <filesystem>
#include <stop_token>

#include "core/import/open_trace.h"

namespace gapscope {

Result<TracePtr> readNsysSqlite(const std::filesystem::path& path, const ImportProgress& progress = {},
                                std::stop_token stop = {});

}  // namespace gapscope
