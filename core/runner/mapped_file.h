// A file mapped read-only into memory: weights are read where they lie, and the system may drop their pages again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.h"

namespace gapscope {

class MappedFile {
public:
    // Ordinary files only: a folder, pipe or device is an error, and so is an empty file.
    static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const std::byte> bytes() const { return m_bytes; }
    bool contains(const std::byte* data) const;

    // Lets the system take back the pages of this part. They are read from the file again when touched.
    void releasePages(std::span<const std::byte> part) const;

private:
    explicit MappedFile(std::span<const std::byte> bytes) : m_bytes(bytes) {}

    std::span<const std::byte> m_bytes;
};

// The text of a small file (JSON, a template), at most `largest` bytes.
Result<std::string> readSmallFile(const std::filesystem::path& path, size_t largest = 16 << 20);

}  // namespace gapscope
