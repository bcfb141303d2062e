#include "core/capture/launch_joins.h"

#include <algorithm>
#include <utility>

namespace gapscope {

namespace {
constexpr size_t kMostNodes = size_t{1} << 20;

// A plan describes its ops one after the other, so the place can usually be computed.
LaunchContext* contextOfOp(std::vector<LaunchContext>& contexts, uint32_t op) {
    if (contexts.empty()) return nullptr;
    const size_t place = op - contexts.front().op;
    if (place < contexts.size() && contexts[place].op == op) return &contexts[place];
    const auto found = std::ranges::find(contexts, op, &LaunchContext::op);
    return found == contexts.end() ? nullptr : &*found;
}

}  // namespace

LaunchJoins::LaunchJoins() : m_calls(kRemembered) {}

void LaunchJoins::addLaunches(std::span<const LaunchActivity> launches) {
    for (const LaunchActivity& launch : launches) {
        // The log counts them one by one; should it begin anew, the old ones can no longer be meant.
        if (!m_launches.empty() && launch.externalId != m_launches.back().externalId + 1) {
            m_launches.clear();
            m_nodeContexts = 0;
        }
        m_launches.push_back(launch);
        m_nodeContexts += launch.nodes.size();
        while (m_launches.size() > kRemembered || (m_nodeContexts > kMostNodes && m_launches.size() > 1)) {
            m_nodeContexts -= m_launches.front().nodes.size();
            m_launches.pop_front();
        }
    }
}

void LaunchJoins::addGraphNodes(std::span<const GraphNodeActivity> nodes) {
    for (const GraphNodeActivity& added : nodes) {
        if (m_nodes.size() >= kMostNodes) m_nodes.clear();  // graphs made over and over: the old ones are gone
        Node node;
        // A clone is made outside of any op's scope and works for what its original worked for.
        if (added.originalNodeId != 0) {
            contextOfNode(added.originalNodeId);
            if (const auto original = m_nodes.find(added.originalNodeId); original != m_nodes.end())
                node = original->second;
        } else {
            node.externalId = added.externalId;
        }
        m_nodes[added.nodeId] = node;
        contextOfNode(added.nodeId);  // now, while the launch is remembered
    }
}

void LaunchJoins::addExternalId(uint32_t correlationId, uint64_t externalId) {
    if (Call* found = callForWriting(correlationId)) found->externalId = externalId;
}

void LaunchJoins::addCall(uint32_t correlationId, uint32_t threadId) {
    if (Call* found = callForWriting(correlationId)) {
        found->threadId = threadId;
        found->seen = true;
    }
}

const LaunchJoins::Call* LaunchJoins::call(uint32_t correlationId) const {
    const Call& slot = m_calls[correlationId % kRemembered];
    return correlationId != 0 && slot.correlationId == correlationId ? &slot : nullptr;
}

LaunchJoins::Call* LaunchJoins::callForWriting(uint32_t correlationId) {
    if (correlationId == 0) return nullptr;
    Call& slot = m_calls[correlationId % kRemembered];
    if (slot.correlationId == correlationId) return &slot;
    // A late record must not push out a newer one. Ids wrap around, hence the difference and not the order.
    if (slot.correlationId != 0 && static_cast<int32_t>(correlationId - slot.correlationId) < 0) return nullptr;
    slot = {.correlationId = correlationId};
    return &slot;
}

bool LaunchJoins::callSeen(uint32_t correlationId) const {
    const Call* found = call(correlationId);
    return found && found->seen;
}

std::optional<uint32_t> LaunchJoins::threadOfCall(uint32_t correlationId) const {
    const Call* found = call(correlationId);
    if (!found || !found->seen) return std::nullopt;
    return found->threadId;
}

LaunchActivity* LaunchJoins::launch(uint64_t externalId) {
    if (m_launches.empty() || externalId < m_launches.front().externalId) return nullptr;
    const uint64_t index = externalId - m_launches.front().externalId;
    return index < m_launches.size() ? &m_launches[index] : nullptr;
}

std::optional<LaunchContext> LaunchJoins::contextOfNode(uint64_t nodeId) {
    const auto found = m_nodes.find(nodeId);
    if (found == m_nodes.end()) return std::nullopt;
    Node& node = found->second;
    if (!node.context && node.externalId != 0)
        if (const LaunchActivity* captured = launch(node.externalId)) node.context = captured->context;
    return node.context;
}

LaunchJoins::Found LaunchJoins::find(uint32_t correlationId, uint64_t graphNodeId, LaunchContext& context) {
    const Call* found = call(correlationId);
    LaunchActivity* announced = found && found->externalId != 0 ? launch(found->externalId) : nullptr;
    if (!announced) return Found::NotYet;
    const auto give = [&](LaunchContext& from) {
        context = from;
        from.bytes = 0;
        from.flops = 0;
    };
    if (graphNodeId == 0) {
        give(announced->context);
        return Found::Yes;
    }
    const std::optional<LaunchContext> captured = contextOfNode(graphNodeId);
    if (!captured) {
        context = announced->context;
        return Found::NoOp;
    }
    if (LaunchContext* ofThisLaunch = contextOfOp(announced->nodes, captured->op)) {
        give(*ofThisLaunch);
    } else {  // the runner said nothing of this op's share: the time is the launch's, the cost that at capture
        context = *captured;
        context.token = announced->context.token;
        context.repeat = announced->context.repeat;
    }
    return Found::Yes;
}

}  // namespace gapscope
