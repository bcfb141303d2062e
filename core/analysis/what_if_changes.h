// The changes of a tape that remedies stand for (what_if.h says what each assumes). None makes anything later.
#pragma once

#include "core/analysis/replay.h"

namespace gapscope {

struct DevicePeaks {
    double bytesPerSecond = 0;  // 0: unknown
    double flopsPerSecond = 0;
};

struct GraphCosts {
    int64_t nodePauseNs = 0;   // between nodes; below 0: they overlap
    double callNsPerNode = 0;  // what a node adds to the launch call,
    double mostNodesNs = 0;    // and all of them at most
    bool prompt = true;        // whether prompt processing is a graph too
};

void makeGraphs(ReplayTape& tape, const Trace& trace, const GraphCosts& costs);
void fuse(ReplayTape& tape, const Trace& trace, const DevicePeaks& peaks);
// Returns how many operations it could change.
int64_t shrinkWeights(ReplayTape& tape, const Trace& trace, double bitsPerWeight, const DevicePeaks& peaks);
int64_t runAtPeak(ReplayTape& tape, const Trace& trace, const DevicePeaks& peaks);
// What a product of several tokens takes, by that of one.
struct CheckCosts {
    double few = 1;        // of two to `fewTokens` tokens
    int fewTokens = 1;     // 1: the cost of more tokens begins at one
    double more = 0;       // and of each beyond, of all operations of a pass; 0: what prompt processing shows
    bool ownKeys = false;  // each token has keys of its own, which attention reads one after the other
};
// Makes operations of decode steps longer, if anything: `tokens` tokens in one step (2 or more). What a token more
// costs is what it costs in the trace's prompt processing, by role and layer, unless `costs` tells; products without
// such a record (the head) cost by flops what the others do, other operations so many times their own time.
void takeTokens(ReplayTape& tape, const Trace& trace, int tokens, const CheckCosts& costs, const DevicePeaks& peaks);

// The plan's operation that a row of deviceOps() belongs to; null: none is told.
const OpRow* planOf(const Trace& trace, uint32_t row);
// What bytes or flops take at a rate; 0: one of the two is not known.
inline double nsAt(double amount, double perSecond) {
    return amount > 0 && perSecond > 0 ? amount * 1e9 / perSecond : 0;
}
// Numbers of the weight matrices in "[1,640] x [1024,640]"; 0: none are told.
int64_t weightElements(std::string_view shapes);

}  // namespace gapscope
