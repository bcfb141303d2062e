// What the eager and the fused plan share: ops described, sized and costed in one place. Internal to the plans.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/runner/plan.h"

namespace gapscope {

class PlanBuilder {
public:
    PlanBuilder(const Model& model, const PlanRequest& request) : m_model(model), m_config(model.config()) {
        m_plan.request = request;
    }

    const PlanRequest& request() const { return m_plan.request; }
    const ModelConfig& config() const { return m_config; }
    const Model& model() const { return m_model; }
    Plan take() { return std::move(m_plan); }

    // What the ops to come belong to.
    void enterLayer(int32_t layer) {
        m_layer = layer;
        m_global = m_config.isGlobal[static_cast<size_t>(layer)];
    }
    // The last row only from here on (all, where drafts are checked): final norm, head and choice.
    void enterHead() {
        m_layer = -1;
        m_head = true;
    }
    int64_t rows() const { return m_head && !m_plan.request.checksDrafts ? 1 : m_plan.request.tokens; }
    // A buffer that holds all the step's rows, of which the head sees the last (all, where it checks drafts).
    Operand lastRows(Buffer buffer) const { return {buffer, m_plan.request.tokens - rows()}; }

    void embedding(double scale);
    void cosSin(std::initializer_list<Operand> out, bool global, std::string_view opName);
    // Before a matmul of `matrices`, if any of them wants its input quantised.
    void quantize(Buffer in, int64_t columns, std::initializer_list<const MatrixView*> matrices, std::string_view name);
    void matmul(Buffer in, std::initializer_list<const MatrixView*> matrices, std::initializer_list<Buffer> out,
                std::string_view opName, std::string_view kernelPrefix = "");
    void gateUpGelu(const LayerWeights& weights);
    void attention();
    void argmax();
    void boundedHead();  // in place of the head's matmul and argmax
    // One of the small ops: `in` and `out` are [rows, heads * columns], factors of another shape told by the kind.
    PlanOp& small(OpKind kind, std::string opName, int64_t heads, int64_t columns, std::initializer_list<Operand> in,
                  std::initializer_list<Operand> out);
    bool wantsQuantized(std::initializer_list<const MatrixView*> matrices) const;

private:
    PlanOp& add(OpKind kind, Category category, std::string kernelName, std::string opName);

    const Model& m_model;
    const ModelConfig& m_config;
    Plan m_plan;
    int32_t m_layer = -1;
    bool m_global = false;
    bool m_head = false;
};

Plan makeEagerPlan(const Model& model, const PlanRequest& request);
Plan makeFusedPlan(const Model& model, const PlanRequest& request);

}  // namespace gapscope
