#include "core/import/event_edges.h"

#include <algorithm>
#include <unordered_map>

namespace gapscope {

EdgeResult addRangesOfEdges(std::vector<BlockEdge> edges, int64_t lastNs, ColumnWriter<BlockRange>& ranges) {
    using Kind = BlockEdge::Kind;
    // Files need not be in the order of time; where times are equal theirs is the order.
    std::ranges::stable_sort(edges, {}, &BlockEdge::timeNs);
    EdgeResult result;
    const auto add = [&](const BlockEdge& begin, int64_t endNs) {
        ranges.push({.startNs = begin.timeNs,
                     .endNs = std::max(begin.timeNs, endNs),
                     .name = begin.name,
                     .thread = begin.thread,
                     .table = begin.table});
    };
    std::unordered_map<uint32_t, std::vector<size_t>> openOnThread, openByKey;
    for (size_t i = 0; i < edges.size(); ++i) {
        const BlockEdge& edge = edges[i];
        const bool isAsync = edge.kind == Kind::AsyncBegin || edge.kind == Kind::AsyncEnd;
        std::vector<size_t>& open = isAsync ? openByKey[edge.key] : openOnThread[edge.thread];
        switch (edge.kind) {
            case Kind::Begin:
            case Kind::AsyncBegin:
                open.push_back(i);
                break;
            case Kind::End:
            case Kind::AsyncEnd:
                if (open.empty()) {
                    ++result.withoutBegin;
                    break;
                }
                add(edges[open.back()], edge.timeNs);
                open.pop_back();
                break;
            case Kind::WithoutEnd:
                ++result.withoutEnd;
                add(edge, lastNs);
                break;
        }
    }
    std::vector<size_t> left;
    for (const auto* lists : {&openOnThread, &openByKey})
        for (const auto& [of, open] : *lists)
            left.insert(left.end(), open.begin(), open.end());
    std::ranges::sort(left);
    for (const size_t begin : left)
        add(edges[begin], lastNs);
    result.withoutEnd += static_cast<int64_t>(left.size());
    return result;
}

}  // namespace gapscope
