#include "core/runner/prefix_memory.h"

#include <algorithm>

namespace gapscope {

int64_t reusablePrefix(const CachedText& cached, std::span<const int32_t> prompt, int64_t window) {
    if (prompt.empty()) return 0;
    const auto common = std::ranges::mismatch(cached.tokens, prompt).in1 - cached.tokens.begin();
    const int64_t known = std::min<int64_t>(common, static_cast<int64_t>(prompt.size()) - 1);
    const bool looksTooFar = window > 0 && std::max<int64_t>(0, known - window + 1) < cached.oldest;
    return looksTooFar ? 0 : known;
}

}  // namespace gapscope
