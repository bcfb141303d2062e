// What writer and reader of session files agree on. A session is an SQLite file in the schema of Nsight Systems' export
// plus GAPSCOPE_* tables; docs of the columns are in core/export/README.md.
#pragma once

#include <cstdint>
#include <string_view>

namespace gapscope {

inline constexpr int64_t kSessionFormatVersion = 1;  // raised when an older reader would misread a file
inline constexpr std::string_view kSessionExtension = ".gapscope";
inline constexpr std::string_view kNsysSchemaVersion = "3.25.0";  // of Nsight Systems 2026.2, whose columns we write

}  // namespace gapscope
