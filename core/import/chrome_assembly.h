// Makes a Trace of the rows of a Chrome trace: whose they are, what belongs together, when time begins. Internal to the
// import room.
#pragma once

#include <stop_token>

#include "core/base/result.h"
#include "core/import/chrome_rows.h"

namespace gapscope {

// Adds everything to the builder that the tables were filled with, by start; times count from the first event.
Status assembleChromeTrace(ChromeTables& tables, TraceBuilder& builder, std::stop_token stop);

}  // namespace gapscope
