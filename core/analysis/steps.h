// The steps of an LLM in traces of other programs, which tell no tokens: from ranges that name them (ProfilerStep#3,
// "decode 7"), else from the kernel sequence itself, whose repetitions are steps and in them layers
// (repeating_pattern.h). Only one stream is looked at: of the device with most kernels the one with most.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

enum class StepSource : uint8_t { None, Recorded, NamedRanges, Sequence };

struct FoundStep {
    TimeRange device;    // first start to last end of its operations
    uint32_t begin = 0;  // places in FoundSteps::ops
    uint32_t end = 0;
    bool prompt = false;  // prompt processing, as far as can be told: what comes before the first step, or a step of
                          // the same kernels that are much larger
};

struct FoundLayer {
    uint32_t begin = 0;  // places in FoundSteps::ops
    uint32_t end = 0;
    int32_t layer = 0;  // within its step, from 0
};

struct FoundSteps {
    StepSource source = StepSource::None;
    double confidence = 0;         // as in repeating_pattern.h; 1 for ranges
    std::string rangeName;         // of ranges: numbers as N, "ProfilerStep#N"
    std::vector<uint32_t> ops;     // rows of deviceOps() that steps are of, by start
    std::vector<FoundStep> steps;  // by start; they do not overlap
    size_t opsPerStep = 0;         // of the typical one
    int32_t layersPerStep = 0;     // 0: not found
    double layerConfidence = 0;
    std::vector<FoundLayer> layers;

    // "Found from the kernel sequence, 97 % sure: 64 steps of 400 kernels, 26 layers each." Empty: nothing was found.
    std::string sentence() const;
};

// About n log n; a million kernels take well under a second. Nothing for own runs.
FoundSteps findSteps(const Trace& trace, const LaunchJoin& join, std::stop_token stop = {});

}  // namespace gapscope
