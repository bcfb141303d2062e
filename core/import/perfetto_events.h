// Packets of a Perfetto trace as events with names, tracks and times of their clocks: interned data and the state of
// each sequence of packets are resolved here. Internal to the import room; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/perfetto_format.h"
#include "core/import/limits.h"
#include "core/import/perfetto_clocks.h"
#include "core/import/proto_reader.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

// What an event of Perfetto's becomes here.
enum class PerfettoKind : uint8_t {
    Kernel,
    Copy,
    Set,
    GraphLaunch,
    Stage,  // inside a kernel
    RuntimeCall,
    DriverCall,
    CpuOp,
    PythonFunction,
    Wait,
    Overhead,
    User,
    Token,
    Skipped,  // copies of annotations on GPU rows, the profiler's own spans
};

// What events of device operations and tokens say beside their name.
struct PerfettoArgs {
    int64_t device = -1, context = -1, stream = -1, process = -1;  // -1: not said
    DeviceOpRow op;                                                // what of it is known from arguments
    OpRow role;
    LaunchConfigRow config;
    bool hasRole = false, hasConfig = false;
    std::optional<Category> category;
    int32_t index = 0, id = 0;  // of a token
    int64_t drafted = 0, accepted = 0, place = 0, sequence = 0;
    StringId text;
};

struct PerfettoSlice {
    StringId name;
    PerfettoKind kind = PerfettoKind::User;
    uint32_t correlationId = 0;
    uint32_t args = UINT32_MAX;  // place in PerfettoEvents::args
    uint64_t flow = 0;
    uint64_t stage = 0;  // the event id of a GPU's render stage
};

struct PerfettoMark {
    enum class What : uint8_t { Begin, End, Complete, Instant };
    int64_t timeNs = 0;  // of `clock`
    int64_t durationNs = 0;
    uint32_t clock = 0;  // place in PerfettoEvents::clocks
    uint32_t track = 0;  // place in PerfettoEvents::tracks
    uint32_t slice = UINT32_MAX;
    What what = What::Begin;
};

struct PerfettoTrack {
    uint64_t uuid = 0;
    uint64_t parent = 0;
    std::string name;
    int64_t pid = -1, tid = -1;  // of the process or thread that it is
    bool isQueue = false;        // of a GPU, from render stages
    std::optional<CounterUnit> counter;
    int64_t multiplier = 1;
    bool isIncremental = false;
    double lastValue = 0;
};

struct PerfettoSample {
    int64_t timeNs = 0;
    uint32_t clock = 0;
    uint32_t track = 0;
    double value = 0;
};

// An instant of our own exports, whole.
struct PerfettoNote {
    std::string name;
    int64_t timeNs = 0;
    uint32_t clock = 0;
    struct Value {
        int64_t integer = 0;
        double real = 0;
        std::string text;
        std::vector<int32_t> list;
    };
    std::map<std::string, Value, std::less<>> values;
};

struct PerfettoEvents {
    std::vector<PerfettoMark> marks;
    std::vector<PerfettoSlice> slices;
    std::vector<PerfettoArgs> args;
    std::vector<PerfettoSample> samples;
    std::vector<PerfettoNote> notes;
    std::vector<PerfettoTrack> tracks;
    std::vector<ClockKey> clockKeys;
    PerfettoClocks clocks;
    std::map<int64_t, std::string> processNames;                     // by pid
    std::map<std::pair<int64_t, int64_t>, std::string> threadNames;  // by pid and tid
    std::unordered_map<uint64_t, uint64_t> flowOfStage;              // by event id: of the call that submitted it
};

int perfettoArgOf(std::string_view name);  // an Arg, or -1

class PerfettoReader {
public:
    PerfettoReader(TraceBuilder& builder, const PerfettoLimits& limits)
        : m_builder(builder), m_limits(limits), m_events{.clocks = PerfettoClocks(limits.snapshotClocks)} {}
    void take(std::string_view packet);
    // Everything that was read; counts what could not be used.
    PerfettoEvents finish();
    int64_t eventCount() const { return m_eventCount; }

private:
    struct Interned {
        std::string text;
        StringId id;
        int arg = -1;         // of an annotation's name: which Arg
        std::string message;  // of a compute kernel its arguments, of counters their descriptor
        int64_t gpu = 0;      // of counters
    };
    using InternedList = std::unordered_map<uint64_t, Interned>;
    struct SequenceClock {
        int64_t lastNs = 0;
        int64_t multiplierNs = 1;
        bool isIncremental = false;
    };
    struct GpuCounter {
        std::string name;
        CounterUnit unit = CounterUnit::Number;
    };
    struct Sequence {
        bool hasState = false;
        std::array<InternedList, 50> interned;  // by internedPlace()
        std::map<uint64_t, int64_t> contextPids;
        std::map<uint32_t, GpuCounter> gpuCounters;
        std::map<uint32_t, SequenceClock> clocks;
        uint32_t defaultClock = 0;
        uint64_t defaultTrack = 0;
        std::vector<uint64_t> extraTracks, extraDoubleTracks;  // defaults for events' extra counters
        uint64_t counterDescriptor = 0;                        // the interned one that gpuCounters was filled from
        int64_t threadPid = -1, threadTid = -1;
        int64_t referenceNs = 0;
    };
    struct Packet {
        uint64_t timestamp = 0;
        bool hasTime = false;
        uint32_t clock = 0;
        uint32_t sequence = 0;
        std::string_view internedData, defaults, body;
        uint32_t bodyField = 0;
        uint64_t flags = 0;
    };
    struct Annotation {
        int arg = -1;
        std::string_view name;
        int64_t integer = 0;
        double real = 0;
        std::string_view text;
        uint64_t textIid = 0;
        std::vector<int64_t> list;
        bool isReal = false;
    };
    struct Event {
        uint64_t type = 0;
        uint64_t track = 0;
        bool hasTrack = false;
        uint64_t nameIid = 0;
        std::string_view name;
        std::vector<std::string_view> categories;
        uint64_t flow = 0;
        uint64_t correlationId = 0;
        double value = 0;
        std::string_view legacy;
        std::vector<Annotation> annotations;
        std::vector<uint64_t> extraTracks, extraDoubleTracks, submittedStages;
        std::vector<int64_t> extraValues;
        std::vector<double> extraDoubleValues;
        bool isGpuCall = false;
        int64_t timeNs = 0;
        uint32_t clock = 0;
        bool hasTime = false;
    };

    bool clearsState(const Packet& packet) const;
    void takeInterned(Sequence& sequence, std::string_view message);
    void takeDefaults(Sequence& sequence, std::string_view message);
    void takeSnapshot(const Packet& packet, Sequence& sequence);
    void takeTrack(std::string_view message);
    void takeProcess(std::string_view message, PerfettoTrack* track);
    void takeThread(std::string_view message, PerfettoTrack* track, Sequence* sequence);
    void takeProcessTree(std::string_view message);
    void takeEvent(const Packet& packet, Sequence& sequence);
    void takeLegacy(const Event& event, Sequence& sequence);
    void takeStage(const Packet& packet, Sequence& sequence);
    void takeGpuCounters(const Packet& packet, Sequence& sequence);

    Event readEvent(const Packet& packet, Sequence& sequence);
    Annotation readAnnotation(std::string_view message, const Sequence& sequence);
    bool readExtra(const ProtoReader& reader, Event& event);
    void addExtraSamples(const Event& event, const Sequence& sequence);
    double counted(PerfettoTrack& track, double value) const;
    void readComputeArgs(std::string_view message, uint32_t field, const Sequence& sequence, PerfettoArgs& args);
    void readCounterSpecs(std::string_view descriptor, Sequence& sequence);
    void nameProcess(int64_t pid, std::string_view name);
    void nameThread(int64_t pid, int64_t tid, std::string_view name);
    PerfettoKind kindOf(const Event& event) const;
    uint32_t addSlice(const Event& event, Sequence& sequence);
    void addNote(const Event& event, const Sequence& sequence);
    void addMark(PerfettoMark mark);
    void addSample(const PerfettoSample& sample);

    const Interned* find(const Sequence& sequence, uint32_t list, uint64_t iid) const;
    StringId nameOf(Sequence& sequence, uint32_t list, uint64_t iid, std::string_view text);
    StringId intern(std::string_view text);
    uint32_t trackPlace(uint64_t uuid);
    uint32_t clockPlace(uint32_t clock, uint32_t sequence);
    bool timeOf(const Packet& packet, Sequence& sequence, int64_t& timeNs, uint32_t& clock);

    TraceBuilder& m_builder;
    const PerfettoLimits m_limits;
    PerfettoEvents m_events;
    std::unordered_map<uint32_t, Sequence> m_sequences;
    std::unordered_map<uint64_t, uint32_t> m_trackPlaces;
    std::map<ClockKey, uint32_t> m_clockPlaces;
    size_t m_internedCount = 0;
    int64_t m_eventCount = 0;
    int64_t m_notRead = 0, m_withoutState = 0, m_beyondBounds = 0, m_damaged = 0, m_legacy = 0, m_withoutTime = 0,
            m_argsNotKept = 0, m_dropped = 0, m_unknownNames = 0, m_samplesWithoutTrack = 0, m_cutNames = 0;
};

}  // namespace gapscope
