#include "core/runner/drafter.h"

#include <algorithm>

namespace gapscope {

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
    DraftCounts counts;
    for (size_t known = prompt.size() + 1; known < text.size(); ++known) {
        const auto left = static_cast<int64_t>(text.size() - known);
        const std::vector<int32_t> drafted =
            NgramDrafter::lookUp(std::span(text).first(known), std::min(most, left - 1));
        const auto right = std::mismatch(drafted.begin(), drafted.end(), text.begin() + static_cast<ptrdiff_t>(known));
        const auto accepted = right.first - drafted.begin();
        ++counts.steps;
        counts.checks += drafted.empty() ? 0 : 1;
        counts.drafted += static_cast<int64_t>(drafted.size());
        counts.accepted += accepted;
        known += static_cast<size_t>(accepted);
    }
    return counts;
}

}  // namespace gapscope
