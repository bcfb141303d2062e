#include "core/layout/lane.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>

namespace gapscope {

namespace {

// The first of [low, high) that `before` is not true for; it is for all in front of that and for none behind.
template <class Before>
size_t firstNot(size_t low, size_t high, Before before) {
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (before(middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

}  // namespace

void Lane::append(const LaneItem& item) {
    assert(item.endNs >= item.startNs);
    assert(empty() || item.startNs >= lastEndNs());
    const size_t index = size();
    if (index % kBlock == 0) {
        m_blockStarts.push_back(item.startNs);
        m_endsBefore.push_back(m_lastEndNs);
        m_blockTimes.push_back(m_times);
        m_blockBusy.push_back(m_busy);
    }
    m_starts.push_back(item.startNs);
    const int64_t durationNs = item.durationNs();
    m_durations.push_back(durationNs < kLong ? static_cast<uint32_t>(durationNs) : kLong);
    if (durationNs >= kLong) m_longDurations.emplace_back(index, durationNs);
    m_rows.push_back(item.row);
    m_tints.push_back(item.tint % kTintCount);
    m_times[item.tint % kTintCount] += durationNs;
    m_busy += durationNs;
    m_lastEndNs = item.endNs;
    raise(index, durationNs);
}

int64_t Lane::longDurationNs(size_t index) const {
    return std::ranges::lower_bound(m_longDurations, index, {}, &std::pair<size_t, int64_t>::first)->second;
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
    m_times = tintTimesBefore(whole);
    m_busy = m_blockBusy[whole / kBlock];  // something is taken, so the block is there
    m_lastEndNs = m_endsBefore[whole / kBlock];
    m_starts.shrink(whole);
    m_durations.shrink(whole);
    m_rows.shrink(whole);
    m_tints.shrink(whole);
    while (!m_longDurations.empty() && m_longDurations.back().first >= whole)
        m_longDurations.pop_back();
    m_blockStarts.shrink(whole / kBlock);
    m_endsBefore.shrink(whole / kBlock);
    m_blockTimes.shrink(whole / kBlock);
    m_blockBusy.shrink(whole / kBlock);
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

size_t Lane::firstBlockStartingAt(int64_t timeNs, size_t hintBlock) const {
    // Gallops from the hint: a walk over the visible items asks for neighbours most of the time.
    size_t step = 1;
    size_t low = hintBlock;
    size_t high = hintBlock;
    while (high < blockCount() && m_blockStarts[high] < timeNs) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    high = std::min(high, blockCount());
    return firstNot(low, high, [&](size_t block) { return m_blockStarts[block] < timeNs; });
}

size_t Lane::firstStartingAt(int64_t timeNs, size_t hint) const {
    // Most of who has a hint is near: sparse lanes have a few items a cell.
    constexpr size_t kNear = 3;
    for (size_t index = hint; index < hint + kNear; ++index)
        if (index >= size() || m_starts[index] >= timeNs) return std::min(index, size());
    // In the block before the first that starts late enough, or that block's first item.
    const size_t block = firstBlockStartingAt(timeNs, hint / kBlock);
    const size_t low = std::max(hint, block == 0 ? 0 : (block - 1) * kBlock);
    return firstNot(low, std::max(low, std::min(size(), block * kBlock)),
                    [&](size_t index) { return m_starts[index] < timeNs; });
}

size_t Lane::firstReaching(int64_t timeNs) const {
    size_t index = firstNot(0, size(), [&](size_t at) { return endNs(at) <= timeNs; });
    while (index > 0 && m_starts[index - 1] == timeNs && endNs(index - 1) == timeNs)
        --index;
    return index;
}

size_t Lane::nextLong(size_t from, size_t to, int64_t minDurationNs) const {
    size_t index = from;
    while (index < to) {
        // Climb while the nodes that begin here, or the block that this lies in, hold nothing long enough.
        size_t level = 0;
        size_t span = kBlock;
        size_t next = index;
        while (level < m_longest.size() && (level == 0 || index % span == 0) &&
               m_longest[level][index / span] < minDurationNs) {
            next = (index / span + 1) * span;
            span *= kBlock;
            ++level;
        }
        if (next > index) {
            index = next;
            continue;
        }
        // In a block that has a long one.
        const size_t end = std::min(to, (index / kBlock + 1) * kBlock);
        for (; index < end; ++index)
            if (durationNs(index) >= minDurationNs) return index;
    }
    return to;
}

size_t Lane::longest(size_t from, size_t to) const {
    assert(from < to);
    size_t best = from;
    int64_t bestNs = durationNs(from);
    for (size_t next = from; (next = nextLong(next + 1, to, bestNs + 1)) < to;) {
        best = next;
        bestNs = durationNs(next);
    }
    return best;
}

template <class Take>
void Lane::eachTime(size_t from, size_t to, Take take) const {
    while (from < to) {
        const std::span<const uint32_t> durations = m_durations.from(from);
        const std::span<const uint8_t> tints = m_tints.from(from);
        const size_t count = std::min(to - from, durations.size());
        for (size_t i = 0; i < count; ++i)
            take(tints[i], durations[i] != kLong ? int64_t{durations[i]} : longDurationNs(from + i));
        from += count;
    }
}

TintTimes Lane::tintTimesBefore(size_t index) const {
    if (index >= size()) return m_times;
    const size_t block = index / kBlock;
    if (index % kBlock > kBlock / 2 && block + 1 < blockCount()) {  // the next block's edge is nearer
        TintTimes times = m_blockTimes[block + 1];
        eachTime(index, (block + 1) * kBlock, [&](uint8_t tint, int64_t ns) { times[tint] -= ns; });
        return times;
    }
    TintTimes times = m_blockTimes[block];
    eachTime(block * kBlock, index, [&](uint8_t tint, int64_t ns) { times[tint] += ns; });
    return times;
}

TintTimes Lane::tintTimes(size_t from, size_t to) const {
    TintTimes times{};
    if (to - from <= kBlock) {
        eachTime(from, to, [&](uint8_t tint, int64_t ns) { times[tint] += ns; });
        return times;
    }
    times = tintTimesBefore(to);
    const TintTimes before = tintTimesBefore(from);
    for (size_t tint = 0; tint < times.size(); ++tint)
        times[tint] -= before[tint];
    return times;
}

void Lane::prefetchTintTimes(size_t from, size_t to) const {
    const auto fetch = [](const auto& columns, size_t index) {
        if (index < columns.size()) __builtin_prefetch(&columns[index]);
    };
    if (to % kBlock == 0) {  // sums of the block that begins there: two lines of the cache
        if (to / kBlock >= blockCount()) return;
        const TintTimes& times = m_blockTimes[to / kBlock];
        __builtin_prefetch(times.data());
        __builtin_prefetch(times.data() + times.size() - 1);
        return;
    }
    const size_t first = to - from <= kBlock ? from : to / kBlock * kBlock;
    fetch(m_tints, first);
    for (size_t index = first; index < to; index += 16)
        fetch(m_durations, index);
    if (first == from) return;
    fetch(m_blockTimes, to / kBlock);
}

int64_t Lane::busyBeforeNs(int64_t timeNs, size_t next) const {
    if (next == 0) return 0;
    int64_t busy = m_busy;
    if (next < size()) {
        size_t block = next / kBlock;
        if (next % kBlock > kBlock / 2 && block + 1 < blockCount()) {  // that edge is nearer
            busy = m_blockBusy[++block];
            for (size_t i = next; i < block * kBlock; ++i)
                busy -= durationNs(i);
        } else {
            busy = m_blockBusy[block];
            for (size_t i = block * kBlock; i < next; ++i)
                busy += durationNs(i);
        }
    }
    return busy - std::max<int64_t>(0, endNs(next - 1) - timeNs);
}

int64_t Lane::busyNs(TimeRange range) const {
    if (range.empty()) return 0;
    const size_t first = firstStartingAt(range.startNs);
    return busyBeforeNs(range.endNs, firstStartingAt(range.endNs, first)) - busyBeforeNs(range.startNs, first);
}

size_t Lane::memoryBytes() const {
    size_t bytes = m_starts.memoryBytes() + m_durations.memoryBytes() + m_rows.memoryBytes() + m_tints.memoryBytes() +
                   m_blockStarts.memoryBytes() + m_endsBefore.memoryBytes() + m_blockTimes.memoryBytes() +
                   m_blockBusy.memoryBytes() + m_longDurations.capacity() * sizeof(m_longDurations[0]);
    for (const auto& values : m_longest)
        bytes += values.capacity() * 8;
    return bytes;
}

}  // namespace gapscope
