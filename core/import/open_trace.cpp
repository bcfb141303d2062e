#include "core/import/open_trace.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>
#include <span>
#include <system_error>
#include <vector>

#include "core/base/spool.h"
#include "core/import/chrome_trace.h"
#include "core/import/nsys_sqlite.h"
#include "core/import/packed_database.h"
#include "core/import/perfetto_packets.h"
#include "core/import/perfetto_trace.h"
#include "core/import/trace_input.h"

namespace gapscope {

namespace {

// Sentences for files that people are likely to try.
std::string whatElseItIs(const TraceInput& input) {
    const std::string extension = input.path.extension().string();
    if (extension == ".nsys-rep" || extension == ".qdrep") {
        return input.name + " is an Nsight Systems report: export it with `nsys export --type sqlite " +
               input.path.filename().string() + "` and open the .sqlite file.";
    }
    return input.name +
           " is not a trace this program knows: it opens Gapscope sessions, Nsight Systems SQLite exports, "
           "Perfetto traces and Chrome traces (JSON) as PyTorch's profiler writes them, all also in gzip or zstd.";
}

// The file's own count of its pages against its size: tells a cut copy before SQLite stumbles over it somewhere.
Status checkWhole(const TraceInput& input, std::span<const unsigned char> head) {
    const std::string& name = input.name;
    if (head.size() < 100) return fail(name + " is cut short: it ends within its first 100 bytes.", ErrorKind::BadFile);
    std::error_code error;
    uintmax_t bytes = input.bytes.size();
    if (input.isFile()) {
        const auto walBytes = std::filesystem::file_size(input.path.string() + "-wal", error);
        if (!error && walBytes > 0) return {};  // then the newest page count lies there
        bytes = std::filesystem::file_size(input.path, error);
    }
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

bool isPacked(std::string_view head) {
    return isGzip(head) || isZstd(head);
}

bool isJson(std::string_view head) {
    return beginsLikeJson(head);
}

Result<TracePtr> readDatabase(const TraceInput& input, const ImportProgress& progress, std::stop_token stop) {
    return input.isFile() ? readNsysSqlite(input.path, progress, stop)
                          : readNsysSqlite(std::string(input.bytes), input.name, progress, stop);
}

Result<TracePtr> readPerfetto(const TraceInput& input, const ImportProgress& progress, std::stop_token stop) {
    ASSIGN_OR_RETURN(ByteSource source, input.source());
    return readPerfettoTrace(source, progress, stop);
}

Result<TracePtr> readChrome(const TraceInput& input, const ImportProgress& progress, std::stop_token stop) {
    ASSIGN_OR_RETURN(ByteSource source, input.source());
    return readChromeTrace(source, {}, progress, stop);
}

// One line a format: how its files begin, what tells a cut copy (where something does), who reads them, and who reads
// them within gzip or zstd.
using Read = Result<TracePtr> (*)(const TraceInput&, const ImportProgress&, std::stop_token);
struct Format {
    bool (*begins)(std::string_view head);
    Status (*check)(const TraceInput& input, std::span<const unsigned char> head);
    Read read;
    Read readPacked;
};
constexpr std::array kFormats = {
    Format{isSqlite, checkWhole, readDatabase, readPackedDatabase},
    Format{beginsLikePerfetto, nullptr, readPerfetto, readPerfetto},
    Format{isJson, nullptr, readChrome, readChrome},
};
constexpr size_t kHeadBytes = 512;

// Of packed data what comes out of it; some of it may need far more than its own beginning for that.
Result<std::string> unpackedHead(const TraceInput& input) {
    ASSIGN_OR_RETURN(ByteSource source, input.source());
    std::string head(kHeadBytes, '\0');
    ASSIGN_OR_RETURN(const size_t got, source.read(head));
    head.resize(got);
    return head;
}

Result<TracePtr> readAs(const Format* format, const TraceInput& input, std::string_view head, bool packed,
                        const ImportProgress& progress, std::stop_token stop) {
    if (!format) {
        if (packed) return readChrome(input, progress, stop);  // it says what is wrong
        return fail(whatElseItIs(input), ErrorKind::BadFile);
    }
    if (packed) return format->readPacked(input, progress, stop);
    if (format->check)
        RETURN_IF_ERROR(
            format->check(input, std::span(reinterpret_cast<const unsigned char*>(head.data()), head.size())));
    return format->read(input, progress, stop);
}

Result<TracePtr> read(const TraceInput& input, std::string_view head, const ImportProgress& progress,
                      std::stop_token stop) {
    if (head.empty()) return fail(input.name + " is empty.", ErrorKind::BadFile);
    const bool packed = isPacked(head);
    std::string content(head);
    if (packed) {
        ASSIGN_OR_RETURN(content, unpackedHead(input));
    }
    const auto format =
        std::ranges::find_if(kFormats, [&](const Format& each) { return !content.empty() && each.begins(content); });
    auto trace = readAs(format == kFormats.end() ? nullptr : &*format, input, head, packed, progress, stop);
    if (!trace && stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
    // The budget's sentences do not know the file's name.
    if (!trace && trace.error().message.find(input.name) == std::string::npos &&
        trace.error().kind != ErrorKind::Cancelled)
        return fail(input.name + ": " + trace.error().message, trace.error().kind);
    return trace;
}

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
    std::array<char, kHeadBytes> head{};
    file.read(head.data(), head.size());
    const auto length = static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0));
    if (file.bad()) return fail(name + " cannot be read: " + std::strerror(errno) + ".");
    // Closed before SQLite opens it: closing any descriptor of a file drops this process's locks on it.
    file.close();
    return read({.path = path, .bytes = {}, .name = name}, {head.data(), length}, progress, stop);
}

Result<TracePtr> openTraceBytes(std::string_view bytes, const std::string& name, const ImportProgress& progress,
                                std::stop_token stop) {
    return read({.path = {}, .bytes = bytes, .name = name}, bytes.substr(0, kHeadBytes), progress, stop);
}

Result<TracePtr> openTraceStream(std::istream& in, const std::string& name, const ImportProgress& progress,
                                 std::stop_token stop) {
    constexpr size_t kBlockBytes = size_t{1} << 20;
    Spool spool("input");
    std::vector<char> block(kBlockBytes);
    while (in) {
        if (stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        in.read(block.data(), static_cast<std::streamsize>(block.size()));
        if (auto kept = spool.append(std::span(block).first(static_cast<size_t>(in.gcount()))); !kept)
            return fail(name + " cannot be kept: " + kept.error().message, kept.error().kind);
    }
    if (in.bad()) return fail(name + " cannot be read to its end.");
    if (auto kept = spool.finish(); !kept)
        return fail(name + " cannot be kept: " + kept.error().message, kept.error().kind);
    if (!spool.file()) return openTraceBytes(spool.bytes(), name, progress, stop);
    auto trace = openTrace(spool.file()->path(), progress, stop);
    if (trace) return trace;
    return tl::unexpected<Error>(spool.file()->told(trace.error(), name));
}

}  // namespace gapscope
