// A Summary as JSON fields and as text: for `summary`, and for `run`, which prints the same and more.
#pragma once

#include <string>

#include "core/analysis/summary.h"
#include "core/base/json_writer.h"

namespace gapscope::cli {

// Writes the fields of `summary --json` (windowNs ... diagnostics, run) into an object that is open already.
void writeSummaryFields(JsonWriter& json, const Trace& trace, const Summary& summary);

// {"hostWaiting": ns, ...}
void writeGapCauses(JsonWriter& json, const GapCauses& causes);
// Fields count, totalNs, avgNs, medNs, minNs, maxNs, stdNs into an open object.
void writeDistribution(JsonWriter& json, const Distribution& times);

// The same for people: aligned lines, ends with a newline.
std::string summaryText(const Trace& trace, const Summary& summary);

}  // namespace gapscope::cli
