// Several traces as one: the files that the ranks of one distributed run left behind. Each keeps its own devices and
// processes; where their numbers collide, later files get free ones. Names of devices and threads begin with the
// file's.
#pragma once

#include <filesystem>
#include <functional>
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
// each. Without, wall clocks do, where every part knows its own and they ran at the same time; else, or where it is
// asked for, the first device operations (or first events) do, and a diagnostic says so.
struct JoinAlignment {
    std::string name;
    bool byFirstWork = false;  // whatever the wall clocks say
    bool operator==(const JoinAlignment&) const = default;
};
enum class AlignedBy { Name, WallClock, FirstWork };
AlignedBy alignedBy(std::span<const TracePart> parts, const JoinAlignment& alignment);

// Names to align at: those that begin something in every part, the ones that begin the fewest things first (a step of a
// training loop comes before the kernels in it), ranges before calls before kernels. At most `most`.
std::vector<std::string> commonNames(std::span<const TracePart> parts, size_t most, std::stop_token stop = {});

// Tokens and the record of a run belong to one process and are left out; a diagnostic counts them. Fails if a part does
// not have the name to align at. Notes come along, how rows were arranged does not.
Result<TracePtr> joinTraces(std::span<const TracePart> parts, const JoinAlignment& alignment = {},
                            std::stop_token stop = {});

// "rank 3" of "trace_rank-3.json.gz" and the like; "process 4711" of PyTorch's "HOST_4711.TIME.pt.trace.json", for
// hosts' names do not belong into what is exported; else the file's name without what follows its first dot.
std::string partLabel(const std::filesystem::path& path);

using TraceOpener =
    std::function<Result<TracePtr>(const std::filesystem::path&, const ImportProgress&, std::stop_token)>;

// Opens them, named by their paths; names that are the same get a number. An error names its file.
Result<std::vector<TracePart>> openParts(std::span<const std::filesystem::path> paths,
                                         const ImportProgress& progress = {}, std::stop_token stop = {},
                                         const TraceOpener& open = openTrace);

// Opens and joins them; a single file is opened as openTrace() does. `open` is how, if some of the paths are
// none.
Result<TracePtr> openTraces(std::span<const std::filesystem::path> paths, const JoinAlignment& alignment = {},
                            const ImportProgress& progress = {}, std::stop_token stop = {},
                            const TraceOpener& open = openTrace);

}  // namespace gapscope
