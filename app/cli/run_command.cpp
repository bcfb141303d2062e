// `gapscope-cli run`: one recorded run. Text streams to stderr, the summary goes to stdout.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "app/cli/commands.h"
#include "app/cli/summary_output.h"
#include "app/cli/what_if_output.h"
#include "core/analysis/summary.h"
#include "core/analysis/window.h"
#include "core/base/format.h"
#include "core/base/session_format.h"
#include "core/recording/recording.h"
#include "core/runner/model_catalog.h"

namespace gapscope::cli {

namespace {

struct RunOptions {
    std::string model, promptFile, promptsFile, out, mode, traceLevel = "full", precision = "file";
    std::vector<std::string> prompts;
    std::vector<int32_t> promptIds;
    bool chat = false, raw = false, json = false, force = false;
    std::string speculative = "off";
    GenerateSettings generate;
};

constexpr auto kPollPeriod = std::chrono::milliseconds(20);

std::sig_atomic_t volatile interrupted = 0;  // set by the signal handler alone, which can reach nothing else

Result<TraceLevel> traceLevelFromName(const std::string& name) {
    if (name == "off") return TraceLevel::Off;
    if (name == "graph") return TraceLevel::Graph;
    if (name == "full") return TraceLevel::Full;
    return fail("--trace is off, graph or full, not '" + name + "'.", ErrorKind::WrongUse);
}

Result<std::string> readPromptFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text;
    if (file) text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad()) return fail("The prompt file '" + path + "' cannot be read.");
    return text;
}

// A prompt a line; empty lines part them for the eye only.
Result<std::vector<std::string>> readPrompts(const std::string& path) {
    ASSIGN_OR_RETURN(const std::string text, readPromptFile(path));
    std::vector<std::string> prompts;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (line.find_first_not_of(" \t") != std::string::npos) prompts.push_back(std::move(line));
    }
    if (prompts.empty())
        return fail("The file of prompts '" + path + "' holds none; it has a prompt a line.", ErrorKind::WrongUse);
    return prompts;
}

Status setPrompts(const RunOptions& options, GenerateSettings& generate) {
    const bool hasOne = !options.promptFile.empty() || !options.promptIds.empty();
    if (!hasOne && options.prompts.empty() && options.promptsFile.empty())
        return fail(
            "Say what to run: --prompt TEXT (several make a batch), --prompts FILE, --prompt-file FILE or "
            "--prompt-ids I,J,...",
            ErrorKind::WrongUse);
    generate.promptIds = options.promptIds;
    if (!options.promptFile.empty()) {
        ASSIGN_OR_RETURN(generate.prompt, readPromptFile(options.promptFile));
    } else if (!options.promptsFile.empty()) {
        ASSIGN_OR_RETURN(generate.prompts, readPrompts(options.promptsFile));
    } else if (options.prompts.size() == 1) {
        generate.prompt = options.prompts.front();
    } else {
        generate.prompts = options.prompts;
    }
    return {};
}

Result<RecordingSettings> settingsFrom(const RunOptions& options) {
    RecordingSettings settings;
    settings.generate = options.generate;
    ASSIGN_OR_RETURN(settings.traceLevel, traceLevelFromName(options.traceLevel));

    const auto precision = precisionFromName(options.precision);
    if (!precision)
        return fail("--precision is file, fp32, bf16 or int8, not '" + options.precision + "'.", ErrorKind::WrongUse);
    settings.generate.precision = *precision;
    if (!options.mode.empty()) {
        settings.generate.mode = modeFromName(options.mode);
        if (!settings.generate.mode)
            return fail("--mode is eager, fused, graph or persistent, not '" + options.mode + "'.",
                        ErrorKind::WrongUse);
    }
    settings.generate.speculation.setDrafter(options.speculative);
    RETURN_IF_ERROR(setPrompts(options, settings.generate));
    if (options.chat) settings.generate.chat = true;
    if (options.raw) settings.generate.chat = false;

    settings.modelPath = options.model;
    if (options.model.empty()) {
        const FoundModel found = defaultModel();
        if (found.path.empty())
            return fail(
                "No Gemma 3 model was found; packaging/fetch_model.sh fetches the default one, or name one "
                "with --model.",
                ErrorKind::NotFound);
        settings.modelPath = found.path;
    }
    settings.sessionPath = options.out;
    if (options.force && !options.out.empty()) {
        // Only what is plainly a session of ours or nothing: a mistyped --out must not delete somebody's file. And only
        // for a run that can begin: a mistyped number or model must not cost the session it was to replace.
        std::error_code ignored;
        if (settings.sessionPath.extension() != kSessionExtension)
            return fail("--force replaces .gapscope files only; '" + options.out + "' is none.", ErrorKind::WrongUse);
        RETURN_IF_ERROR(validate(settings.generate));
        if (!std::filesystem::exists(settings.modelPath, ignored))
            return fail("There is no model at " + settings.modelPath.string() + ".", ErrorKind::NotFound);
        for (const char* suffix : {"", "-wal", "-shm"})
            std::filesystem::remove(options.out + suffix, ignored);
    }
    return settings;
}

// Prints what is new in the streaming text; a new repeat starts on a new line, a warm-up says that it is one.
class TextStream {
public:
    void show(const RecordingProgress& progress) {
        if (!progress.texts.empty()) return showBatch(progress);
        if (progress.repeat != m_repeat || progress.text.size() < m_shown) {
            if (m_shown > 0) std::fputc('\n', stderr);
            m_repeat = progress.repeat;
            m_shown = 0;
        }
        if (m_shown == 0 && !progress.text.empty() && progress.repeat < 0) std::fputs("warm-up:", stderr);
        std::fwrite(progress.text.data() + m_shown, 1, progress.text.size() - m_shown, stderr);
        m_shown = progress.text.size();
        std::fflush(stderr);
    }
    void finish() {
        for (size_t i = 0; i < m_texts.size(); ++i)
            std::fprintf(stderr, "[%zu] %s\n", i + 1, m_texts[i].c_str());
        if (m_shown > 0) std::fputc('\n', stderr);
    }

private:
    // Texts that grow side by side are shown once they are whole: those of the last repeat.
    void showBatch(const RecordingProgress& progress) { m_texts = progress.texts; }

    int16_t m_repeat = 0;
    size_t m_shown = 0;
    std::vector<std::string> m_texts;
};

void writeSteps(JsonWriter& json, const std::vector<TopLogits>& steps) {
    json.key("steps").beginArray();
    for (const TopLogits& step : steps) {
        json.beginObject().key("topLogits").beginArray();
        for (const TopLogits::Entry& entry : step.top)
            json.beginObject().field("id", entry.id).field("logit", static_cast<double>(entry.logit)).endObject();
        json.endArray().field("logsumexp", step.logSumExp).endObject();
    }
    json.endArray();
}

void writeIds(JsonWriter& json, const char* name, const std::vector<int32_t>& ids) {
    json.key(name).beginArray();
    for (const int32_t id : ids)
        json.value(id);
    json.endArray();
}

void writeSequences(JsonWriter& json, const std::vector<SequenceResult>& sequences, bool withSteps) {
    json.key("sequenceResults").beginArray();
    for (const SequenceResult& of : sequences) {
        json.beginObject();
        writeIds(json, "promptTokens", of.promptTokens);
        writeIds(json, "tokens", of.tokens);
        json.field("text", of.text).field("stopReason", of.stopReason);
        json.field("reusedPromptTokenCount", of.reusedTokens).field("timeToFirstTokenNs", of.timeToFirstTokenNs);
        json.field("decodeNs", of.decodeNs);
        if (withSteps) writeSteps(json, of.steps);
        json.endObject();
    }
    json.endArray();
}

std::string jsonText(const Trace& trace, const Summary& summary, const WhatIf& remedies, const GenerateResult& result,
                     bool withSteps) {
    JsonWriter json;
    json.beginObject();
    writeSummaryFields(json, trace, summary);
    writeWhatIf(json, remedies);
    static const RepeatResult kNothing;
    const RepeatResult& last = result.repeats.empty() ? kNothing : result.repeats.back();
    writeIds(json, "tokens", last.tokens);
    writeIds(json, "promptTokens", result.promptTokens);
    json.field("text", last.text).field("stopReason", result.stopReason).key("repeats").beginArray();
    for (const RepeatResult& repeat : result.repeats)
        json.beginObject()
            .field("decodeNs", repeat.decodeNs)
            .field("tokensPerSecond", repeat.tokensPerSecond())
            .field("timeToFirstTokenNs", repeat.timeToFirstTokenNs)
            .field("reusedPromptTokenCount", repeat.reusedTokens)
            .endObject();
    json.endArray();
    if (!last.sequences.empty())
        writeSequences(json, last.sequences, withSteps);
    else if (withSteps)
        writeSteps(json, last.steps);
    return json.endObject().text();
}

Status runOnce(const RunOptions& options) {
    ASSIGN_OR_RETURN(RecordingSettings settings, settingsFrom(options));
    const bool withSteps = settings.generate.topLogits > 0;
    ASSIGN_OR_RETURN(const std::unique_ptr<Recording> recording, Recording::start(std::move(settings)));

    std::signal(SIGINT, [](int) { interrupted = 1; });
    TextStream text;
    while (!recording->done()) {
        std::this_thread::sleep_for(kPollPeriod);
        text.show(recording->progress());
        if (interrupted) recording->cancel();
    }
    std::signal(SIGINT, SIG_DFL);
    text.show(recording->progress());
    text.finish();

    if (!recording->result()) return tl::unexpected(recording->result().error());
    const TracePtr trace = recording->trace();
    const Analysis analysis = analyze(*trace, defaultWindow(*trace));
    const WhatIf remedies = whatIf(*trace, analysis.join, analysis.summary.window);
    if (options.json) {
        std::puts(jsonText(*trace, analysis.summary, remedies, *recording->result(), withSteps).c_str());
    } else {
        std::fputs((summaryText(*trace, analysis.summary) + whatIfText(remedies)).c_str(), stdout);
        if (!options.out.empty()) std::printf("\nSession saved as %s\n", options.out.c_str());
    }
    if (trace->run()->textIsNoise) std::fputs("The model has random weights: its text is noise.\n", stderr);
    return recording->sessionStatus();
}

}  // namespace

void addRunCommand(CLI::App& app, Outcome& outcome) {
    CLI::App* command = app.add_subcommand("run", "Run Gemma 3, record it and say where the time went");
    const auto options = std::make_shared<RunOptions>();
    GenerateSettings& generate = options->generate;
    command->add_option("--model", options->model, "GGUF file or Hugging Face folder (default: the first one found)");
    command->add_option("--device", generate.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
    command->add_option("--precision", options->precision, "file, fp32, bf16 or int8")->capture_default_str();
    command->add_option("--mode", options->mode, "eager, fused, graph or persistent (default: the device's)");
    CLI::Option* prompt =
        command->add_option("--prompt", options->prompts, "Text to continue; several run together, as a batch")
            ->allow_extra_args(false);
    CLI::Option* prompts =
        command->add_option("--prompts", options->promptsFile, "A batch: a prompt a line of the file");
    CLI::Option* promptFile = command->add_option("--prompt-file", options->promptFile, "The text, from a file");
    CLI::Option* promptIds =
        command->add_option("--prompt-ids", options->promptIds, "Token ids, used as they are")->delimiter(',');
    prompt->excludes(promptFile)->excludes(promptIds)->excludes(prompts);
    promptFile->excludes(promptIds)->excludes(prompts);
    prompts->excludes(promptIds);
    command
        ->add_option("--batch", generate.batch,
                     "Most prompts that run at a time, 1 to 16; the others wait (on a GPU not in mode eager)")
        ->capture_default_str();
    CLI::Option* chat = command->add_flag("--chat", options->chat, "Put the prompt into the chat template");
    command->add_flag("--raw", options->raw, "Leave the prompt as it is")->excludes(chat);
    command->add_option("--max-new-tokens", generate.maxNewTokens, "How many tokens to make")->capture_default_str();
    command->add_flag("--ignore-eos", generate.ignoreEos, "Go on past an end token");
    command->add_option("--force-ids", generate.forceIds, "Take these as the new tokens (teacher forcing)")
        ->delimiter(',');
    command->add_option("--temperature", generate.sampling.temperature, "0: greedy")->capture_default_str();
    command->add_option("--top-k", generate.sampling.topK, "0: all")->capture_default_str();
    command->add_option("--top-p", generate.sampling.topP)->capture_default_str();
    command->add_option("--seed", generate.sampling.seed)->capture_default_str();
    command->add_option("--top-logits", generate.topLogits, "Report the N largest logits of each step (--json)");
    command->add_option("--context", generate.contextLength, "Positions of the KV cache (default: what is needed)");
    command->add_option("--threads", generate.threads, "CPU threads (default: one a core)");
    command->add_option("--warmup", generate.warmup, "Runs before the measured ones")->capture_default_str();
    command->add_option("--repeat", generate.repeats, "Measured runs")->capture_default_str();
    command->add_option("--trace", options->traceLevel, "off, graph or full")->capture_default_str();
    command
        ->add_option("--speculative,--speculate", options->speculative,
                     "off, ngram (what followed earlier in the text) or MODEL (a smaller model of the same "
                     "vocabulary): what is drafted is checked in one pass; the tokens stay the same")
        ->capture_default_str();
    command->add_option("--draft-tokens", generate.speculation.draftTokens, "Most tokens drafted for a step")
        ->capture_default_str();
    command->add_flag(
        "--reuse-prefix", generate.reusePrefix,
        "Repeats begin where their prompt differs from what the cache holds: a prefill of one token; on a GPU "
        "behind the last whole 512 tokens, so that the tokens stay the same");
    command->add_option("--out", options->out, "Session file to write while the run goes on");
    command->add_flag("--force", options->force, "Replace the session file if it exists");
    command->add_flag("--json", options->json, "One JSON object on stdout");
    command->callback([options, &outcome] { outcome.status = runOnce(*options); });
}

}  // namespace gapscope::cli
