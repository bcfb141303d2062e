// Device time by layer of the model and by what the operation does there; a kernel with stages inside gives its time to
// theirs (stages.h). Traces of other programs have no ops; where layers were found in their kernels (steps.h), a role
// is a kernel name.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/analysis/steps.h"
#include "core/trace/trace.h"

namespace gapscope {

struct LayerOpTime {
    int32_t layer = -1;  // -1: outside the layers (embedding, head, sampling)
    StringId name;       // role: "q_proj"; not valid in a layer's own row
    Category category = Category::Other;
    int64_t count = 0;       // operations that begin in the window
    int64_t stageCount = 0;  // stages inside kernels that do
    int64_t totalNs = 0;     // clipped
    int64_t ownNs = 0;       // of it while no operation that began before ran, too (own_time.h); 0 without plans
    double bytes = 0;        // moved, by the plan; in proportion for clipped operations
    double flops = 0;
    double share = 0;  // of all operations' time in the window
    double bytesPerSecond() const { return ownNs > 0 ? bytes * 1e9 / static_cast<double>(ownNs) : 0; }
    double flopsPerSecond() const { return ownNs > 0 ? flops * 1e9 / static_cast<double>(ownNs) : 0; }
};

struct LayerTable {
    std::vector<LayerOpTime> layers;  // one a layer, by layer, -1 first
    std::vector<LayerOpTime> ops;     // one a (layer, role), by layer, then in order of first appearance
    int64_t unknownNs = 0;            // time of operations without a role
    std::string sentence;             // where found layers come from; empty: the trace tells them, or none were found
};
LayerTable layerTable(const Trace& trace, TimeRange window, std::stop_token stop = {});

// Layers of found steps, from their kernels; operations outside the steps are unknown.
LayerTable layerTable(const Trace& trace, const FoundSteps& steps, TimeRange window, std::stop_token stop = {});

// The layers' rows and all shares, from the ops; `totalNs` is of all operations. Sorts the ops by layer.
void addLayers(LayerTable& table, int64_t totalNs);

}  // namespace gapscope
