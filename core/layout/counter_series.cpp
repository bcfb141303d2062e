#include "core/layout/counter_series.h"

#include <algorithm>
#include <cmath>

namespace gapscope {

void CounterSeries::add(int64_t timeNs, double value, uint32_t row) {
    if (!m_times.empty()) {
        timeNs = std::max(timeNs, m_times.back());
        m_sums.push_back(m_sums.back() + m_values.back() * static_cast<double>(timeNs - m_times.back()));
    } else {
        m_sums.push_back(0);
    }
    size_t index = m_times.size();
    m_times.push_back(timeNs);
    m_values.push_back(value);
    m_rows.push_back(row);
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

std::optional<size_t> CounterSeries::sampleAt(int64_t timeNs) const {
    if (m_times.empty() || timeNs < m_times.front() || timeNs > m_times.back()) return std::nullopt;
    return static_cast<size_t>(std::ranges::upper_bound(m_times, timeNs) - m_times.begin()) - 1;
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

double CounterSeries::sumBefore(int64_t timeNs, size_t sample) const {
    return m_sums[sample] + m_values[sample] * static_cast<double>(timeNs - m_times[sample]);
}

CounterColumn CounterSeries::over(TimeRange range) const {
    if (m_times.empty() || range.startNs > m_times.back() || range.endNs <= m_times.front()) return {};
    // What was taken at the very start, else what holds there.
    auto first = static_cast<size_t>(std::ranges::lower_bound(m_times, range.startNs) - m_times.begin());
    if (first > 0 && (first == m_times.size() || m_times[first] > range.startNs)) --first;
    const size_t end =
        std::max(first + 1, static_cast<size_t>(std::ranges::lower_bound(m_times, range.endNs) - m_times.begin()));
    const Extremes found = extremes(first, end);
    CounterColumn column{true, found.least, found.greatest, m_values[end - 1]};
    const int64_t fromNs = std::max(range.startNs, m_times.front());
    const int64_t toNs = std::min(range.endNs, m_times.back());
    if (toNs > fromNs) {
        const double mean = (sumBefore(toNs, end - 1) - sumBefore(fromNs, first)) / static_cast<double>(toNs - fromNs);
        // Differences of large sums: rounding must not lead out of what was measured.
        column.mean = mean >= found.least ? std::min(mean, found.greatest) : found.least;
    }
    return column;
}

CounterColumn CounterSeries::whole() const {
    return m_times.empty() ? CounterColumn{} : over({m_times.front(), m_times.back() + 1});
}

std::vector<CounterColumn> counterColumns(const CounterSeries& series, const TimeScale& scale) {
    std::vector<CounterColumn> columns(static_cast<size_t>(std::max(0.0, std::ceil(scale.width))));
    if (series.empty() || scale.range.empty()) return columns;
    for (size_t x = 0; x < columns.size(); ++x) {
        const TimeRange pixel{scale.timeAt(static_cast<double>(x)), scale.timeAt(static_cast<double>(x + 1))};
        columns[x] = series.over({pixel.startNs, std::max(pixel.endNs, pixel.startNs + 1)});
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
