// A trace as a Perfetto trace (.pftrace, protocol buffers): a track a stream and a thread, counters, arrows from
// launches to what they launched, arguments of every operation. Opens in ui.perfetto.dev and comes back here whole.
// Format: Perfetto's public protos/perfetto/trace/*.proto; its words here: core/base/perfetto_format.h.
#pragma once

#include <filesystem>
#include <stop_token>

#include "core/base/result.h"
#include "core/export/export_report.h"
#include "core/export/export_texts.h"
#include "core/trace/trace.h"

namespace gapscope {

// Replaces `path` once the whole file is written. Memory: a buffer, the joins of launches (24 bytes a call), and the
// order of the rows (24 bytes each, of streams and of threads one after the other).
Result<ExportReport> exportPerfettoTrace(const Trace& trace, const std::filesystem::path& path,
                                         Identity identity = Identity::LeftOut, std::stop_token stop = {});

}  // namespace gapscope
