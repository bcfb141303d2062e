#include "core/layout/correlation_index.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace gapscope {

namespace {

using Key = std::pair<uint32_t, uint64_t>;

Key keyOfCall(const Trace& trace, uint32_t row) {
    return {trace.apiCalls().correlationId[row], globalPidOf(trace.apiCalls().globalTid[row])};
}

Key keyOfOperation(const Trace& trace, uint32_t row) {
    const TrackId track = trace.deviceOps().track[row];
    const uint64_t pid =
        track.valid() && track.value < trace.tracks().size() ? trace.tracks()[track.value].globalPid : 0;
    return {trace.deviceOps().correlationId[row], pid};
}

template <class KeyOf>
void insertNew(std::vector<uint32_t>& rows, size_t from, size_t to, const ColumnView<uint32_t>& correlationIds,
               KeyOf keyOf) {
    const size_t before = rows.size();
    bool isSorted = true;
    Key last{};
    for (size_t row = from; row < to; ++row) {
        if (correlationIds[row] == 0) continue;
        const Key key = keyOf(static_cast<uint32_t>(row));
        isSorted = isSorted && !(key < last);
        last = key;
        rows.push_back(static_cast<uint32_t>(row));
    }
    const auto less = [&](uint32_t a, uint32_t b) { return keyOf(a) < keyOf(b); };
    const auto middle = rows.begin() + static_cast<ptrdiff_t>(before);
    if (!isSorted) std::stable_sort(middle, rows.end(), less);
    if (middle == rows.begin() || middle == rows.end()) return;
    // Ids grow with time, so only a short tail has to be merged.
    std::inplace_merge(std::upper_bound(rows.begin(), middle, *middle, less), middle, rows.end(), less);
}

template <class KeyOf>
std::pair<size_t, size_t> equalRows(const std::vector<uint32_t>& rows, Key key, KeyOf keyOf) {
    const auto first =
        std::lower_bound(rows.begin(), rows.end(), key, [&](uint32_t row, const Key& k) { return keyOf(row) < k; });
    const auto last =
        std::upper_bound(first, rows.end(), key, [&](const Key& k, uint32_t row) { return k < keyOf(row); });
    return {static_cast<size_t>(first - rows.begin()), static_cast<size_t>(last - rows.begin())};
}

}  // namespace

void CorrelationIndex::update(const Trace& trace, size_t mostRows) {
    const auto upTo = [mostRows](size_t seen, size_t size) { return seen + std::min(size - seen, mostRows); };
    const size_t calls = upTo(m_callsSeen, trace.apiCalls().startNs.size());
    const size_t operations = upTo(m_operationsSeen, trace.deviceOps().startNs.size());
    insertNew(m_calls, m_callsSeen, calls, trace.apiCalls().correlationId,
              [&](uint32_t row) { return keyOfCall(trace, row); });
    insertNew(m_operations, m_operationsSeen, operations, trace.deviceOps().correlationId,
              [&](uint32_t row) { return keyOfOperation(trace, row); });
    m_callsSeen = calls;
    m_operationsSeen = operations;
}

std::optional<uint32_t> CorrelationIndex::callOf(const Trace& trace, uint32_t deviceOp) const {
    const Key key = keyOfOperation(trace, deviceOp);
    if (key.first == 0) return std::nullopt;
    const auto [first, last] = equalRows(m_calls, key, [&](uint32_t row) { return keyOfCall(trace, row); });
    std::optional<uint32_t> best;
    for (size_t i = first; i < last; ++i)
        if (!best || trace.apiCalls().startNs[m_calls[i]] < trace.apiCalls().startNs[*best]) best = m_calls[i];
    return best;
}

std::vector<uint32_t> CorrelationIndex::operationsOf(const Trace& trace, uint32_t call, size_t limit) const {
    const Key key = keyOfCall(trace, call);
    if (key.first == 0) return {};
    const auto [first, last] = equalRows(m_operations, key, [&](uint32_t row) { return keyOfOperation(trace, row); });
    std::vector<uint32_t> rows(m_operations.begin() + static_cast<ptrdiff_t>(first),
                               m_operations.begin() + static_cast<ptrdiff_t>(last));
    std::stable_sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) {
        return trace.deviceOps().startNs[a] < trace.deviceOps().startNs[b];
    });
    if (rows.size() > limit) rows.resize(limit);
    return rows;
}

}  // namespace gapscope
