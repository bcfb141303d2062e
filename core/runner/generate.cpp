// The loop of a run: prompt in chunks, then token after token, on whichever backend; the launches, ranges and tokens go
// to the activity log.
#include "core/runner/generate.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "core/runner/backend.h"
#include "core/runner/batch_run.h"
#include "core/runner/devices.h"
#include "core/runner/drafter.h"
#include "core/runner/kv_cache.h"
#include "core/runner/model_drafter.h"
#include "core/runner/plan_launcher.h"
#include "core/runner/prefix_memory.h"
#include "core/runner/prompt.h"
#include "core/runner/sampler.h"

namespace gapscope {

namespace {

// Passes that may be enqueued before the host waits: bounds how far shown progress runs ahead.
constexpr int64_t kChunksInFlight = 4;

class Generation {
public:
    Generation(const Model& model, const GenerateSettings& settings, ActivityLog& log, const GenerateEvents& events,
               std::stop_token stop, Backend& backend, Mode mode, const std::vector<int32_t>& prompt, Drafter* drafter,
               CachedText cached, const BackendSettings& cacheOf)
        : m_model(model),
          m_settings(settings),
          m_log(log),
          m_events(events),
          m_stop(std::move(stop)),
          m_backend(backend),
          m_launcher(model, backend, settings.precision, mode, log, false),
          m_prompt(prompt),
          m_drafter(drafter),
          m_cached(std::move(cached)),
          m_reusedUnit(backend.planFlavor() == PlanFlavor::Cuda ? kGpuChunkTokens : 1),
          m_keptTokens(backend.info().keptTokens),
          m_contextLength(cacheOf.contextLength),
          m_chunkTokens(cacheOf.chunkTokens),
          m_slots(localSlots(model.config(), cacheOf.contextLength, cacheOf.chunkTokens)) {
        if (m_reusedUnit == 1) return;
        m_keptRows.pages.resize(static_cast<size_t>(m_keptTokens / kKvPagePositions));
        std::iota(m_keptRows.pages.begin(), m_keptRows.pages.end(), 0);
        m_cached.tokens.resize(std::min(m_cached.tokens.size(), static_cast<size_t>(m_keptTokens)));
    }

    // One time through prompt and tokens. `stopReason` says how it ended.
    Status repeat(int16_t number, RepeatResult& result, std::string& stopReason);
    // What the backend's cache holds.
    const CachedText& cached() const { return m_cached; }

private:
    // What one step gave: drafted tokens that it accepted, then one that the model chose itself.
    struct Outcome {
        std::vector<int32_t> ids;
        int64_t accepted = 0;
        bool onDevice = true;  // argmax left the last one where the next embedding reads it
    };

    Status prefill(const Step& step);
    CachedText textInCache(const RepeatResult& result) const;
    Result<std::vector<int32_t>> draft(const Step& step, const RepeatResult& result);
    // Runs the layers for the next token, and for those drafted after it, and chooses. The step's position moves on.
    Result<Outcome> decode(Step& step, std::span<const int32_t> drafted, Sampler& sampler, RepeatResult& result);
    Result<Outcome> choose(const Step& step, std::span<const int32_t> drafted, Sampler& sampler, RepeatResult& result);
    void emit(TokenActivity token, bool last, bool endToken, RepeatResult& result);
    void progress(const char* phase, int64_t done, int64_t of) const {
        if (m_events.onProgress) m_events.onProgress(phase, static_cast<double>(done) / static_cast<double>(of));
    }
    // Whether the run ends with this token. Those that are forced are no choice of the model's.
    bool isEnd(int32_t id, size_t index) const {
        if (m_settings.ignoreEos || index < m_settings.forceIds.size()) return false;
        const std::vector<int32_t>& ends = m_model.config().endTokens;
        return std::find(ends.begin(), ends.end(), id) != ends.end();
    }

    const Model& m_model;
    const GenerateSettings& m_settings;
    ActivityLog& m_log;
    const GenerateEvents& m_events;
    const std::stop_token m_stop;
    Backend& m_backend;
    PlanLauncher m_launcher;
    const std::vector<int32_t>& m_prompt;
    Drafter* const m_drafter;  // null: plain decoding
    CachedText m_cached;
    // On a GPU a matmul of other rows may round otherwise, so only whole chunks are reused, which have the same rows
    // in every prompt. They are kept in pages: the rings go on with what follows them.
    const int64_t m_reusedUnit;
    const int64_t m_keptTokens;
    StepRows m_keptRows;
    const int64_t m_contextLength;
    const int64_t m_chunkTokens;
    const int64_t m_slots;  // of a local layer's ring
    std::vector<float> m_logits;
    std::vector<int32_t> m_written;  // prompt and new tokens of the repeat, for the drafter
    bool m_onDevice = true;          // the last token is where the next embedding reads it
    std::optional<StreamingDetokenizer> m_text;
};

Status Generation::prefill(const Step& first) {
    const auto total = static_cast<int64_t>(m_prompt.size());
    Step step = first;
    step.rows = &m_keptRows;
    if (step.position > 0) m_backend.takeFromPages(step);
    for (int64_t chunk = 0; step.position < total; ++chunk) {
        if (m_stop.stop_requested()) return {};
        const int64_t count = std::min(m_chunkTokens, total - step.position);
        if (step.position + count > m_keptTokens) step.rows = nullptr;
        m_backend.uploadIds(
            step, std::span(m_prompt).subspan(static_cast<size_t>(step.position), static_cast<size_t>(count)));
        const bool isLast = step.position + count == total;
        RETURN_IF_ERROR(m_launcher.launch(count, isLast ? PlanKind::Choose : PlanKind::Fill, step));
        step.position += count;
        if (chunk % kChunksInFlight == kChunksInFlight - 1) RETURN_IF_ERROR(m_backend.synchronize());
        progress("Prefill", step.position, total);
    }
    return {};
}

Result<std::vector<int32_t>> Generation::draft(const Step& step, const RepeatResult& result) {
    if (!m_drafter) return std::vector<int32_t>();
    // A step gives at most one token more than were drafted for it.
    const int64_t left = m_settings.maxNewTokens - static_cast<int64_t>(result.tokens.size()) - 1;
    const int64_t most = std::min(m_settings.speculation.draftTokens, left);
    if (most <= 0) return std::vector<int32_t>();
    const PhaseScope scope(m_log, "draft");
    m_written.resize(m_prompt.size());
    m_written.insert(m_written.end(), result.tokens.begin(), result.tokens.end());
    return m_drafter->draft(m_written, most, step);
}

Result<Generation::Outcome> Generation::decode(Step& step, std::span<const int32_t> drafted, Sampler& sampler,
                                               RepeatResult& result) {
    const auto count = static_cast<int64_t>(drafted.size());
    std::optional<PhaseScope> verify;
    if (count > 0) verify.emplace(m_log, "verify");
    if (count > 0 || !m_onDevice) {
        std::vector<int32_t> ids = {result.tokens.back()};
        ids.insert(ids.end(), drafted.begin(), drafted.end());
        m_backend.uploadIds(step, ids);
    }
    RETURN_IF_ERROR(m_launcher.launch(count + 1, count > 0 ? PlanKind::CheckDrafts : PlanKind::Choose, step));
    ++step.position;
    ASSIGN_OR_RETURN(Outcome outcome, choose(step, drafted, sampler, result));
    ++result.drafts.steps;
    if (count == 0 || outcome.ids.empty()) return outcome;
    outcome.accepted = std::ranges::mismatch(drafted, outcome.ids).in1 - drafted.begin();
    // What a rejected draft left in the cache is overwritten by the tokens that come in its stead.
    step.position += static_cast<int64_t>(outcome.ids.size()) - 1;
    ++result.drafts.checks;
    result.drafts.drafted += count;
    result.drafts.accepted += outcome.accepted;
    verify->rename("verify: " + std::to_string(outcome.accepted) + " of " + std::to_string(count) + " accepted");
    return outcome;
}

// Row r of the logits is for the token after the first r drafted ones: right as long as the model chooses those.
Result<Generation::Outcome> Generation::choose(const Step& step, std::span<const int32_t> drafted, Sampler& sampler,
                                               RepeatResult& result) {
    const size_t first = result.tokens.size();
    std::vector<int32_t> chosen(drafted.size() + 1);
    const auto isForced = [&](size_t index) { return index < m_settings.forceIds.size(); };
    const bool samples = !sampler.greedy() && !isForced(first + drafted.size());
    const bool wantsLogits = m_settings.topLogits > 0 || samples;
    // Also when the token is forced: the read waits for the device, so that times mean what they say.
    if (!wantsLogits) RETURN_IF_ERROR(m_backend.readTokens(step, chosen));
    Outcome outcome;
    outcome.onDevice = drafted.empty() && sampler.greedy();
    for (size_t row = 0; row <= drafted.size(); ++row) {
        const size_t index = first + row;
        if (wantsLogits) {
            m_logits.resize(static_cast<size_t>(m_model.config().vocabulary));
            RETURN_IF_ERROR(m_backend.readLogits(step, static_cast<int64_t>(row), m_logits));
        }
        if (m_stop.stop_requested()) return Outcome();
        if (m_settings.topLogits > 0) result.steps.push_back(topLogits(m_logits, m_settings.topLogits));
        int32_t id = chosen[row];
        if (isForced(index)) {
            id = m_settings.forceIds[index];
            outcome.onDevice = false;
        } else if (wantsLogits) {
            id = sampler.sample(m_logits);
        }
        outcome.ids.push_back(id);
        if (row == drafted.size() || id != drafted[row] || isEnd(id, index)) break;
    }
    return outcome;
}

// After a whole repeat.
CachedText Generation::textInCache(const RepeatResult& result) const {
    CachedText text{.tokens = m_prompt};
    if (m_reusedUnit > 1) {
        text.tokens.resize(static_cast<size_t>(m_keptTokens));
        return text;
    }
    // All new tokens but the last, which was not read again.
    text.tokens.insert(text.tokens.end(), result.tokens.begin(), result.tokens.end() - 1);
    // Rejected drafts may stand behind.
    const auto size = static_cast<int64_t>(text.tokens.size());
    text.oldest = std::max<int64_t>(0, std::min(size + kMostDraftTokens, m_contextLength) - m_slots);
    return text;
}

void Generation::emit(TokenActivity token, bool last, bool endToken, RepeatResult& result) {
    if (m_text) {
        if (!endToken) token.text = m_text->push(token.id);  // an end token is not part of the answer
        if (last) token.text += m_text->finish();
    }
    result.tokens.push_back(token.id);
    result.text += token.text;
    m_log.add(token);  // with tracing off too: tokens are the result
    if (m_events.onToken)
        m_events.onToken(
            TokenEvent{.repeat = token.repeat, .index = token.token, .id = token.id, .text = std::move(token.text)});
}

Status Generation::repeat(int16_t number, RepeatResult& result, std::string& stopReason) {
    const PhaseScope scope(m_log, number < 0 ? "warmup" : "model_inference");
    Sampler sampler(m_settings.sampling);
    if (m_model.tokenizer() != nullptr) m_text.emplace(*m_model.tokenizer());
    m_written = m_prompt;
    const int64_t startNs = nowNs();
    int64_t firstTokenNs = startNs;
    Step step;
    step.repeat = number;
    if (m_settings.reusePrefix)
        step.position = reusablePrefix(m_cached, m_prompt, m_model.config().slidingWindow, m_reusedUnit);
    result.reusedTokens = step.position;
    m_cached.tokens.clear();  // until the repeat has ended
    for (int64_t index = 0; index < m_settings.maxNewTokens; index = static_cast<int64_t>(result.tokens.size())) {
        const PhaseScope phase(m_log, index == 0 ? "prefill" : "decode " + std::to_string(index));
        step.headToken = static_cast<int32_t>(index);
        std::vector<int32_t> drafted;
        Outcome outcome;
        if (index == 0) {
            RETURN_IF_ERROR(prefill(step));
            step.position = static_cast<int64_t>(m_prompt.size());
            ASSIGN_OR_RETURN(outcome, choose(step, {}, sampler, result));
        } else {
            step.bodyToken = static_cast<int32_t>(index);
            ASSIGN_OR_RETURN(drafted, draft(step, result));
            ASSIGN_OR_RETURN(outcome, decode(step, drafted, sampler, result));
        }
        m_onDevice = outcome.onDevice;
        if (m_stop.stop_requested()) {
            stopReason = "cancelled";
            return {};
        }
        if (index == 0) result.prefillNs = nowNs() - startNs;
        TokenActivity token{.emittedNs = nowNs(), .repeat = number};
        token.drafted = static_cast<int16_t>(drafted.size());
        token.accepted = static_cast<int16_t>(outcome.accepted);
        for (const int32_t id : outcome.ids) {
            token.token = static_cast<int32_t>(result.tokens.size());
            token.id = id;
            const bool ends = isEnd(id, result.tokens.size());
            const bool last = ends || token.token + 1 == m_settings.maxNewTokens;
            emit(token, last, ends, result);
            ++token.place;
            if (last) stopReason = ends ? "end token" : "length";
        }
        const int64_t emittedNs = nowNs();
        if (index == 0) {
            firstTokenNs = emittedNs;
            result.timeToFirstTokenNs = emittedNs - startNs;
        }
        result.decodeNs = emittedNs - firstTokenNs;
        progress("Decode", static_cast<int64_t>(result.tokens.size()), m_settings.maxNewTokens);
        if (stopReason.empty()) continue;
        m_cached = textInCache(result);
        return {};
    }
    return {};
}

// Null without speculation.
Result<std::unique_ptr<Drafter>> makeDrafter(const SpeculationSettings& settings, const Model& model,
                                             const BackendSettings& backend, bool onCpu, ActivityLog& log) {
    switch (settings.kind) {
        case Speculation::Off:
            return nullptr;
        case Speculation::Ngram:
            return std::make_unique<NgramDrafter>();
        case Speculation::Model:
            break;
    }
    std::shared_ptr<const Model> draftModel = settings.loaded;
    if (!draftModel) {
        const auto onProgress = [&](const std::string& phase, double share) {
            if (backend.onProgress) backend.onProgress("Draft model: " + phase, share);
        };
        ASSIGN_OR_RETURN(draftModel, loadDraftModel(settings.draftModel, model, onProgress, backend.stop));
    }
    return ModelDrafter::create(std::move(draftModel), backend, onCpu, log);
}

Result<Mode> resolveMode(const GenerateSettings& settings, bool onCpu) {
    // On a GPU the first run shows what PyTorch would do, as far as one prompt goes; on the CPU the fast way.
    const bool isBatch = !settings.prompts.empty();
    const Mode mode = settings.mode.value_or(onCpu ? Mode::Fused : isBatch ? Mode::Graph : Mode::Eager);
    if (isBatch && !onCpu && mode == Mode::Eager)
        return fail("Mode eager runs one prompt at a time on a GPU; take another mode for a batch, or the device cpu.",
                    ErrorKind::WrongUse);
    if (mode == Mode::Persistent && onCpu)
        return fail(
            "Mode persistent is one cooperative GPU kernel a token and needs CUDA; on the CPU there are eager, fused "
            "and graph.",
            ErrorKind::WrongUse);
    const Precision precision = settings.precision;
    const bool known = precision == Precision::File || (precision == Precision::Fp32) == onCpu;
    if (!known)
        return fail("Precision " + std::string(precisionName(precision)) +
                        (onCpu ? " does not exist on the CPU; it has file (weights as stored, fast) and fp32 "
                                 "(full-precision activations)."
                               : " does not exist on the GPU; it has file (block types as stored, all else bf16), bf16 "
                                 "and int8 (LLM.int8())."),
                    ErrorKind::WrongUse);
    return mode;
}

Result<int64_t> resolveContext(const ModelConfig& config, const GenerateSettings& settings, int64_t promptTokens) {
    const int64_t limit = settings.contextLength > 0 ? settings.contextLength : config.contextLength;
    if (limit > config.contextLength)
        return fail("A context of " + std::to_string(limit) + " tokens is more than the model's " +
                        std::to_string(config.contextLength) + ".",
                    ErrorKind::WrongUse);
    // Compared this way round because the number of new tokens may be anything.
    if (promptTokens > limit || settings.maxNewTokens > limit - promptTokens)
        return fail("The prompt's " + std::to_string(promptTokens) + " tokens and " +
                        std::to_string(settings.maxNewTokens) + " new ones do not fit into the context of " +
                        std::to_string(limit) + ".",
                    ErrorKind::WrongUse);
    return settings.contextLength > 0 ? limit : promptTokens + settings.maxNewTokens;
}

}  // namespace

Result<GenerateResult> generate(const Model& model, const GenerateSettings& settings, ActivityLog& log,
                                const GenerateEvents& events, std::stop_token stop, PrefixMemory* memory) {
    RETURN_IF_ERROR(validate(settings));
    ASSIGN_OR_RETURN(const std::string device, resolveDevice(settings.device));
    ASSIGN_OR_RETURN(const Mode mode, resolveMode(settings, device == "cpu"));
    const bool isBatch = !settings.prompts.empty();
    ASSIGN_OR_RETURN(const std::vector<Prompt> made, makePrompts(model, settings));
    GenerateResult result;
    std::vector<std::vector<int32_t>> prompts;
    int64_t promptTokens = 0;  // of the longest one
    for (const Prompt& prompt : made) {
        prompts.push_back(prompt.ids);
        promptTokens = std::max(promptTokens, static_cast<int64_t>(prompt.ids.size()));
        result.promptTokens.insert(result.promptTokens.end(), prompt.ids.begin(), prompt.ids.end());
    }
    BackendSettings backendSettings;
    ASSIGN_OR_RETURN(backendSettings.contextLength, resolveContext(model.config(), settings, promptTokens));
    backendSettings.precision = settings.precision;
    backendSettings.mode = mode;
    backendSettings.threads = settings.threads;
    backendSettings.onlyChooses = settings.boundsHead && settings.topLogits == 0 && Sampler(settings.sampling).greedy();
    // Room to check drafts in every run: the ring of a local layer has its size from this, and the blocks that
    // attention adds up in have theirs from the ring, so that runs with and without speculation round alike.
    backendSettings.chunkTokens =
        std::clamp(promptTokens, kMostDraftTokens + 1, device == "cpu" ? kChunkTokens : kGpuChunkTokens);
    if (settings.speculation.kind != Speculation::Off)
        backendSettings.checkedTokens = settings.speculation.draftTokens + 1;
    if (isBatch) {
        backendSettings.checkedTokens = std::min(settings.batch, static_cast<int64_t>(prompts.size()));
        backendSettings.pages = pagesOfBatch(prompts, settings.batch, settings.maxNewTokens);
    }
    backendSettings.onProgress = events.onProgress;
    backendSettings.stop = stop;

    CachedText cached;
    const bool keeps = memory && memory->model.get() == &model && settings.reusePrefix && !isBatch;
    const bool onGpu = device != "cpu";
    if (onGpu && settings.reusePrefix && !isBatch)
        backendSettings.keptTokens = promptTokens - promptTokens % kGpuChunkTokens;
    if (keeps && memory->serves(device, settings.precision, mode)) {
        backendSettings.prefix = memory->cache;
        backendSettings.prefixTokens =
            reusablePrefix(memory->text, prompts.front(), model.config().slidingWindow, onGpu ? kGpuChunkTokens : 1);
        cached = memory->text;
        cached.tokens.resize(static_cast<size_t>(backendSettings.prefixTokens));
    }
    if (memory) memory->cache.reset();

    backendSettings.deviceId = cudaDeviceId(device);
    const auto createBackend = onGpu ? createCudaBackend : createCpuBackend;
    auto created = createBackend(model, backendSettings, log);
    if (!created && created.error().kind == ErrorKind::General && backendSettings.prefix) {
        // What the run before left may take the room that this one needs.
        backendSettings.prefix.reset();
        cached = {};
        created = createBackend(model, backendSettings, log);
    }
    if (!created) {
        if (created.error().kind != ErrorKind::Cancelled) return tl::unexpected(created.error());
        result.stopReason = "cancelled";
        return result;
    }
    Backend& backend = **created;
    backendSettings.prefix.reset();
    auto madeDrafter = makeDrafter(settings.speculation, model, backendSettings, device == "cpu", log);
    if (!madeDrafter) {
        if (madeDrafter.error().kind != ErrorKind::Cancelled) return tl::unexpected(madeDrafter.error());
        result.stopReason = "cancelled";
        return result;
    }
    const std::unique_ptr<Drafter> drafter = std::move(*madeDrafter);
    const BackendInfo& info = backend.info();
    result.weightBytes = info.weightBytes;
    result.unreadBytes = info.unreadBytes;
    result.kvBytes = info.kvBytes;
    if (events.onPrepared) {
        PreparedInfo prepared;
        prepared.promptTokens = result.promptTokens;
        prepared.device = info.device;
        prepared.deviceName = info.deviceName;
        prepared.precision = settings.precision;
        prepared.mode = mode;
        prepared.chat = made.front().chat;
        prepared.threads = info.threads;
        prepared.contextLength = backendSettings.contextLength;
        prepared.weightBytes = info.weightBytes;
        prepared.kvBytes = info.kvBytes;
        prepared.peakBytesPerSecond = info.peakBytesPerSecond;
        prepared.peakFlopsPerSecond = info.peakFlopsPerSecond;
        events.onPrepared(prepared);
    }

    const std::stop_callback onStop(stop, [&] {
        backend.cancel();
        if (drafter) drafter->cancel();
    });
    std::optional<Generation> alone;
    std::optional<BatchRun> batch;
    if (isBatch)
        batch.emplace(model, settings, log, events, stop, backend, mode, prompts, backendSettings.pages);
    else
        alone.emplace(model, settings, log, events, stop, backend, mode, prompts.front(), drafter.get(),
                      std::move(cached), backendSettings);
    for (int64_t i = -settings.warmup; i < settings.repeats && result.stopReason != "cancelled"; ++i) {
        const auto number = static_cast<int16_t>(std::max<int64_t>(i, -1));
        RepeatResult repeat;
        result.stopReason.clear();
        RETURN_IF_ERROR(batch ? batch->repeat(number, repeat, result.stopReason)
                              : alone->repeat(number, repeat, result.stopReason));
        if (number < 0) continue;
        result.repeats.push_back(std::move(repeat));
        if (events.onRepeat) events.onRepeat(number, result.repeats.back());
    }
    RETURN_IF_ERROR(backend.synchronize());
    result.headRowsInFull = backend.headRowsInFull();
    if (keeps && !alone->cached().tokens.empty()) {
        memory->cache = backend.cache();
        memory->device = device;
        memory->precision = settings.precision;
        memory->mode = mode;
        memory->text = alone->cached();
    }
    return result;
}

}  // namespace gapscope
