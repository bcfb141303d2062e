// Sessions and Nsight Systems exports within gzip or zstd: SQLite reads whole files, so they are unpacked to a
// temporary one first. Internal to the import room.
#pragma once

#include <filesystem>
#include <stop_token>

#include "core/import/open_trace.h"

namespace gapscope {

// Whether a packed file holds an SQLite file, by the first bytes that come out of it.
bool holdsDatabase(const std::filesystem::path& path);
Result<TracePtr> readPackedDatabase(const std::filesystem::path& path, const ImportProgress& progress,
                                    std::stop_token stop);

}  // namespace gapscope
