// What a run leaves for the next one of the same model whose text begins the same: keys and values of its tokens, so
// that the shared beginning need not be computed again.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/runner/generate.h"
#include "core/runner/model.h"

namespace gapscope {

using KeptCache = std::shared_ptr<const void>;  // of a type that only the backend knows

// Tokens whose keys and values a cache holds, from position 0; the rings of local layers from `oldest` on.
struct CachedText {
    std::vector<int32_t> tokens;
    int64_t oldest = 0;
};

struct PrefixMemory {
    std::shared_ptr<const Model> model;  // that they are of; who sets another one clears the rest
    KeptCache cache;                     // null: nothing is kept
    std::string device;                  // that it was computed on, and how
    Precision precision{};
    Mode mode{};
    CachedText text;

    // Whether a run of the model may begin with it. On a GPU eager steps round otherwise than the other modes' do.
    bool serves(std::string_view onDevice, Precision inPrecision, Mode inMode) const;
};

// How many of the prompt's tokens need not be computed: the common beginning, but never the prompt's last token, whose
// logits are wanted, and a multiple of `unit`. 0 where the next token would look back further than local layers
// (`window`; 0: none) remember.
int64_t reusablePrefix(const CachedText& cached, std::span<const int32_t> prompt, int64_t window, int64_t unit = 1);

}  // namespace gapscope
