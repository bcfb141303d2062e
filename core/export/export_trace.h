// A whole trace as a file of another program, the format told by the file's name.
#pragma once

#include <filesystem>
#include <stop_token>

#include "core/base/result.h"
#include "core/export/export_report.h"
#include "core/export/export_texts.h"

namespace gapscope {

// ".json", ".json.gz": Chrome JSON; ".pftrace", ".perfetto-trace": Perfetto; ".gapscope", ".sqlite": a session. Another
// name is WrongUse. The file appears once it is whole, replacing what is there; cancelled if stopped.
Result<ExportReport> exportTrace(const Trace& trace, const std::filesystem::path& path, Identity identity,
                                 std::stop_token stop = {});

}  // namespace gapscope
