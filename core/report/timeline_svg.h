// The timeline as an SVG picture, from the same layout as the window's.
#pragma once

#include <stop_token>
#include <string>

#include "core/analysis/gaps.h"
#include "core/layout/timeline_index.h"

namespace gapscope {

// Rows of one trace, made once for pictures at several zooms.
class TimelinePictures {
public:
    TimelinePictures(TracePtr trace, const GapTable& gaps);
    // Tokens, ranges, API calls, gaps, streams and copies of `range`; counters and tracing cost are left out.
    std::string svg(TimeRange range, std::string_view description) const;

private:
    TimelineIndex m_index;
};

}  // namespace gapscope
