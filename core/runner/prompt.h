// What the model is given: the prompt's ids, in Gemma's turn format if asked for, with BOS once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/runner/generate.h"
#include "core/runner/model.h"

namespace gapscope {

struct Prompt {
    std::vector<int32_t> ids;
    bool chat = false;
};

// One user turn and the opening of the model's, without BOS. Gemma's template is this and nothing else for a single
// turn (the file's Jinja text is only looked at for whether it is there).
std::string gemmaTurn(std::string_view userText);

Result<Prompt> makePrompt(const Model& model, const GenerateSettings& settings);
// One, or those of a batch in order.
Result<std::vector<Prompt>> makePrompts(const Model& model, const GenerateSettings& settings);

}  // namespace gapscope
