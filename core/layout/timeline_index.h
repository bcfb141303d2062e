// The rows of the timeline and what lies in them, kept up with a growing trace: tokens; per thread its nested ranges,
// API calls, waits and what tracing cost it; per device its gaps, streams, copies and counters. A later snapshot of the
// same run costs its new rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/layout/colour_by.h"
#include "core/layout/correlation_index.h"
#include "core/layout/counter_series.h"
#include "core/layout/density.h"
#include "core/layout/derived_rows.h"
#include "core/layout/lane_set.h"
#include "core/layout/row_arrangement.h"
#include "core/trace/trace.h"

namespace gapscope {

enum class RowKind : uint8_t {
    Token,
    Step,  // found in another program's trace
    Range,
    ApiCall,
    Wait,      // items are rows of ranges(), too
    Overhead,  // the profiler's own cost
    Gap,
    Stream,
    Copy,
    Stage,       // steps inside the kernels of a stream; items are rows of stages()
    Projection,  // ranges as they show on a stream; items are rows of ranges()
    Layer,
    Counters,    // the heading of a device's counters
    Counter,     // a plot instead of items
    ClockLimit,  // stretches of one set of reasons; items are samples
};

// What a plot shows.
enum class PlotFigure : uint8_t { Sampled, BusyShare, QueueDepth, Bandwidth };

struct TimelineRow {
    RowKind kind = RowKind::Stream;
    // As arranged
    std::string key;
    std::string group;  // key of the group that holds it; empty: none
    std::string title;
    bool startsGroup = false;
    std::string folds;         // key of the group that hides behind this row; empty: nothing
    bool folded = false;       // and is hidden now
    bool pinned = false;       // to the top
    int wantedLaneHeight = 0;  // px; 0: the usual

    std::string detail;  // longer name, for the tooltip
    uint64_t globalTid = 0;
    uint32_t deviceId = 0;
    TrackId track;
    int32_t sequence = -1;  // Token: of a batch, whose it shows; -1: the steps of all
    LaneSet lanes;
    UnionLane overlaps;    // Stream and Copy of several lanes: all of them, overlap counted once
    CounterSeries series;  // Counter, but for a BusyShare, which the device's activity tells
    PlotFigure figure = PlotFigure::Sampled;
    CounterUnit unit = CounterUnit::Number;

    // Stream and Copy: when it worked. Where nothing overlaps the only lane says it already.
    const Lane& busy() const { return lanes.lanes().size() == 1 ? lanes.lanes()[0] : overlaps.lane(); }
    void addWork(std::vector<LaneItem> batch);
};

// One idle stretch of a device, or a part of it that has one cause.
struct GapPiece {
    uint32_t deviceId = 0;
    TimeRange range;
    uint32_t gap = 0;  // index in the table of gaps
    uint8_t tint = 0;  // the cause
};

// The time of the step that gave the token. Steps have one for the first token they gave; in a batch, whose sequences
// have rows of their own, one for each.
struct TokenSpan {
    int16_t repeat = 0;
    int32_t index = -1;  // -1: prefill
    TimeRange range;
    int64_t tokenRow = -1;  // row of tokens(), once it was emitted
    int32_t number = -1;    // in a batch, of the token in its sequence; -1: prefill
    int64_t reachedNs = 0;  // the latest end of its repeat's tokens up to it
};

// Gap rows ready to draw, by device: built where the gaps are found, off the UI thread.
using GapLanes = std::map<uint32_t, LaneSet>;
GapLanes gapLanesOf(std::span<const GapPiece> pieces);

class TimelineIndex {
public:
    // Tints of API calls by name. What calls do is the analysis room's knowledge, handed in by who knows both.
    using ApiTint = std::function<uint8_t(std::string_view name)>;
    explicit TimelineIndex(ApiTint apiTint = {}, ColourBy colourBy = ColourBy::Category);

    // What tints tell: of streams, copies and device activity; by name also of ranges, API calls and waits, by stream
    // and launch latency also of API calls, which have the tint of what they launched.
    ColourBy colourBy() const { return m_colourBy; }
    // Of the device operations, how long each tint was at work; by category also of the stages inside them.
    TintTimes deviceTintTimes() const;
    // The rows of threads, hidden ones too.
    std::vector<const TimelineRow*> threadRows() const;

    // A trace that continues the former one is taken up where that ended; any other starts afresh and drops the gaps.
    // True when it started afresh. At most `mostRows` new rows of each table are taken up, for who must not stay away
    // for long: while isBehind(), another call with the same trace goes on. Without a limit a second thread helps with
    // a large trace.
    bool setTrace(TracePtr trace, size_t mostRows = SIZE_MAX);
    bool isBehind() const;
    // Whether setTrace() would only take up new rows.
    bool isContinuedBy(const Trace& trace) const { return isLaterSnapshot(*m_trace, trace); }
    // Replaces those of all devices.
    void setGaps(GapLanes gaps);
    // Replaces all rows that are derived.
    void setDerived(DerivedRows derived);
    DerivedRows takeDerived();
    const std::vector<LayerSpan>& layers() const { return m_layers; }
    const std::vector<StepSpan>& steps() const { return m_steps; }
    GapLanes takeGaps();  // out of here, for another index of the same trace
    void setArrangement(RowArrangement arrangement);
    const RowArrangement& arrangement() const { return m_arrangement; }
    // All rows there are, in order, hidden ones too.
    const RowTree& tree() const { return m_tree; }

    const Trace& trace() const { return *m_trace; }
    const std::vector<const TimelineRow*>& rows() const { return m_rows; }
    const std::vector<TokenSpan>& tokens() const { return m_tokens; }
    const CorrelationIndex& correlations() const { return m_correlations; }

    // When a device worked, all its streams together; null for an unknown one.
    const Lane* deviceBusy(uint32_t deviceId) const;
    std::vector<const Lane*> devicesBusy() const;

    // The row and lane where an item of a table lies; row -1: nowhere.
    struct Place {
        int row = -1;
        size_t lane = 0;
        size_t item = 0;
    };
    Place placeOf(RowKind kind, uint32_t tableRow) const;

private:
    struct Device {
        UnionLane busy;
        TimelineRow gaps;
        TimelineRow copies;
        TimelineRow busyShare;
        TimelineRow queueDepth;
        TimelineRow bandwidth;
        std::vector<TrackId> tracks;
        TimelineRow countersHeading;
        std::vector<CounterId> counters;
    };
    struct Thread {
        TimelineRow ranges;
        TimelineRow apiCalls;
        TimelineRow waits;
        TimelineRow overheads;
    };
    struct Repeat {
        std::map<int32_t, TimeRange> ops;  // by token: first start and last end of its device operations
    };

    void reset();
    size_t upTo(size_t seen, size_t size) const { return seen + std::min(size - seen, m_mostRows); }
    TrackRow trackOf(TrackId track) const;  // of an unknown one all zeros
    void addDeviceOps();
    bool tintsNeedLaunches() const { return m_colourBy == ColourBy::Stream || m_colourBy == ColourBy::LaunchLatency; }
    uint8_t opTint(size_t row);
    uint8_t latencyTintOf(uint32_t operation) const;
    uint8_t callTint(size_t row);
    void addApiCalls();
    void addRanges();
    void addOverheads();
    void addStages();
    void noteOps(int16_t repeat, int32_t token, TimeRange range);
    void noteChanged(std::pair<int16_t, int32_t> step);
    void takeEmitted();
    void addTokens();
    void addSequenceTokens(size_t step, std::map<int32_t, std::vector<LaneItem>>& items);
    void addCounters();
    Thread& threadOf(uint64_t globalTid);
    RowNode threadNode(uint64_t globalTid);
    RowNode deviceNode(uint32_t deviceId);
    void orderRows();

    ApiTint m_apiTint;
    ColourBy m_colourBy;
    TracePtr m_trace;
    std::map<uint32_t, Device> m_devices;
    std::map<TrackId, TimelineRow> m_streams;
    std::map<TrackId, TimelineRow> m_stages;
    std::map<TrackId, TimelineRow> m_projections;
    std::unique_ptr<TimelineRow> m_layerRow;  // m_rows points at it
    std::vector<LayerSpan> m_layers;
    std::unique_ptr<TimelineRow> m_stepRow;  // likewise
    std::vector<StepSpan> m_steps;
    std::string m_stepsTitle;
    bool m_isDerived = false;  // the rows that are worked out are there
    std::map<CounterId, TimelineRow> m_counters;
    std::map<uint64_t, Thread> m_threads;
    std::vector<uint64_t> m_threadOrder;           // as they appear
    using TokenKey = std::pair<int16_t, int32_t>;  // repeat and index
    std::map<int16_t, Repeat> m_repeats;
    struct Emitted {
        int64_t row = -1;    // of tokens()
        int32_t number = 0;  // in its sequence
    };
    std::map<TokenKey, Emitted> m_emitted;
    std::map<TokenKey, int32_t> m_emittedCounts;  // by repeat and sequence
    bool m_isBatch = false;                       // tokens of several sequences were emitted
    std::optional<TokenKey> m_changedToken;       // the first step whose span is not that of m_tokens
    std::vector<TokenSpan> m_tokens;
    std::unique_ptr<TimelineRow> m_tokenRow;  // m_rows points at it
    std::map<int32_t, TimelineRow> m_sequenceRows;
    std::vector<const TimelineRow*> m_rows;
    RowTree m_tree;
    RowArrangement m_arrangement;
    // By StringId; one for each kind of table, as two threads may lay them.
    std::vector<uint8_t> m_apiTints;
    std::vector<uint8_t> m_nameTints;
    std::vector<uint8_t> m_rangeTints;
    std::vector<uint8_t> m_waitTints;
    CorrelationIndex m_correlations;
    size_t m_mostRows = SIZE_MAX;  // to take up of a table
    size_t m_opsSeen = 0;
    size_t m_callsSeen = 0;
    size_t m_rangesSeen = 0;
    size_t m_overheadsSeen = 0;
    size_t m_stagesSeen = 0;
    size_t m_emittedSeen = 0;
    size_t m_samplesSeen = 0;
};

}  // namespace gapscope
