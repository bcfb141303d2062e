#include "core/export/output_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

namespace gapscope {

namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr size_t kMostNameBytes = 255 - 8;  // SQLite puts "-journal" behind the name

tl::unexpected<Error> cannotWrite(const std::filesystem::path& path, int why) {
    return fail(path.string() + " cannot be written: " + std::strerror(why) + ".",
                why == ENOSPC || why == EDQUOT ? ErrorKind::NoSpace : ErrorKind::General);
}

}  // namespace

std::filesystem::path partPathOf(const std::filesystem::path& path) {
    std::string name = path.filename().string();
    std::string suffix = ".part" + std::to_string(getpid());
    if (name.size() + suffix.size() > kMostNameBytes) {
        // Names that are cut are told apart by what they were.
        suffix = "." + std::to_string(std::hash<std::string>()(name)) + suffix;
        size_t size = kMostNameBytes - suffix.size();
        while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80)  // inside a character
            --size;
        name.resize(size);
    }
    return path.parent_path() / (name + suffix);
}

Status publishPart(const std::filesystem::path& path) {
    const std::filesystem::path part = partPathOf(path);
    const int file = ::open(part.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = file >= 0 && ::fsync(file) == 0;
    const int why = errno;
    if (file >= 0) ::close(file);
    if (!synced) return cannotWrite(path, why);
    if (::rename(part.c_str(), path.c_str()) != 0) return cannotWrite(path, errno);
    return {};
}

struct OutputFile::Impl {
    Impl(std::filesystem::path name, int opened) : path(std::move(name)), file(opened) { buffer.reserve(kBufferBytes); }
    ~Impl() {
        if (packer) deflateEnd(packer.get());
        if (file >= 0) ::close(file);
        std::error_code ignored;
        if (!published) std::filesystem::remove(partPathOf(path), ignored);
    }

    void writeOut(const char* bytes, size_t count) {
        while (count > 0 && error == 0) {
            const ssize_t done = ::write(file, bytes, count);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0) {
                error = errno;
                return;
            }
            written += done;
            bytes += done;
            count -= static_cast<size_t>(done);
        }
    }

    void flush(int mode) {
        if (!packer) {
            writeOut(buffer.data(), buffer.size());
        } else {
            packer->next_in = reinterpret_cast<Bytef*>(buffer.data());
            packer->avail_in = static_cast<uInt>(buffer.size());
            do {
                packer->next_out = reinterpret_cast<Bytef*>(packed.data());
                packer->avail_out = static_cast<uInt>(packed.size());
                deflate(packer.get(), mode);
                writeOut(packed.data(), packed.size() - packer->avail_out);
            } while (packer->avail_out == 0 && error == 0);
        }
        buffer.clear();
    }

    std::filesystem::path path;
    int file;
    std::string buffer;
    std::unique_ptr<z_stream> packer;
    std::vector<char> packed;
    int64_t written = 0;
    int error = 0;
    bool published = false;
};

OutputFile::OutputFile(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile::~OutputFile() = default;

Result<OutputFile> OutputFile::create(const std::filesystem::path& path, Packing packing) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return fail(path.string() + " is a folder; name a file in it.");
    const std::filesystem::path part = partPathOf(path);
    std::filesystem::remove(part, ignored);
    const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return cannotWrite(path, errno);
    auto impl = std::make_unique<Impl>(path, file);
    if (packing == Packing::Gzip) {
        constexpr int kGzipWindow = 15 + 16;
        constexpr int kFastLevel = 3;  // twice as fast as the default for a tenth more bytes on traces
        auto packer = std::make_unique<z_stream>();
        if (deflateInit2(packer.get(), kFastLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            return fail(path.string() + " cannot be written: gzip could not begin.");
        impl->packer = std::move(packer);
        impl->packed.resize(kBufferBytes);
    }
    return OutputFile(std::move(impl));
}

void OutputFile::write(std::string_view bytes) {
    if (m_impl->error != 0) return;
    m_impl->buffer.append(bytes);
    if (m_impl->buffer.size() >= kBufferBytes) m_impl->flush(Z_NO_FLUSH);
}

Status OutputFile::status() const {
    if (m_impl->error != 0) return cannotWrite(m_impl->path, m_impl->error);
    return {};
}

Result<int64_t> OutputFile::finish() {
    m_impl->flush(Z_FINISH);
    if (::close(std::exchange(m_impl->file, -1)) != 0 && m_impl->error == 0) m_impl->error = errno;
    RETURN_IF_ERROR(status());
    RETURN_IF_ERROR(publishPart(m_impl->path));
    m_impl->published = true;
    return m_impl->written;
}

}  // namespace gapscope
