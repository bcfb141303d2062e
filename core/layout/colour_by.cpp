#include "core/layout/colour_by.h"

#include <algorithm>

namespace gapscope {

namespace {

constexpr std::array<int64_t, kLatencyTints> kSteps = {0,      2'000,   5'000,   10'000,  20'000,
                                                       50'000, 100'000, 200'000, 500'000, 1'000'000};

}  // namespace

// FNV-1a, folded: the low bits alone are poor.
uint8_t nameTint(std::string_view name) {
    uint64_t hash = 14695981039346656037u;
    for (const char c : name)
        hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
    return static_cast<uint8_t>((hash ^ (hash >> 32)) % kNameTints);
}

uint8_t rangeTint(std::string_view name) {
    static_assert(kNameTints % kRangeTints == 0, "names of one tint have one pale colour");
    uint32_t hash = 2166136261u;
    for (const char c : name)
        if (c < '0' || c > '9') hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
    return static_cast<uint8_t>((hash >> 8) % kNameTints);
}

uint8_t latencyTint(int64_t latencyNs) {
    const auto above = std::ranges::upper_bound(kSteps, std::max<int64_t>(latencyNs, 0));
    return static_cast<uint8_t>(above - kSteps.begin() - 1);
}

int64_t latencyStepNs(int tint) {
    return kSteps[static_cast<size_t>(std::clamp(tint, 0, kLatencyTints - 1))];
}

}  // namespace gapscope
