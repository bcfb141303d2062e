// The one table of colours that mean something, as 0xRRGGBB on a light ground: the window's theme and the reports take
// them from here.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/category.h"

namespace gapscope {

// By Category. Okabe-Ito up to quantize, then tints of grey-blue and greys.
inline constexpr std::array<uint32_t, kCategoryCount> kCategoryColors = {
    0x0072B2, 0xCC79A7, 0xE69F00, 0x009E73, 0x56B4E9, 0xF0E442, 0x7C8FA6,
    0x5F7590, 0xA3B4C8, 0x999999, 0xA8A8A8, 0x7E6BAD, 0xBBBBBB};

// By GapCause: the host's four parts share its hue, then launch call, device latency, unknown.
inline constexpr std::array<uint32_t, 7> kGapCauseColors = {0xC05500, 0xDE7423, 0xD55E00, 0xA84B00,
                                                            0xE9A37A, 0xC8C8C8, 0xB4B4B4};

inline constexpr std::array<uint32_t, 4> kRangeColors = {0xC9D8EA, 0xD5E3D3, 0xE0D6E8, 0xE9DECB};
inline constexpr uint32_t kPrefillColor = 0xB8A9D9;
inline constexpr std::array<uint32_t, 2> kTokenColors = {0xCBD3F2, 0xAEBBE8};

}  // namespace gapscope
