// Files kept beside the repository, not in it. Tests that need one skip with a reason where it is missing, and fail
// where GAPSCOPE_REQUIRE_GOLDENS=1 says that it must be there.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace gapscope {

inline std::filesystem::path sharedFile(const std::string& name) {
    if (const char* folder = std::getenv("GAPSCOPE_SHARED")) return std::filesystem::path(folder) / name;
    return std::filesystem::path(GAPSCOPE_SOURCE_FOLDER) / ".." / "shared" / name;
}

inline bool goldensRequired() {
    const char* required = std::getenv("GAPSCOPE_REQUIRE_GOLDENS");
    return required && std::string(required) == "1";
}

}  // namespace gapscope

#define GAPSCOPE_SHARED_OR_SKIP(path, name)                                                    \
    const std::filesystem::path path = ::gapscope::sharedFile(name);                           \
    if (!std::filesystem::exists(path)) {                                                      \
        if (::gapscope::goldensRequired()) FAIL() << path << " is missing but required";       \
        GTEST_SKIP() << path << " is missing: the shared folder is not beside the repository"; \
    }
