// One event of a Chrome trace as its text says it, before anything is kept. Internal to the import room.
// The format: "Trace Event Format" (Google, 2016); what PyTorch writes in it: libkineto/src/output_json.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/import/json_cursor.h"

namespace gapscope {

// What an event is, by its category: PyTorch of 2021 wrote capitals ("Kernel"), later ones do not.
enum class EventKind : uint8_t {
    Kernel,
    Copy,
    Set,
    Stage,  // of own exports: a step inside a kernel
    RuntimeCall,
    DriverCall,
    CpuOp,
    PythonFunction,
    Wait,  // until a stream, event or device was done
    Overhead,
    GpuAnnotation,  // a copy of a CPU annotation, stretched over the GPU work it launched: no device operation
    ProfilerSpan,   // as long as the file: the profiler's own
    Other,          // a range like any other
};
EventKind eventKind(std::string_view category);

// Numbers of `args` that rows keep. -1: not there.
struct EventArgs {
    int64_t device = -1;
    int64_t context = -1;
    int64_t stream = -1;
    int64_t correlation = -1;
    int64_t bytes = -1;
    int64_t registersPerThread = 0;
    int64_t sharedBytes = 0;  // static and dynamic
    uint64_t graphNode = 0;
    int64_t occupancyPercent = -1;
    std::array<int64_t, 3> grid{};
    std::array<int64_t, 3> block{};
    std::string_view name;  // of metadata events; escapes as they are
    bool areOurs = false;   // it has an argument that this program's own exports give every device operation
};

struct TraceEvent {
    char phase = '\0';
    EventKind kind = EventKind::Other;
    bool hasTime = false;      // a time that 64-bit nanoseconds hold
    bool hasDuration = false;  // the same
    int64_t timeNs = 0;
    int64_t durationNs = 0;
    std::string_view name;  // escapes as they are, here and below
    std::string_view category;
    std::string_view process;  // text of a number or of a string
    std::string_view thread;
    std::string_view id;
    std::string_view scope;  // of an instant: "g", "p" or "t"
    EventArgs args;
    std::string_view argsText;  // the whole of `args`, where `args` above was not read from it or says that it is ours
};

// Reads the event that begins here (next() told '{'). False: cursor.problem() says why.
// The views point into the cursor's text.
bool readTraceEvent(JsonCursor& cursor, TraceEvent& event);

// Members of TraceEvent::argsText that are no lists or objects; texts have their escapes as they are.
void forEachScalar(std::string_view argsText,
                   const std::function<void(std::string_view key, std::string_view text)>& use);
// The numbers among them.
void forEachNumber(std::string_view argsText, const std::function<void(std::string_view key, double value)>& use);

}  // namespace gapscope
