// Several traces as one: the files that the ranks of one distributed run left behind. Each keeps its own devices and
// processes; where their numbers collide, later files get free ones. Names of devices and threads begin with the
// file's.
#pragma once

#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/import/open_trace.h"
#include "core/trace/trace.h"

namespace gapscope {

struct TracePart {
    TracePtr trace;
    std::string label;  // "rank 3"
};

// Where the parts' clocks meet. With a name, the first range, kernel or call of that name begins at the same moment in
// each. Without, wall clocks do, where every part knows its own and they ran at the same time; else the first device
// operations (or first events) do, and a diagnostic says so.
struct JoinAlignment {
    std::string name;
};

// Tokens and the record of a run belong to one process and are left out; a diagnostic counts them. Fails if a part does
// not have the name to align at.
Result<TracePtr> joinTraces(std::span<const TracePart> parts, const JoinAlignment& alignment = {},
                            std::stop_token stop = {});

// "rank 3" of "trace_rank-3.json.gz" and the like, else the file's name without what follows its first dot.
std::string partLabel(const std::filesystem::path& path);

// Opens and joins them; a single file is opened as openTrace() does. An error names its file.
Result<TracePtr> openTraces(std::span<const std::filesystem::path> paths, const JoinAlignment& alignment = {},
                            const ImportProgress& progress = {}, std::stop_token stop = {});

}  // namespace gapscope
