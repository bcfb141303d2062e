// Who guesses the next tokens for speculative decoding: cheap guesses that the model then checks in one pass. What is
// drafted decides how long a run takes, never its tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/runner/backend.h"

namespace gapscope {

class Drafter {
public:
    virtual ~Drafter() = default;

    // At most `most` tokens that may follow `text`, the prompt and all new tokens so far. None: no idea. `step` says
    // for whom launches work.
    virtual Result<std::vector<int32_t>> draft(std::span<const int32_t> text, int64_t most, const Step& step) = 0;

    // From any thread, as Backend::cancel().
    virtual void cancel() {}
};

// Prompt lookup: what followed when the text's last tokens stood there before. The longest n-gram (kLongestNgram down
// to kShortestNgram tokens) that occurs earlier decides, its latest occurrence first. Costs one look through the text.
class NgramDrafter : public Drafter {
public:
    static constexpr int64_t kLongestNgram = 4;
    static constexpr int64_t kShortestNgram = 2;

    Result<std::vector<int32_t>> draft(std::span<const int32_t> text, int64_t most, const Step& step) override;

    static std::vector<int32_t> lookUp(std::span<const int32_t> text, int64_t most);
};

// What prompt lookup would have brought to a run whose tokens are known: what can be told before it is tried.
DraftCounts countNgramDrafts(std::span<const int32_t> prompt, std::span<const int32_t> newTokens, int64_t most);
// And what a model would have brought whose own choice for the place of each new token is known, the text before it
// given: as many `guesses` as `newTokens`. It drafts for every step, and what follows its first error is rejected
// anyway.
DraftCounts countModelDrafts(std::span<const int32_t> newTokens, std::span<const int32_t> guesses, int64_t most);

}  // namespace gapscope
