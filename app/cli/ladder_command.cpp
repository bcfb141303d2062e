// `gapscope-cli ladder`: the remedies one after the other, prediction beside fact.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "app/cli/commands.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/base/format.h"
#include "core/ladder/ladder.h"
#include "core/runner/devices.h"
#include "core/runner/model_catalog.h"

namespace gapscope::cli {

namespace {

// Says some things again, as texts do that speculation is for.
constexpr const char* kPrompt =
    "Write the list once more. red, orange, yellow, green, blue, indigo, violet. red, orange, yellow,";

struct LadderOptions {
    std::string model, folder, prompt = kPrompt, promptFile, precision = "file", speculative = "ngram";
    bool json = false, force = false, chat = false;
    GenerateSettings generate;
};

std::sig_atomic_t volatile interrupted = 0;  // set by the signal handler alone, which can reach nothing else

Result<LadderSettings> settingsFrom(const LadderOptions& options) {
    LadderSettings settings;
    settings.folder = options.folder;
    RecordingSettings& run = settings.run;
    run.generate = options.generate;
    const auto precision = precisionFromName(options.precision);
    if (!precision)
        return fail("--precision is file, fp32, bf16 or int8, not '" + options.precision + "'.", ErrorKind::WrongUse);
    run.generate.precision = *precision;
    run.generate.chat = options.chat;
    run.generate.prompt = options.prompt;
    if (!options.promptFile.empty()) {
        std::ifstream file(options.promptFile, std::ios::binary);
        if (file) run.generate.prompt.assign(std::istreambuf_iterator<char>(file), {});
        if (!file.is_open() || file.bad()) return fail("The prompt file '" + options.promptFile + "' cannot be read.");
    }
    run.generate.speculation.setDrafter(options.speculative);
    run.modelPath = options.model;
    if (options.model.empty()) {
        run.modelPath = defaultModel().path;
        if (run.modelPath.empty())
            return fail("No Gemma 3 model was found; name one: gapscope-cli ladder MODEL --out FOLDER.",
                        ErrorKind::NotFound);
    }
    RETURN_IF_ERROR(validate(run.generate));
    return settings;
}

// Sessions of a ladder before are in the way: they are replaced only if that is asked for.
Status clearFolder(const LadderSettings& settings, bool force) {
    ASSIGN_OR_RETURN(const std::string id, resolveDevice(settings.run.generate.device));
    for (const RunDevice& device : runDevices()) {
        if (device.id != id) continue;
        for (const std::filesystem::path& session :
             sessionsOf(device, settings.run.generate.speculation, settings.folder)) {
            std::error_code ignored;
            if (!std::filesystem::exists(session, ignored)) continue;
            if (!force)
                return fail(session.string() + " exists already; choose another folder, or add --force to replace it.");
            for (const char* suffix : {"", "-wal", "-shm"})
                std::filesystem::remove(session.string() + suffix, ignored);
        }
    }
    return {};
}

std::string causeName(const LadderFigures& figures) {
    return figures.idleBy ? std::string(kGapCauseNames[static_cast<size_t>(*figures.idleBy)]) : std::string();
}

std::string jsonText(const Ladder& ladder) {
    JsonWriter json;
    json.beginObject().field("model", ladder.model).field("device", ladder.device);
    json.field("deviceName", ladder.deviceName).field("cancelled", ladder.cancelled);
    json.field("floorTokensPerSecond", ladder.floorTokensPerSecond).key("rungs").beginArray();
    for (const LadderRung& rung : ladder.rungs) {
        const LadderFigures& figures = rung.figures;
        json.beginObject().field("name", rung.name).field("mode", modeName(rung.mode));
        json.field("speculation", rung.drafter);
        json.field("notRun", rung.notRun).field("session", rung.session.string());
        json.field("tokenCount", figures.tokenCount).field("nsPerToken", figures.nsPerToken);
        json.field("tokensPerSecond", figures.tokensPerSecond).field("busyShare", figures.busyShare);
        json.field("launchesPerToken", figures.launchesPerToken).field("bytesPerSecond", figures.bytesPerSecond);
        json.field("peakBytesPerSecond", figures.peakBytesPerSecond).field("idleBy", causeName(figures));
        json.field("idleByShare", figures.idleByShare).key("predicted").beginObject();
        json.field("from", rung.prediction.from).field("missing", rung.prediction.missing);
        json.field("assumes", rung.prediction.assumes)
            .field("tokensPerSecond", rung.prediction.tokensPerSecond)
            .field("error", rung.predictionError().value_or(0))
            .endObject();
        json.field("stepCount", rung.drafts.steps).field("draftedCount", rung.drafts.drafted);
        json.field("acceptedCount", rung.drafts.accepted)
            .field("acceptance", rung.acceptance())
            .field("sameTokens", rung.sameTokens)
            .endObject();
    }
    return json.endArray().endObject().text();
}

std::string tableText(const Ladder& ladder) {
    using Align = TextTable::Align;
    TextTable table({{"rung", Align::Left},
                     {"tokens/s"},
                     {"predicted"},
                     {"off by"},
                     {"busy"},
                     {"launches/token"},
                     {"GB/s"},
                     {"of peak"},
                     {"idle mostly by", Align::Left}});
    std::string notes;
    const auto number = [](const char* format, double value) {
        char text[32];
        std::snprintf(text, sizeof text, format, value);
        return std::string(text);
    };
    for (const LadderRung& rung : ladder.rungs) {
        if (!rung.notRun.empty()) {
            table.add({rung.name, "not run"});
            notes += rung.name + ": " + printable(rung.notRun) + "\n";
            continue;
        }
        const LadderFigures& figures = rung.figures;
        const std::optional<double> error = rung.predictionError();
        const double peak = figures.peakBytesPerSecond;
        table.add({rung.name, number("%.1f", figures.tokensPerSecond),
                   error ? number("%.1f", rung.prediction.tokensPerSecond) : "",
                   error ? number("%+.1f %%", 100 * *error) : "", formatPercent(figures.busyShare),
                   number("%.1f", figures.launchesPerToken), number("%.1f", figures.bytesPerSecond / 1e9),
                   peak > 0 ? formatPercent(figures.bytesPerSecond / peak) : "",
                   figures.idleBy ? causeName(figures) + " " + formatPercent(figures.idleByShare) : ""});
        if (rung.speculates()) {
            notes += rung.name + ": on " + std::string(modeName(rung.mode)) + ", drafts by " +
                     (rung.speculation == Speculation::Ngram ? "lookup in the text" : printable(rung.drafter)) + ", " +
                     formatCount(rung.drafts.accepted) + " of " + formatCount(rung.drafts.drafted) +
                     " drafted tokens accepted";
            if (rung.drafts.drafted > 0) notes += " (" + formatPercent(rung.acceptance()) + ")";
            notes += ", " + formatCount(rung.drafts.steps) + " steps.\n";
            if (!rung.prediction.assumes.empty()) notes += "  Predicted: " + printable(rung.prediction.assumes) + "\n";
        }
        if (!rung.sameTokens) notes += rung.name + ": its tokens are others than the first rung's.\n";
        if (!rung.prediction.missing.empty() && &rung != ladder.rungs.data())
            notes += rung.name + ": not predicted. " + rung.prediction.missing + "\n";
    }
    if (ladder.floorTokensPerSecond > 0)
        notes += "One token a step: " + number("%.1f", ladder.floorTokensPerSecond) +
                 " tokens/s at the measured memory bandwidth.\n";
    return printable(ladder.model + ", " + ladder.deviceName) + "\n\n" + table.text() + "\n" + notes;
}

Status run(const LadderOptions& options) {
    ASSIGN_OR_RETURN(const LadderSettings settings, settingsFrom(options));
    RETURN_IF_ERROR(clearFolder(settings, options.force));
    std::stop_source stop;
    std::signal(SIGINT, [](int) { interrupted = 1; });
    std::string last;
    LadderEvents events;
    events.onProgress = [&](size_t rung, size_t count, const std::string& name, const RecordingProgress& progress) {
        if (interrupted) stop.request_stop();
        const std::string line = std::to_string(rung + 1) + "/" + std::to_string(count) + " " + name + ": " +
                                 (progress.phase.empty() ? "Starting" : progress.phase);
        if (line == last) return;
        last = line;
        std::fprintf(stderr, "%s\n", line.c_str());
    };
    const Result<Ladder> ladder = climb(settings, events, stop.get_token());
    std::signal(SIGINT, SIG_DFL);
    if (!ladder) return tl::unexpected(ladder.error());
    if (options.json) {
        std::puts(jsonText(*ladder).c_str());
    } else {
        print(tableText(*ladder));
        print("Sessions are in " + printable(options.folder) + "\n");
    }
    return ladder->cancelled ? Status(fail("Cancelled.", ErrorKind::Cancelled)) : Status();
}

}  // namespace

void addLadderCommand(CLI::App& app, Outcome& outcome) {
    CLI::App* command = app.add_subcommand(
        "ladder", "Run the remedies one after the other (eager, fused, graph ...), prediction beside fact");
    const auto options = std::make_shared<LadderOptions>();
    GenerateSettings& generate = options->generate;
    generate.ignoreEos = true;  // the same number of tokens on every rung, whatever the prompt
    command->add_option("MODEL", options->model, "GGUF file or Hugging Face folder (default: the first one found)");
    command->add_option("--out", options->folder, "Folder for the sessions, one a rung")->required();
    command->add_option("--device", generate.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
    command->add_option("--precision", options->precision, "file, fp32, bf16 or int8")->capture_default_str();
    CLI::Option* prompt = command->add_option("--prompt", options->prompt, "Text to continue");
    command->add_option("--prompt-file", options->promptFile, "The text, from a file")->excludes(prompt);
    command->add_flag("--chat", options->chat, "Put the prompt into the chat template");
    command->add_option("--max-new-tokens", generate.maxNewTokens, "How many tokens to make")->capture_default_str();
    command->add_option("--threads", generate.threads, "CPU threads (default: one a core)");
    command->add_option("--warmup", generate.warmup, "Runs before the measured one")->capture_default_str();
    command
        ->add_option("--speculative,--speculate", options->speculative,
                     "Rungs that draft: off (none), ngram (what followed earlier in the text) or MODEL (that, and a "
                     "smaller model of the same vocabulary)")
        ->capture_default_str();
    command->add_option("--draft-tokens", generate.speculation.draftTokens, "Most tokens drafted for a step")
        ->capture_default_str();
    command->add_flag("--force", options->force, "Replace the sessions of a ladder before");
    command->add_flag("--json", options->json, "One JSON object on stdout");
    command->callback([options, &outcome] { outcome.status = run(*options); });
}

}  // namespace gapscope::cli
