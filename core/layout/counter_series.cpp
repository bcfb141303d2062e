#include "core/layout/counter_series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

namespace gapscope {

void CounterSeries::add(int64_t timeNs, double value, uint32_t row) {
    if (!m_times.empty()) {
        timeNs = std::max(timeNs, m_lastNs);
        m_sum += m_lastValue * static_cast<double>(timeNs - m_lastNs);
    }
    size_t index = m_times.size();
    if (index % kBlock == 0) {
        m_blockTimes.push_back(timeNs);
        m_blockSums.push_back(m_sum);
    }
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
    // Blocks first: their times lie close together, those of samples are packed and far apart.
    const size_t blocks = m_blockTimes.size();
    size_t low = hint / kBlock, high = low, step = 1;
    while (high < blocks && m_blockTimes[high] < timeNs) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    const auto begin = m_blockTimes.begin();
    const auto block =
        static_cast<size_t>(std::lower_bound(begin + static_cast<ptrdiff_t>(std::min(low, blocks)),
                                             begin + static_cast<ptrdiff_t>(std::min(high, blocks)), timeNs) -
                            begin);
    // In the block before the first that starts late enough, or that block's first sample.
    low = std::max(hint, block == 0 ? 0 : (block - 1) * kBlock);
    high = std::max(low, std::min(size(), block * kBlock));
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

CounterSeries::Extremes CounterSeries::extremesOf(size_t from, size_t to) const {
    Extremes found;
    std::array<double, kBlock> values;
    for (; from < to; from += kBlock) {
        const std::span<double> some = std::span(values).first(std::min(kBlock, to - from));
        m_values.read(from, some);
        for (const double value : some)
            found.take(value);
    }
    return found;
}

// Upwards: blocks to a larger block's edge, those to a still larger one's, ...; down the same way at the end.
void CounterSeries::takeBlocks(size_t from, size_t to, Extremes& found) const {
    for (size_t level = 0; from < to; ++level) {
        const bool hasLarger = level + 1 < m_extremes.size();
        while (from < to && (!hasLarger || from % kBlock != 0))
            found.take(m_extremes[level][from++]);
        while (from < to && hasLarger && to % kBlock != 0)
            found.take(m_extremes[level][--to]);
        from /= kBlock;
        to /= kBlock;
    }
}

double CounterSeries::sumOf(size_t from, size_t to) const {
    double sum = 0;
    std::array<int64_t, kBlock + 1> times;
    std::array<double, kBlock> values;
    while (from < to) {
        const size_t count = std::min(kBlock, to - from);
        m_times.read(from, std::span(times).first(count + 1));
        m_values.read(from, std::span(values).first(count));
        for (size_t i = 0; i < count; ++i)
            sum += values[i] * static_cast<double>(times[i + 1] - times[i]);
        from += count;
    }
    return sum;
}

CounterSeries::Edge CounterSeries::edgeAt(int64_t timeNs, const Edge& before) const {
    const size_t next = firstAtOrAfter(timeNs, before.timeNs <= timeNs ? before.next : 0);
    return {.timeNs = timeNs, .next = next, .block = next == 0 ? 0 : (next - 1) / kBlock};
}

// One look at the block that the edge lies in.
void CounterSeries::workOut(Edge& edge) const {
    if (std::exchange(edge.isWorkedOut, true)) return;
    const size_t first = edge.block * kBlock, end = std::min(first + kBlock, size());
    std::array<int64_t, kBlock> times;
    std::array<double, kBlock> values;
    m_times.read(first, std::span(times).first(edge.next - first));
    m_values.read(first, std::span(values).first(end - first));
    edge.sum = m_blockSums[edge.block];
    for (size_t i = 0; i + 1 < edge.next - first; ++i)
        edge.sum += values[i] * static_cast<double>(times[i + 1] - times[i]);
    for (size_t i = 0; i < edge.next - first; ++i)
        edge.before.take(values[i]);
    for (size_t i = edge.next - first; i < end - first; ++i)
        edge.after.take(values[i]);
}

CounterColumn CounterSeries::over(TimeRange range, Edge& edge) const {
    if (m_times.empty() || range.startNs > m_lastNs || range.endNs <= m_times.front()) return {};
    Edge start = edge.timeNs == range.startNs ? edge : edgeAt(range.startNs, edge);
    edge = edgeAt(range.endNs, start);
    // What was taken at the very start, else what holds there.
    size_t first = start.next;
    if (first > 0 && (first == size() || m_times[first] > range.startNs)) --first;
    const size_t end = std::max(first + 1, edge.next);
    const double held = m_values[first], last = m_values[end - 1];
    const int64_t fromNs = std::max(range.startNs, m_times.front());
    const int64_t toNs = std::min(range.endNs, m_lastNs);
    Extremes found;
    double total = 0;
    // Few samples one by one: the difference of two sums of all that came before would be none of theirs.
    if (end - first <= 2 * kBlock) {
        found = extremesOf(first, end);
        if (toNs > fromNs) total = sumOf(first, end - 1) - held * static_cast<double>(fromNs - m_times[first]);
    } else {
        workOut(start);
        workOut(edge);
        found = start.after;
        found.take(held);
        takeBlocks(start.block + 1, edge.block, found);
        found.take(edge.before);
        total = edge.sum - start.sum;
        if (const size_t before = start.next; before > 0)
            total -= m_values[before - 1] * static_cast<double>(fromNs - m_times[before - 1]);
    }
    CounterColumn column{true, found.least, found.greatest, last};
    if (toNs > fromNs) {
        total += last * static_cast<double>(toNs - m_times[end - 1]);
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
    CounterSeries::Edge edge;
    for (size_t x = 0; x < columns.size(); ++x) {
        const TimeRange pixel{scale.timeAt(static_cast<double>(x)), scale.timeAt(static_cast<double>(x + 1))};
        columns[x] = series.over({pixel.startNs, std::max(pixel.endNs, pixel.startNs + 1)}, edge);
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
