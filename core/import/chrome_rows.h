// Puts the blocks of a Chrome trace together and makes a Trace of them. Internal to the import room; one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/import/chrome_threads.h"
#include "core/import/event_block.h"
#include "core/import/row_checks.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

// Names are cut at this length, and rows of one table beyond this number are left out; both are counted.
inline constexpr size_t kMostNameBytes = size_t{1} << 16;
inline constexpr size_t kMostEventRows = size_t{500'000'000};

class ChromeRows {
public:
    explicit ChromeRows(TraceBuilder& builder) : m_builder(builder) {}

    void add(const EventBlock& block);
    int64_t eventCount() const { return m_eventCount; }  // placed or not

    // Adds everything to the builder, by start; times count from the first event.
    Status finish(std::stop_token stop);

private:
    struct Device {
        std::string name;
        int64_t memoryBytes = 0;
    };
    struct Track {
        uint32_t thread = 0;
        int64_t device = 0;
        int64_t context = 0;
        int64_t stream = 0;
        auto operator<=>(const Track&) const = default;
    };
    // Places in a block's lists to those of the whole file, for as long as a block is added.
    struct Places {
        std::vector<uint32_t> names, threads, tracks, configs;
    };

    uint32_t placeOfName(const EventBlock& block, uint32_t name);
    void addThreads(const EventBlock& block);
    void addTracks(const EventBlock& block);
    template <class Row, class Rows>
    bool hasRoom(const Rows& rows, const Row& row);

    void noteCategory(StringId name, std::string_view text);
    void findMiddle();
    template <class Use>
    void forEachTimes(Use use) const;
    void addEdges();
    void chooseOrigin();
    bool isInReach(int64_t startNs, int64_t endNs) const;
    bool isInTime(int64_t startNs, int64_t endNs);
    std::vector<uint32_t> processOfTracks() const;
    void addDeviceOps();
    void addCalls();
    void addRanges();
    void addDevices();
    void addThreadNames();
    void countUnplaced();

    TraceBuilder& m_builder;
    ChromeThreads m_threads;
    Places m_places;
    std::map<Track, uint32_t> m_trackPlaces;
    std::vector<Track> m_tracks;
    std::unordered_map<std::string, uint32_t> m_keys;  // of asynchronous ranges
    std::map<int64_t, Device> m_devices;
    std::optional<int64_t> m_baseTimeNs;

    // Rows of blocks, with ids that hold for the whole file.
    ColumnWriter<BlockOp> m_ops;
    ColumnWriter<BlockCall> m_calls;
    ColumnWriter<BlockRange> m_ranges;
    std::vector<BlockEdge> m_edges;

    std::array<int64_t, kUnplacedCount> m_unplaced{};
    int64_t m_eventCount = 0;
    int64_t m_beyondRoom = 0;
    int64_t m_cutNames = 0;
    int64_t m_outOfTime = 0;
    int64_t m_middleNs = 0;  // a time among those of most events
    int64_t m_originNs = 0;
    std::vector<bool> m_threadHasRows;
    std::set<uint32_t> m_launching;                       // processes that call the API
    std::unordered_map<StringId, Category> m_categories;  // of kernels, by name
};

}  // namespace gapscope
