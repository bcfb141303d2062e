#include "core/import/perfetto_trace.h"

#include <new>

#include "core/import/perfetto_packets.h"
#include "core/import/perfetto_rows.h"

namespace gapscope {

namespace {

Result<TracePtr> read(ByteSource& source, const ImportProgress& progress, std::stop_token stop,
                      const PerfettoLimits& limits) {
    constexpr double kShareOfPackets = 0.8;  // the rest is putting rows in order
    TraceBuilder builder;
    PerfettoReader reader(builder, limits);
    int64_t packets = 0;
    const ImportProgress packetProgress = [&](double share) {
        if (progress) progress(kShareOfPackets * share);
    };
    ASSIGN_OR_RETURN(const PacketDamage damage, forEachPacket(
                                                    source,
                                                    [&](std::string_view packet) {
                                                        ++packets;
                                                        reader.take(packet);
                                                    },
                                                    packetProgress, stop));
    if (packets == 0) {
        return fail(source.name() + " is not a trace this program knows: no whole packet of a Perfetto trace is in it.",
                    ErrorKind::BadFile);
    }
    RETURN_IF_ERROR(PerfettoRows(reader.finish(), builder).finish(stop));
    if (damage.isCut) {
        builder.diagnostics().add("packets_cut_short", Severity::DataLoss, 1,
                                  "The file stops being a Perfetto trace at byte " + std::to_string(damage.wholeBytes) +
                                      "; what would follow is missing.");
    }
    builder.diagnostics().add("packed_packets_damaged", Severity::DataLoss, damage.badPackets,
                              "Packed packets could not be unpacked, or were too large.");
    if (!source.damage().empty()) {
        builder.diagnostics().add("packed_data_damaged", Severity::DataLoss, 1,
                                  "What follows is missing: " + source.damage() + ".");
    }
    if (progress) progress(1);
    return builder.snapshot();
}

}  // namespace

Result<TracePtr> readPerfettoTrace(ByteSource& source, const ImportProgress& progress, std::stop_token stop,
                                   const PerfettoLimits& limits) {
    try {
        return read(source, progress, stop, limits);
    } catch (const std::bad_alloc&) {
        return fail(source.name() + " needs more memory than this machine has.");
    }
}

Result<TracePtr> readPerfettoTrace(const std::filesystem::path& path, const ImportProgress& progress,
                                   std::stop_token stop) {
    ASSIGN_OR_RETURN(ByteSource source, ByteSource::open(path));
    return readPerfettoTrace(source, progress, stop);
}

}  // namespace gapscope
