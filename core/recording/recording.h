// One recorded run: runner, capture and session file working together, off the caller's thread. What the window's Run
// button and `gapscope-cli run` both start.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/activity.h"
#include "core/base/result.h"
#include "core/runner/generate.h"
#include "core/trace/trace.h"

namespace gapscope {

struct RecordingSettings {
    std::filesystem::path modelPath;
    GenerateSettings generate;
    TraceLevel traceLevel = TraceLevel::Full;
    std::filesystem::path sessionPath;     // written while the run goes on; must not exist yet; empty: no file
    std::shared_ptr<PrefixMemory> memory;  // between runs with generate.reusePrefix, not two at a time; may be null
    std::shared_ptr<const Model> model;    // already loaded from modelPath, to spare a second load; may be null
};

enum class RecordingState { Loading, Running, Finished, Cancelled, Failed };

struct RecordingProgress {
    RecordingState state = RecordingState::Loading;
    std::string phase;               // "Reading weights", "Prefill", "Decode"
    double share = 0;                // of the phase, 0..1
    std::string text;                // generated so far in the current repeat; of a batch, of all sequences by lines
    std::vector<std::string> texts;  // of a batch: of each sequence, of those that wait empty
    int64_t tokenCount = 0;          // of the current repeat
    int16_t repeat = 0;              // -1: warm-up
};

class Recording {
public:
    // Starts at once. Fails only on what can be told beforehand (settings, session path not writable).
    static Result<std::unique_ptr<Recording>> start(RecordingSettings settings);
    ~Recording();  // cancels and waits

    void cancel();
    bool done() const;
    void wait();

    RecordingProgress progress() const;  // any thread
    TracePtr trace() const;              // newest snapshot, at most 100 ms old while running; never null
    const std::filesystem::path& sessionPath() const;
    std::shared_ptr<const Model> model() const;  // null until loaded

    // After done(): the result, or why it failed. The session file is complete and closed either way.
    const Result<GenerateResult>& result() const;
    // After done(): whether the session file holds everything; a run goes on when its file cannot be written.
    const Status& sessionStatus() const;

private:
    struct Impl;
    explicit Recording(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

}  // namespace gapscope
