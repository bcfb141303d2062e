// How an op cuts `items` units of work over its parts: contiguous shares whose sizes differ by at most one.
// Everything here has internal linkage, because it is compiled once per instruction set (see ops_avx512.cpp).
#pragma once

#include <cstdint>

#include "kernels/cpu/isa.h"

namespace gapscope {

struct WorkRange {
    int64_t begin;
    int64_t end;
};

static inline WorkRange workRange(int64_t items, Part part) {
    return {items * part.index / part.count, items * (part.index + 1) / part.count};
}

// Shares begin at multiples of `grain`, so that neighbours do not write one cache line.
static inline WorkRange workRange(int64_t items, int64_t grain, Part part) {
    const int64_t grains = (items + grain - 1) / grain;
    const WorkRange range = workRange(grains, part);
    const int64_t end = range.end * grain;
    return {range.begin * grain < items ? range.begin * grain : items, end < items ? end : items};
}

}  // namespace gapscope
