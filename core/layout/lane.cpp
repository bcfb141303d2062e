#include "core/layout/lane.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace gapscope {

void Lane::append(const LaneItem& item) {
    assert(item.endNs >= item.startNs);
    assert(empty() || item.startNs >= lastEndNs());
    const size_t index = size();
    if (index % kBlock == 0) {
        m_blockTimes.push_back(m_times);
        m_blockBusy.push_back(m_busy);
    }
    m_starts.push_back(item.startNs);
    m_ends.push_back(item.endNs);
    m_rows.push_back(item.row);
    m_tints.push_back(item.tint % kTintCount);
    m_times[item.tint % kTintCount] += item.durationNs();
    m_busy += item.durationNs();
    raise(index, item.durationNs());
}

void Lane::raise(size_t index, int64_t durationNs) {
    // A level is complete below the newest value, so only the last value of each can rise.
    for (size_t level = 0;; ++level) {
        index /= kBlock;
        if (level == m_longest.size()) {
            m_longest.emplace_back();
            // A new level starts when the one below has a second value: it covers the first as well.
            if (level > 0) durationNs = std::max(durationNs, m_longest[level - 1].front());
        }
        auto& values = m_longest[level];
        if (index == values.size()) {
            values.push_back(durationNs);
        } else {
            values[index] = std::max(values[index], durationNs);
        }
        if (values.size() <= 1) return;
    }
}

std::vector<LaneItem> Lane::takeFrom(int64_t fromNs) {
    const size_t from = firstStartingAt(fromNs);
    std::vector<LaneItem> taken;
    taken.reserve(size() - from);
    for (size_t i = from; i < size(); ++i)
        taken.push_back((*this)[i]);
    if (taken.empty()) return taken;

    // Back to the last whole block, then its items again: the summaries of earlier blocks do not change.
    const size_t whole = from / kBlock * kBlock;
    std::vector<LaneItem> again;
    for (size_t i = whole; i < from; ++i)
        again.push_back((*this)[i]);
    m_times = timesBefore(whole);
    m_busy = whole < size() ? m_blockBusy[whole / kBlock] : m_busy;
    m_starts.resize(whole);
    m_ends.resize(whole);
    m_rows.resize(whole);
    m_tints.resize(whole);
    m_blockTimes.resize(whole / kBlock);
    m_blockBusy.resize(whole / kBlock);
    size_t count = whole / kBlock;
    for (size_t level = 0; level < m_longest.size(); ++level) {
        auto& values = m_longest[level];
        values.resize(count);
        if (level > 0 && count > 0) {
            // The last value may have covered removed ones.
            const auto& below = m_longest[level - 1];
            values.back() =
                *std::max_element(below.begin() + static_cast<ptrdiff_t>((count - 1) * kBlock), below.end());
        }
        if (count <= 1) {
            m_longest.resize(count == 0 ? level : level + 1);
            break;
        }
        count = (count + kBlock - 1) / kBlock;
    }
    for (const LaneItem& item : again)
        append(item);
    return taken;
}

size_t Lane::firstStartingAt(int64_t timeNs, size_t hint) const {
    // Gallops from the hint: a walk over the visible items asks for neighbours most of the time.
    size_t step = 1;
    size_t low = hint;
    size_t high = hint;
    while (high < size() && m_starts[high] < timeNs) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = std::min(high, size());
    const auto begin = m_starts.begin();
    return static_cast<size_t>(
        std::lower_bound(begin + static_cast<ptrdiff_t>(low), begin + static_cast<ptrdiff_t>(high), timeNs) - begin);
}

size_t Lane::firstReaching(int64_t timeNs) const {
    size_t index = static_cast<size_t>(std::upper_bound(m_ends.begin(), m_ends.end(), timeNs) - m_ends.begin());
    while (index > 0 && m_starts[index - 1] == timeNs && m_ends[index - 1] == timeNs)
        --index;
    return index;
}

size_t Lane::nextLong(size_t from, size_t to, int64_t minDurationNs) const {
    size_t index = from;
    while (index < to) {
        if (index % kBlock == 0) {
            // Climb while whole nodes hold nothing long enough.
            size_t level = 0;
            size_t span = kBlock;
            size_t skipped = 0;
            while (level < m_longest.size() && index % span == 0 && m_longest[level][index / span] < minDurationNs) {
                skipped = span;
                span *= kBlock;
                ++level;
            }
            if (skipped > 0) {
                index += skipped;
                continue;
            }
        }
        if (m_ends[index] - m_starts[index] >= minDurationNs) return index;
        ++index;
    }
    return to;
}

size_t Lane::longest(size_t from, size_t to) const {
    assert(from < to);
    size_t best = from;
    int64_t bestNs = m_ends[from] - m_starts[from];
    for (size_t next = from; (next = nextLong(next + 1, to, bestNs + 1)) < to;) {
        best = next;
        bestNs = m_ends[next] - m_starts[next];
    }
    return best;
}

TintTimes Lane::timesBefore(size_t index) const {
    if (index >= size()) return m_times;
    TintTimes times = m_blockTimes[index / kBlock];
    for (size_t i = index / kBlock * kBlock; i < index; ++i)
        times[m_tints[i]] += m_ends[i] - m_starts[i];
    return times;
}

TintTimes Lane::tintTimes(size_t from, size_t to) const {
    TintTimes times{};
    if (to - from <= kBlock) {
        for (size_t i = from; i < to; ++i)
            times[m_tints[i]] += m_ends[i] - m_starts[i];
        return times;
    }
    times = timesBefore(to);
    const TintTimes before = timesBefore(from);
    for (size_t tint = 0; tint < times.size(); ++tint)
        times[tint] -= before[tint];
    return times;
}

int64_t Lane::busyBefore(int64_t timeNs) const {
    const size_t index = firstStartingAt(timeNs);
    if (index == 0) return 0;
    int64_t busy = m_busy;
    if (index < size()) {
        busy = m_blockBusy[index / kBlock];
        for (size_t i = index / kBlock * kBlock; i < index; ++i)
            busy += m_ends[i] - m_starts[i];
    }
    return busy - std::max<int64_t>(0, m_ends[index - 1] - timeNs);
}

int64_t Lane::busyNs(TimeRange range) const {
    return range.empty() ? 0 : busyBefore(range.endNs) - busyBefore(range.startNs);
}

size_t Lane::memoryBytes() const {
    size_t bytes = m_starts.capacity() * 8 + m_ends.capacity() * 8 + m_rows.capacity() * 4 + m_tints.capacity() +
                   m_blockTimes.capacity() * sizeof(TintTimes) + m_blockBusy.capacity() * 8;
    for (const auto& values : m_longest)
        bytes += values.capacity() * 8;
    return bytes;
}

}  // namespace gapscope
