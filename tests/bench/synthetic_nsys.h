// An Nsight Systems export of any length (schema 3.25, every column filled as its exporter fills it), with sums that
// are known while it is written; and what reading it costs with SQLite's C API and nothing else.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tests/bench/synthetic_trace.h"

namespace gapscope::bench {

// Per kernel a row of CUPTI_ACTIVITY_KIND_KERNEL, one of _RUNTIME; per 700 kernels an NVTX range. The same N, the same
// rows. False: the file could not be written.
bool writeSyntheticNsys(const std::filesystem::path& path, int64_t kernelCount, SyntheticSums& sums);

// The same columns of the same tables that our reader asks for, into vectors of their full width. Gives the sum of the
// kernels' durations; -1: the file could not be read.
int64_t readBareSqlite(const std::filesystem::path& path);

}  // namespace gapscope::bench
