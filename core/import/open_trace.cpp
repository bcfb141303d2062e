#include "core/import/open_trace.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>
#include <string_view>
#include <system_error>

#include "core/import/chrome_trace.h"
#include "core/import/nsys_sqlite.h"
#include "core/import/packed_database.h"
#include "core/import/perfetto_packets.h"
#include "core/import/perfetto_trace.h"

namespace gapscope {

namespace {

// Sentences for files that people are likely to try.
std::string whatElseItIs(const std::filesystem::path& path) {
    const std::string name = path.string();
    const std::string extension = path.extension().string();
    if (extension == ".nsys-rep" || extension == ".qdrep") {
        return name + " is an Nsight Systems report: export it with `nsys export --type sqlite " +
               path.filename().string() + "` and open the .sqlite file.";
    }
    return name +
           " is not a trace this program knows: it opens Gapscope sessions, Nsight Systems SQLite exports, "
           "Perfetto traces and Chrome traces (JSON) as PyTorch's profiler writes them, all also in gzip or zstd.";
}

// The file's own count of its pages against its size: tells a cut copy before SQLite stumbles over it somewhere.
Status checkWhole(const std::filesystem::path& path, std::span<const unsigned char> head, uintmax_t bytes) {
    const std::string name = path.string();
    if (head.size() < 100) return fail(name + " is cut short: it ends within its first 100 bytes.", ErrorKind::BadFile);
    std::error_code error;
    const auto walBytes = std::filesystem::file_size(name + "-wal", error);
    if (!error && walBytes > 0) return {};  // then the newest page count lies there
    const auto number = [&](size_t at) {
        return uintmax_t{head[at]} << 24 | uintmax_t{head[at + 1]} << 16 | uintmax_t{head[at + 2]} << 8 | head[at + 3];
    };
    uintmax_t pageBytes = uintmax_t{head[16]} << 8 | head[17];
    if (pageBytes == 1) pageBytes = 65536;
    const bool countIsValid = number(24) == number(92);
    const uintmax_t expected = countIsValid ? number(28) * pageBytes : 0;
    if (bytes >= expected) return {};
    return fail(name + " is cut short: " + std::to_string(bytes) + " of " + std::to_string(expected) +
                    " bytes are there. Copy or export it again.",
                ErrorKind::BadFile);
}

bool isSqlite(std::string_view head) {
    return head.starts_with(kSqliteMagic.substr(0, std::min(head.size(), kSqliteMagic.size())));
}

bool isChromeTrace(std::string_view head) {
    return isGzip(head) || isZstd(head) || beginsLikeJson(head);
}

Result<TracePtr> readChromeTraceOrPackedDatabase(const std::filesystem::path& path, const ImportProgress& progress,
                                                 std::stop_token stop) {
    return holdsDatabase(path) ? readPackedDatabase(path, progress, stop) : readChromeTrace(path, progress, stop);
}

// One line a format: how its files begin, what tells a cut copy (where something does), who reads them.
struct Format {
    bool (*begins)(std::string_view head);
    Status (*check)(const std::filesystem::path& path, std::span<const unsigned char> head, uintmax_t bytes);
    Result<TracePtr> (*read)(const std::filesystem::path&, const ImportProgress&, std::stop_token);
};
constexpr std::array kFormats = {
    Format{isSqlite, checkWhole, readNsysSqlite},
    Format{beginsLikePerfetto, nullptr, readPerfettoTrace},
    Format{isChromeTrace, nullptr, readChromeTraceOrPackedDatabase},
};

}  // namespace

Result<TracePtr> openTrace(const std::filesystem::path& path, const ImportProgress& progress, std::stop_token stop) {
    const std::string name = path.string();
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
        return fail(name + " does not exist.", ErrorKind::NotFound);
    if (error) return fail(name + " cannot be read: " + error.message() + ".");
    if (std::filesystem::is_directory(status))
        return fail(name + " is a folder, not a trace file.", ErrorKind::BadFile);
    if (!std::filesystem::is_regular_file(status)) return fail(name + " is not a regular file.", ErrorKind::BadFile);
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(name + " cannot be read: " + std::strerror(errno) + ".");
    std::array<char, 512> head{};
    file.read(head.data(), head.size());
    const auto length = static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0));
    if (file.bad()) return fail(name + " cannot be read: " + std::strerror(errno) + ".");
    // Closed before SQLite opens it: closing any descriptor of a file drops this process's locks on it.
    file.close();
    if (length == 0) return fail(name + " is empty.", ErrorKind::BadFile);
    const std::string_view begin(head.data(), length);
    for (const Format& format : kFormats) {
        if (!format.begins(begin)) continue;
        if (format.check) {
            RETURN_IF_ERROR(format.check(path, std::span(reinterpret_cast<const unsigned char*>(head.data()), length),
                                         std::filesystem::file_size(path, error)));
        }
        auto trace = format.read(path, progress, stop);
        if (!trace && stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        // The budget's sentences do not know the file's name.
        if (!trace && trace.error().message.find(name) == std::string::npos &&
            trace.error().kind != ErrorKind::Cancelled)
            return fail(name + ": " + trace.error().message, trace.error().kind);
        return trace;
    }
    return fail(whatElseItIs(path), ErrorKind::BadFile);
}

}  // namespace gapscope
