#include "core/export/export_trace.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "core/export/chrome_json.h"
#include "core/export/perfetto_trace.h"
#include "core/export/session_writer.h"

namespace gapscope {

Result<ExportReport> exportTrace(const Trace& trace, const std::filesystem::path& path, Identity identity,
                                 std::stop_token stop) {
    const std::string name = path.string();
    const auto endsWith = [&](const auto& endings) {
        return std::ranges::any_of(endings, [&](std::string_view ending) { return name.ends_with(ending); });
    };
    if (endsWith(std::array{".json", ".json.gz"})) return exportChromeJson(trace, path, identity, stop);
    if (endsWith(std::array{".pftrace", ".perfetto-trace"})) return exportPerfettoTrace(trace, path, identity, stop);
    if (!endsWith(std::array{".gapscope", ".sqlite"})) {
        return fail(name + " does not tell a format: end it in .json, .json.gz, .pftrace or .gapscope.",
                    ErrorKind::WrongUse);
    }
    RETURN_IF_ERROR(saveSession(trace, path, stop, identity));
    ExportReport report;
    report.wroteRows(trace);
    std::error_code ignored;
    report.bytes = static_cast<int64_t>(std::filesystem::file_size(path, ignored));
    return report;
}

}  // namespace gapscope
