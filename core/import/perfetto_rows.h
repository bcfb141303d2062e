// Events of a Perfetto trace as rows of a Trace. Internal to the import room; one thread.
#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/import/chrome_threads.h"
#include "core/import/perfetto_events.h"
#include "core/import/row_checks.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

class PerfettoRows {
public:
    PerfettoRows(PerfettoEvents events, TraceBuilder& builder) : m_events(std::move(events)), m_builder(builder) {}
    Status finish(std::stop_token stop);

private:
    struct Row {
        int64_t startNs = 0;
        int64_t endNs = 0;
        uint32_t slice = 0;
        uint32_t track = 0;
    };

    std::optional<int64_t> timeOf(uint32_t clock, int64_t timeNs);
    void convertTimes();
    void pairMarks();
    void readOrigin();
    void placeTracks();
    uint32_t threadOf(uint32_t track);
    uint32_t deviceOf(uint32_t track) const;
    void joinFlows();
    void addRows();
    void addDeviceOp(const Row& row, const PerfettoSlice& slice);
    void addSamples();
    void addDevices();
    void addThreadNames();
    void addRun();
    void addNotes();
    void addDiagnostics();

    PerfettoEvents m_events;
    TraceBuilder& m_builder;
    std::vector<Row> m_rows;
    std::unordered_map<uint64_t, uint32_t> m_places;  // of tracks, by uuid
    ChromeThreads m_threads;
    std::vector<uint32_t> m_threadOfTrack;         // UINT32_MAX: not asked for yet
    std::map<uint64_t, uint32_t> m_deviceOfTrack;  // by uuid, as our own exports say
    BoundedTracks m_tracks;
    std::unordered_map<StringId, Category> m_categories;
    std::set<uint32_t> m_devices;
    std::map<uint32_t, int64_t> m_launching;  // processes of threads, with their calls
    std::vector<bool> m_threadHasRows;
    int64_t m_originNs = 0;
    bool m_isOwn = false;
    int64_t m_outOfTime = 0, m_unknownClock = 0, m_withoutEnd = 0, m_withoutBegin = 0, m_opWithoutEnd = 0,
            m_skipped = 0, m_otherCounters = 0;
};

}  // namespace gapscope
