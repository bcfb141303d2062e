// Rows of one table by class and start, so that counts and clipped sums of any window come from prefix sums and from
// the few rows that an edge of the window cuts. Immutable once made.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/time_range.h"
#include "core/trace/column.h"

namespace gapscope {

class IntervalIndex {
public:
    IntervalIndex() = default;
    // Each row's class, below classCount; a class has at least one row. A row that ends before it starts is empty.
    IntervalIndex(const ColumnView<int64_t>& startNs, const ColumnView<int64_t>& endNs, std::vector<uint32_t> classOf,
                  size_t classCount);

    // What a window has of one class.
    struct Part {
        uint32_t classIndex = 0;
        uint32_t first = 0;  // places of the rows that begin inside
        uint32_t end = 0;
        int64_t ns = 0;  // of all rows that overlap the window, clipped to it
        int64_t count() const { return int64_t{end} - first; }
    };
    // A row that lies in the window only in part.
    struct Cut {
        uint32_t row = 0;
        uint32_t classIndex = 0;
        int64_t insideNs = 0;
        bool begins = false;  // inside the window
        double share(const ColumnView<int64_t>& startNs, const ColumnView<int64_t>& endNs) const {
            return static_cast<double>(insideNs) / static_cast<double>(endNs[row] - startNs[row]);
        }
    };
    struct Window {
        std::vector<Part> parts;  // classes with anything in the window, in no order
        std::vector<Cut> cut;
    };
    Window window(TimeRange window) const;

    uint32_t rowAt(uint32_t place) const { return m_rows[place]; }
    int64_t durationNs(uint32_t place) const { return m_endNs[place] - m_startNs[place]; }
    // Durations of the part's rows that begin inside, clipped to the window, added at the end of `values`.
    void appendDurations(const Part& part, TimeRange window, std::vector<int64_t>& values) const;
    // The lowest of the part's rows that begin inside; UINT32_MAX without any.
    uint32_t lowestRow(const Part& part) const;
    // All rows by start; ties by row.
    std::span<const uint32_t> byStart() const { return m_byStart; }

private:
    struct Class {
        uint32_t first = 0;  // places
        uint32_t end = 0;
        int64_t firstStartNs = 0;
        int64_t lastStartNs = 0;
        bool rowsAscend = true;
    };
    template <class Visit>
    void forEachOpenAt(int64_t timeNs, int64_t startingFromNs, Visit visit) const;

    std::vector<Class> m_classes;
    std::vector<uint32_t> m_classOf;  // by row
    std::vector<uint32_t> m_rows;     // by place: class after class, by start within one
    std::vector<int64_t> m_startNs;   // by place
    std::vector<int64_t> m_endNs;
    std::vector<int64_t> m_totalNs;  // of all places before
    std::vector<uint32_t> m_byStart;
    std::vector<uint32_t> m_placeOf;    // by row
    std::vector<int64_t> m_blockEndNs;  // latest end in each block of m_byStart
};

}  // namespace gapscope
