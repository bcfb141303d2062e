#include "core/capture/launch_joins.h"

#include <utility>

namespace gapscope {

namespace {
constexpr size_t kMostNodes = size_t{1} << 20;
}

LaunchJoins::LaunchJoins() : m_calls(kRemembered) {}

void LaunchJoins::addLaunches(std::span<const LaunchActivity> launches) {
    for (const LaunchActivity& added : launches) {
        if (m_launches.empty()) m_firstId = added.externalId;
        while (m_firstId + m_launches.size() < added.externalId)
            m_launches.emplace_back();
        m_launches.push_back(added);
    }
}

void LaunchJoins::forgetOldLaunches() {
    if (m_launches.size() <= kRemembered) return;
    const size_t old = m_launches.size() - kRemembered;
    m_launches.erase(m_launches.begin(), m_launches.begin() + static_cast<std::ptrdiff_t>(old));
    m_firstId += old;
}

void LaunchJoins::addGraphNodes(std::span<const GraphNodeActivity> nodes) {
    for (const GraphNodeActivity& added : nodes) {
        if (m_nodes.size() >= kMostNodes) {  // graphs made over and over: the old ones are gone
            m_nodes.clear();
            m_scopesWithNodes.clear();
        }
        Node made;
        if (added.originalNodeId != 0) {
            // A clone is made outside of any op's scope and works for what its original worked for.
            if (const Node* original = node(added.originalNodeId)) made = *original;
        } else if (added.externalId != 0) {
            made.externalId = added.externalId;
            made.isFirst = m_scopesWithNodes.insert(added.externalId).second;
        }
        // While a graph is instantiated, its nodes may be told of twice: as clones, and as made out of nothing.
        if (made.externalId == 0) continue;
        m_nodes[added.nodeId] = made;
        node(added.nodeId);  // now, while the launch is remembered
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
    if (externalId < m_firstId || externalId - m_firstId >= m_launches.size()) return nullptr;
    LaunchActivity& found = m_launches[externalId - m_firstId];
    return found.externalId == externalId ? &found : nullptr;
}

LaunchJoins::Node* LaunchJoins::node(uint64_t nodeId) {
    const auto found = m_nodes.find(nodeId);
    if (found == m_nodes.end()) return nullptr;
    Node& node = found->second;
    if (!node.context)
        if (const LaunchActivity* captured = launch(node.externalId)) node.context = captured->context;
    return &node;
}

const LaunchContext* LaunchJoins::shareOf(uint64_t externalId, uint32_t op) {
    const LaunchActivity* announced = launch(externalId);
    const uint32_t count = announced ? announced->nodeCount : 0;
    for (uint64_t id = externalId + 1; id <= externalId + count; ++id)
        if (const LaunchActivity* share = launch(id); share && share->context.op == op) return &share->context;
    return nullptr;
}

LaunchJoins::Found LaunchJoins::find(uint32_t correlationId, uint64_t graphNodeId, LaunchContext& context) {
    const Call* found = call(correlationId);
    LaunchActivity* announced = found && found->externalId != 0 ? launch(found->externalId) : nullptr;
    if (!announced) return Found::NotYet;
    context = announced->context;
    if (graphNodeId == 0) {
        announced->context.bytes = 0;
        announced->context.flops = 0;
        return Found::Yes;
    }
    Node* const captured = node(graphNodeId);
    if (!captured || !captured->context) return Found::NoOp;
    if (const LaunchContext* share = shareOf(found->externalId, captured->context->op)) {
        context = *share;
    } else {
        context.op = captured->context->op;
        context.bytes = captured->context->bytes;
        context.flops = captured->context->flops;
    }
    const bool isTold = !captured->isFirst || captured->toldIn == correlationId;
    if (isTold) context.bytes = context.flops = 0;
    captured->toldIn = correlationId;
    return Found::Yes;
}

}  // namespace gapscope
