#include "core/runner/drafter.h"

#include <algorithm>
#include <cassert>

namespace gapscope {

namespace {

// `draftAt(known, most)`: what is drafted where `known` of the new tokens are there.
template <class DraftAt>
DraftCounts countDrafts(std::span<const int32_t> newTokens, int64_t most, DraftAt draftAt) {
    DraftCounts counts;
    for (size_t known = 1; known < newTokens.size(); ++known) {
        const auto left = static_cast<int64_t>(newTokens.size() - known);
        const std::vector<int32_t> drafted = draftAt(known, std::min(most, left - 1));
        const auto right = std::ranges::mismatch(drafted, newTokens.subspan(known));
        const auto accepted = right.in1 - drafted.begin();
        ++counts.steps;
        counts.checks += drafted.empty() ? 0 : 1;
        counts.drafted += static_cast<int64_t>(drafted.size());
        counts.accepted += accepted;
        known += static_cast<size_t>(accepted);
    }
    return counts;
}

}  // namespace

std::vector<int32_t> NgramDrafter::lookUp(std::span<const int32_t> text, int64_t most) {
    const auto size = static_cast<int64_t>(text.size());
    if (most <= 0) return {};
    // One look back from the end: how many tokens before each place equal the text's last ones.
    int64_t bestLength = 0;
    int64_t bestNext = 0;
    for (int64_t next = size - 1; next >= kShortestNgram && bestLength < kLongestNgram; --next) {
        int64_t length = 0;
        while (length < kLongestNgram && length < next &&
               text[static_cast<size_t>(next - 1 - length)] == text[static_cast<size_t>(size - 1 - length)])
            ++length;
        if (length < kShortestNgram || length <= bestLength) continue;
        bestLength = length;
        bestNext = next;
    }
    if (bestLength == 0) return {};
    const auto first = text.begin() + bestNext;
    return {first, first + std::min(most, size - bestNext)};
}

Result<std::vector<int32_t>> NgramDrafter::draft(std::span<const int32_t> text, int64_t most, const Step&) {
    return lookUp(text, most);
}

DraftCounts countNgramDrafts(std::span<const int32_t> prompt, std::span<const int32_t> newTokens, int64_t most) {
    std::vector<int32_t> text(prompt.begin(), prompt.end());
    text.insert(text.end(), newTokens.begin(), newTokens.end());
    return countDrafts(newTokens, most, [&](size_t known, int64_t atMost) {
        return NgramDrafter::lookUp(std::span(text).first(prompt.size() + known), atMost);
    });
}

DraftCounts countModelDrafts(std::span<const int32_t> newTokens, std::span<const int32_t> guesses, int64_t most) {
    assert(guesses.size() == newTokens.size());
    return countDrafts(newTokens, most, [&](size_t known, int64_t atMost) {
        const auto first = guesses.begin() + static_cast<ptrdiff_t>(known);
        return std::vector<int32_t>(first, first + std::max<int64_t>(0, atMost));
    });
}

}  // namespace gapscope
