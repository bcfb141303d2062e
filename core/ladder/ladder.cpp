#include "core/ladder/ladder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "core/analysis/phase_windows.h"
#include "core/analysis/summary.h"
#include "core/analysis/what_if.h"
#include "core/analysis/window.h"
#include "core/base/session_format.h"
#include "core/runner/devices.h"
#include "core/runner/drafter.h"

namespace gapscope {

namespace {

constexpr auto kPollPeriod = std::chrono::milliseconds(20);

// Decode of the last repeat that has any.
TimeRange decodeWindow(const TokenTable& table) {
    if (table.rows.empty()) return {};
    for (const PhaseWindow& phase : phaseWindows(table, table.rows.back().repeat))
        if (phase.name == "decode") return phase.range;
    return {};
}

TokenTable wholeTable(const Trace& trace) {
    return tokenTable(trace, deviceExtent(trace));
}

double perSecond(double nsPerToken) {
    return nsPerToken > 0 ? 1e9 / nsPerToken : 0;
}

LadderPrediction predictSpeculation(const LadderRung& from, const GenerateResult& result, const Trace& recorded,
                                    TimeRange window, int64_t draftTokens) {
    // The tokens will be the same, so what will be drafted and accepted is known already; only the time of a step that
    // checks drafts is not.
    const DraftCounts counts = countNgramDrafts(result.promptTokens, result.repeats.back().tokens, draftTokens);
    if (counts.steps == 0) return {.missing = "No token after the first was recorded."};
    const double nsPerToken = speculativeNsPerToken(
        recorded, joinLaunches(recorded), window,
        {.steps = counts.steps, .checks = counts.checks, .drafted = counts.drafted, .accepted = counts.accepted});
    if (nsPerToken <= 0) return {.missing = "The recording does not tell tokens."};
    return {.from = from.name, .tokensPerSecond = perSecond(nsPerToken)};
}

// What a rung left.
struct Recorded {
    size_t rung = 0;
    TracePtr trace;
    GenerateResult result;
};

// One recorded run, watched until it ends.
Status record(RecordingSettings settings, const std::function<void(const RecordingProgress&)>& onProgress,
              std::stop_token stop, std::unique_ptr<Recording>& recording) {
    ASSIGN_OR_RETURN(recording, Recording::start(std::move(settings)));
    while (!recording->done()) {
        std::this_thread::sleep_for(kPollPeriod);
        if (onProgress) onProgress(recording->progress());
        if (stop.stop_requested()) recording->cancel();
    }
    if (!recording->result()) return tl::unexpected(recording->result().error());
    return recording->sessionStatus();
}

Result<RunDevice> deviceOf(const std::string& asked) {
    ASSIGN_OR_RETURN(const std::string id, resolveDevice(asked));
    for (RunDevice& device : runDevices())
        if (device.id == id) return std::move(device);
    return fail("There is no device \"" + id + "\" to run on.", ErrorKind::WrongUse);
}

}  // namespace

std::optional<double> LadderRung::predictionError() const {
    if (prediction.tokensPerSecond <= 0 || figures.tokensPerSecond <= 0) return std::nullopt;
    return prediction.tokensPerSecond / figures.tokensPerSecond - 1;
}

const LadderRung* Ladder::first() const {
    const auto found = std::ranges::find_if(rungs, &LadderRung::ran);
    return found == rungs.end() ? nullptr : &*found;
}

const LadderRung* Ladder::fastest() const {
    const LadderRung* best = nullptr;
    for (const LadderRung& rung : rungs)
        if (rung.ran() && (!best || rung.figures.tokensPerSecond > best->figures.tokensPerSecond)) best = &rung;
    return best;
}

std::vector<LadderRung> rungsOf(const RunDevice& device) {
    std::vector<LadderRung> rungs;
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph, Mode::Persistent})
        if (std::ranges::find(device.modes, mode) != device.modes.end())
            rungs.push_back({.name = std::string(modeName(mode)), .mode = mode});
    rungs.push_back({.name = "speculative", .mode = Mode::Graph, .speculates = true});
    return rungs;
}

std::vector<std::filesystem::path> sessionsOf(const RunDevice& device, const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    for (const LadderRung& rung : rungsOf(device))
        paths.push_back(folder / (std::to_string(paths.size() + 1) + "-" + rung.name + std::string(kSessionExtension)));
    return paths;
}

LadderFigures ladderFigures(const Trace& trace) {
    const TokenTable table = wholeTable(trace);
    const TimeRange window = decodeWindow(table);
    LadderFigures figures;
    if (window.empty()) return figures;
    for (const TokenTime& row : table.rows)
        if (row.repeat == table.rows.back().repeat && row.index > 0) ++figures.tokenCount;
    if (figures.tokenCount == 0) return figures;
    const Summary summary = summarize(trace, window);
    const auto tokens = static_cast<double>(figures.tokenCount);
    figures.nsPerToken = static_cast<double>(window.durationNs()) / tokens;
    figures.tokensPerSecond = perSecond(figures.nsPerToken);
    const int64_t allNs = summary.gpuBusyNs + summary.gpuIdleNs;
    figures.busyShare = allNs > 0 ? static_cast<double>(summary.gpuBusyNs) / static_cast<double>(allNs) : 0;
    figures.launchesPerToken = static_cast<double>(summary.host.launchCount) / tokens;
    figures.bytesPerSecond = summary.throughput.all.bytesPerSecond();
    figures.peakBytesPerSecond = summary.throughput.peakBytesPerSecond;
    const auto largest = std::ranges::max_element(summary.gapCauses.ns);
    if (*largest > 0) {
        figures.idleBy = static_cast<GapCause>(largest - summary.gapCauses.ns.begin());
        figures.idleByShare = static_cast<double>(*largest) / static_cast<double>(summary.gapCauses.totalNs());
    }
    return figures;
}

LadderPrediction predictRung(const LadderRung& next, const LadderRung& from, const Trace& recorded,
                             const GenerateResult& result, int64_t draftTokens) {
    const TimeRange window = decodeWindow(wholeTable(recorded));
    if (window.empty() || result.repeats.empty()) return {.missing = "No token after the first was recorded."};
    if (next.speculates) return predictSpeculation(from, result, recorded, window, draftTokens);
    const WhatIf predictions = whatIf(recorded, window);
    const bool fromEager = from.mode == Mode::Eager;
    const char* name = next.mode == Mode::Fused ? "fused" : fromEager ? "fused+graph" : "graph";
    if (next.mode == Mode::Persistent)
        return {.missing = "What one kernel a token takes is not predicted; the kernels would have to overlap."};
    const Prediction* prediction = predictions.find(name);
    if (!prediction || !prediction->unavailable.empty())
        return {.missing = prediction ? prediction->unavailable : "The recording cannot be replayed so."};
    return {.from = from.name, .tokensPerSecond = prediction->predictedTokensPerSecond()};
}

Result<Ladder> climb(const LadderSettings& settings, const LadderEvents& events, std::stop_token stop) {
    ASSIGN_OR_RETURN(const RunDevice device, deviceOf(settings.run.generate.device));
    std::error_code failed;
    std::filesystem::create_directories(settings.folder, failed);
    if (failed) return fail("The folder " + settings.folder.string() + " cannot be made: " + failed.message() + ".");
    Ladder ladder;
    ladder.rungs = rungsOf(device);
    const std::vector<std::filesystem::path> sessions = sessionsOf(device, settings.folder);
    RecordingSettings run = settings.run;
    run.traceLevel = TraceLevel::Full;
    run.generate.device = device.id;
    run.generate.forceIds.clear();
    std::optional<Recorded> before, fastest;  // the last rung that ran and the fastest: speculation goes on from that
    std::vector<int32_t> tokens;
    for (size_t i = 0; i < ladder.rungs.size(); ++i) {
        LadderRung& rung = ladder.rungs[i];
        const std::optional<Recorded>& from = rung.speculates ? fastest : before;
        if (from && rung.speculates) rung.mode = ladder.rungs[from->rung].mode;
        if (from)
            rung.prediction = predictRung(rung, ladder.rungs[from->rung], *from->trace, from->result,
                                          run.generate.speculation.draftTokens);
        else
            rung.prediction.missing = "Nothing was recorded before it.";
        run.generate.mode = rung.mode;
        run.generate.speculation.kind = rung.speculates ? Speculation::Ngram : Speculation::Off;
        run.sessionPath = sessions[i];
        std::unique_ptr<Recording> recording;
        const auto onProgress = [&](const RecordingProgress& progress) {
            if (events.onProgress) events.onProgress(i, ladder.rungs.size(), rung.name, progress);
        };
        const Status status = record(run, onProgress, stop, recording);
        if (!status) {
            // A rung that this model or device does not have is no reason to leave out the others; one that stopped the
            // first is a reason to stop.
            if (!before) return tl::unexpected(status.error());
            rung.notRun = status.error().message;
            if (status.error().kind == ErrorKind::GpuUnusable) ladder.failure = status.error();
            std::filesystem::remove(sessions[i], failed);
            if (events.onRung) events.onRung(rung);
            if (!ladder.failure) continue;
            for (size_t left = i + 1; left < ladder.rungs.size(); ++left)
                ladder.rungs[left].notRun = rung.notRun;
            break;
        }
        if (stop.stop_requested() || recording->result()->stopReason == "cancelled") {
            ladder.cancelled = true;
            std::filesystem::remove(sessions[i], failed);
            for (size_t left = i; left < ladder.rungs.size(); ++left)
                ladder.rungs[left].notRun = "Cancelled.";
            break;
        }
        run.model = recording->model();
        before = Recorded{i, recording->trace(), *recording->result()};
        const RepeatResult& last = before->result.repeats.back();
        rung.session = sessions[i];
        rung.figures = ladderFigures(*before->trace);
        rung.drafts = last.drafts;
        if (!fastest) {
            tokens = last.tokens;
            const RunInfo& info = *before->trace->run();
            ladder.model = info.modelName;
            ladder.device = info.device;
            ladder.deviceName = info.deviceName;
            if (before->result.weightBytes > 0)
                ladder.floorTokensPerSecond =
                    rung.figures.peakBytesPerSecond / static_cast<double>(before->result.weightBytes);
        }
        rung.sameTokens = last.tokens == tokens;
        if (!fastest || rung.figures.tokensPerSecond > ladder.rungs[fastest->rung].figures.tokensPerSecond)
            fastest = before;
        if (events.onRung) events.onRung(rung);
    }
    return ladder;
}

}  // namespace gapscope
