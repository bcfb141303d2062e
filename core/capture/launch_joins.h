// Why a kernel ran: from its correlation id to the launch that the runner announced (op, token, cost), and from the
// node of a CUDA graph to the op that it was captured for. What belongs together arrives in pieces and in any order;
// each piece is kept for a while, in bounded memory, and an answer may be "not yet".
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/activity.h"
#include "core/capture/cupti_session.h"
#include "core/capture/launch_queue.h"

namespace gapscope {

class LaunchJoins {
public:
    LaunchJoins();

    void addLaunches(std::span<const LaunchActivity> launches);  // in the order of their ids
    // Once their records had time to come: keeps the newest kRemembered entries.
    void forgetOldLaunches();
    void addGraphNodes(std::span<const GraphNodeActivity> nodes);
    void addExternalId(uint32_t correlationId, uint64_t externalId);
    void addCall(uint32_t correlationId, uint32_t threadId);

    bool callSeen(uint32_t correlationId) const;
    std::optional<uint32_t> threadOfCall(uint32_t correlationId) const;

    enum class Found : uint8_t { Yes, NotYet, NoOp };  // NoOp: launch known, but not for what op the graph's node is
    // The launch's context; of a graph's node that node's own. The first record of a launch, and of a graph's launch
    // that of the first node that each op was captured as, gets the plan's bytes and flops, further ones 0, so that
    // sums over records are the plan's.
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
    struct Node {
        uint64_t externalId = 0;               // of the scope that it was captured in
        std::optional<LaunchContext> context;  // none until the launch of that id is known
        bool isFirst = false;                  // of the nodes of its scope: the op's cost is told of it
        uint32_t toldIn = 0;                   // the launch in which it was
    };
    LaunchActivity* launch(uint64_t externalId);
    Node* node(uint64_t nodeId);  // its context as far as it is known
    // What the launch announced for this op; null: nothing.
    const LaunchContext* shareOf(uint64_t externalId, uint32_t op);

    std::vector<Call> m_calls;              // by correlation id, modulo
    std::deque<LaunchActivity> m_launches;  // by external id; unused ids have an entry of id 0
    uint64_t m_firstId = 1;                 // of m_launches.front()
    std::unordered_map<uint64_t, Node> m_nodes;
    std::unordered_set<uint64_t> m_scopesWithNodes;  // external ids
};

}  // namespace gapscope
