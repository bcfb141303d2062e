#include "core/base/temporary_file.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

namespace gapscope {

Result<TemporaryFile> TemporaryFile::create(std::string_view stem) {
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    if (error) return fail("There is no folder for temporary files: set TMPDIR.");
    std::string pattern = (folder / ("gapscope-" + std::string(stem) + "-XXXXXX")).string();
    const int file = ::mkstemp(pattern.data());
    if (file < 0) return fail("No file can be made in " + folder.string() + ": " + std::strerror(errno) + ".");
    ::close(file);
    return TemporaryFile(pattern);
}

Error TemporaryFile::told(Error error, std::string_view of) const {
    const std::string own = m_path.string();
    for (size_t at = 0; (at = error.message.find(own, at)) != std::string::npos; at += of.size())
        error.message.replace(at, own.size(), of);
    return error;
}

TemporaryFile::~TemporaryFile() {
    std::error_code ignored;
    if (!m_path.empty()) std::filesystem::remove(m_path, ignored);
}

}  // namespace gapscope
