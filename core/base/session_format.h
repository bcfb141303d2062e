// What writer and reader of session files agree on. A session is an SQLite file in the schema of Nsight Systems' export
// plus GAPSCOPE_* tables; docs of the columns are in core/export/README.md.
#pragma once

#include <cstdint>
#include <string_view>

namespace gapscope {

inline constexpr int64_t kSessionFormatVersion = 1;  // raised when an older reader would misread a file
inline constexpr std::string_view kSessionExtension = ".gapscope";
// SQLite's application id, in its header: "GAPS". File managers tell a session by it (packaging/desktop), we by its
// tables, for earlier sessions lack it.
inline constexpr int64_t kSessionApplicationId = 0x47415053;
inline constexpr std::string_view kNsysSchemaVersion = "3.25.0";  // of Nsight Systems 2026.2, whose columns we write

}  // namespace gapscope
