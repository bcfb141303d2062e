// The plain fields of a RunInfo by name: one list for writing, reading and comparing session files.
#pragma once

#include "core/trace/run_info.h"

namespace gapscope {

// Calls visit(name, field) for every field but the lists (promptTokens, repeatTimes).
template <class Run, class Visit>
void forEachRunField(Run& run, Visit visit) {
    visit("modelName", run.modelName);
    visit("modelPath", run.modelPath);
    visit("device", run.device);
    visit("deviceName", run.deviceName);
    visit("precision", run.precision);
    visit("mode", run.mode);
    visit("traceLevel", run.traceLevel);
    visit("prompt", run.prompt);
    visit("chat", run.chat);
    visit("textIsNoise", run.textIsNoise);
    visit("maxNewTokens", run.maxNewTokens);
    visit("contextLength", run.contextLength);
    visit("threads", run.threads);
    visit("warmup", run.warmup);
    visit("repeats", run.repeats);
    visit("temperature", run.temperature);
    visit("topK", run.topK);
    visit("topP", run.topP);
    visit("seed", run.seed);
    visit("speculation", run.speculation);
    visit("draftTokens", run.draftTokens);
    visit("reusedPromptTokens", run.reusedPromptTokens);
    visit("sequences", run.sequences);
    visit("batch", run.batch);
    visit("kvPages", run.kvPages);
    visit("weightBytes", run.weightBytes);
    visit("kvBytes", run.kvBytes);
    visit("loadSeconds", run.loadSeconds);
    visit("stopReason", run.stopReason);
}

}  // namespace gapscope
