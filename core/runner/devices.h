// What a run can be done on here: the CPU always, with one worker thread for each physical core by default.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/runner/generate.h"

namespace gapscope {

int64_t physicalCores();  // that this process may run on; at least 1
std::string cpuName();    // "AMD EPYC 9B14"

// "auto" and "cpu" resolve to "cpu"; another id is WrongUse and the sentence says what there is.
Result<std::string> resolveDevice(const std::string& id);

}  // namespace gapscope
