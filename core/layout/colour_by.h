// What colours tell: of device operations, and of what the host does where it means the same there. Tints stay below
// kTintCount, so that a lane's sums by tint say which prevails in a merged stretch, whatever it is that they tell.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/layout/lane.h"

namespace gapscope {

enum class ColourBy : uint8_t { Category, Name, Stream, LaunchLatency };
inline constexpr int kColourByCount = 4;
inline constexpr std::array<std::string_view, kColourByCount> kColourByNames = {"category", "name", "stream",
                                                                                "latency"};

inline constexpr int kNameTints = 12;      // of a palette; names and streams beyond share them
inline constexpr uint8_t kNoLatency = 15;  // no launch known, or not the first operation of its launch
inline constexpr uint8_t kNoStream = 15;   // of a call: it launched nothing
inline constexpr int kLatencyTints = 10;   // 1, 2, 5 steps from below 2 µs to 1 ms and more

// The same for a name in every run and on every machine.
uint8_t nameTint(std::string_view name);

// Of ranges, below kNameTints: "layer 3" and "layer 4" are of one kind and get one tint. Where names are not what
// colours tell, ranges have kRangeTints pale colours, and this modulo kRangeTints is theirs.
inline constexpr int kRangeTints = 4;
uint8_t rangeTint(std::string_view name);

// Step of a launch latency: 0: below latencyStepNs(1), ..., kLatencyTints - 1: from its step on.
uint8_t latencyTint(int64_t latencyNs);
int64_t latencyStepNs(int tint);  // where a tint begins; 0 for the first

}  // namespace gapscope
