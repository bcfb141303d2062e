// The events of one piece of a Chrome trace as compact rows. A block stands alone: its ids are places in its own lists
// and its texts point into the piece, so that pieces can be read on any thread and put together in order afterwards.
// Internal to the import room.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/import/trace_event.h"
#include "core/trace/tables.h"

namespace gapscope {

// Events that no table of a trace holds; they are counted.
enum class Unplaced : uint8_t {
    Flow,
    Instant,      // of a whole process or file
    MemoryEvent,  // that tells no totals, or those of no device
    Counter,      // of no device
    GpuAnnotation,
    ProfilerSpan,
    OtherPhase,   // object snapshots, samples, memory dumps ...
    NotAnEvent,   // an object without a phase
    WithoutTime,  // no time, or one out of all time
    DeviceOpWithoutEnd,
};
inline constexpr size_t kUnplacedCount = 10;

// Values without repetition; a value is known by its place from then on.
template <class Key, class Hash = std::hash<Key>>
class InternList {
public:
    uint32_t placeOf(const Key& key) {
        if (m_last < m_keys.size() && m_keys[m_last] == key) return m_last;  // events come in runs
        const auto [it, isNew] = m_places.try_emplace(key, static_cast<uint32_t>(m_keys.size()));
        if (isNew) m_keys.push_back(key);
        return m_last = it->second;
    }
    const Key& operator[](uint32_t place) const { return m_keys[place]; }
    size_t size() const { return m_keys.size(); }
    void clear() {
        m_keys.clear();
        m_places.clear();
        m_last = 0;
    }

private:
    std::vector<Key> m_keys;
    std::unordered_map<Key, uint32_t, Hash> m_places;
    uint32_t m_last = 0;
};

inline size_t mixedHash(size_t hash, uint64_t value) {
    return (hash ^ value) * size_t{0x9E3779B97F4A7C15} ^ hash >> 29;
}

struct BlockThread {  // as `pid` and `tid` name it
    std::string_view process;
    std::string_view thread;
    bool operator==(const BlockThread&) const = default;
    struct Hash {
        size_t operator()(const BlockThread& key) const {
            const std::hash<std::string_view> hash;
            return mixedHash(hash(key.process), hash(key.thread));
        }
    };
};

struct BlockTrack {
    uint32_t thread = 0;  // of the event's row
    int64_t device = -1;  // -1: as the row says
    int64_t context = -1;
    int64_t stream = -1;
    bool operator==(const BlockTrack&) const = default;
    struct Hash {
        size_t operator()(const BlockTrack& key) const {
            size_t hash = key.thread;
            for (const int64_t number : {key.device, key.context, key.stream})
                hash = mixedHash(hash, static_cast<uint64_t>(number));
            return hash;
        }
    };
};

struct BlockConfig {
    uint32_t name = 0;
    std::array<int32_t, 3> grid{};
    std::array<int32_t, 3> block{};
    int32_t registersPerThread = 0;
    int32_t sharedBytes = 0;
    int32_t occupancyPercent = -1;
    int32_t staticSharedBytes = 0;
    uint32_t fullName = kAsOperation;
    bool isTold = true;  // false: an own export has none, only the name tells what kernel it is
    static constexpr uint32_t kAsOperation = UINT32_MAX;
    bool operator==(const BlockConfig&) const = default;
    struct Hash {
        size_t operator()(const BlockConfig& key) const {
            size_t hash = mixedHash(key.name, static_cast<uint32_t>(key.registersPerThread));
            hash = mixedHash(hash, uint64_t{static_cast<uint32_t>(key.sharedBytes)} << 32 |
                                       static_cast<uint32_t>(key.occupancyPercent));
            for (size_t axis = 0; axis < 3; ++axis)
                hash = mixedHash(hash, uint64_t{static_cast<uint32_t>(key.grid[axis])} << 32 |
                                           static_cast<uint32_t>(key.block[axis]));
            return mixedHash(hash, uint64_t{key.fullName} << 32 | static_cast<uint32_t>(key.staticSharedBytes));
        }
    };
};

struct BlockRole {  // what an operation does in the model: own exports tell it
    uint32_t name = 0;
    uint32_t shapes = 0;
    uint32_t dtype = 0;
    int32_t layer = -1;
    int64_t bytesMoved = 0;
    int64_t flops = 0;
    bool operator==(const BlockRole&) const = default;
    struct Hash {
        size_t operator()(const BlockRole& key) const {
            size_t hash = mixedHash(key.name, uint64_t{key.shapes} << 32 | key.dtype);
            for (const int64_t number : {int64_t{key.layer}, key.bytesMoved, key.flops})
                hash = mixedHash(hash, static_cast<uint64_t>(number));
            return hash;
        }
    };
};

struct BlockOp {
    int64_t startNs = 0;
    int64_t endNs = 0;
    int64_t bytes = 0;
    uint64_t graphNode = 0;
    uint32_t name = 0;
    uint32_t track = 0;
    uint32_t correlation = 0;
    uint32_t config = kNone;
    // Of own exports.
    uint32_t role = kNone;
    int32_t token = kNoToken;
    int16_t repeat = 0;
    DeviceOpKind kind = DeviceOpKind::Kernel;
    Category category = Category::Other;
    bool isStage = false;  // inside a kernel: no operation
    static constexpr uint32_t kNone = UINT32_MAX;
};

struct BlockCall {
    int64_t startNs = 0;
    int64_t endNs = 0;
    uint32_t name = 0;
    uint32_t thread = 0;
    uint32_t correlation = 0;
    ApiClass apiClass = ApiClass::Runtime;
};

enum class RangeTable : uint8_t { User, CpuOp, PythonFunction, Wait, Overhead };

struct BlockRange {
    int64_t startNs = 0;
    int64_t endNs = 0;
    uint32_t name = 0;
    uint32_t thread = 0;
    RangeTable table = RangeTable::User;
};

// One end of a range that two events tell, or a beginning without an end.
struct BlockEdge {
    int64_t timeNs = 0;
    uint32_t name = 0;
    uint32_t thread = 0;
    uint32_t key = 0;  // of an asynchronous range: the name that holds its category and id
    RangeTable table = RangeTable::User;
    enum class Kind : uint8_t { Begin, End, AsyncBegin, AsyncEnd, WithoutEnd } kind = Kind::Begin;
};

struct BlockWait {
    int64_t startNs = 0;
    int64_t endNs = 0;
    uint32_t name = 0;
    uint32_t thread = 0;       // the row it stands on in the file: a device's
    uint32_t correlation = 0;  // of the call that waited
};

struct BlockSample {
    int64_t timeNs = 0;
    double value = 0;
    uint32_t name = 0;
    int64_t device = 0;
    CounterUnit unit = CounterUnit::Number;
    uint32_t thread = kOfDevice;  // the row of an own export's counter, which tells the device
    static constexpr uint32_t kOfDevice = UINT32_MAX;
};

struct BlockToken {  // of own exports
    int64_t timeNs = 0;
    uint32_t text = 0;
    int32_t index = 0;
    int32_t id = 0;
    int16_t repeat = 0;
    int64_t drafted = 0, accepted = 0, place = 0, sequence = 0;  // as the file says
};

struct BlockLabel {  // a metadata event that names something
    enum class Of : uint8_t { Process, Thread } of = Of::Process;
    uint32_t thread = 0;
    std::string_view text;
};

struct BlockDevice {  // of the file's "deviceProperties"
    int64_t id = 0;
    int64_t memoryBytes = 0;
    std::string_view name;
};

struct EventBlock {
    InternList<std::string_view> names;  // escapes as they are
    InternList<BlockThread, BlockThread::Hash> threads;
    InternList<BlockTrack, BlockTrack::Hash> tracks;
    InternList<BlockConfig, BlockConfig::Hash> configs;
    InternList<BlockRole, BlockRole::Hash> roles;
    std::vector<BlockOp> ops;
    std::vector<BlockCall> calls;
    std::vector<BlockRange> ranges;
    std::vector<BlockEdge> edges;
    std::vector<BlockWait> waits;
    std::vector<BlockSample> samples;
    std::vector<BlockToken> tokens;
    std::vector<BlockLabel> labels;
    std::vector<BlockDevice> devices;
    std::optional<int64_t> baseTimeNs;
    std::string_view ownHead;  // the value of the member "gapscope"
    std::array<int64_t, kUnplacedCount> unplaced{};

    void add(const TraceEvent& event);
    void clear();  // keeps the memory: fresh pages cost more than reading the text
    int64_t unplacedCount(Unplaced kind) const { return unplaced[static_cast<size_t>(kind)]; }

private:
    void leaveOut(Unplaced kind) { ++unplaced[static_cast<size_t>(kind)]; }
    uint32_t threadOf(const TraceEvent& event) { return threads.placeOf({event.process, event.thread}); }
    uint32_t configOf(const BlockConfig& config);
    void addOwnArgs(const TraceEvent& event, BlockOp& op, BlockConfig& config);
    void addComplete(const TraceEvent& event);
    void addDeviceOp(const TraceEvent& event);
    void addRange(const TraceEvent& event, int64_t endNs);
    void addEdge(const TraceEvent& event, BlockEdge::Kind kind);
    void addMemory(const TraceEvent& event);
    void addCounter(const TraceEvent& event);
    void addToken(const TraceEvent& event);
    void addLabel(const TraceEvent& event);

    std::vector<uint32_t> m_configOfName;  // the last one
    std::deque<std::string> m_madeTexts;   // names that stand nowhere in the piece
};

}  // namespace gapscope
