// Reads a Chrome trace of any length in pieces, on all cores, in memory of a fixed size. Internal to the import room.
//
// A piece is cut where an event seems to begin and read on the guess that one does. The guess is checked by reading
// what comes before it: only if that ends between two events, right at the cut, is the piece taken as it was read. Else
// it is joined to the unfinished rest and read again. So where the cuts fall never changes what is read.
#pragma once

#include <climits>
#include <functional>
#include <stop_token>

#include "core/base/result.h"
#include "core/import/byte_source.h"
#include "core/import/event_text.h"
#include "core/import/limits.h"
#include "core/import/open_trace.h"

namespace gapscope {

struct ChunkOptions {
    size_t chunkBytes = size_t{1} << 21;
    unsigned workers = kOneACore;  // 0: everything is read on the calling thread
    static constexpr unsigned kOneACore = UINT_MAX;
    size_t mostUnitBytes = kMostUnitBytes;
    size_t mostRows = kMostEventRows;
};

struct EventDocument {
    TextPlace end;  // where the document ended
    TextDamage damage;
    uint64_t bytes = 0;  // of text
};

// Calls use(block) on this thread, in the order of the file. It fails if the text does not begin like JSON.
Result<EventDocument> readEventChunks(ByteSource& source, const ChunkOptions& options,
                                      const std::function<void(const EventBlock&)>& use, const ImportProgress& progress,
                                      std::stop_token stop);

bool beginsLikeJson(std::string_view head);

}  // namespace gapscope
