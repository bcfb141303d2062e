// Sessions whose run never ended properly: finding and closing them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace gapscope {

struct UnfinishedSession {
    std::filesystem::path path;
    std::string modelName;
    int64_t startedUtcNs = 0;  // 0: unknown
    int64_t eventCount = 0;    // rows that can be had back
    int64_t tokenCount = 0;
};

// Sessions in `folder` (not below it) marked incomplete that no running program still writes; newest first.
// Unreadable files are passed over.
std::vector<UnfinishedSession> findUnfinished(const std::filesystem::path& folder);

// Marks the session complete with stop reason "interrupted" and folds its -wal file in. Then openTrace() reads it.
Status recoverSession(const std::filesystem::path& path);

}  // namespace gapscope
