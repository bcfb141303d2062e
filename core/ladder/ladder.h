// The remedies one after the other on one model, prompt and device: eager, fused, graph, persistent where the device
// has it, and speculative decoding on the fastest of them: by prompt lookup, and by a draft model where one is named.
// Each rung is a recorded run with a session of its own; from each recording the next rung is predicted before it runs.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/recording/recording.h"

namespace gapscope {

// Of the recorded decode phase of the last repeat, in device time.
struct LadderFigures {
    int64_t tokenCount = 0;  // after the first
    double nsPerToken = 0;
    double tokensPerSecond = 0;
    double busyShare = 0;            // of the window
    double launchesPerToken = 0;     // a graph launch is one
    double bytesPerSecond = 0;       // achieved while busy
    double peakBytesPerSecond = 0;   // 0: not measured
    std::optional<GapCause> idleBy;  // what most of the idle time is owed to; none: not idle
    double idleByShare = 0;          // of the idle time
};

struct LadderPrediction {
    std::string from;  // the rung whose recording it was made from; empty: there is none, and `missing` says why
    std::string missing;
    std::string assumes;  // in what it goes beyond the recording, for people; empty: nothing
    double tokensPerSecond = 0;
};

struct LadderRung {
    std::string name;  // "eager", "fused", "graph", "persistent", "speculative", "draft-model"
    Mode mode = Mode::Eager;
    Speculation speculation = Speculation::Off;
    std::string drafter;  // as in the session: "off", "ngram", a draft model's name
    std::string notRun;   // why not, one sentence; empty: it ran, and what follows means something
    std::filesystem::path session;
    LadderFigures figures;
    LadderPrediction prediction;
    DraftCounts drafts;
    bool sameTokens = true;  // as the first rung that ran

    bool ran() const { return !session.empty(); }
    bool speculates() const { return speculation != Speculation::Off; }
    double acceptance() const;  // accepted of drafted, 0..1; 0: nothing was drafted
    // Predicted against reached, 0 for equal; none where one of the two is missing.
    std::optional<double> predictionError() const;
};

struct Ladder {
    std::string model, device, deviceName;
    std::vector<LadderRung> rungs;
    // One token a step can not be faster: measured memory bandwidth / weight bytes read for a token. 0: not measured.
    double floorTokensPerSecond = 0;
    bool cancelled = false;
    std::optional<Error> failure;  // that ended it on the way: a GPU that is lost for this process

    const LadderRung* first() const;    // that ran; null: none
    const LadderRung* fastest() const;  // that ran
};

struct LadderSettings {
    // Mode, trace level and session path are the ladder's own. Its speculation says which rungs of it are climbed: off
    // none, ngram that one, a model both.
    RecordingSettings run;
    std::filesystem::path folder;  // for the sessions, which must not exist yet: sessionsOf()
};

// Called on the thread that climbs.
struct LadderEvents {
    std::function<void(size_t rung, size_t count, const std::string& name, const RecordingProgress&)> onProgress;
    std::function<void(const LadderRung&)> onRung;  // ran, or could not
};

// The rungs of a device, in order. A draft model that cannot be loaded or has other words is a rung that says so.
std::vector<LadderRung> rungsOf(const RunDevice& device, const SpeculationSettings& speculation);
// Where their sessions go: "1-eager.gapscope" ...
std::vector<std::filesystem::path> sessionsOf(const RunDevice& device, const SpeculationSettings& speculation,
                                              const std::filesystem::path& folder);

// Blocks until done; run it off the UI thread. A stop request ends the run at hand and keeps the rungs that ended. An
// error where not even the first rung ran.
Result<Ladder> climb(const LadderSettings& settings, const LadderEvents& events = {}, std::stop_token stop = {});

LadderFigures ladderFigures(const Trace& trace);

}  // namespace gapscope
