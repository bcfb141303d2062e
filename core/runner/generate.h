// One run: prompt in, tokens out, activity records on the side. The only door to the runner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/activity.h"
#include "core/base/result.h"
#include "core/runner/model.h"

namespace gapscope {

struct PrefixMemory;

enum class Mode : uint8_t { Eager, Fused, Graph, Persistent };
enum class Precision : uint8_t { File, Fp32, Bf16, Int8 };

std::string_view modeName(Mode mode);
std::optional<Mode> modeFromName(std::string_view name);
std::string_view precisionName(Precision precision);
std::optional<Precision> precisionFromName(std::string_view name);

struct SamplingSettings {
    double temperature = 0;  // 0: greedy
    int64_t topK = 0;        // 0: all
    double topP = 1;
    uint64_t seed = 0;
};

// Speculative decoding: a drafter guesses tokens, one pass of the model checks them. A pass gives each token's logits
// the bits that they have alone (PlanRequest::checksDrafts), so the tokens are those of plain decoding, sampled ones
// too.
enum class Speculation : uint8_t { Off, Ngram, Model };
inline constexpr int64_t kMostDraftTokens = 16;
struct SpeculationSettings {
    Speculation kind = Speculation::Off;
    int64_t draftTokens = 4;              // most of a step, 1..kMostDraftTokens
    std::filesystem::path draftModel;     // Model: as for Model::load(), with the vocabulary of the model itself
    std::shared_ptr<const Model> loaded;  // from draftModel by loadDraftModel(), to spare a second load; may be null
    // "ngram", "gemma-3-270m-it": for people and the session
    std::string name() const;
    // A command line's word: "off", "ngram", all else the file of a draft model, which is not looked for.
    void setDrafter(const std::string& word);
};
std::string_view speculationName(Speculation kind);  // "off", "ngram", "model"
std::optional<Speculation> speculationFromName(std::string_view name);

inline constexpr int64_t kMostBatch = 16;      // sequences in a step
inline constexpr int64_t kMostPrompts = 4096;  // of a run: kMostSequences of the trace's tables

struct GenerateSettings {
    std::string device = "auto";  // "auto", "cpu", "cuda", "cuda:N"
    Precision precision = Precision::File;
    std::optional<Mode> mode;  // none: the device's default (CPU: fused)
    std::string prompt;
    std::vector<int32_t> promptIds;  // if not empty, run these and ignore `prompt` (no BOS is added)
    // If not empty, run all of these and ignore `prompt`: continuous batching. A step takes the next token of each
    // running sequence; one that ends makes room for the next prompt that waits. Each sequence's tokens are those that
    // its prompt gets alone in the same mode. Without speculation and forced tokens, and on a GPU not in mode
    // eager; steps of mode persistent are graphs then.
    std::vector<std::string> prompts;
    int64_t batch = kMostBatch;  // most sequences in a step, 1..kMostBatch
    std::optional<bool> chat;    // none: if the model has a template
    int64_t maxNewTokens = 64;
    bool ignoreEos = false;
    bool boundsHead = true;  // greedy decoding leaves out bits of the head that decide nothing; false: to compare
    std::vector<int32_t> forceIds;  // teacher forcing: these are taken as the new tokens, whatever the logits say
    SamplingSettings sampling;
    SpeculationSettings speculation;
    // Begin where the prompt differs from what the cache holds: a repeat, or a run with a PrefixMemory, then computes
    // only the rest of its prompt. In a batch, sequences share the beginning of their prompts anyway; this lets a
    // repeat share what the one before it left. On a GPU all of this is of prompts and in whole chunks of
    // kGpuChunkTokens, so that the tokens are those of a run from nothing, to the bit.
    bool reusePrefix = false;
    int64_t topLogits = 0;      // N largest logits of each step into GenerateResult::steps
    int64_t contextLength = 0;  // 0: what prompt and new tokens need
    int64_t threads = 0;        // 0: one a physical core
    int64_t warmup = 1;
    int64_t repeats = 1;
};

struct TokenEvent {
    int16_t repeat = 0;    // -1: warm-up
    int32_t index = 0;     // over all sequences
    int32_t sequence = 0;  // of a batch
    int32_t id = 0;
    std::string text;  // what became printable of its sequence: whole UTF-8 characters only
};

struct TopLogits {
    struct Entry {
        int32_t id;
        float logit;
    };
    std::vector<Entry> top;  // largest first
    double logSumExp = 0;
};

// How speculation went. Without it each step gives one token.
struct DraftCounts {
    int64_t steps = 0;     // decode steps, the prompt's pass not counted
    int64_t checks = 0;    // of those that checked drafts
    int64_t drafted = 0;   // tokens
    int64_t accepted = 0;  // of those
    bool operator==(const DraftCounts&) const = default;
};

// What came of one prompt of a batch.
struct SequenceResult {
    std::vector<int32_t> promptTokens;
    std::vector<int32_t> tokens;
    std::string text;
    std::vector<TopLogits> steps;    // as in RepeatResult
    std::string stopReason;          // "length", "end token"; empty: cancelled before its end
    int64_t reusedTokens = 0;        // of the prompt, whose pages another sequence had filled
    int64_t timeToFirstTokenNs = 0;  // from the repeat's begin: waiting for room included
    int64_t decodeNs = 0;            // its first token -> its last one
};

struct RepeatResult {
    std::vector<int32_t> tokens;   // of a batch: of all sequences, as they came
    std::string text;              // of a batch: of all, each from a line of its own on
    std::vector<TopLogits> steps;  // step 0 is the last prompt position
    int64_t prefillNs = 0;         // host clock: prompt handed over -> prompt processed
    int64_t timeToFirstTokenNs = 0;
    int64_t decodeNs = 0;      // first token -> last token
    int64_t reusedTokens = 0;  // of the prompt, whose keys and values were there already
    DraftCounts drafts;
    std::vector<SequenceResult> sequences;  // of a batch, in the order of the prompts
    int64_t kvPages = 0;                    // of a batch: most in use at once
    double tokensPerSecond() const {
        return decodeNs > 0 ? static_cast<double>(tokens.size() - 1) * 1e9 / static_cast<double>(decodeNs) : 0;
    }
};

struct GenerateResult {
    std::vector<int32_t> promptTokens;  // of a batch: of all prompts, one after the other
    std::vector<RepeatResult> repeats;  // without warm-ups
    std::string stopReason;             // "length", "end token" (of a batch: of all), "cancelled"
    int64_t weightBytes = 0;            // read for one token, as laid out
    int64_t unreadBytes = 0;            // of the weights as laid out, what a token does without
    int64_t headRowsInFull = 0;         // as Backend counts them, warm-ups included
    int64_t kvBytes = 0;
};

// What is known once the model is prepared, before the first token.
struct PreparedInfo {
    std::vector<int32_t> promptTokens;
    std::string device;      // "cpu"
    std::string deviceName;  // "AMD EPYC 9B14, avx512vnni, 2 threads"
    Precision precision = Precision::File;
    Mode mode = Mode::Fused;
    bool chat = false;
    int64_t threads = 0;
    int64_t contextLength = 0;
    int64_t weightBytes = 0;
    int64_t kvBytes = 0;
    double peakBytesPerSecond = 0;  // of the device, if measured
    double peakFlopsPerSecond = 0;
};

// Called on the thread that runs generate(). May be empty.
struct GenerateEvents {
    std::function<void(const std::string& phase, double share)> onProgress;
    std::function<void(const PreparedInfo&)> onPrepared;
    std::function<void(const TokenEvent&)> onToken;
    std::function<void(int16_t repeat, const RepeatResult&)> onRepeat;  // not for warm-ups
};

// Blocks until done; run it off the UI thread. A stop request ends it within one token: the result then holds what
// there is, with stopReason "cancelled". Errors: WrongUse for settings that cannot be (empty prompt, tokens <= 0,
// prompt longer than the context, unknown device), General otherwise.
// `log` receives every API call, kernel, range and token. The ranges it gets: "warmup" or "model_inference" around a
// repeat, in it "prefill" and "decode K", in those "layer L"; with speculation a step is named after its first token
// and holds "draft" and "verify: 3 of 4 accepted". In a batch too a step is named after its first token, and prompts
// after the first have "prefill of prompt N", whose work counts for the token that it gives.
// `memory`: what an earlier run left, used if it is of `model` and settings.reusePrefix says so; this run leaves its
// own there, in the memory of its device.
Result<GenerateResult> generate(const Model& model, const GenerateSettings& settings, ActivityLog& log,
                                const GenerateEvents& events = {}, std::stop_token stop = {},
                                PrefixMemory* memory = nullptr);

// Checks what can be checked without the model loaded.
Status validate(const GenerateSettings& settings);

// Whether the GPU can be used for runs here; the CPU always can.
struct RunDevice {
    std::string id;  // "cpu", "cuda:0"
    std::string name;
    std::vector<Mode> modes;
    std::vector<Precision> precisions;
    int64_t memoryBytes = 0;  // of a GPU
    std::string pciBusId;     // of a GPU: "0000:3b:00.0"
};
std::vector<RunDevice> runDevices();

}  // namespace gapscope
