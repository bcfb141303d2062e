#include "core/layout/counter_series.h"

#include <algorithm>
#include <cmath>

namespace gapscope {

void CounterSeries::add(int64_t timeNs, double value, uint32_t row) {
    if (!m_times.empty()) {
        timeNs = std::max(timeNs, m_lastNs);
        m_sum += m_lastValue * static_cast<double>(timeNs - m_lastNs);
    }
    size_t index = m_times.size();
    if (index % kBlock == 0) m_blockSums.push_back(m_sum);
    m_times.push_back(timeNs);
    m_values.push_back(value);
    m_rows.push_back(row);
    m_lastNs = timeNs;
    m_lastValue = value;
    for (size_t level = 0;; ++level) {
        index /= kBlock;
        if (level == m_extremes.size()) {
            if (index == 0 && level > 0) return;  // one block holds all
            m_extremes.emplace_back();
            // A new level begins with what the one below it holds already.
            if (level > 0) {
                const auto& below = m_extremes[level - 1];
                Extremes first = below.front();
                for (size_t i = 0; i < std::min(kBlock, below.size()); ++i)
                    first = {std::min(first.least, below[i].least), std::max(first.greatest, below[i].greatest)};
                m_extremes[level].push_back(first);
            }
        }
        auto& blocks = m_extremes[level];
        if (index == blocks.size()) {
            blocks.push_back({value, value});
        } else {
            blocks[index].least = std::min(blocks[index].least, value);
            blocks[index].greatest = std::max(blocks[index].greatest, value);
        }
    }
}

size_t CounterSeries::firstAtOrAfter(int64_t timeNs, size_t hint) const {
    size_t step = 1;
    size_t low = hint;
    size_t high = hint;
    while (high < size() && m_times[high] < timeNs) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = std::min(high, size());
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m_times[middle] < timeNs)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

std::optional<size_t> CounterSeries::sampleAt(int64_t timeNs) const {
    if (m_times.empty() || timeNs < m_times.front() || timeNs > m_lastNs) return std::nullopt;
    return timeNs == m_lastNs ? size() - 1 : firstAtOrAfter(timeNs + 1, 0) - 1;
}

CounterSeries::Extremes CounterSeries::extremes(size_t from, size_t to) const {
    Extremes found{m_values[from], m_values[from]};
    const auto take = [&](const Extremes& more) {
        found = {std::min(found.least, more.least), std::max(found.greatest, more.greatest)};
    };
    // Upwards: single samples to a block's edge, blocks to a larger block's edge, ...; down the same way at the end.
    size_t level = 0;
    const auto at = [&](size_t index) {
        return level == 0 ? Extremes{m_values[index], m_values[index]} : m_extremes[level - 1][index];
    };
    while (from < to) {
        const bool blocks = level < m_extremes.size();
        while (from < to && (!blocks || from % kBlock != 0))
            take(at(from++));
        while (from < to && blocks && to % kBlock != 0)
            take(at(--to));
        from /= kBlock;
        to /= kBlock;
        ++level;
    }
    return found;
}

double CounterSeries::sumBefore(size_t sample) const {
    return m_blockSums[sample / kBlock] + sum(sample / kBlock * kBlock, sample);
}

double CounterSeries::sum(size_t from, size_t to) const {
    if (to - from > 2 * kBlock) return sumBefore(to) - sumBefore(from);
    double sum = 0;
    for (int64_t timeNs = m_times[from]; from < to; ++from) {
        const int64_t nextNs = m_times[from + 1];
        sum += m_values[from] * static_cast<double>(nextNs - timeNs);
        timeNs = nextNs;
    }
    return sum;
}

CounterColumn CounterSeries::over(TimeRange range, size_t& hint) const {
    if (m_times.empty() || range.startNs > m_lastNs || range.endNs <= m_times.front()) return {};
    // What was taken at the very start, else what holds there.
    size_t first = firstAtOrAfter(range.startNs, hint);
    if (first > 0 && (first == size() || m_times[first] > range.startNs)) --first;
    const size_t end = std::max(first + 1, firstAtOrAfter(range.endNs, first));
    hint = first;
    const Extremes found = extremes(first, end);
    const double last = m_values[end - 1];
    CounterColumn column{true, found.least, found.greatest, last};
    const int64_t fromNs = std::max(range.startNs, m_times.front());
    const int64_t toNs = std::min(range.endNs, m_lastNs);
    if (toNs > fromNs) {
        const double total = sum(first, end - 1) + last * static_cast<double>(toNs - m_times[end - 1]) -
                             m_values[first] * static_cast<double>(fromNs - m_times[first]);
        const double mean = total / static_cast<double>(toNs - fromNs);
        // Differences of large sums: rounding must not lead out of what was measured.
        column.mean = mean >= found.least ? std::min(mean, found.greatest) : found.least;
    }
    return column;
}

CounterColumn CounterSeries::whole() const {
    return m_times.empty() ? CounterColumn{} : over({m_times.front(), m_lastNs + 1});
}

std::vector<CounterColumn> counterColumns(const CounterSeries& series, const TimeScale& scale) {
    std::vector<CounterColumn> columns(static_cast<size_t>(std::max(0.0, std::ceil(scale.width))));
    if (series.empty() || scale.range.empty()) return columns;
    size_t hint = 0;
    for (size_t x = 0; x < columns.size(); ++x) {
        const TimeRange pixel{scale.timeAt(static_cast<double>(x)), scale.timeAt(static_cast<double>(x + 1))};
        columns[x] = series.over({pixel.startNs, std::max(pixel.endNs, pixel.startNs + 1)}, hint);
    }
    return columns;
}

double counterTop(const CounterSeries& series) {
    const double greatest = series.whole().greatest;
    if (!(greatest > 0) || !std::isfinite(greatest)) return 1;
    const double power = std::pow(10, std::floor(std::log10(greatest)));
    for (const double step : {1.0, 2.0, 2.5, 5.0})
        if (greatest <= step * power) return step * power;
    return 10 * power;
}

}  // namespace gapscope
