// One counter over time, with what a frame needs to cost pixels and not samples: the least and greatest value of blocks
// of samples and upwards, and the running sum of value times duration.
// A value holds until the next sample; before the first and after the last nothing is known.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "core/base/time_range.h"
#include "core/layout/packed_list.h"
#include "core/layout/time_scale.h"

namespace gapscope {

struct CounterColumn {
    bool known = false;  // else the rest means nothing
    double least = 0;
    double greatest = 0;
    double mean = 0;  // over the part of the time that a value is known for
};

class CounterSeries {
public:
    // In order of time; one that goes back counts as taken at the last one's time.
    void add(int64_t timeNs, double value, uint32_t row);

    size_t size() const { return m_times.size(); }
    bool empty() const { return m_times.empty(); }
    int64_t timeNs(size_t sample) const { return m_times[sample]; }
    double value(size_t sample) const { return m_values[sample]; }
    uint32_t row(size_t sample) const { return static_cast<uint32_t>(m_rows[sample]); }  // of the trace's samples

    // The sample whose value holds at that time.
    std::optional<size_t> sampleAt(int64_t timeNs) const;
    // Of all values that hold at some time of the range, its start included and its end not.
    CounterColumn over(TimeRange range) const {
        Edge edge;
        return over(range, edge);
    }
    CounterColumn whole() const;

private:
    friend std::vector<CounterColumn> counterColumns(const CounterSeries& series, const TimeScale& scale);

    struct Extremes {
        double least = std::numeric_limits<double>::infinity();
        double greatest = -std::numeric_limits<double>::infinity();
        void take(double value) {
            least = std::min(least, value);
            greatest = std::max(greatest, value);
        }
        void take(const Extremes& more) {
            least = std::min(least, more.least);
            greatest = std::max(greatest, more.greatest);
        }
    };
    // What is known of a moment: where a range ends the next one begins, and half of the work for it is done.
    struct Edge {
        int64_t timeNs = INT64_MIN;
        size_t next = 0;   // the first sample at or after it
        size_t block = 0;  // that the sample before it lies in
        bool isWorkedOut = false;
        double sum = 0;   // value times ns up to the block's sample before it, none of its own time counted
        Extremes before;  // of the block's samples before `next`
        Extremes after;   // of its others
    };
    static constexpr size_t kBlock = 64;

    // Of a range that begins at `edge` or anywhere after it; `edge` is then that of the range's end.
    CounterColumn over(TimeRange range, Edge& edge) const;
    Edge edgeAt(int64_t timeNs, const Edge& before) const;
    void workOut(Edge& edge) const;
    void takeBlocks(size_t from, size_t to, Extremes& found) const;  // of whole blocks [from, to)
    Extremes extremesOf(size_t from, size_t to) const;               // of the samples [from, to), by looking at each
    double sumOf(size_t from, size_t to) const;                      // value times ns from a sample's time to another's
    size_t firstAtOrAfter(int64_t timeNs, size_t hint) const;        // gallops from the hint

    PackedNumbers m_times;
    PackedReals m_values;
    PackedNumbers m_rows;
    int64_t m_lastNs = 0;
    double m_lastValue = 0;
    double m_sum = 0;                               // value times ns of all samples but the last
    std::vector<int64_t> m_blockTimes;              // of the first sample of each block
    std::vector<double> m_blockSums;                // the sum before each block
    std::vector<std::vector<Extremes>> m_extremes;  // level 0: of kBlock samples; level n: of kBlock of level n - 1
};

// One column a logical pixel over the width of the scale.
std::vector<CounterColumn> counterColumns(const CounterSeries& series, const TimeScale& scale);

// A round number at or above the greatest value, for the top of the row's scale: 1, 2, 2.5 or 5 times a power of ten.
double counterTop(const CounterSeries& series);

}  // namespace gapscope
