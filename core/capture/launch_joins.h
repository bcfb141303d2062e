// Why a kernel ran: from its correlation id to the launch that the runner announced (op, token, cost), and from the
// node of a CUDA graph to the op that it was captured for. What belongs together arrives in pieces and in any order;
// each piece is kept for a while, in bounded memory, and an answer may be "not yet".
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/activity.h"
#include "core/capture/cupti_session.h"

namespace gapscope {

class LaunchJoins {
public:
    LaunchJoins();

    void addLaunches(std::span<const LaunchActivity> launches);
    void addGraphNodes(std::span<const GraphNodeActivity> nodes);
    void addExternalId(uint32_t correlationId, uint64_t externalId);
    void addCall(uint32_t correlationId, uint32_t threadId);

    bool callSeen(uint32_t correlationId) const;
    std::optional<uint32_t> threadOfCall(uint32_t correlationId) const;

    enum class Found : uint8_t { Yes, NotYet, NoOp };  // NoOp: launch known, but not for what op the graph's node is
    // The launch's context; of a graph's node that node's own. The first record of a launch or node gets the plan's
    // bytes and flops, further ones 0, so that sums over records are the plan's.
    Found find(uint32_t correlationId, uint64_t graphNodeId, LaunchContext& context);

    // Records further back than this many ids find nothing.
    static constexpr size_t kRemembered = size_t{1} << 18;

private:
    struct Call {
        uint32_t correlationId = 0;
        uint32_t threadId = 0;
        uint64_t externalId = 0;
        bool seen = false;
    };
    const Call* call(uint32_t correlationId) const;
    Call* callForWriting(uint32_t correlationId);  // null: the id is further back than what is kept
    LaunchActivity* launch(uint64_t externalId);
    std::optional<LaunchContext> contextOfNode(uint64_t nodeId);

    struct Node {
        uint64_t externalId = 0;  // of the scope that it was captured in, until that is known
        std::optional<LaunchContext> context;
    };

    std::vector<Call> m_calls;              // by correlation id, modulo
    std::deque<LaunchActivity> m_launches;  // by external id, which are consecutive
    size_t m_nodeContexts = 0;              // in all of m_launches
    std::unordered_map<uint64_t, Node> m_nodes;
};

}  // namespace gapscope
