// Gaps cut into the pieces that the timeline colours.
#pragma once

#include <vector>

#include "core/analysis/gaps.h"
#include "core/layout/timeline_index.h"

namespace gapscope {

// A gap cut into pieces of one cause each, left to right.
std::vector<GapPiece> piecesOf(const GapTable& table);

}  // namespace gapscope
