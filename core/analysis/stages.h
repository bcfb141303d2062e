// Stages inside kernels (StageRow in core/trace/tables.h). They say what a kernel that does the work of many did
// meanwhile: their time is taken from its category and its role and given to their own. They are no busy time, and
// nothing is counted twice: the sums stay what they are.
#pragma once

#include <cstdint>
#include <vector>

#include "core/analysis/category_times.h"
#include "core/analysis/layer_table.h"
#include "core/trace/trace.h"

namespace gapscope {

class StageIndex {
public:
    // The trace must outlive it. Costs nothing where there are no stages; those whose kernel is not in the trace are
    // passed over.
    explicit StageIndex(const Trace& trace);

    // `times` of a window as the operations alone give them; addUp() has yet to come.
    void split(CategoryTimes& times, TimeRange window) const;
    // Likewise: `table.ops`, before addLayers(). A stage counts no operation of its own; bytes and the time that rates
    // are made of stay with the kernel, which fetches weights of a stage while it is at an earlier one.
    void split(LayerTable& table, TimeRange window) const;

private:
    struct Entry {
        TimeRange range;  // within its kernel
        uint32_t stage = 0;
        uint32_t deviceOp = 0;
    };
    // Calls use(entry, its time in the window) for those that have any.
    template <class Use>
    void forEachIn(TimeRange window, Use use) const;

    const Trace& m_trace;
    std::vector<Entry> m_entries;  // by start
    int64_t m_longestNs = 0;
};

}  // namespace gapscope
