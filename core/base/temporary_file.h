// A file in the system's folder for temporary ones that is removed with this object. Only its owner can read it.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace gapscope {

class TemporaryFile {
public:
    // Empty, with a name of its own: "gapscope-STEM-..."
    static Result<TemporaryFile> create(std::string_view stem);

    TemporaryFile(TemporaryFile&& other) noexcept : m_path(std::exchange(other.m_path, {})) {}
    TemporaryFile& operator=(TemporaryFile&& other) noexcept {
        std::swap(m_path, other.m_path);
        return *this;
    }
    ~TemporaryFile();

    const std::filesystem::path& path() const { return m_path; }
    // An error about this file, told of what the file stands for.
    Error told(Error error, std::string_view of) const;

private:
    explicit TemporaryFile(std::filesystem::path path) : m_path(std::move(path)) {}
    std::filesystem::path m_path;
};

}  // namespace gapscope
