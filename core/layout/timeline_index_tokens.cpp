// The rows of tokens of a TimelineIndex: the steps of all, and in a batch a row for each sequence.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/layout/lane_item.h"
#include "core/layout/timeline_index.h"

namespace gapscope {

// Widens the time that a token's device operations take.
void TimelineIndex::noteOps(int16_t repeat, int32_t token, TimeRange range) {
    const auto [it, isNew] = m_repeats[repeat].ops.try_emplace(token, range);
    TimeRange& known = it->second;
    if (!isNew && range.startNs >= known.startNs && range.endNs <= known.endNs) return;
    known = {std::min(known.startNs, range.startNs), std::max(known.endNs, range.endNs)};
    noteChanged({repeat, token});
}

void TimelineIndex::noteChanged(TokenKey step) {
    m_changedToken = m_changedToken ? std::min(*m_changedToken, step) : step;
}

void TimelineIndex::takeEmitted() {
    const Tokens& emitted = m_trace->tokens();
    for (; m_emittedSeen < emitted.emittedNs.size(); ++m_emittedSeen) {
        const TokenKey key{emitted.repeat[m_emittedSeen], emitted.index[m_emittedSeen]};
        const auto row = static_cast<int64_t>(m_emittedSeen);
        const int32_t sequence = emitted.sequence[m_emittedSeen];
        m_emitted[key] = {row, m_emittedCounts[{key.first, sequence}]++};
        if (sequence > 0 && !m_isBatch) {
            m_isBatch = true;  // all steps so far lack the rows of sequences
            noteChanged({INT16_MIN, INT32_MIN});
        }
        const int64_t step = int64_t{key.second} - emitted.place[m_emittedSeen];
        if (m_isBatch) noteChanged({key.first, static_cast<int32_t>(std::max<int64_t>(step, INT32_MIN))});
        const auto known = std::ranges::lower_bound(m_tokens, key, {}, [](const TokenSpan& s) {
            return TokenKey{s.repeat, s.index};
        });
        if (known != m_tokens.end() && known->repeat == key.first && known->index == key.second) known->tokenRow = row;
    }
}

// Gives the tokens of a batch's step to the rows of their sequences. The first prompt's prefill is the first row's.
void TimelineIndex::addSequenceTokens(size_t step, std::map<int32_t, std::vector<LaneItem>>& items) {
    const TokenSpan first = m_tokens[step];
    if (first.index < 0) {
        items[0].push_back(item(first.range.startNs, first.range.endNs, step, 0));
        return;
    }
    for (int32_t place = 0; place <= INT32_MAX - first.index; ++place) {
        const auto found = m_emitted.find({first.repeat, first.index + place});
        if (found == m_emitted.end()) return;
        const auto row = static_cast<size_t>(found->second.row);
        if (m_trace->tokens().place[row] != place) return;
        TokenSpan span = first;
        span.index += place;
        span.tokenRow = found->second.row;
        span.number = found->second.number;
        if (place == 0)
            m_tokens[step] = span;
        else
            m_tokens.push_back(span);
        const size_t at = place == 0 ? step : m_tokens.size() - 1;
        const auto tint = static_cast<uint8_t>(1 + span.number % 2);
        items[m_trace->tokens().sequence[row]].push_back(item(span.range.startNs, span.range.endNs, at, tint));
    }
}

void TimelineIndex::addTokens() {
    const auto keyOf = [](const TokenSpan& span) { return TokenKey{span.repeat, span.index}; };
    takeEmitted();
    if (!m_changedToken) return;

    // Those before the first changed one stay: a run that goes on costs its new tokens.
    const auto firstChanged = std::ranges::lower_bound(m_tokens, *m_changedToken, {}, keyOf);
    int64_t fromNs = INT64_MAX;
    for (auto it = firstChanged; it != m_tokens.end(); ++it)
        fromNs = std::min(fromNs, it->range.startNs);
    m_tokens.erase(firstChanged, m_tokens.end());
    const bool tailOnly = std::ranges::all_of(m_tokens, [&](const TokenSpan& s) { return s.range.startNs < fromNs; });
    if (!tailOnly) {  // spans of several repeats lie across each other
        m_changedToken = TokenKey{INT16_MIN, INT32_MIN};
        m_tokens.clear();
    }
    if (m_tokens.empty()) {
        *m_tokenRow = {.kind = RowKind::Token};
        for (auto& [sequence, row] : m_sequenceRows)
            row = {};
    }
    m_tokenRow->lanes.removeFrom(fromNs);
    for (auto& [sequence, row] : m_sequenceRows)
        row.lanes.removeFrom(fromNs);

    std::vector<LaneItem> items;
    std::map<int32_t, std::vector<LaneItem>> sequenceItems;
    for (auto repeat = m_repeats.lower_bound(m_changedToken->first); repeat != m_repeats.end(); ++repeat) {
        const std::map<int32_t, TimeRange>& ops = repeat->second.ops;
        auto token = repeat->first == m_changedToken->first ? ops.lower_bound(m_changedToken->second) : ops.begin();
        // A token lasts from the one before's last device end to its own.
        std::optional<int64_t> previousEndNs;
        if (token != ops.begin()) previousEndNs = m_tokens.back().reachedNs;
        for (; token != ops.end(); ++token) {
            const auto& [index, range] = *token;
            TokenSpan span{.repeat = repeat->first, .index = index, .range = range};
            if (previousEndNs) span.range.startNs = std::min(*previousEndNs, range.endNs);
            previousEndNs = std::max(previousEndNs.value_or(range.endNs), range.endNs);
            span.reachedNs = *previousEndNs;
            if (const auto it = m_emitted.find({repeat->first, index}); it != m_emitted.end())
                span.tokenRow = it->second.row;
            const uint8_t tint = index < 0 ? 0 : static_cast<uint8_t>(1 + index % 2);
            items.push_back(item(span.range.startNs, span.range.endNs, m_tokens.size(), tint));
            m_tokens.push_back(span);
            if (m_isBatch) addSequenceTokens(m_tokens.size() - 1, sequenceItems);
        }
    }
    m_tokenRow->lanes.add(std::move(items));
    for (auto& [sequence, batch] : sequenceItems) {
        TimelineRow& row = m_sequenceRows[sequence];
        row.kind = RowKind::Token;
        row.sequence = sequence;
        row.detail = "tokens of prompt " + std::to_string(sequence + 1) + " of the batch";
        row.lanes.add(std::move(batch));
    }
    m_changedToken.reset();
}

}  // namespace gapscope
