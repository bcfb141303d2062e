#include "core/runner/prefix_memory.h"

#include <algorithm>

namespace gapscope {

bool PrefixMemory::serves(std::string_view onDevice, Precision inPrecision, Mode inMode) const {
    if (!cache || device != onDevice || precision != inPrecision) return false;
    return device == "cpu" || (mode == Mode::Eager) == (inMode == Mode::Eager);
}

int64_t reusablePrefix(const CachedText& cached, std::span<const int32_t> prompt, int64_t window, int64_t unit) {
    if (prompt.empty()) return 0;
    const auto common = std::ranges::mismatch(cached.tokens, prompt).in1 - cached.tokens.begin();
    const int64_t most = std::min<int64_t>(common, static_cast<int64_t>(prompt.size()) - 1);
    const int64_t known = most - most % unit;
    const bool looksTooFar = window > 0 && std::max<int64_t>(0, known - window + 1) < cached.oldest;
    return looksTooFar ? 0 : known;
}

}  // namespace gapscope
