// Nsight Systems' SQLite export and our own sessions (the same schema and GAPSCOPE_* tables) to a Trace.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/import/open_trace.h"

namespace gapscope {

inline constexpr std::string_view kSqliteMagic("SQLite format 3\0", 16);  // how the files begin

Result<TracePtr> readNsysSqlite(const std::filesystem::path& path, const ImportProgress& progress = {},
                                std::stop_token stop = {});
// The whole file in memory; `name` is what errors call it.
Result<TracePtr> readNsysSqlite(std::string bytes, const std::string& name, const ImportProgress& progress = {},
                                std::stop_token stop = {});

}  // namespace gapscope
