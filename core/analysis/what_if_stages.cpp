#include "core/analysis/what_if_stages.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/analysis/stages.h"
#include "core/base/activity.h"

namespace gapscope {

namespace {

struct Saved {
    double waitNs = 0;  // in the layers
    double layerBytes = 0;
    double otherNs = 0;
    double otherBytes = 0;
    double bytes() const { return layerBytes + otherBytes; }
};

// What a stage loses, by its op.
class StageSavings {
public:
    StageSavings(const Trace& trace, double bitsPerWeight, const DevicePeaks& peaks)
        : m_trace(trace), m_peaks(peaks), m_products(trace.ops().size()), m_productOf(trace.ops().size(), kNone) {
        std::map<std::pair<std::string_view, int32_t>, uint32_t> byName;
        for (uint32_t i = 0; i < m_products.size(); ++i) {
            const OpRow& op = trace.ops()[i];
            const auto bytes = static_cast<double>(op.bytes);
            const double left = static_cast<double>(weightElements(trace.string(op.shapes))) * bitsPerWeight / 8;
            if (left <= 0 || left >= bytes) continue;
            m_products[i] = {.bytes = bytes, .lostBytes = bytes - left};
            byName[{trace.string(op.name), op.layer}] = i;
        }
        for (uint32_t i = 0; i < m_productOf.size(); ++i) {
            std::string_view name = trace.string(trace.ops()[i].name);
            if (!name.ends_with(kStageInputSuffix)) continue;
            name.remove_suffix(kStageInputSuffix.size());
            if (const auto found = byName.find({name, trace.ops()[i].layer}); found != byName.end())
                m_productOf[i] = found->second;
        }
    }

    void add(Saved& to, OpId op, int64_t stageNs) const {
        if (!op.valid() || op.value >= m_products.size()) return;
        const auto ns = static_cast<double>(stageNs);
        const bool inLayer = m_trace.ops()[op.value].layer >= 0;
        if (const uint32_t product = m_productOf[op.value]; product != kNone) {
            if (inLayer) to.waitNs += kTrafficShare * m_products[product].lostBytes / m_products[product].bytes * ns;
            return;
        }
        const auto& [bytes, lost] = m_products[op.value];
        if (lost <= 0 || ns <= 0) return;
        (inLayer ? to.layerBytes : to.otherBytes) += lost;
        if (!inLayer) to.otherNs += nsAt(lost, std::max(bytes * 1e9 / ns, m_peaks.bytesPerSecond));
    }

private:
    static constexpr uint32_t kNone = UINT32_MAX;
    struct Product {
        double bytes = 0;
        double lostBytes = 0;  // 0: none
    };
    const Trace& m_trace;
    const DevicePeaks m_peaks;
    std::vector<Product> m_products;    // by op
    std::vector<uint32_t> m_productOf;  // by op, of inputs
};

}  // namespace

int64_t shrinkStagedWeights(ReplayTape& tape, const Trace& trace, double bitsPerWeight, const DevicePeaks& peaks) {
    const Stages& stages = trace.stages();
    if (stages.startNs.size() == 0) return 0;
    const StageIndex index(trace);
    const StageSavings savings(trace, bitsPerWeight, peaks);
    std::unordered_map<uint32_t, Saved> savedOf;  // by row of deviceOps()
    for (uint32_t row = 0; row < stages.startNs.size(); ++row) {
        if (index.kernelOf(row) == kNoRow) continue;
        savings.add(savedOf[index.kernelOf(row)], stages.op[row], stages.endNs[row] - stages.startNs[row]);
    }
    struct Total {
        double savedNs = 0;
        double ns = 0;
    };
    std::map<StringId, Total> totals;  // by role
    int64_t changed = 0;
    for (ReplayOp& op : tape.ops) {
        const auto saved = savedOf.find(op.row);
        const OpRow* plan = planOf(trace, op.row);
        if (saved == savedOf.end() || !plan || op.removed || saved->second.bytes() <= 0) continue;
        const auto ns = static_cast<double>(op.durationNs);
        const double leastNs =
            std::max(nsAt(static_cast<double>(plan->bytes) - saved->second.bytes(), peaks.bytesPerSecond),
                     nsAt(static_cast<double>(plan->flops), peaks.flopsPerSecond));
        const double bytesNs = nsAt(saved->second.layerBytes, peaks.bytesPerSecond);
        const double waitNs = bytesNs > 0 ? std::min(saved->second.waitNs, bytesNs) : saved->second.waitNs;
        const double leftNs = std::min(ns, std::max(ns - waitNs - saved->second.otherNs, leastNs));
        totals[plan->name].ns += ns;
        totals[plan->name].savedNs += ns - leftNs;
        op.durationNs = std::llround(leftNs);
        ++changed;
    }
    for (ReplayOp& op : tape.ops) {
        const OpRow* plan = planOf(trace, op.row);
        if (!plan || op.removed || savedOf.contains(op.row)) continue;
        const auto total = totals.find(plan->name);
        if (total == totals.end() || total->second.ns <= 0) continue;
        op.durationNs -= std::llround(static_cast<double>(op.durationNs) * total->second.savedNs / total->second.ns);
        ++changed;
    }
    return changed;
}

}  // namespace gapscope
