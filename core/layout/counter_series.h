// One counter over time, with what a frame needs to cost pixels and not samples: the least and greatest value of blocks
// of samples and upwards, and the running sum of value times duration.
// A value holds until the next sample; before the first and after the last nothing is known.
#pragma once

#include <cstdint>
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
        size_t hint = 0;
        return over(range, hint);
    }
    // The same for who asks from left to right: `hint` is a sample before the range's start, and then its end.
    CounterColumn over(TimeRange range, size_t& hint) const;
    CounterColumn whole() const;

private:
    struct Extremes {
        double least;
        double greatest;
    };
    static constexpr size_t kBlock = 64;

    Extremes extremes(size_t from, size_t to) const;  // of the samples [from, to), not empty
    double sumBefore(size_t sample) const;
    double sum(size_t from, size_t to) const;                  // value times ns from a sample's time to another's
    size_t firstAtOrAfter(int64_t timeNs, size_t hint) const;  // gallops from the hint

    PackedNumbers m_times;
    PackedReals m_values;
    PackedNumbers m_rows;
    int64_t m_lastNs = 0;
    double m_lastValue = 0;
    double m_sum = 0;                               // value times ns of all samples but the last
    std::vector<double> m_blockSums;                // the same before each block
    std::vector<std::vector<Extremes>> m_extremes;  // level 0: of kBlock samples; level n: of kBlock of level n - 1
};

// One column a logical pixel over the width of the scale.
std::vector<CounterColumn> counterColumns(const CounterSeries& series, const TimeScale& scale);

// A round number at or above the greatest value, for the top of the row's scale: 1, 2, 2.5 or 5 times a power of ten.
double counterTop(const CounterSeries& series);

}  // namespace gapscope
