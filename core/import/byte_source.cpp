#include "core/import/byte_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace gapscope {

namespace {
constexpr size_t kPackedPiece = size_t{1} << 18;
constexpr size_t kUnpackedPiece = size_t{1} << 16;
}  // namespace

bool isGzip(std::string_view head) {
    return head.starts_with("\x1F\x8B");
}

bool isZstd(std::string_view head) {
    // A frame, or one to be skipped before it.
    return head.starts_with("\x28\xB5\x2F\xFD") ||
           (head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xF0) == 0x50 &&
            head.substr(1, 3) == "\x2A\x4D\x18");
}

Result<ByteSource> ByteSource::open(const std::filesystem::path& path) {
    ByteSource source;
    source.m_name = path.string();
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    source.m_totalBytes = error ? 0 : static_cast<int64_t>(bytes);
    errno = 0;
    source.m_file.emplace(path, std::ios::binary);
    if (!*source.m_file) return fail(source.m_name + " cannot be read: " + std::strerror(errno) + ".");
    std::array<char, 4> head{};
    source.m_file->read(head.data(), head.size());
    const std::string_view begin(head.data(), static_cast<size_t>(source.m_file->gcount()));
    if (isGzip(begin)) source.m_unpacker = makeGzipUnpacker();
    if (isZstd(begin)) source.m_unpacker = makeZstdUnpacker();
    source.m_file->clear();
    source.m_file->seekg(0);
    if (!*source.m_file) return fail(source.m_name + " cannot be read from its beginning.");
    return source;
}

ByteSource ByteSource::over(std::string_view bytes, std::string name) {
    ByteSource source;
    source.m_name = std::move(name);
    source.m_memory = bytes;
    source.m_totalBytes = static_cast<int64_t>(bytes.size());
    if (isGzip(bytes)) source.m_unpacker = makeGzipUnpacker();
    if (isZstd(bytes)) source.m_unpacker = makeZstdUnpacker();
    return source;
}

Result<size_t> ByteSource::read(std::span<char> to) {
    return m_unpacker ? readPacked(to) : readStored(to);
}

Result<size_t> ByteSource::readStored(std::span<char> to) {
    size_t got = 0;
    if (m_file) {
        errno = 0;
        m_file->read(to.data(), static_cast<std::streamsize>(to.size()));
        got = static_cast<size_t>(m_file->gcount());
        if (m_file->bad()) return fail(m_name + " cannot be read: " + std::strerror(errno) + ".");
    } else {
        const std::string_view rest = m_memory.substr(static_cast<size_t>(m_takenBytes));
        got = std::min(rest.size(), to.size());
        std::copy_n(rest.data(), got, to.data());
    }
    m_takenBytes += static_cast<int64_t>(got);
    return got;
}

Result<size_t> ByteSource::readPacked(std::span<char> to) {
    size_t filled = 0;
    while (filled < to.size()) {
        if (m_unpackedRest.empty()) {
            RETURN_IF_ERROR(unpackMore());
            if (m_unpackedRest.empty()) break;
        }
        const size_t part = std::min(m_unpackedRest.size(), to.size() - filled);
        std::copy_n(m_unpackedRest.begin(), part, to.begin() + static_cast<ptrdiff_t>(filled));
        m_unpackedRest = m_unpackedRest.subspan(part);
        filled += part;
    }
    return filled;
}

// In steps of one size, whatever is asked for: how much comes out of damaged data must not depend on that.
Status ByteSource::unpackMore() {
    m_unpacked.resize(kUnpackedPiece);
    std::span<char> room = m_unpacked;
    while (!room.empty() && !m_ended) {
        const size_t before = room.size();
        const Unpacker::Step step = m_unpacker->unpack(m_packedRest, room);
        m_givenBytes += static_cast<int64_t>(before - room.size());
        if (m_givenBytes > kUncheckedExpansionBytes && m_givenBytes / kMostExpansion > m_takenBytes) {
            return fail(m_name + " unpacks to more than " + std::to_string(kMostExpansion) +
                            " times its size, which no trace does: it was not read further.",
                        ErrorKind::BadFile);
        }
        if (step == Unpacker::Step::Damaged) {
            m_ended = true;
            m_damage = m_unpacker->problem();
        }
        // With room left, all that was taken has come out.
        if (room.empty() || !m_packedRest.empty() || m_ended) continue;
        m_packed.resize(kPackedPiece);
        ASSIGN_OR_RETURN(const size_t got, readStored(m_packed));
        m_packedRest = std::span<const char>(m_packed).first(got);
        if (got > 0) continue;
        m_ended = true;
        if (step != Unpacker::Step::Between)
            m_damage = std::string("the file ends in the middle of its ") + m_unpacker->format() + " data";
    }
    m_unpackedRest = std::span<const char>(m_unpacked).first(kUnpackedPiece - room.size());
    return {};
}

}  // namespace gapscope
