// The GAPSCOPE_* tables of our own sessions: with them a reload gives back every row in its place. Internal to import.
#pragma once

#include "core/import/nsys_rows.h"

namespace gapscope {

// Whether the file is a session of ours; an error if a newer program wrote it.
Result<bool> isOwnSession(Database& database, const std::string& path);

Status readOwnSession(Database& database, ImportBudget& budget, TraceBuilder& builder);

}  // namespace gapscope
