// The loop of a run: prompt in chunks, then token after token, on whichever backend; the launches, ranges and tokens go
// to the activity log.
#include "core/runner/generate.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/runner/backend.h"
#include "core/runner/devices.h"
#include "core/runner/prompt.h"
#include "core/runner/sampler.h"

namespace gapscope {

namespace {

// Tokens of the prompt in one pass. Weights are read once for so many; activations of so many must be held, about
// 40 kB a token for the 270M model.
constexpr int64_t kChunkTokens = 256;
// Passes that may be enqueued before the host waits: bounds how far shown progress runs ahead.
constexpr int64_t kChunksInFlight = 4;

class Generation {
public:
    Generation(const Model& model, const GenerateSettings& settings, ActivityLog& log, const GenerateEvents& events,
               std::stop_token stop, Backend& backend, Mode mode, const std::vector<int32_t>& prompt)
        : m_model(model),
          m_settings(settings),
          m_log(log),
          m_events(events),
          m_stop(std::move(stop)),
          m_backend(backend),
          m_mode(mode),
          m_prompt(prompt) {}

    // One time through prompt and tokens. `stopReason` says how it ended.
    Status repeat(int16_t number, RepeatResult& result, std::string& stopReason);

private:
    struct Choice {
        int32_t id = 0;
        bool onDevice = true;  // argmax left it where the next embedding reads it
    };

    Result<Backend::PlanId> planFor(int64_t tokens, bool head);
    Status prefill(const Step& step);
    void launch(Backend::PlanId id, const Step& step);
    Result<Choice> choose(const Step& step, Sampler& sampler, RepeatResult& result);
    void emit(int16_t number, int32_t id, bool last, bool endToken, RepeatResult& result);
    void progress(const char* phase, int64_t done, int64_t of) const {
        if (m_events.onProgress) m_events.onProgress(phase, static_cast<double>(done) / static_cast<double>(of));
    }
    bool isEnd(int32_t id) const {
        const std::vector<int32_t>& ends = m_model.config().endTokens;
        return std::find(ends.begin(), ends.end(), id) != ends.end();
    }

    const Model& m_model;
    const GenerateSettings& m_settings;
    ActivityLog& m_log;
    const GenerateEvents& m_events;
    const std::stop_token m_stop;
    Backend& m_backend;
    const Mode m_mode;
    const std::vector<int32_t>& m_prompt;
    std::map<std::pair<int64_t, bool>, Backend::PlanId> m_plans;
    std::vector<float> m_logits;
    std::optional<StreamingDetokenizer> m_text;
};

Result<Backend::PlanId> Generation::planFor(int64_t tokens, bool head) {
    const auto key = std::make_pair(tokens, head);
    if (const auto found = m_plans.find(key); found != m_plans.end()) return found->second;
    PlanRequest request;
    request.flavor = m_backend.planFlavor();
    request.precision = m_settings.precision;
    request.eager = m_mode == Mode::Eager;
    request.tokens = tokens;
    request.head = head;
    request.quantizedActivations = m_backend.quantizedActivations();
    request.kvElementBytes = m_backend.kvElementBytes();
    ASSIGN_OR_RETURN(const Backend::PlanId id, m_backend.add(makePlan(m_model, request)));
    m_plans.emplace(key, id);
    return id;
}

void Generation::launch(Backend::PlanId id, const Step& step) {
    if (m_mode == Mode::Graph || m_mode == Mode::Persistent) {
        m_backend.launchGraph(id, step);
        return;
    }
    const std::vector<PlanOp>& ops = m_backend.plan(id).ops;
    std::optional<PhaseScope> layer;
    for (size_t i = 0; i < ops.size(); ++i) {
        if (i == 0 || ops[i].layer != ops[i - 1].layer) {
            layer.reset();
            if (ops[i].layer >= 0 && m_log.enabled()) layer.emplace(m_log, "layer " + std::to_string(ops[i].layer));
        }
        m_backend.launch(id, i, step);
    }
}

Status Generation::prefill(const Step& first) {
    const auto total = static_cast<int64_t>(m_prompt.size());
    Step step = first;
    for (int64_t chunk = 0; step.position < total; ++chunk) {
        if (m_stop.stop_requested()) return {};
        const int64_t count = std::min(kChunkTokens, total - step.position);
        ASSIGN_OR_RETURN(const Backend::PlanId id, planFor(count, step.position + count == total));
        m_backend.uploadIds(
            step, std::span(m_prompt).subspan(static_cast<size_t>(step.position), static_cast<size_t>(count)));
        launch(id, step);
        step.position += count;
        if (chunk % kChunksInFlight == kChunksInFlight - 1) RETURN_IF_ERROR(m_backend.synchronize());
        progress("Prefill", step.position, total);
    }
    return {};
}

Result<Generation::Choice> Generation::choose(const Step& step, Sampler& sampler, RepeatResult& result) {
    const size_t index = result.tokens.size();
    const bool forced = index < m_settings.forceIds.size();
    const bool wantsLogits = m_settings.topLogits > 0 || (!sampler.greedy() && !forced);
    Choice choice;
    if (wantsLogits) {
        m_logits.resize(static_cast<size_t>(m_model.config().vocabulary));
        RETURN_IF_ERROR(m_backend.readLogits(step, m_logits));
        if (m_stop.stop_requested()) return choice;
        if (m_settings.topLogits > 0) result.steps.push_back(topLogits(m_logits, m_settings.topLogits));
    } else {
        // Also when the token is forced: the read waits for the device, so that times mean what they say.
        ASSIGN_OR_RETURN(choice.id, m_backend.readToken(step));
    }
    if (forced) {
        choice = {m_settings.forceIds[index], false};
    } else if (wantsLogits) {
        choice = {sampler.sample(m_logits), sampler.greedy()};
    }
    return choice;
}

void Generation::emit(int16_t number, int32_t id, bool last, bool endToken, RepeatResult& result) {
    const auto index = static_cast<int32_t>(result.tokens.size());
    std::string text;
    if (m_text) {
        if (!endToken) text = m_text->push(id);  // an end token is not part of the answer
        if (last) text += m_text->finish();
    }
    result.tokens.push_back(id);
    result.text += text;
    m_log.add(TokenActivity{nowNs(), index, number, id, text});  // with tracing off too: tokens are the result
    if (m_events.onToken) m_events.onToken(TokenEvent{number, index, id, std::move(text)});
}

Status Generation::repeat(int16_t number, RepeatResult& result, std::string& stopReason) {
    const PhaseScope scope(m_log, number < 0 ? "warmup" : "model_inference");
    Sampler sampler(m_settings.sampling);
    if (m_model.tokenizer() != nullptr) m_text.emplace(*m_model.tokenizer());
    const int64_t startNs = nowNs();
    int64_t firstTokenNs = startNs;
    Step step;
    step.repeat = number;
    for (int64_t index = 0; index < m_settings.maxNewTokens; ++index) {
        Choice choice;
        {
            const PhaseScope phase(m_log, index == 0 ? "prefill" : "decode " + std::to_string(index));
            step.headToken = static_cast<int32_t>(index);
            if (index == 0) {
                RETURN_IF_ERROR(prefill(step));
                step.position = static_cast<int64_t>(m_prompt.size());
            } else {
                step.bodyToken = static_cast<int32_t>(index);
                ASSIGN_OR_RETURN(const Backend::PlanId id, planFor(1, true));
                launch(id, step);
                ++step.position;
            }
            ASSIGN_OR_RETURN(choice, choose(step, sampler, result));
            if (m_stop.stop_requested()) {
                stopReason = "cancelled";
                return {};
            }
            if (index == 0) result.prefillNs = nowNs() - startNs;
            const bool ends =
                !m_settings.ignoreEos && static_cast<size_t>(index) >= m_settings.forceIds.size() && isEnd(choice.id);
            const bool last = ends || index + 1 == m_settings.maxNewTokens;
            emit(number, choice.id, last, ends, result);
            const int64_t emittedNs = nowNs();
            if (index == 0) {
                firstTokenNs = emittedNs;
                result.timeToFirstTokenNs = emittedNs - startNs;
            }
            result.decodeNs = emittedNs - firstTokenNs;
            progress("Decode", index + 1, m_settings.maxNewTokens);
            if (last) {
                stopReason = ends ? "end token" : "length";
                return {};
            }
        }
        if (!choice.onDevice) {
            Step next = step;
            next.bodyToken = static_cast<int32_t>(index) + 1;
            m_backend.uploadIds(next, std::span(&choice.id, 1));
        }
    }
    return {};
}

Result<Mode> resolveMode(const GenerateSettings& settings, bool onCpu) {
    // On a GPU the first run shows what PyTorch would do; on the CPU the fast way.
    const Mode mode = settings.mode.value_or(onCpu ? Mode::Fused : Mode::Eager);
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
                                const GenerateEvents& events, std::stop_token stop) {
    RETURN_IF_ERROR(validate(settings));
    ASSIGN_OR_RETURN(const std::string device, resolveDevice(settings.device));
    ASSIGN_OR_RETURN(const Mode mode, resolveMode(settings, device == "cpu"));
    ASSIGN_OR_RETURN(const Prompt prompt, makePrompt(model, settings));
    const auto promptTokens = static_cast<int64_t>(prompt.ids.size());
    BackendSettings backendSettings;
    ASSIGN_OR_RETURN(backendSettings.contextLength, resolveContext(model.config(), settings, promptTokens));
    backendSettings.precision = settings.precision;
    backendSettings.mode = mode;
    backendSettings.threads = settings.threads;
    backendSettings.chunkTokens = std::min(kChunkTokens, promptTokens);
    backendSettings.onProgress = events.onProgress;
    backendSettings.stop = stop;

    GenerateResult result;
    result.promptTokens = prompt.ids;
    backendSettings.deviceId = cudaDeviceId(device);
    auto created = device == "cpu" ? createCpuBackend(model, backendSettings, log)
                                   : createCudaBackend(model, backendSettings, log);
    if (!created) {
        if (created.error().kind != ErrorKind::Cancelled) return tl::unexpected(created.error());
        result.stopReason = "cancelled";
        return result;
    }
    Backend& backend = **created;
    const BackendInfo& info = backend.info();
    result.weightBytes = info.weightBytes;
    result.kvBytes = info.kvBytes;
    if (events.onPrepared) {
        PreparedInfo prepared;
        prepared.promptTokens = prompt.ids;
        prepared.device = info.device;
        prepared.deviceName = info.deviceName;
        prepared.precision = settings.precision;
        prepared.mode = mode;
        prepared.chat = prompt.chat;
        prepared.threads = info.threads;
        prepared.contextLength = backendSettings.contextLength;
        prepared.weightBytes = info.weightBytes;
        prepared.kvBytes = info.kvBytes;
        prepared.peakBytesPerSecond = info.peakBytesPerSecond;
        prepared.peakFlopsPerSecond = info.peakFlopsPerSecond;
        events.onPrepared(prepared);
    }

    const std::stop_callback onStop(stop, [&backend] { backend.cancel(); });
    Generation generation(model, settings, log, events, stop, backend, mode, prompt.ids);
    for (int64_t i = -settings.warmup; i < settings.repeats && result.stopReason != "cancelled"; ++i) {
        const auto number = static_cast<int16_t>(std::max<int64_t>(i, -1));
        RepeatResult repeat;
        RETURN_IF_ERROR(generation.repeat(number, repeat, result.stopReason));
        if (number < 0) continue;
        result.repeats.push_back(std::move(repeat));
        if (events.onRepeat) events.onRepeat(number, result.repeats.back());
    }
    RETURN_IF_ERROR(backend.synchronize());
    return result;
}

}  // namespace gapscope
