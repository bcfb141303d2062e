// What holds a GPU's clock down, as NVML tells it: a mask of reasons, for people.
#pragma once

#include <cstdint>
#include <string>

namespace gapscope {

// The gravest kind of reason in a mask, which is what a colour can show.
enum class ClockLimit : uint8_t {
    None,
    Idle,     // nothing to do: the clock rests
    Setting,  // a person or program chose the clock
    Other,    // a reason that is not known here
    Power,
    Thermal,
    Hardware,  // slowdown by the hardware itself, whatever made it
};
inline constexpr int kClockLimitCount = 7;

uint64_t clockEventReasonsOf(double counterValue);  // the mask that a counter of them stands for; 0 for what is none

ClockLimit gravestClockLimit(uint64_t reasons);

// "power cap, thermal (software)"; empty for none.
std::string clockEventReasonWords(uint64_t reasons);

}  // namespace gapscope
