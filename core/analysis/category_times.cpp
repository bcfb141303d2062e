#include "core/analysis/category_times.h"

#include "core/analysis/stages.h"

namespace gapscope {

void addUp(CategoryTimes& times) {
    for (size_t i = 0; i < times.categories.size(); ++i) {
        CategoryTime& part = times.twoWay[static_cast<size_t>(twoWay(static_cast<Category>(i)))];
        part.ns += times.categories[i].ns;
        part.count += times.categories[i].count;
        times.totalNs += times.categories[i].ns;
    }
}

CategoryTimes categoryTimes(const Trace& trace, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    CategoryTimes times;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) break;
        CategoryTime& category = times.categories[static_cast<size_t>(ops.category[row])];
        category.ns += TimeRange{ops.startNs[row], ops.endNs[row]}.clippedTo(window).durationNs();
        if (window.contains(ops.startNs[row])) ++category.count;
    }
    StageIndex(trace).split(times, window);
    addUp(times);
    return times;
}

}  // namespace gapscope
