#include "core/import/packed_database.h"

#include <vector>

#include "core/base/spool.h"
#include "core/import/nsys_sqlite.h"

namespace gapscope {

Result<TracePtr> readPackedDatabase(const TraceInput& input, const ImportProgress& progress, std::stop_token stop) {
    constexpr double kShareOfUnpacking = 0.3;
    constexpr size_t kBlockBytes = size_t{1} << 20;
    ASSIGN_OR_RETURN(ByteSource source, input.source());
    Spool unpacked("unpacked");
    std::vector<char> block(kBlockBytes);
    for (;;) {
        if (stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        ASSIGN_OR_RETURN(const size_t got, source.read(block));
        RETURN_IF_ERROR(unpacked.append(std::span(block).first(got)));
        if (progress && source.totalBytes() > 0)
            progress(kShareOfUnpacking * static_cast<double>(source.takenBytes()) /
                     static_cast<double>(source.totalBytes()));
        if (got < block.size()) break;
    }
    RETURN_IF_ERROR(unpacked.finish());
    // A part of a database is none: SQLite finds no table in it, or the wrong rows.
    if (!source.damage().empty())
        return fail(source.name() + " cannot be unpacked: " + source.damage() + ".", ErrorKind::BadFile);
    const ImportProgress rest = [&](double share) {
        if (progress) progress(kShareOfUnpacking + (1 - kShareOfUnpacking) * share);
    };
    if (!unpacked.file()) return readNsysSqlite(std::move(unpacked.bytes()), input.name, rest, stop);
    auto trace = readNsysSqlite(unpacked.file()->path(), rest, stop);
    if (trace) return trace;
    return tl::unexpected<Error>(unpacked.file()->told(trace.error(), input.name));
}

}  // namespace gapscope
