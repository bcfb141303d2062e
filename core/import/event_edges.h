// Ranges that a Chrome trace tells by a beginning and an end apart. Internal to the import room.
#pragma once

#include <cstdint>
#include <vector>

#include "core/import/event_block.h"
#include "core/trace/column.h"

namespace gapscope {

struct EdgeResult {
    int64_t withoutEnd = 0;    // last until `lastNs`
    int64_t withoutBegin = 0;  // left out
};

// Adds the ranges of `edges`, whose ids hold for the whole file, to `ranges`. Beginnings and ends on a thread nest by
// time; asynchronous ones pair by key, and their ranges lie on the thread that began them.
EdgeResult addRangesOfEdges(std::vector<BlockEdge> edges, int64_t lastNs, ColumnWriter<BlockRange>& ranges);

}  // namespace gapscope
