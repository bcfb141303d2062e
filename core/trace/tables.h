// The tables of a Trace. Each is written once as a row struct (for adding and reading one row) and once as columns,
// templated on the column type so that builder and snapshot share one list of fields.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "core/base/category.h"
#include "core/base/ids.h"

namespace gapscope {

enum class DeviceKind : uint8_t { Cpu, Cuda, Other };

struct DeviceRow {
    uint32_t id = 0;  // as CUPTI numbers it, per machine
    DeviceKind kind = DeviceKind::Other;
    std::string name;
    int64_t totalMemoryBytes = 0;
    double peakBytesPerSecond = 0;  // measured; 0: unknown
    double peakFlopsPerSecond = 0;
};

// One stream of one context of one device in one process: a row of the timeline.
struct TrackRow {
    uint64_t globalPid = 0;  // nsys form: HW(8) VM(8) PID(24) TID(24) with TID 0
    uint32_t deviceId = 0;
    uint32_t contextId = 0;
    uint32_t streamId = 0;
    auto operator<=>(const TrackRow&) const = default;
};

struct ThreadRow {
    uint64_t globalTid = 0;
    StringId name;
};

// What a kernel does in the model: own runs know it, foreign traces do not.
struct OpRow {
    StringId name;    // "q_proj"
    StringId shapes;  // "[1,640] x [1024,640]"
    StringId dtype;
    int32_t layer = -1;
    int64_t bytes = 0;  // moved, by the plan
    int64_t flops = 0;
    auto operator<=>(const OpRow&) const = default;
};

struct LaunchConfigRow {
    StringId fullName;  // demangled, with template arguments
    std::array<int32_t, 3> grid{};
    std::array<int32_t, 3> block{};
    int32_t registersPerThread = 0;
    int32_t staticSharedBytes = 0;
    int32_t dynamicSharedBytes = 0;
    int32_t occupancyPercent = -1;  // as the profiler that wrote the file estimated it; -1: not told
    auto operator<=>(const LaunchConfigRow&) const = default;
};

enum class DeviceOpKind : uint8_t { Kernel, Copy, Set, GraphLaunch };

// A device operation: kernel, copy, set or, where only graphs were traced, one graph launch.
struct DeviceOpRow {
    int64_t startNs = 0;
    int64_t endNs = 0;
    StringId name;
    TrackId track;
    DeviceOpKind kind = DeviceOpKind::Kernel;
    Category category = Category::Other;
    uint32_t correlationId = 0;  // 0: not joined to a call
    OpId op;
    LaunchConfigId config;
    int32_t token = kNoToken;  // index of the new token it worked for, or kPrefillToken
    int16_t repeat = 0;        // -1: warm-up
    int64_t copyBytes = 0;     // of a copy or set
    uint64_t graphNodeId = 0;
};

// A step inside a kernel that does the work of many (mode persistent: one kernel a token), by stamps that one of its
// blocks took. Lies within its kernel, which alone is busy time and counts; a stage tells what the kernel did
// meanwhile.
struct StageRow {
    int64_t startNs = 0;
    int64_t endNs = 0;
    StringId name;
    TrackId track;  // the kernel's, as the following
    uint32_t correlationId = 0;
    Category category = Category::Other;
    OpId op;
    int32_t token = kNoToken;
    int16_t repeat = 0;
};

enum class ApiClass : uint8_t { Runtime, Driver };

struct ApiCallRow {
    int64_t startNs = 0;
    int64_t endNs = 0;
    StringId name;  // without version suffix
    uint64_t globalTid = 0;
    uint32_t correlationId = 0;
    ApiClass apiClass = ApiClass::Runtime;
};

// User: NVTX, record_function, our own phases. Wait: the host stood still until a stream, event or device was done.
enum class RangeKind : uint8_t { User, CpuOp, PythonFunction, Wait };

struct RangeRow {
    int64_t startNs = 0;
    int64_t endNs = 0;
    StringId name;
    uint64_t globalTid = 0;
    RangeKind kind = RangeKind::User;
};

struct OverheadRow {  // the profiler's own cost
    int64_t startNs = 0;
    int64_t endNs = 0;
    StringId name;
    uint64_t globalTid = 0;
};

struct TokenRow {
    int64_t emittedNs = 0;
    int16_t repeat = 0;
    int32_t index = 0;  // in the repeat, over all its sequences
    int32_t id = 0;
    StringId text;  // valid UTF-8; joined in order they are the generated text of their sequence
    // Of the step that gave it: speculative decoding drafts some tokens, and a step gives those that it accepts and one
    // of its own; in a batch a step gives one of each of its sequences. Device operations carry the index of the step's
    // first token.
    int16_t drafted = 0;
    int16_t accepted = 0;  // of those; tokens at places below it were drafted
    int16_t place = 0;     // of this token in the step
    int32_t sequence = 0;  // of a batch, which prompt's it is
};

inline constexpr int32_t kMostSequences = 4096;  // prompts of one run

// For readers of files, which may say anything: 0 <= place <= accepted <= drafted, else the token counts as plain. In a
// batch nothing is drafted and the place is among the step's sequences.
inline void setDrafts(TokenRow& token, int64_t drafted, int64_t accepted, int64_t place) {
    const bool inBatch = drafted == 0 && accepted == 0 && place < kMostSequences;
    if (place < 0 || (place > accepted && !inBatch) || accepted > drafted || drafted > INT16_MAX) return;
    token.drafted = static_cast<int16_t>(drafted);
    token.accepted = static_cast<int16_t>(accepted);
    token.place = static_cast<int16_t>(place);
}

// Likewise: what cannot be the number of a sequence is the first's.
inline void setSequence(TokenRow& token, int64_t sequence) {
    token.sequence = sequence >= 0 && sequence < kMostSequences ? static_cast<int32_t>(sequence) : 0;
}

// What is sampled of a device over time: one row of the timeline. Values are in the unit itself, never in thousands.
enum class CounterUnit : uint8_t { Number, Bytes, Hertz, Watt, Celsius, ClockEventReasons };
inline constexpr std::array<std::string_view, 6> kCounterUnitNames = {"number", "bytes",   "hertz",
                                                                      "watt",   "celsius", "clock event reasons"};

struct CounterRow {
    StringId name;  // "memory used"
    CounterUnit unit = CounterUnit::Number;
    uint32_t deviceId = 0;
    auto operator<=>(const CounterRow&) const = default;
};

// The value that a counter had at a moment; between two samples nothing is known but the earlier one. Times of one
// counter never decrease.
struct CounterSampleRow {
    int64_t timeNs = 0;
    CounterId counter;
    double value = 0;  // finite
};

template <template <class> class Column>
struct DeviceOpColumns {
    using Row = DeviceOpRow;
    Column<int64_t> startNs, endNs;
    Column<StringId> name;
    Column<TrackId> track;
    Column<DeviceOpKind> kind;
    Column<Category> category;
    Column<uint32_t> correlationId;
    Column<OpId> op;
    Column<LaunchConfigId> config;
    Column<int32_t> token;
    Column<int16_t> repeat;
    Column<int64_t> copyBytes;
    Column<uint64_t> graphNodeId;
    auto fields() {
        return std::tie(startNs, endNs, name, track, kind, category, correlationId, op, config, token, repeat,
                        copyBytes, graphNodeId);
    }
    auto fields() const { return const_cast<DeviceOpColumns*>(this)->fields(); }
    static auto rowFields(Row& r) {
        return std::tie(r.startNs, r.endNs, r.name, r.track, r.kind, r.category, r.correlationId, r.op, r.config,
                        r.token, r.repeat, r.copyBytes, r.graphNodeId);
    }
};

template <template <class> class Column>
struct StageColumns {
    using Row = StageRow;
    Column<int64_t> startNs, endNs;
    Column<StringId> name;
    Column<TrackId> track;
    Column<uint32_t> correlationId;
    Column<Category> category;
    Column<OpId> op;
    Column<int32_t> token;
    Column<int16_t> repeat;
    auto fields() { return std::tie(startNs, endNs, name, track, correlationId, category, op, token, repeat); }
    auto fields() const { return const_cast<StageColumns*>(this)->fields(); }
    static auto rowFields(Row& r) {
        return std::tie(r.startNs, r.endNs, r.name, r.track, r.correlationId, r.category, r.op, r.token, r.repeat);
    }
};

template <template <class> class Column>
struct ApiCallColumns {
    using Row = ApiCallRow;
    Column<int64_t> startNs, endNs;
    Column<StringId> name;
    Column<uint64_t> globalTid;
    Column<uint32_t> correlationId;
    Column<ApiClass> apiClass;
    auto fields() { return std::tie(startNs, endNs, name, globalTid, correlationId, apiClass); }
    auto fields() const { return const_cast<ApiCallColumns*>(this)->fields(); }
    static auto rowFields(Row& r) {
        return std::tie(r.startNs, r.endNs, r.name, r.globalTid, r.correlationId, r.apiClass);
    }
};

template <template <class> class Column>
struct RangeColumns {
    using Row = RangeRow;
    Column<int64_t> startNs, endNs;
    Column<StringId> name;
    Column<uint64_t> globalTid;
    Column<RangeKind> kind;
    auto fields() { return std::tie(startNs, endNs, name, globalTid, kind); }
    auto fields() const { return const_cast<RangeColumns*>(this)->fields(); }
    static auto rowFields(Row& r) { return std::tie(r.startNs, r.endNs, r.name, r.globalTid, r.kind); }
};

template <template <class> class Column>
struct OverheadColumns {
    using Row = OverheadRow;
    Column<int64_t> startNs, endNs;
    Column<StringId> name;
    Column<uint64_t> globalTid;
    auto fields() { return std::tie(startNs, endNs, name, globalTid); }
    auto fields() const { return const_cast<OverheadColumns*>(this)->fields(); }
    static auto rowFields(Row& r) { return std::tie(r.startNs, r.endNs, r.name, r.globalTid); }
};

template <template <class> class Column>
struct TokenColumns {
    using Row = TokenRow;
    Column<int64_t> emittedNs;
    Column<int16_t> repeat;
    Column<int32_t> index, id;
    Column<StringId> text;
    Column<int16_t> drafted, accepted, place;
    Column<int32_t> sequence;
    auto fields() { return std::tie(emittedNs, repeat, index, id, text, drafted, accepted, place, sequence); }
    auto fields() const { return const_cast<TokenColumns*>(this)->fields(); }
    static auto rowFields(Row& r) {
        return std::tie(r.emittedNs, r.repeat, r.index, r.id, r.text, r.drafted, r.accepted, r.place, r.sequence);
    }
};

template <template <class> class Column>
struct CounterSampleColumns {
    using Row = CounterSampleRow;
    Column<int64_t> timeNs;
    Column<CounterId> counter;
    Column<double> value;
    auto fields() { return std::tie(timeNs, counter, value); }
    auto fields() const { return const_cast<CounterSampleColumns*>(this)->fields(); }
    static auto rowFields(Row& r) { return std::tie(r.timeNs, r.counter, r.value); }
};

}  // namespace gapscope
