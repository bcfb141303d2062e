// Index of the largest logit: each part finds its own, then one call combines them.
#pragma once

#include <cstdint>

namespace gapscope {

struct ArgmaxPartial {
    float value = 0;
    int32_t index = -1;  // -1: the part was empty or held no comparable value
};

// Part p writes partials[p]. Ties go to the lowest index; NaN is never the largest.
struct ArgmaxArgs {
    const float* logits = nullptr;
    int64_t count = 0;
    ArgmaxPartial* partials = nullptr;  // [Part::count]
};

// The winner among the partials; index 0 if there is none.
int32_t combineArgmax(const ArgmaxPartial* partials, int count);

}  // namespace gapscope
