#include "core/runner/plan_launcher.h"

#include <optional>
#include <string>

namespace gapscope {

Result<Backend::PlanId> PlanLauncher::planFor(int64_t tokens, PlanKind kind) {
    const auto key = std::make_pair(tokens, kind);
    if (const auto found = m_plans.find(key); found != m_plans.end()) return found->second;
    PlanRequest request;
    request.flavor = m_backend.planFlavor();
    request.precision = m_precision;
    request.eager = m_mode == Mode::Eager;
    request.tokens = tokens;
    request.head = kind != PlanKind::Fill;
    request.batch = kind == PlanKind::Batch;
    request.checksDrafts = request.batch || kind == PlanKind::CheckDrafts;
    request.boundsHead = m_backend.boundsHead();
    request.drafts = m_drafts;
    request.quantizedActivations = m_backend.quantizedActivations();
    request.kvElementBytes = m_backend.kvElementBytes();
    ASSIGN_OR_RETURN(const Backend::PlanId id, m_backend.add(makePlan(m_model, request)));
    m_plans.emplace(key, id);
    return id;
}

Status PlanLauncher::launch(int64_t tokens, PlanKind kind, const Step& step) {
    ASSIGN_OR_RETURN(const Backend::PlanId id, planFor(tokens, kind));
    if (m_mode == Mode::Graph || m_mode == Mode::Persistent) {
        m_backend.launchGraph(id, step);
        return {};
    }
    const std::vector<PlanOp>& ops = m_backend.plan(id).ops;
    std::optional<PhaseScope> layer;
    for (size_t i = 0; i < ops.size(); ++i) {
        if (i == 0 || ops[i].layer != ops[i - 1].layer) {
            layer.reset();
            if (ops[i].layer >= 0 && m_log.enabled() && !m_drafts)
                layer.emplace(m_log, "layer " + std::to_string(ops[i].layer));
        }
        m_backend.launch(id, i, step);
    }
    return {};
}

}  // namespace gapscope
