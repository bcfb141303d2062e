// The reference results below goldens/ as structs (their READMEs say how they were made), and what they are held
// against.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/runner/generate.h"

namespace gapscope::test {

struct GoldenStep {
    std::vector<int32_t> ids;  // of the largest logits, largest first
    std::vector<double> logits;
    double logSumExp = 0;
};

struct GoldenPrompt {
    std::string text;  // with the chat template in it already
    std::vector<int32_t> inputIds;
    std::vector<int32_t> greedyIds;
    std::vector<double> greedyMargin;
    std::vector<GoldenStep> steps;  // step 0 is the last prompt position
};

struct GoldenTiny {
    std::vector<int32_t> inputIds;
    std::vector<double> lastLogits;  // all of them, at the last prompt position
    std::vector<double> logits20;    // and at position 20
    std::vector<int32_t> argmax;     // at each prompt position
    std::vector<int32_t> greedyIds;
    std::vector<double> greedyMargin;
};

GoldenPrompt readGoldenPrompt(const std::filesystem::path& path);  // goldens/gemma3-270m/*.json
GoldenTiny readGoldenTiny(const std::filesystem::path& path);      // goldens/tiny-hf/golden*.json

// The GPUs that runs can use here.
std::vector<RunDevice> gpus();

}  // namespace gapscope::test
