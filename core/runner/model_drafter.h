// Drafts by a second, smaller model: it goes on with the text greedily, on the same device as the model that checks it,
// with weights, cache and stream of its own.
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "core/runner/drafter.h"
#include "core/runner/plan_launcher.h"

namespace gapscope {

// Errors: the file cannot be read, or is a model with another vocabulary than `checker`'s (its guesses would be other
// words).
Result<std::shared_ptr<const Model>> loadDraftModel(const std::filesystem::path& path, const Model& checker,
                                                    const Model::Progress& onProgress, std::stop_token stop);

class ModelDrafter : public Drafter {
public:
    // `settings` are those of the backend that it drafts for. Error: it does not fit into the memory left.
    static Result<std::unique_ptr<Drafter>> create(std::shared_ptr<const Model> model, BackendSettings settings,
                                                   bool onCpu, ActivityLog& log);

    Result<std::vector<int32_t>> draft(std::span<const int32_t> text, int64_t most, const Step& step) override;
    void cancel() override { m_backend->cancel(); }

private:
    ModelDrafter(std::shared_ptr<const Model> model, std::unique_ptr<Backend> backend, const BackendSettings& settings,
                 ActivityLog& log);
    Status read(std::span<const int32_t> text, Step& step);

    std::shared_ptr<const Model> m_model;  // outlives the backend
    std::unique_ptr<Backend> m_backend;
    PlanLauncher m_launcher;
    const int64_t m_contextLength;
    const int64_t m_chunkTokens;
    std::vector<int32_t> m_cached;  // tokens whose keys and values the cache holds, from position 0
};

}  // namespace gapscope
