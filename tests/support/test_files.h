// Files that tests need and the repository does not hold: goldens and the real model. Where they are missing a test
// skips and says why; with GAPSCOPE_REQUIRE_GOLDENS=1 (set in CI) it fails instead, so that no golden is skipped there.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace gapscope::test {

// A file below $GAPSCOPE_SHARED, else below "../shared" beside the repository: sharedFile("goldens/tokenizer.json").
// Empty if it is not there.
std::filesystem::path sharedFile(const std::string& name);

// The real Gemma 3 270M: $GAPSCOPE_TEST_MODEL, else in the cache folder that the program uses. Empty if not there.
std::filesystem::path realModelPath();

// "resources/tiny-random-gemma3.gguf". Below $GAPSCOPE_REPOSITORY where the tests run elsewhere than they were built.
std::filesystem::path repositoryFile(const std::string& name);

bool goldensRequired();

std::string readText(const std::filesystem::path& path);
void writeBytes(const std::filesystem::path& path, const std::string& bytes);

// An empty folder, removed with all in it when this goes away.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return m_path; }

private:
    std::filesystem::path m_path;
};

// Sets an environment variable for as long as this lives.
class ScopedEnvironment {
public:
    ScopedEnvironment(const std::string& name, const std::string& value);
    ~ScopedEnvironment();
    ScopedEnvironment(const ScopedEnvironment&) = delete;
    ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

private:
    std::string m_name;
    std::string m_before;
    bool m_wasSet = false;
};

}  // namespace gapscope::test

// First line of a test that needs `path`: GAPSCOPE_NEEDS_FILE(path, "goldens/tokenizer.json");
#define GAPSCOPE_NEEDS_FILE(path, what)                                                                          \
    do {                                                                                                         \
        if ((path).empty()) {                                                                                    \
            if (::gapscope::test::goldensRequired()) FAIL() << (what) << " is missing and required here";        \
            GTEST_SKIP() << (what) << " is missing (see tests/support/test_files.h for where it is looked for)"; \
        }                                                                                                        \
    } while (false)
