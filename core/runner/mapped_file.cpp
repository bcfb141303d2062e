// Mapping of weight files. MAP_PRIVATE and read-only: what another program writes later cannot be told apart anyway,
// and a shared mapping would gain nothing.
#include "core/runner/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>

namespace gapscope {

namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : m_fd(fd) {}
    ~Descriptor() {
        if (m_fd >= 0) ::close(m_fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return m_fd; }

private:
    int m_fd;
};

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path) {
    // O_NONBLOCK: opening a pipe that nobody writes to must not wait for ever.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) {
        const int error = errno;
        return fail("Cannot open " + path.string() + ": " + std::strerror(error) + ".",
                    error == ENOENT || error == ENOTDIR ? ErrorKind::NotFound : ErrorKind::General);
    }
    struct stat info {};
    if (::fstat(file.get(), &info) != 0)
        return fail("Cannot read the size of " + path.string() + ": " + std::strerror(errno) + ".");
    if (S_ISDIR(info.st_mode)) return fail(path.string() + " is a folder, not a file.", ErrorKind::WrongUse);
    if (!S_ISREG(info.st_mode)) return fail(path.string() + " is not an ordinary file.", ErrorKind::WrongUse);
    if (info.st_size == 0) return fail(path.string() + " is empty.", ErrorKind::BadFile);

    const auto size = static_cast<size_t>(info.st_size);
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) return fail("Cannot map " + path.string() + ": " + std::strerror(errno) + ".");
    return std::shared_ptr<const MappedFile>(new MappedFile({static_cast<const std::byte*>(address), size}));
}

MappedFile::~MappedFile() {
    ::munmap(const_cast<std::byte*>(m_bytes.data()), m_bytes.size());
}

bool MappedFile::contains(const std::byte* data) const {
    const std::less<const std::byte*> before;
    return !before(data, m_bytes.data()) && before(data, m_bytes.data() + m_bytes.size());
}

void MappedFile::releasePages(std::span<const std::byte> part) const {
    if (part.empty() || !contains(part.data())) return;
    // Rounded outwards: the pages shared with a neighbour are only read again, never lost.
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const auto offset = static_cast<size_t>(part.data() - m_bytes.data());
    const size_t begin = offset / page * page;
    const size_t end = std::min(m_bytes.size(), offset + std::min(part.size(), m_bytes.size() - offset));
    ::madvise(const_cast<std::byte*>(m_bytes.data() + begin), end - begin, MADV_DONTNEED);
}

Result<std::string> readSmallFile(const std::filesystem::path& path, size_t largest) {
    ASSIGN_OR_RETURN(const auto file, MappedFile::open(path));
    const auto bytes = file->bytes();
    if (bytes.size() > largest)
        return fail(path.string() + " is too large: " + std::to_string(bytes.size()) + " bytes, of at most " +
                        std::to_string(largest) + ".",
                    ErrorKind::BadFile);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace gapscope
