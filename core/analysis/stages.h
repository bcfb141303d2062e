// Stages inside kernels (StageRow in core/trace/tables.h). They say what a kernel that does the work of many did
// meanwhile: their time is taken from its category and its role and given to their own. They are no busy time, and
// nothing is counted twice: the sums stay what they are.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/category_times.h"
#include "core/analysis/launches.h"
#include "core/analysis/layer_table.h"
#include "core/trace/trace.h"

namespace gapscope {

// What the stages in a window did; what their kernels did outside of them is not counted.
struct StageShares {
    int64_t totalNs = 0;  // the sum of the following
    int64_t productNs = 0;
    int64_t inputNs = 0;  // until the products' inputs were where they are read (kStageInputSuffix)
    int64_t attentionNs = 0;
    int64_t otherNs = 0;
};

// Stages of one name and category, whatever layer they are of.
struct StageTimes {
    StringId name;
    Category category = Category::Other;
    Distribution times;  // clipped to the window
    double share = 0;    // of all stages' time
};
// Stages that begin in the window, largest total first.
std::vector<StageTimes> stageTimes(const Trace& trace, TimeRange window, std::stop_token stop = {});

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
    StageShares shares(TimeRange window) const;
    // Row of deviceOps() that a row of stages() lies in; kNoRow: it is not in the trace.
    uint32_t kernelOf(uint32_t stage) const { return m_kernels[stage]; }

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
    std::vector<Entry> m_entries;     // by start
    std::vector<uint32_t> m_kernels;  // by stage
    int64_t m_longestNs = 0;
};

}  // namespace gapscope
