#include "core/ladder/ladder.h"

#include <algorithm>
#include <utility>

#include "core/analysis/summary.h"
#include "core/analysis/window.h"
#include "core/base/session_format.h"
#include "core/ladder/ladder_run.h"
#include "core/ladder/predict_rung.h"
#include "core/runner/devices.h"
#include "core/runner/model_drafter.h"

namespace gapscope {

namespace {

TokenTable wholeTable(const Trace& trace) {
    return tokenTable(trace, deviceExtent(trace));
}

// What a rung left.
struct Recorded {
    size_t rung = 0;
    TracePtr trace;
    GenerateResult result;
};

Result<RunDevice> deviceOf(const std::string& asked) {
    ASSIGN_OR_RETURN(const std::string id, resolveDevice(asked));
    for (RunDevice& device : runDevices())
        if (device.id == id) return std::move(device);
    return fail("There is no device \"" + id + "\" to run on.", ErrorKind::WrongUse);
}

// For its trial and its run.
Status readDraftModel(RecordingSettings& run, const std::function<void(const RecordingProgress&)>& onProgress,
                      std::stop_token stop) {
    SpeculationSettings& speculation = run.generate.speculation;
    const auto tell = [&](const std::string& phase, double share) { onProgress({.phase = phase, .share = share}); };
    ASSIGN_OR_RETURN(speculation.loaded, loadDraftModel(speculation.draftModel, *run.model, tell, stop));
    return {};
}

}  // namespace

double LadderRung::acceptance() const {
    return drafts.drafted > 0 ? static_cast<double>(drafts.accepted) / static_cast<double>(drafts.drafted) : 0;
}

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

std::vector<LadderRung> rungsOf(const RunDevice& device, const SpeculationSettings& speculation) {
    std::vector<LadderRung> rungs;
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph, Mode::Persistent})
        if (std::ranges::find(device.modes, mode) != device.modes.end())
            rungs.push_back({.name = std::string(modeName(mode)), .mode = mode});
    const auto add = [&](const char* name, Speculation kind) {
        rungs.push_back({.name = name, .mode = Mode::Graph, .speculation = kind});
    };
    if (speculation.kind != Speculation::Off) add("speculative", Speculation::Ngram);
    if (speculation.kind == Speculation::Model) add("draft-model", Speculation::Model);
    for (LadderRung& rung : rungs)
        rung.drafter = SpeculationSettings{.kind = rung.speculation, .draftModel = speculation.draftModel}.name();
    return rungs;
}

std::vector<std::filesystem::path> sessionsOf(const RunDevice& device, const SpeculationSettings& speculation,
                                              const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    for (const LadderRung& rung : rungsOf(device, speculation))
        paths.push_back(folder / (std::to_string(paths.size() + 1) + "-" + rung.name + std::string(kSessionExtension)));
    return paths;
}

LadderFigures ladderFigures(const Trace& trace) {
    const TokenTable table = wholeTable(trace);
    const TimeRange window = ladderDecodeWindow(table);
    LadderFigures figures;
    if (window.empty()) return figures;
    for (const TokenTime& row : table.rows)
        if (row.repeat == table.rows.back().repeat && row.index > 0) ++figures.tokenCount;
    if (figures.tokenCount == 0) return figures;
    const Summary summary = summarize(trace, window);
    const auto tokens = static_cast<double>(figures.tokenCount);
    figures.nsPerToken = static_cast<double>(window.durationNs()) / tokens;
    figures.tokensPerSecond = tokensPerSecondOf(figures.nsPerToken);
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

Result<Ladder> climb(const LadderSettings& settings, const LadderEvents& events, std::stop_token stop) {
    RETURN_IF_ERROR(validate(settings.run.generate));
    ASSIGN_OR_RETURN(const RunDevice device, deviceOf(settings.run.generate.device));
    std::error_code failed;
    std::filesystem::create_directories(settings.folder, failed);
    if (failed) return fail("The folder " + settings.folder.string() + " cannot be made: " + failed.message() + ".");
    Ladder ladder;
    const SpeculationSettings& speculation = settings.run.generate.speculation;
    ladder.rungs = rungsOf(device, speculation);
    const std::vector<std::filesystem::path> sessions = sessionsOf(device, speculation, settings.folder);
    RecordingSettings run = settings.run;
    run.traceLevel = TraceLevel::Full;
    run.generate.device = device.id;
    run.generate.forceIds.clear();
    std::optional<Recorded> before;   // the last rung that ran
    std::optional<Recorded> fastest;  // without drafts: those with drafts build on it
    std::vector<int32_t> tokens;
    for (size_t i = 0; i < ladder.rungs.size(); ++i) {
        LadderRung& rung = ladder.rungs[i];
        const auto onProgress = [&](const RecordingProgress& progress) {
            if (events.onProgress) events.onProgress(i, ladder.rungs.size(), rung.name, progress);
        };
        const std::optional<Recorded>& from = rung.speculates() ? fastest : before;
        if (from && rung.speculates()) rung.mode = ladder.rungs[from->rung].mode;
        run.generate.mode = rung.mode;
        run.generate.speculation = speculation;
        run.generate.speculation.kind = rung.speculation;
        Status status;
        std::optional<Rehearsal> rehearsal;
        std::string notTried;
        if (from && rung.speculation == Speculation::Model) {
            status = readDraftModel(run, onProgress, stop);
            Result<Rehearsal> tried = status ? rehearse(run, from->result, onProgress, stop)
                                             : Result<Rehearsal>(tl::unexpected(status.error()));
            if (tried)
                rehearsal = std::move(*tried);
            else
                notTried = tried.error().message;
        }
        if (from)
            rung.prediction = predictRung(rung, ladder.rungs[from->rung], *from->trace, from->result,
                                          speculation.draftTokens, rehearsal ? &*rehearsal : nullptr);
        else
            rung.prediction.missing = "Nothing was recorded before it.";
        if (!notTried.empty()) rung.prediction = {.missing = notTried};
        run.sessionPath = sessions[i];
        std::unique_ptr<Recording> recording;
        if (status) status = record(run, onProgress, stop, recording);
        const bool cancelled = stop.stop_requested() || (status && recording->result()->stopReason == "cancelled");
        if (!status && !(cancelled && before)) {
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
        if (cancelled) {
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
        if (!fastest ||
            (!rung.speculates() && rung.figures.tokensPerSecond > ladder.rungs[fastest->rung].figures.tokensPerSecond))
            fastest = before;
        if (events.onRung) events.onRung(rung);
    }
    return ladder;
}

}  // namespace gapscope
