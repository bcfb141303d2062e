// Where tests find what the repository does not hold.
#include "tests/support/test_files.h"

#include <stdlib.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace gapscope::test {

namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value ? value : "";
}

fs::path ifThere(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error) ? path : fs::path();
}

}  // namespace

fs::path sharedFile(const std::string& name) {
    const std::string folder = environment("GAPSCOPE_SHARED");
    return ifThere((folder.empty() ? repositoryFile("../shared") : fs::path(folder)) / name);
}

fs::path realModelPath() {
    if (const std::string path = environment("GAPSCOPE_TEST_MODEL"); !path.empty()) return ifThere(path);
    const std::string cache = environment("XDG_CACHE_HOME");
    const fs::path folder = cache.empty() ? fs::path(environment("HOME")) / ".cache" : fs::path(cache);
    return ifThere(folder / "gapscope" / "models" / "gemma-3-270m-q4_k_m.gguf");
}

fs::path repositoryFile(const std::string& name) {
    const std::string folder = environment("GAPSCOPE_REPOSITORY");
    return (folder.empty() ? fs::path(GAPSCOPE_SOURCE_DIR) : fs::path(folder)) / name;
}

bool goldensRequired() {
    return environment("GAPSCOPE_REQUIRE_GOLDENS") == "1";
}

std::string readText(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void writeBytes(const fs::path& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "gapscope-test-XXXXXX").string();
    if (const char* const made = ::mkdtemp(pattern.data())) m_path = made;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code error;
    if (!m_path.empty()) fs::remove_all(m_path, error);
}

ScopedEnvironment::ScopedEnvironment(const std::string& name, const std::string& value) : m_name(name) {
    if (const char* const before = std::getenv(name.c_str())) {
        m_before = before;
        m_wasSet = true;
    }
    ::setenv(name.c_str(), value.c_str(), 1);
}

ScopedEnvironment::~ScopedEnvironment() {
    if (m_wasSet)
        ::setenv(m_name.c_str(), m_before.c_str(), 1);
    else
        ::unsetenv(m_name.c_str());
}

}  // namespace gapscope::test
