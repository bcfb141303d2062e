// Events by what they are called: kernels, their stages, API calls, ranges and tokens whose name holds a text or fits
// an expression, and notes by their words. Each distinct name is looked at once, so that ten million events cost a pass
// over their ids.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/trace/annotations.h"
#include "core/trace/trace.h"

namespace gapscope {

struct FoundEvent {
    enum class Kind : uint8_t { DeviceOp, Stage, ApiCall, Range, Token, Note };
    int64_t startNs = 0;
    int64_t endNs = 0;
    uint32_t row = 0;  // in the table of its kind; of a note its place in the list
    Kind kind = Kind::DeviceOp;
    bool operator==(const FoundEvent&) const = default;
};

// By start. `text` is matched anywhere in a name, letters of either case being equal (ASCII); "/text/" is a regular
// expression (RE2's), matched in the same way. Kernels are also found by their full name and by what they do in the
// model (as stages are), tokens by their text. An expression that is none is an Error in one sentence; an empty text
// finds nothing. `notes` are those of the moment, which the trace may not have yet.
Result<std::vector<FoundEvent>> findEvents(const Trace& trace, std::string_view text, std::stop_token stop = {},
                                           std::span<const Note> notes = {});

}  // namespace gapscope
