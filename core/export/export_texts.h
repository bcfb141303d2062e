// Texts of a trace as exports show them: folders of people cut out of paths, unless asked for.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "core/trace/trace.h"

namespace gapscope {

// Whether an export tells where the recording person's files lie. Names of users and hosts are in a trace only as parts
// of paths: of the model, of source files in names of Python functions.
enum class Identity { LeftOut, Kept };

// "/home/ada/x.py(3): main" -> "~/x.py(3): main"; the same for /Users/NAME, /root and C:\\Users\\NAME.
std::string withoutHomeFolders(std::string_view text);

// Every string of a trace, ready for an export. Borrows the trace.
class ExportTexts {
public:
    ExportTexts(const Trace& trace, Identity identity);
    std::string_view operator[](StringId id) const {
        if (m_changed.empty()) return m_trace.string(id);
        const auto it = m_changed.find(id.value);
        return it == m_changed.end() ? m_trace.string(id) : std::string_view(it->second);
    }
    std::string of(std::string_view text) const;  // one that is no string of the trace: a diagnostic's
    RunInfo run(const RunInfo& run) const;        // the same; a model's path keeps its last part only

private:
    const Trace& m_trace;
    Identity m_identity;
    std::unordered_map<uint32_t, std::string> m_changed;
};

}  // namespace gapscope
