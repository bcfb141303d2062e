#include "core/import/packed_database.h"

#include <array>
#include <fstream>
#include <vector>

#include "core/base/temporary_file.h"
#include "core/import/byte_source.h"
#include "core/import/nsys_sqlite.h"

namespace gapscope {

bool holdsDatabase(const std::filesystem::path& path) {
    auto source = ByteSource::open(path);
    if (!source || !source->packing()) return false;
    std::array<char, kSqliteMagic.size()> head{};
    const auto got = source->read(head);
    return got && std::string_view(head.data(), *got) == kSqliteMagic;
}

Result<TracePtr> readPackedDatabase(const std::filesystem::path& path, const ImportProgress& progress,
                                    std::stop_token stop) {
    constexpr double kShareOfUnpacking = 0.3;
    constexpr size_t kBlockBytes = size_t{1} << 20;
    ASSIGN_OR_RETURN(ByteSource source, ByteSource::open(path));
    ASSIGN_OR_RETURN(const TemporaryFile unpacked, TemporaryFile::create("unpacked"));
    std::ofstream out(unpacked.path(), std::ios::binary);
    std::vector<char> block(kBlockBytes);
    for (;;) {
        if (stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        ASSIGN_OR_RETURN(const size_t got, source.read(block));
        out.write(block.data(), static_cast<std::streamsize>(got));
        if (progress && source.totalBytes() > 0)
            progress(kShareOfUnpacking * static_cast<double>(source.takenBytes()) /
                     static_cast<double>(source.totalBytes()));
        if (got < block.size()) break;
    }
    out.close();
    if (!out) {
        return fail(source.name() + " could not be unpacked to " + unpacked.path().parent_path().string() +
                        ": there is no room left.",
                    ErrorKind::NoSpace);
    }
    // A part of a database is none: SQLite finds no table in it, or the wrong rows.
    if (!source.damage().empty())
        return fail(source.name() + " cannot be unpacked: " + source.damage() + ".", ErrorKind::BadFile);
    const ImportProgress rest = [&](double share) {
        if (progress) progress(kShareOfUnpacking + (1 - kShareOfUnpacking) * share);
    };
    auto trace = readNsysSqlite(unpacked.path(), rest, stop);
    if (trace) return trace;
    return tl::unexpected<Error>(unpacked.told(trace.error(), source.name()));
}

}  // namespace gapscope
