#include "core/runner/model_drafter.h"

#include <algorithm>
#include <utility>

namespace gapscope {

Result<std::shared_ptr<const Model>> loadDraftModel(const std::filesystem::path& path, const Model& checker,
                                                    const Model::Progress& onProgress, std::stop_token stop) {
    ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, Model::load(path, onProgress, stop));
    const auto other = [&](const std::string& what) {
        return fail("The draft model " + path.filename().string() + " " + what +
                        "; a draft model must have the words of the model it drafts for.",
                    ErrorKind::WrongUse);
    };
    const int64_t vocabulary = model->config().vocabulary;
    if (vocabulary != checker.config().vocabulary)
        return other("knows " + std::to_string(vocabulary) + " tokens and the model " +
                     std::to_string(checker.config().vocabulary));
    if (model->tokenizer() && checker.tokenizer())
        for (int32_t id = 0; id < vocabulary; ++id)
            if (model->tokenizer()->pieceBytes(id) != checker.tokenizer()->pieceBytes(id))
                return other("has another token " + std::to_string(id) + " than the model");
    return model;
}

Result<std::unique_ptr<Drafter>> ModelDrafter::create(std::shared_ptr<const Model> model, BackendSettings settings,
                                                      bool onCpu, ActivityLog& log) {
    settings.contextLength = std::min(settings.contextLength, model->config().contextLength);
    settings.checkedTokens = 1;
    settings.keptTokens = 0;
    settings.drafts = true;
    // One cooperative kernel is made for one shape of model at a time, and its prologue for every drafted token would
    // cost what it saves.
    if (settings.mode == Mode::Persistent) settings.mode = Mode::Graph;
    auto backend = onCpu ? createCpuBackend(*model, settings, log) : createCudaBackend(*model, settings, log);
    if (!backend) return fail("The draft model: " + backend.error().message, backend.error().kind);
    return std::unique_ptr<Drafter>(new ModelDrafter(std::move(model), std::move(*backend), settings, log));
}

ModelDrafter::ModelDrafter(std::shared_ptr<const Model> model, std::unique_ptr<Backend> backend,
                           const BackendSettings& settings, ActivityLog& log)
    : m_model(std::move(model)),
      m_backend(std::move(backend)),
      m_launcher(*m_model, *m_backend, settings.precision, settings.mode, log, true),
      m_contextLength(settings.contextLength),
      m_chunkTokens(settings.chunkTokens) {}

// The prompt the first time, later what the last step accepted. What a rejected draft left in the cache is overwritten.
Status ModelDrafter::read(std::span<const int32_t> text, Step& step) {
    const auto size = static_cast<int64_t>(text.size());
    const auto known = std::ranges::mismatch(text, m_cached).in1 - text.begin();
    step.position = std::min<int64_t>(known, size - 1);  // the last one is read again, for what follows it
    while (step.position < size) {
        const int64_t count = std::min(m_chunkTokens, size - step.position);
        m_backend->uploadIds(step, text.subspan(static_cast<size_t>(step.position), static_cast<size_t>(count)));
        const bool isLast = step.position + count == size;
        RETURN_IF_ERROR(m_launcher.launch(count, isLast ? PlanKind::Choose : PlanKind::Fill, step));
        step.position += count;
    }
    m_cached.assign(text.begin(), text.end());
    return {};
}

Result<std::vector<int32_t>> ModelDrafter::draft(std::span<const int32_t> text, int64_t most, const Step& step) {
    const auto size = static_cast<int64_t>(text.size());
    most = std::min(most, m_contextLength - size);  // a model that has seen less must stop earlier
    std::vector<int32_t> drafted;
    if (most <= 0) return drafted;
    Step own = step;
    own.headToken = own.bodyToken;  // all of it is work for the step's first token
    RETURN_IF_ERROR(read(text, own));
    for (;;) {
        int32_t id = 0;
        RETURN_IF_ERROR(m_backend->readTokens(own, std::span(&id, 1)));
        drafted.push_back(id);
        if (static_cast<int64_t>(drafted.size()) == most) return drafted;
        RETURN_IF_ERROR(m_launcher.launch(1, PlanKind::Choose, own));
        m_cached.push_back(id);
        ++own.position;
    }
}

}  // namespace gapscope
