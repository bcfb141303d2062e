// Strong ids: an index of one table cannot be used for another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace gapscope {

template <class Tag, class Integer>
struct StrongId {
    Integer value = static_cast<Integer>(-1);
    static constexpr Integer kNone = static_cast<Integer>(-1);

    constexpr bool valid() const { return value != kNone; }
    auto operator<=>(const StrongId&) const = default;
};

using StringId = StrongId<struct StringTag, uint32_t>;        // Trace::string()
using TrackId = StrongId<struct TrackTag, uint16_t>;          // Trace::tracks(): one stream of one context
using OpId = StrongId<struct OpTag, uint32_t>;                // Trace::ops()
using LaunchConfigId = StrongId<struct ConfigTag, uint32_t>;  // Trace::launchConfigs()
using CounterId = StrongId<struct CounterTag, uint16_t>;      // Trace::counters()

// Which of a run's new tokens device work is for: its index from 0, or one of these.
inline constexpr int32_t kPrefillToken = -1;  // none yet: the prompt
inline constexpr int32_t kNoToken = -2;       // none at all (set-up, measurements, foreign traces), or not known

}  // namespace gapscope

template <class Tag, class Integer>
struct std::hash<gapscope::StrongId<Tag, Integer>> {
    size_t operator()(gapscope::StrongId<Tag, Integer> id) const noexcept { return std::hash<Integer>()(id.value); }
};
