#include "core/import/chrome_trace.h"

#include <algorithm>
#include <new>

#include "core/import/chrome_assembly.h"

namespace gapscope {

namespace {

void reportDamage(const EventDocument& document, const ByteSource& source, Diagnostics& diagnostics) {
    const TextDamage& damage = document.damage;
    const bool endsRight = document.end.where == TextPlace::Where::Done ||
                           (document.end.where == TextPlace::Where::Events && document.end.isBareArray);
    const int64_t places = damage.count - (damage.isCut ? 1 : 0);
    if (places > 0) {
        diagnostics.add("json_damaged", Severity::DataLoss, places,
                        "Places in the file are no valid JSON, the first at byte " +
                            std::to_string(damage.firstOffset) + "; what they damage is left out, " +
                            std::to_string(damage.lostBytes) + " bytes in all.");
    }
    if (!endsRight) {
        diagnostics.add("json_cut_short", Severity::DataLoss, 1,
                        "The JSON stops before its end, at byte " + std::to_string(document.bytes) +
                            (damage.isCut && places == 0
                                 ? "; of its last " + std::to_string(damage.lostBytes) + " bytes nothing is kept."
                                 : "; what would follow is missing."));
    }
    if (damage.controlCount > 0) {
        diagnostics.add("json_control_character", Severity::Info, damage.controlCount,
                        "Control characters that JSON does not allow were passed over, the first at byte " +
                            std::to_string(damage.firstControl) + ".");
    }
    if (!source.damage().empty()) {
        diagnostics.add("packed_data_damaged", Severity::DataLoss, 1,
                        "What follows is missing: " + source.damage() + ".");
    }
}

Result<TracePtr> read(ByteSource& source, const ChunkOptions& options, const ImportProgress& progress,
                      std::stop_token stop) {
    constexpr double kShareOfText = 0.9;  // the rest is putting rows in order
    TraceBuilder builder;
    ChromeTables tables;
    ChromeRows rows(tables, builder, options.mostRows);
    const ImportProgress textProgress = [&](double share) {
        if (progress) progress(kShareOfText * std::min(share, 1.0));
    };
    ASSIGN_OR_RETURN(const EventDocument document,
                     readEventChunks(
                         source, options, [&](const EventBlock& block) { rows.add(block); }, textProgress, stop));
    // A list that is named so may be empty.
    const bool isNamed = document.end.sawEvents && !document.end.isBareArray && document.damage.count == 0;
    const bool isTrace = tables.eventCount > 0 || isNamed;
    if (!isTrace) {
        return fail(
            source.name() + (document.end.sawEvents ? " is JSON but no trace: nothing in it is a trace event."
                                                    : " is JSON but no trace: it has no list named traceEvents."),
            ErrorKind::BadFile);
    }
    RETURN_IF_ERROR(assembleChromeTrace(tables, builder, stop));
    reportDamage(document, source, builder.diagnostics());
    if (progress) progress(1);
    return builder.snapshot();
}

}  // namespace

Result<TracePtr> readChromeTrace(ByteSource& source, const ChunkOptions& options, const ImportProgress& progress,
                                 std::stop_token stop) {
    try {
        return read(source, options, progress, stop);
    } catch (const std::bad_alloc&) {
        return fail(source.name() + " needs more memory than this machine has.");
    }
}

Result<TracePtr> readChromeTrace(const std::filesystem::path& path, const ImportProgress& progress,
                                 std::stop_token stop) {
    ASSIGN_OR_RETURN(ByteSource source, ByteSource::open(path));
    return readChromeTrace(source, {}, progress, stop);
}

}  // namespace gapscope
