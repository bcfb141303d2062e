// Where device time went, by category and in the blog post's two-way view.
#pragma once

#include <array>
#include <cstdint>
#include <stop_token>

#include "core/trace/trace.h"

namespace gapscope {

struct CategoryTime {
    int64_t ns = 0;     // sum of durations clipped to the window; stages inside a kernel split it (stages.h)
    int64_t count = 0;  // operations that begin inside
};

struct CategoryTimes {
    std::array<CategoryTime, kCategoryCount> categories;  // by Category
    std::array<CategoryTime, 3> twoWay;                   // by TwoWay
    int64_t totalNs = 0;                                  // self GPU time
    const CategoryTime& operator[](Category category) const { return categories[static_cast<size_t>(category)]; }
    const CategoryTime& operator[](TwoWay part) const { return twoWay[static_cast<size_t>(part)]; }
};
CategoryTimes categoryTimes(const Trace& trace, TimeRange window, std::stop_token stop = {});

// The two-way view and the total from the categories.
void addUp(CategoryTimes& times);

}  // namespace gapscope
