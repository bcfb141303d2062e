// What this program's own Chrome-trace JSON tells beside PyTorch's dialect (core/export/chrome_json), so that a trace
// that was exported is the same when it is opened again. Internal to the import room.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/import/annotation_intake.h"
#include "core/trace/trace.h"

namespace gapscope {

// Of the "args" of a device operation; texts have their escapes as they are. Not there: nullopt, or no text.
struct OwnOpArgs {
    std::string_view category;
    std::optional<std::string_view> fullName;      // of the launch configuration, where it is not the operation's own
    std::optional<std::string_view> recordedName;  // where the event's is PyTorch's word for it
    std::optional<std::string_view> op;            // the role in the model; without it there is none
    std::string_view shapes;
    std::string_view dtype;
    int64_t layer = -1;
    int64_t bytesMoved = 0;
    int64_t flops = 0;
    int64_t token = kNoToken;
    int64_t repeat = 0;
    int64_t staticSharedBytes = 0;
    bool isGraphLaunch = false;
    bool hasConfig = false;
};
OwnOpArgs readOwnOpArgs(std::string_view argsText);

struct OwnTokenArgs {
    int64_t index = 0;
    int64_t id = 0;
    int64_t repeat = 0;
    int64_t drafted = 0, accepted = 0, place = 0, sequence = 0;
    std::string_view text;
};
OwnTokenArgs readOwnTokenArgs(std::string_view argsText);

// The one member of an own counter's "args": its unit and value. Empty: it is none of ours.
std::optional<std::pair<CounterUnit, double>> readOwnSample(std::string_view argsText);

// The top-level member "gapscope".
struct OwnHead {
    TraceOrigin origin;
    int64_t zeroNs = 0;                          // the trace's time at the file's time 0
    std::map<std::string, uint64_t> globalPids;  // by the text of `pid`
    std::vector<std::pair<uint64_t, std::string>> threads;
    std::map<std::pair<std::string, std::string>, TrackRow> tracks;  // by the texts of `pid` and `tid`
    std::map<std::string, uint32_t> deviceIds;                       // by the text of `pid`
    std::vector<DeviceRow> devices;
    std::optional<RunInfo> run;
    std::vector<Diagnostic> diagnostics;
    AnnotationIntake annotations;
    int64_t noteCount = 0;  // each is an event, too
};
// `text` is the member's value. Empty: it is no JSON that our writer writes.
std::optional<OwnHead> readOwnHead(std::string_view text);

}  // namespace gapscope
