// Where a trace lies: in a file or in memory. Internal to the import room.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/import/byte_source.h"

namespace gapscope {

struct TraceInput {
    std::filesystem::path path;  // empty: in memory
    std::string_view bytes;      // then these; they outlive the input
    std::string name;            // what errors call it

    bool isFile() const { return !path.empty(); }
    Result<ByteSource> source() const { return isFile() ? ByteSource::open(path) : ByteSource::over(bytes, name); }
};

}  // namespace gapscope
