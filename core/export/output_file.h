// A file that appears only once it is whole: written beside its place under another name and then renamed. Bytes are
// buffered here, so that exporters may write piece by piece and hold no more than a buffer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace gapscope {

// Where a file is written until it is whole: beside its place, so that a rename stays within one file system.
std::filesystem::path partPathOf(const std::filesystem::path& path);
// Makes a whole file at partPathOf(path) the one at `path`, replacing what is there, once its bytes are on the disk.
Status publishPart(const std::filesystem::path& path);

class OutputFile {
public:
    enum class Packing { None, Gzip };
    static Result<OutputFile> create(const std::filesystem::path& path, Packing packing = Packing::None);
    ~OutputFile();  // without finish() nothing is left
    OutputFile(OutputFile&&) noexcept;

    void write(std::string_view bytes);  // an error, if any, is told by the next two and stops all later writing
    Status status() const;               // worth asking during long work
    Result<int64_t> finish();            // bytes in the file

private:
    struct Impl;
    explicit OutputFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

}  // namespace gapscope
