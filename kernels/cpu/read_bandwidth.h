// The rate at which threads read memory that no cache holds: the floor under every decode step on the CPU, which must
// read all weights once.
#pragma once

namespace gapscope::cpu {

// Bytes a second, best of five passes over 128 MB cut among `threads` threads. Takes less than a tenth of a second and
// that much memory while it lasts; 0 when the memory cannot be had.
double measureReadBandwidth(int threads);

}  // namespace gapscope::cpu
