#include "core/layout/gap_pieces.h"

namespace gapscope {

std::vector<GapPiece> piecesOf(const GapTable& table) {
    std::vector<GapPiece> pieces;
    pieces.reserve(table.gaps.size() * 2);
    for (uint32_t g = 0; g < table.gaps.size(); ++g) {
        const Gap& gap = table.gaps[g];
        const auto add = [&](int64_t startNs, int64_t endNs, GapCause cause) {
            if (endNs > startNs) pieces.push_back({gap.deviceId, {startNs, endNs}, g, static_cast<uint8_t>(cause)});
        };
        if (gap.unknown) {
            add(gap.range.startNs, gap.range.endNs, GapCause::Unknown);
            continue;
        }
        // The host part takes the colour of its largest share.
        GapCause host = GapCause::HostOutside;
        for (const GapCause cause : {GapCause::HostWaiting, GapCause::HostApi, GapCause::Profiler})
            if (gap.causes[cause] > gap.causes[host]) host = cause;
        add(gap.range.startNs, gap.hostEndNs, host);
        add(gap.hostEndNs, gap.launchEndNs, GapCause::LaunchCall);
        add(gap.launchEndNs, gap.range.endNs, GapCause::DeviceLatency);
    }
    return pieces;
}

}  // namespace gapscope
