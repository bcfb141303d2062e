// Bytes of unknown number that are needed as a whole: in memory while they are few, in a temporary file beyond that.
#pragma once

#include <cstddef>
#include <fstream>
#include <optional>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/base/temporary_file.h"

namespace gapscope {

inline constexpr size_t kMostSpooledInMemory = size_t{64} << 20;

class Spool {
public:
    explicit Spool(std::string stem, size_t mostInMemory = kMostSpooledInMemory)
        : m_stem(std::move(stem)), m_mostInMemory(mostInMemory) {}

    Status append(std::span<const char> bytes);
    Status finish();  // after the last append

    const TemporaryFile* file() const { return m_file ? &*m_file : nullptr; }  // null: all is in bytes()
    std::string& bytes() { return m_bytes; }

private:
    Status noRoom() const;

    std::string m_stem;
    size_t m_mostInMemory;
    std::string m_bytes;
    std::optional<TemporaryFile> m_file;
    std::ofstream m_out;
};

}  // namespace gapscope
