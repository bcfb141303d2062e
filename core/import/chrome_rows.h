// Puts the blocks of a Chrome trace together: their rows, with ids that hold for the whole file. Internal to the import
// room; one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/import/chrome_threads.h"
#include "core/import/event_block.h"
#include "core/import/limits.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

struct ChromeDevice {
    std::string name;
    int64_t memoryBytes = 0;
};

struct ChromeTrack {
    uint32_t thread = 0;  // the row of the file that it is
    int64_t device = 0;
    int64_t context = 0;
    int64_t stream = 0;
    auto operator<=>(const ChromeTrack&) const = default;
};

// A file's events. Names are StringIds, configs LaunchConfigIds and roles OpIds of the builder; threads are places in
// `threads`.
struct ChromeTables {
    ChromeThreads threads;
    std::vector<ChromeTrack> tracks;
    std::map<int64_t, ChromeDevice> devices;
    std::unordered_map<StringId, Category> categories;  // of kernels, by name
    std::optional<int64_t> baseTimeNs;
    ColumnWriter<BlockOp> ops;
    ColumnWriter<BlockCall> calls;
    ColumnWriter<BlockRange> ranges;
    std::vector<BlockEdge> edges;
    std::vector<BlockWait> waits;
    std::vector<BlockSample> samples;
    std::vector<BlockToken> tokens;
    std::string ownHead;
    std::array<int64_t, kUnplacedCount> unplaced{};
    int64_t eventCount = 0;  // in tables or not
    int64_t beyondRoom = 0;
    int64_t cutNames = 0;
    int64_t unnamedDevices = 0;
};

class ChromeRows {
public:
    ChromeRows(ChromeTables& tables, TraceBuilder& builder, size_t mostRows)
        : m_tables(tables), m_builder(builder), m_mostRows(mostRows) {}
    void add(const EventBlock& block);

private:
    uint32_t placeOfName(const EventBlock& block, uint32_t name);
    void placeThreads(const EventBlock& block);
    void placeTracks(const EventBlock& block);
    void placeConfigs(const EventBlock& block);
    void placeRoles(const EventBlock& block);
    bool hasRoom(size_t rows);
    void addRows(const EventBlock& block);

    ChromeTables& m_tables;
    TraceBuilder& m_builder;
    const size_t m_mostRows;  // of one kind
    std::map<ChromeTrack, uint32_t> m_trackPlaces;
    std::unordered_map<std::string, uint32_t> m_keys;  // of asynchronous ranges
    // Places in the lists of the block that is being added to those of the whole file.
    std::vector<uint32_t> m_names, m_threads, m_tracks, m_configs, m_roles;
};

}  // namespace gapscope
