// What fewer bytes a weight would bring a kernel that reads its weights ahead of its work (mode persistent), by the
// stages that it tells. Its products in the layers find their weights there; what the traffic of the weights costs
// shows before them, where blocks wait for one another's values:
//
//   in a layer      the wait for a product's input gets shorter by kTrafficShare of it times the share of the product's
//                   bytes that goes; all of them by no more than the layers' bytes that go take at the device's peak;
//   elsewhere       nothing comes between the head and its weights: its bytes go at the rate it reached, at least the
//                   device's peak, as in other kernels (shrinkWeights()).
//
// Checked by the one other form that the kernel has: 1B on an H100 takes 686 µs a token in bf16 and 625 in LLM.int8()
// (kernels/cuda/README.md); bf16's stages predict 614 for 8.5 bits.
#pragma once

#include <cstdint>

#include "core/analysis/what_if_changes.h"

namespace gapscope {

// Of the waits for inputs in a layer, how much goes with all of the weights' traffic: the same kernel without weights.
// Measured on an H100, 1B bf16 (kernels/cuda/README.md): inputs, attention's parts among them, 14.4 µs a layer, of
// which 8.1 went.
inline constexpr double kTrafficShare = 0.56;

// Kernels of a plan that tell stages get shorter as described; those of the same plan whose stages are lost in the same
// proportion. Returns how many kernels it could change.
int64_t shrinkStagedWeights(ReplayTape& tape, const Trace& trace, double bitsPerWeight, const DevicePeaks& peaks);

}  // namespace gapscope
