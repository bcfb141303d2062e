// What remedies would bring, as `summary` prints it.
#pragma once

#include <string>

#include "core/analysis/what_if.h"
#include "core/base/json_writer.h"

namespace gapscope::cli {

void writeWhatIf(JsonWriter& json, const WhatIf& whatIf);  // the field whatIf[]
std::string whatIfText(const WhatIf& whatIf);              // empty: nothing to tell

}  // namespace gapscope::cli
