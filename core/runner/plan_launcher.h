// Runs one model on one backend: makes the plan that a number of tokens needs when it is first needed, and launches it
// as the mode says.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "core/runner/backend.h"
#include "core/runner/generate.h"

namespace gapscope {

// Tokens of the prompt in one pass. Weights are read once for so many; activations of so many must be held, about
// 40 kB a token for the 270M model.
inline constexpr int64_t kChunkTokens = 256;
inline constexpr int64_t kGpuChunkTokens = 512;  // fewer leave a large GPU's matmuls half empty

// Fill: a part of the prompt that only fills the cache. Choose: the last token's logits and choice.
// Batch: next tokens of as many sequences, logits and choice of each.
enum class PlanKind { Fill, Choose, CheckDrafts, Batch };

class PlanLauncher {
public:
    // `drafts`: the model is not the one that is asked but one that guesses for it.
    PlanLauncher(const Model& model, Backend& backend, Precision precision, Mode mode, ActivityLog& log, bool drafts)
        : m_model(model), m_backend(backend), m_precision(precision), m_mode(mode), m_log(log), m_drafts(drafts) {}

    // `tokens` whose ids are uploaded, or, of one, where argmax left it.
    Status launch(int64_t tokens, PlanKind kind, const Step& step);

private:
    Result<Backend::PlanId> planFor(int64_t tokens, PlanKind kind);

    const Model& m_model;
    Backend& m_backend;
    const Precision m_precision;
    const Mode m_mode;
    ActivityLog& m_log;
    const bool m_drafts;
    std::map<std::pair<int64_t, PlanKind>, Backend::PlanId> m_plans;
};

}  // namespace gapscope
