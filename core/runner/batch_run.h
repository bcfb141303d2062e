// Several prompts at once, continuously: each step takes the next token of every running sequence in one pass over the
// weights; a sequence that ends makes room for the next prompt that waits. Keys and values lie in pages that sequences
// whose prompts begin the same share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/runner/backend.h"
#include "core/runner/generate.h"
#include "core/runner/page_pool.h"
#include "core/runner/plan_launcher.h"
#include "core/runner/sampler.h"
#include "core/runner/tokenizer.h"

namespace gapscope {

// Pages that the longest of the prompts need at once, `batch` of them, with all their new tokens.
int64_t pagesOfBatch(std::span<const std::vector<int32_t>> prompts, int64_t batch, int64_t maxNewTokens);

class BatchRun {
public:
    // `pages` of the backend's cache. All but the stop token must outlive this.
    BatchRun(const Model& model, const GenerateSettings& settings, ActivityLog& log, const GenerateEvents& events,
             std::stop_token stop, Backend& backend, Mode mode, std::span<const std::vector<int32_t>> prompts,
             int64_t pages);
    ~BatchRun();  // waits for the device, which may still read where rows stand

    // One time through all prompts. `stopReason` says how it ended.
    Status repeat(int16_t number, RepeatResult& result, std::string& stopReason);

private:
    struct Sequence {
        size_t number = 0;  // of its prompt
        SequenceResult* result = nullptr;
        PageTable pages;
        int64_t length = 0;  // positions in the cache
        std::optional<Sampler> sampler;
        std::optional<StreamingDetokenizer> text;
        int64_t firstTokenNs = 0;
    };

    // Runs the prompt and gives its first token.
    Status admit(size_t number, RepeatResult& result);
    // The step is then the one whose choice follows the prompt.
    Status prefill(Sequence& sequence, Step& step);
    int64_t contextOf(const Sequence& sequence) const;
    Status decode(RepeatResult& result);
    // What follows row after row; empty: cancelled.
    Result<std::vector<int32_t>> choose(const Step& step, std::span<Sequence> sequences);
    // Whether the sequence has ended with this token.
    bool emit(Sequence& sequence, int32_t id, int16_t place, RepeatResult& result);
    Step nextStep() const;
    void progress(const char* phase) const;

    const Model& m_model;
    const GenerateSettings& m_settings;
    ActivityLog& m_log;
    const GenerateEvents& m_events;
    const std::stop_token m_stop;
    Backend& m_backend;
    PlanLauncher m_launcher;
    const std::span<const std::vector<int32_t>> m_prompts;
    PagePool m_pool;
    // On a GPU only a batch's plans read pages: prompts run as they do alone, in chunks that other prompts share whole
    // or not at all, and single rows are steps of a batch.
    const bool m_onGpu;
    const int64_t m_chunkTokens;

    // Of the repeat
    int16_t m_repeat = 0;
    int64_t m_startNs = 0;
    int32_t m_index = 0;  // of the next token
    std::vector<Sequence> m_running;
    bool m_onDevice = false;  // the last tokens are where the next embedding reads them
    StepRows m_rows;
    std::vector<StepRows> m_promptRows;  // of the prompt's chunks
    std::vector<float> m_logits;
};

}  // namespace gapscope
