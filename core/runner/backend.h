// The seam between the runner and a device: a CPU stream here, a CUDA stream there. Launches are asynchronous and in
// order; only the reads and synchronize() wait. Errors of a launch come out at the next of those.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/activity.h"
#include "core/base/result.h"
#include "core/runner/generate.h"
#include "core/runner/plan.h"
#include "core/runner/prefix_memory.h"

namespace gapscope {

// Where the rows of a pass stand in a paged cache. Must live until the device is through with the step's launches.
struct StepRows {
    std::vector<int32_t> positions;  // of each row in its sequence
    std::vector<int32_t> pages;      // a table of pages for each row, one after the other; or one table for all
    int64_t tableStride = 0;         // from one row's table to the next's; 0: all rows are of one sequence
    // Of each row of a batch's step, the positions that its sequence may come to. On a GPU sums over keys are in parts,
    // as many as this asks for; so they are those of the prompt alone.
    std::vector<int32_t> contexts;
};

// Where in the run a launch stands.
struct Step {
    int64_t position = 0;            // of the first of the plan's tokens
    int32_t bodyToken = -1;          // index of the new token that the layers work for; -1: the prompt
    int32_t headToken = 0;           // and the final norm, head and choice
    int16_t repeat = 0;              // -1: warm-up
    const StepRows* rows = nullptr;  // null: rows follow each other from `position` on, in a cache that is not paged
};

struct BackendInfo {
    std::string device;  // "cpu"
    std::string deviceName;
    int64_t threads = 0;
    int64_t weightBytes = 0;  // read for one token, as laid out
    int64_t unreadBytes = 0;  // of the weights as laid out, what a token does without: lower bits of the head
    int64_t kvBytes = 0;
    int64_t keptTokens = 0;         // of BackendSettings::keptTokens, as many as there is room for
    double peakBytesPerSecond = 0;  // 0: not measured
    double peakFlopsPerSecond = 0;
};

struct BackendSettings {
    Precision precision = Precision::File;
    Mode mode = Mode::Fused;
    int deviceId = 0;           // of the CUDA device
    int64_t threads = 0;        // 0: one a physical core
    int64_t contextLength = 0;  // positions the cache must hold
    int64_t chunkTokens = 1;    // most tokens of one plan
    int64_t checkedTokens = 1;  // most tokens of one plan that checks drafts or steps a batch
    int64_t pages = 0;          // of a paged cache; 0: not paged
    // Of a prompt, that are kept in pages beside the cache for later prompts; they lie there in their order. GPUs only.
    int64_t keptTokens = 0;
    KeptCache prefix;          // of an earlier run of the model on this device; null: none
    int64_t prefixTokens = 0;  // how many of its positions the cache, or what is kept beside it, begins with
    bool onlyChooses = false;  // nobody reads logits: only the token of the largest one is wanted
    bool drafts = false;       // a draft model, beside the backend that checks
    std::function<void(const std::string& phase, double share)> onProgress;
    std::stop_token stop;
};

class Backend {
public:
    using PlanId = size_t;

    virtual ~Backend() = default;

    virtual const BackendInfo& info() const = 0;
    // Whether int8 activations meet the model's block-quantised weights, and what a cached number costs: what
    // makePlan() has to know.
    virtual bool quantizedActivations() const = 0;
    virtual int64_t kvElementBytes() const = 0;
    virtual bool boundsHead() const { return false; }  // PlanRequest::boundsHead
    // Rows of the head that were computed in full, over all steps by bounds; after synchronize(). 0: not counted.
    virtual int64_t headRowsInFull() const { return 0; }
    virtual PlanFlavor planFlavor() const { return PlanFlavor::Cpu; }

    // Makes a plan ready to be launched, whole or op by op, and tells the activity log what its ops are.
    virtual Result<PlanId> add(Plan plan) = 0;
    virtual const Plan& plan(PlanId id) const = 0;

    // Ids for the next launches (rows 0.. of Buffer::Ids). Copied before it returns.
    virtual void uploadIds(const Step& step, std::span<const int32_t> ids) = 0;
    virtual void launch(PlanId id, size_t op, const Step& step) = 0;
    virtual void launchGraph(PlanId id, const Step& step) = 0;

    // What argmax chose; `ids` has room for 1, or for each token of a plan that checks drafts or steps a
    // batch.
    virtual Status readTokens(const Step& step, std::span<int32_t> ids) = 0;
    virtual Status readLogits(const Step& step, int64_t row, std::span<float> logits) = 0;  // [vocabulary]
    virtual Status synchronize() = 0;

    // Where prompts run through a cache of their own and are then copied to the pages of their step: the way back, of
    // all that comes before the step's position.
    virtual void takeFromPages(const Step&) {}

    // Keys and values, for a later run; null where nothing is kept.
    virtual KeptCache cache() const { return nullptr; }

    // From any thread: what is enqueued and not yet started may be dropped. The results are worthless after that.
    virtual void cancel() = 0;
};

// Copies the weights into the layout of the CPU's kernels, which is most of the time it takes.
Result<std::unique_ptr<Backend>> createCpuBackend(const Model& model, const BackendSettings& settings,
                                                  ActivityLog& log);

// The GPU settings.deviceId, for builds with CUDA; without, an error that says so.
Result<std::unique_ptr<Backend>> createCudaBackend(const Model& model, const BackendSettings& settings,
                                                   ActivityLog& log);

}  // namespace gapscope
