// The bytes of a file or of memory, unpacked where they are gzip or zstd. Internal to the import room; one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/import/limits.h"
#include "core/import/unpackers.h"

namespace gapscope {

bool isGzip(std::string_view head);
bool isZstd(std::string_view head);

class ByteSource {
public:
    static Result<ByteSource> open(const std::filesystem::path& path);
    static ByteSource over(std::string_view bytes, std::string name);  // `bytes` must outlive it

    // Fills `to`; fewer bytes come only at the end of the data. Fails if the file cannot be read or grows too much.
    Result<size_t> read(std::span<char> to);

    const std::string& name() const { return m_name; }
    const char* packing() const { return m_unpacker ? m_unpacker->format() : nullptr; }  // "gzip", "zstd" or null
    int64_t totalBytes() const { return m_totalBytes; }                                  // as stored
    int64_t takenBytes() const { return m_takenBytes; }                                  // of those, so far
    // Once the end is reached: why the packed data ended before it should. Empty: it did not.
    const std::string& damage() const { return m_damage; }

private:
    ByteSource() = default;
    Result<size_t> readStored(std::span<char> to);
    Result<size_t> readPacked(std::span<char> to);
    Status unpackMore();

    std::string m_name;
    std::optional<std::ifstream> m_file;
    std::string_view m_memory;
    std::unique_ptr<Unpacker> m_unpacker;
    std::vector<char> m_packed;          // what was read of the packed data
    std::span<const char> m_packedRest;  // and not unpacked yet
    std::vector<char> m_unpacked;
    std::span<const char> m_unpackedRest;  // and not given yet
    bool m_ended = false;
    int64_t m_totalBytes = 0;
    int64_t m_takenBytes = 0;
    int64_t m_givenBytes = 0;
    std::string m_damage;
};

}  // namespace gapscope
