// The category rules that a command reads foreign traces with: the person's own, then the built-in.
#pragma once

#include <string>

#include "core/base/category_rules.h"
#include "core/base/result.h"

namespace gapscope::cli {

// `file`: in place of the person's own file; empty: that one, if it is there. Lines that are no rule are told on
// stderr, one sentence each, and the other lines hold.
Result<CategoryRules> readRules(const std::string& file);

}  // namespace gapscope::cli
