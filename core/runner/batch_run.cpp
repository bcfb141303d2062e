#include "core/runner/batch_run.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "kernels/cpu/kv_cache_view.h"
#include "kernels/cpu/matmul.h"

namespace gapscope {

namespace {

int64_t pagesFor(int64_t positions) {
    return (positions + kKvPagePositions - 1) / kKvPagePositions;
}

// How many of a prompt's tokens are taken from shared pages that hold `known` of them. A pass of a few tokens only
// would round otherwise than the whole chunk does that the prompt has alone: a page less is taken then.
int64_t reusable(int64_t known, int64_t promptTokens) {
    const bool isSameChunk = known % kChunkTokens == 0;
    return !isSameChunk && promptTokens - known < kDirectTokens ? known - kKvPagePositions : known;
}

}  // namespace

int64_t pagesOfBatch(std::span<const std::vector<int32_t>> prompts, int64_t batch, int64_t maxNewTokens) {
    std::vector<int64_t> pages;
    for (const std::vector<int32_t>& prompt : prompts)
        pages.push_back(pagesFor(static_cast<int64_t>(prompt.size()) + maxNewTokens));
    std::ranges::sort(pages, std::greater());
    int64_t total = 0;
    for (size_t i = 0; i < std::min(pages.size(), static_cast<size_t>(batch)); ++i)
        total += pages[i];
    return total;
}

BatchRun::BatchRun(const Model& model, const GenerateSettings& settings, ActivityLog& log, const GenerateEvents& events,
                   std::stop_token stop, Backend& backend, Mode mode, std::span<const std::vector<int32_t>> prompts,
                   int64_t pages)
    : m_model(model),
      m_settings(settings),
      m_log(log),
      m_events(events),
      m_stop(std::move(stop)),
      m_backend(backend),
      m_launcher(model, backend, settings.precision, mode, log, false),
      m_prompts(prompts),
      m_pool(pages),
      m_onGpu(backend.planFlavor() == PlanFlavor::Cuda),
      m_chunkTokens(m_onGpu ? kGpuChunkTokens : kChunkTokens) {}

BatchRun::~BatchRun() {
    (void)m_backend.synchronize();
}

void BatchRun::progress(const char* phase) const {
    const double of = static_cast<double>(m_settings.maxNewTokens) * static_cast<double>(m_prompts.size());
    if (m_events.onProgress) m_events.onProgress(phase, static_cast<double>(m_index) / of);
}

Step BatchRun::nextStep() const {
    Step step;
    step.bodyToken = step.headToken = m_index;
    step.repeat = m_repeat;
    return step;
}

int64_t BatchRun::contextOf(const Sequence& sequence) const {
    const auto promptTokens = static_cast<int64_t>(m_prompts[sequence.number].size());
    return m_settings.contextLength > 0 ? m_settings.contextLength : promptTokens + m_settings.maxNewTokens;
}

Status BatchRun::prefill(Sequence& sequence, Step& step) {
    const std::vector<int32_t>& prompt = m_prompts[sequence.number];
    const auto total = static_cast<int64_t>(prompt.size());
    sequence.pages = m_pool.share(std::span(prompt).first(prompt.size() - 1));  // the last one's logits are wanted
    const int64_t shared = static_cast<int64_t>(sequence.pages.size()) * kKvPagePositions;
    const int64_t known = m_onGpu ? shared - shared % m_chunkTokens : reusable(shared, total);
    const auto behind = sequence.pages.begin() + known / kKvPagePositions;
    m_pool.release({behind, sequence.pages.end()});
    sequence.pages.erase(behind, sequence.pages.end());
    while (static_cast<int64_t>(sequence.pages.size()) < pagesFor(total))
        sequence.pages.push_back(m_pool.take());
    sequence.length = sequence.result->reusedTokens = known;

    m_promptRows.clear();
    m_promptRows.reserve(static_cast<size_t>(total / m_chunkTokens + 1));
    while (sequence.length < total && !m_stop.stop_requested()) {
        // Chunks end where they end for the prompt alone.
        const int64_t end = std::min(total, (sequence.length / m_chunkTokens + 1) * m_chunkTokens);
        const int64_t count = end - sequence.length;
        StepRows& rows = m_promptRows.emplace_back();
        for (int64_t t = 0; t < count; ++t)
            rows.positions.push_back(static_cast<int32_t>(sequence.length + t));
        rows.pages = sequence.pages;
        step.rows = &rows;
        step.position = sequence.length;
        if (m_promptRows.size() == 1 && known > 0) m_backend.takeFromPages(step);
        m_backend.uploadIds(
            step, std::span(prompt).subspan(static_cast<size_t>(sequence.length), static_cast<size_t>(count)));
        sequence.length += count;
        PlanKind kind = sequence.length == total ? PlanKind::Choose : PlanKind::Fill;
        if (m_onGpu && count == 1) {
            kind = PlanKind::Batch;
            rows.tableStride = static_cast<int64_t>(rows.pages.size());
            rows.contexts = {static_cast<int32_t>(contextOf(sequence))};
        }
        RETURN_IF_ERROR(m_launcher.launch(count, kind, step));
        step.position = kind == PlanKind::Batch ? 0 : sequence.length;
    }
    // On a GPU a page of a chunk that is not whole has bits of its own.
    const int64_t shareable = m_onGpu ? total - total % m_chunkTokens : total;
    if (sequence.length == total) m_pool.publish(std::span(prompt).first(static_cast<size_t>(shareable)), sequence.pages);
    return {};
}

Status BatchRun::admit(size_t number, RepeatResult& result) {
    const PhaseScope phase(m_log, m_index == 0 ? "prefill" : "prefill of prompt " + std::to_string(number + 1));
    const int64_t startNs = nowNs();
    Sequence sequence{.number = number, .result = &result.sequences[number]};
    sequence.sampler.emplace(m_settings.sampling);
    if (m_model.tokenizer() != nullptr) sequence.text.emplace(*m_model.tokenizer());
    Step step = nextStep();
    if (m_index == 0) step.bodyToken = kPrefillToken;
    RETURN_IF_ERROR(prefill(sequence, step));
    m_onDevice = false;
    ASSIGN_OR_RETURN(const std::vector<int32_t> ids, choose(step, std::span(&sequence, 1)));
    if (ids.empty()) return {};
    result.prefillNs += nowNs() - startNs;
    result.reusedTokens += sequence.result->reusedTokens;
    if (emit(sequence, ids.front(), 0, result))
        m_pool.release(sequence.pages);
    else
        m_running.push_back(std::move(sequence));
    progress("Prefill");
    return {};
}

Status BatchRun::decode(RepeatResult& result) {
    const PhaseScope phase(m_log, "decode " + std::to_string(m_index));
    const size_t count = m_running.size();
    size_t longest = 0;
    for (Sequence& sequence : m_running) {
        if (sequence.length % kKvPagePositions == 0) sequence.pages.push_back(m_pool.take());
        longest = std::max(longest, sequence.pages.size());
    }
    m_rows.positions.clear();
    m_rows.contexts.clear();
    m_rows.pages.assign(count * longest, 0);
    m_rows.tableStride = static_cast<int64_t>(longest);
    std::vector<int32_t> ids;
    for (size_t row = 0; row < count; ++row) {
        const Sequence& sequence = m_running[row];
        m_rows.positions.push_back(static_cast<int32_t>(sequence.length));
        m_rows.contexts.push_back(static_cast<int32_t>(contextOf(sequence)));
        std::ranges::copy(sequence.pages, m_rows.pages.begin() + static_cast<ptrdiff_t>(row * longest));
        ids.push_back(sequence.result->tokens.back());
    }
    Step step = nextStep();
    step.rows = &m_rows;
    if (!m_onDevice) m_backend.uploadIds(step, ids);
    const PlanKind kind = count == 1 && !m_onGpu ? PlanKind::Choose : PlanKind::Batch;
    RETURN_IF_ERROR(m_launcher.launch(static_cast<int64_t>(count), kind, step));
    ASSIGN_OR_RETURN(const std::vector<int32_t> chosen, choose(step, m_running));
    if (chosen.empty()) return {};
    ++result.drafts.steps;
    m_onDevice = m_running.front().sampler->greedy();
    std::vector<Sequence> going;
    for (size_t row = 0; row < count; ++row) {
        Sequence& sequence = m_running[row];
        ++sequence.length;
        if (emit(sequence, chosen[row], static_cast<int16_t>(row), result))
            m_pool.release(sequence.pages);
        else
            going.push_back(std::move(sequence));
    }
    m_onDevice = m_onDevice && going.size() == count;
    m_running = std::move(going);
    progress("Decode");
    return {};
}

Result<std::vector<int32_t>> BatchRun::choose(const Step& step, std::span<Sequence> sequences) {
    std::vector<int32_t> chosen(sequences.size());
    const bool wantsLogits = m_settings.topLogits > 0 || !sequences.front().sampler->greedy();
    if (!wantsLogits) {
        RETURN_IF_ERROR(m_backend.readTokens(step, chosen));
        return m_stop.stop_requested() ? std::vector<int32_t>() : chosen;
    }
    m_logits.resize(static_cast<size_t>(m_model.config().vocabulary));
    for (size_t row = 0; row < sequences.size(); ++row) {
        RETURN_IF_ERROR(m_backend.readLogits(step, static_cast<int64_t>(row), m_logits));
        if (m_stop.stop_requested()) return std::vector<int32_t>();
        if (m_settings.topLogits > 0) sequences[row].result->steps.push_back(topLogits(m_logits, m_settings.topLogits));
        chosen[row] = sequences[row].sampler->sample(m_logits);
    }
    return chosen;
}

bool BatchRun::emit(Sequence& sequence, int32_t id, int16_t place, RepeatResult& result) {
    SequenceResult& own = *sequence.result;
    const std::vector<int32_t>& endTokens = m_model.config().endTokens;
    const bool ends = !m_settings.ignoreEos && std::ranges::find(endTokens, id) != endTokens.end();
    const bool last = ends || static_cast<int64_t>(own.tokens.size()) + 1 == m_settings.maxNewTokens;
    TokenActivity token{.emittedNs = nowNs(), .token = m_index, .repeat = m_repeat, .id = id, .place = place};
    token.sequence = static_cast<int32_t>(sequence.number);
    if (sequence.text) {
        if (!ends) token.text = sequence.text->push(id);  // an end token is not part of the answer
        if (last) token.text += sequence.text->finish();
    }
    if (own.tokens.empty()) {
        sequence.firstTokenNs = token.emittedNs;
        own.timeToFirstTokenNs = token.emittedNs - m_startNs;
    }
    if (m_index == 0) result.timeToFirstTokenNs = own.timeToFirstTokenNs;
    own.decodeNs = token.emittedNs - sequence.firstTokenNs;
    own.tokens.push_back(id);
    own.text += token.text;
    result.tokens.push_back(id);
    result.decodeNs = token.emittedNs - m_startNs - result.timeToFirstTokenNs;
    m_log.add(token);  // with tracing off too: tokens are the result
    if (m_events.onToken)
        m_events.onToken(TokenEvent{
            .repeat = m_repeat, .index = m_index, .sequence = token.sequence, .id = id, .text = std::move(token.text)});
    ++m_index;
    if (last) own.stopReason = ends ? "end token" : "length";
    return last;
}

Status BatchRun::repeat(int16_t number, RepeatResult& result, std::string& stopReason) {
    const PhaseScope scope(m_log, number < 0 ? "warmup" : "model_inference");
    m_repeat = number;
    m_index = 0;
    m_startNs = nowNs();
    if (!m_settings.reusePrefix) m_pool.forget();
    m_pool.resetMost();
    result.sequences.resize(m_prompts.size());
    for (size_t i = 0; i < m_prompts.size(); ++i)
        result.sequences[i].promptTokens = m_prompts[i];

    size_t waiting = 0;  // the first prompt that waits
    while (!m_stop.stop_requested() && (waiting < m_prompts.size() || !m_running.empty())) {
        if (waiting < m_prompts.size() && static_cast<int64_t>(m_running.size()) < m_settings.batch)
            RETURN_IF_ERROR(admit(waiting++, result));
        else
            RETURN_IF_ERROR(decode(result));
    }
    for (const Sequence& sequence : m_running)
        m_pool.release(sequence.pages);
    m_running.clear();

    result.kvPages = m_pool.mostUsed();
    stopReason = m_stop.stop_requested() ? "cancelled" : "end token";
    for (const SequenceResult& sequence : result.sequences) {
        if (!result.text.empty()) result.text += '\n';
        result.text += sequence.text;
        if (stopReason == "end token" && sequence.stopReason != "end token") stopReason = "length";
    }
    return {};
}

}  // namespace gapscope
