// The packets of a Perfetto trace, one after the other, also those that were packed together. Internal to the import
// room; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string_view>

#include "core/base/result.h"
#include "core/import/byte_source.h"
#include "core/import/open_trace.h"

namespace gapscope {

struct PacketDamage {
    int64_t badPackets = 0;  // packed ones that could not be unpacked
    bool isCut = false;      // the file ends within a packet, or goes on with what is none
    int64_t wholeBytes = 0;  // as unpacked, up to there
};

// Whether a file may be a Perfetto trace, perhaps within gzip or zstd: it begins with a packet.
bool beginsLikePerfetto(std::string_view head);

// Calls use(packet) for each. Fails if the file cannot be read or packed packets grow too much.
Result<PacketDamage> forEachPacket(ByteSource& source, const std::function<void(std::string_view packet)>& use,
                                   const ImportProgress& progress, std::stop_token stop);

}  // namespace gapscope
