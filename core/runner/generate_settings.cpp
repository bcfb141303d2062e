// Names of modes and precisions, and what can be said of settings before a model is loaded.
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <utility>

#include "core/runner/generate.h"

namespace gapscope {

namespace {

constexpr std::array<std::string_view, 4> kModeNames = {"eager", "fused", "graph", "persistent"};
constexpr std::array<std::string_view, 4> kPrecisionNames = {"file", "fp32", "bf16", "int8"};
constexpr std::array<std::string_view, 3> kSpeculationNames = {"off", "ngram", "model"};
constexpr int64_t kMostRepeats = std::numeric_limits<int16_t>::max();  // a repeat's number in records
constexpr int64_t kMostThreads = 1024;

template <class Enum, size_t kCount>
std::optional<Enum> fromName(const std::array<std::string_view, kCount>& names, std::string_view name) {
    for (size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return static_cast<Enum>(i);
    return std::nullopt;
}

bool isDeviceId(std::string_view id) {
    if (id == "auto" || id == "cpu" || id == "cuda") return true;
    constexpr std::string_view kPrefix = "cuda:";
    if (!id.starts_with(kPrefix) || id.size() == kPrefix.size() || id.size() > kPrefix.size() + 3) return false;
    for (const char c : id.substr(kPrefix.size()))
        if (std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
    return true;
}

tl::unexpected<Error> wrong(std::string message) {
    return fail(std::move(message), ErrorKind::WrongUse);
}

Status validateBatch(const GenerateSettings& settings) {
    if (settings.batch < 1 || settings.batch > kMostBatch)
        return wrong("The batch must be from 1 to " + std::to_string(kMostBatch) + " sequences, not " +
                     std::to_string(settings.batch) + ".");
    if (settings.prompts.empty()) return {};
    if (settings.prompts.size() > static_cast<size_t>(kMostPrompts))
        return wrong("A run takes at most " + std::to_string(kMostPrompts) + " prompts, not " +
                     std::to_string(settings.prompts.size()) + ".");
    for (size_t i = 0; i < settings.prompts.size(); ++i)
        if (settings.prompts[i].find_first_not_of(" \t\r\n\v\f") == std::string::npos)
            return wrong("Prompt " + std::to_string(i + 1) + " of " + std::to_string(settings.prompts.size()) +
                         " is empty; give the model some text to go on from.");
    if (!settings.promptIds.empty()) return wrong("A batch takes prompts as text; token ids are for one prompt alone.");
    if (!settings.forceIds.empty()) return wrong("Forced tokens are for one prompt alone, not for a batch.");
    if (settings.speculation.kind != Speculation::Off)
        return wrong("Speculative decoding is for one prompt alone; run a batch without it.");
    return {};
}

Status validateSpeculation(const SpeculationSettings& speculation) {
    if (speculation.draftTokens < 1 || speculation.draftTokens > kMostDraftTokens)
        return wrong("The number of drafted tokens must be from 1 to " + std::to_string(kMostDraftTokens) + ", not " +
                     std::to_string(speculation.draftTokens) + ".");
    if (speculation.kind != Speculation::Model || speculation.loaded) return {};
    if (speculation.draftModel.empty()) return wrong("Speculation by a draft model needs the model's file.");
    std::error_code failed;
    if (!std::filesystem::exists(speculation.draftModel, failed))
        return wrong("There is no draft model " + speculation.draftModel.string() +
                     "; speculation is off, ngram or the file of a model.");
    return {};
}

}  // namespace

std::string_view modeName(Mode mode) {
    return kModeNames[static_cast<size_t>(mode)];
}

std::optional<Mode> modeFromName(std::string_view name) {
    return fromName<Mode>(kModeNames, name);
}

std::string_view precisionName(Precision precision) {
    return kPrecisionNames[static_cast<size_t>(precision)];
}

std::optional<Precision> precisionFromName(std::string_view name) {
    return fromName<Precision>(kPrecisionNames, name);
}

std::string_view speculationName(Speculation kind) {
    return kSpeculationNames[static_cast<size_t>(kind)];
}

std::optional<Speculation> speculationFromName(std::string_view name) {
    return fromName<Speculation>(kSpeculationNames, name);
}

void SpeculationSettings::setDrafter(const std::string& word) {
    kind = word == "off" ? Speculation::Off : word == "ngram" ? Speculation::Ngram : Speculation::Model;
    if (kind == Speculation::Model) draftModel = word;
}

std::string SpeculationSettings::name() const {
    if (kind != Speculation::Model) return std::string(speculationName(kind));
    // "gemma-3-1b-it" of a folder as well, whose path may end in a slash.
    const std::filesystem::path last = draftModel.has_filename() ? draftModel : draftModel.parent_path();
    return last.extension() == ".gguf" ? last.stem().string() : last.filename().string();
}

Status validate(const GenerateSettings& settings) {
    const auto number = [](int64_t value) { return std::to_string(value); };
    RETURN_IF_ERROR(validateBatch(settings));
    if (settings.prompt.empty() && settings.promptIds.empty() && settings.prompts.empty())
        return wrong("The prompt is empty; give the model some text to go on from.");
    if (settings.maxNewTokens <= 0)
        return wrong("The number of new tokens must be at least 1, not " + number(settings.maxNewTokens) + ".");
    if (settings.contextLength < 0)
        return wrong("The context length must be positive, not " + number(settings.contextLength) + ".");
    if (settings.threads < 0 || settings.threads > kMostThreads)
        return wrong("The number of threads must be from 1 to " + number(kMostThreads) + " (0: one a core), not " +
                     number(settings.threads) + ".");
    if (settings.warmup < 0 || settings.warmup > kMostRepeats)
        return wrong("The number of warm-up runs must be from 0 to " + number(kMostRepeats) + ", not " +
                     number(settings.warmup) + ".");
    if (settings.repeats < 1 || settings.repeats > kMostRepeats)
        return wrong("The number of repeats must be from 1 to " + number(kMostRepeats) + ", not " +
                     number(settings.repeats) + ".");
    if (settings.topLogits < 0)
        return wrong("The number of logits to keep must not be negative, but is " + number(settings.topLogits) + ".");
    RETURN_IF_ERROR(validateSpeculation(settings.speculation));
    const SamplingSettings& sampling = settings.sampling;
    if (!(sampling.temperature >= 0) || !std::isfinite(sampling.temperature))
        return wrong("The temperature must be 0 (greedy) or a positive number.");
    if (sampling.topK < 0) return wrong("Top-k must be 0 (all tokens) or more, not " + number(sampling.topK) + ".");
    if (!(sampling.topP > 0 && sampling.topP <= 1)) return wrong("Top-p must be above 0 and at most 1.");
    if (!isDeviceId(settings.device))
        return wrong("\"" + settings.device + "\" is no device; devices are auto, cpu, cuda and cuda:N.");
    return {};
}

}  // namespace gapscope
