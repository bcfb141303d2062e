#include "core/export/export_texts.h"

#include <array>
#include <filesystem>

namespace gapscope {

namespace {

// Where a folder name begins: not within a longer path, where "/data/home/ada" is no home folder of this form.
bool beginsPath(std::string_view text, size_t at) {
    if (at == 0) return true;
    const char before = text[at - 1];
    const bool isWord = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z') ||
                        (before >= '0' && before <= '9') || before == '_' || before == '.' || before == '-';
    return !isWord;
}

}  // namespace

std::string withoutHomeFolders(std::string_view text) {
    struct Form {
        std::string_view parent;
        char separator;
        bool namesPerson;  // the next part is a person's name
    };
    static constexpr std::array kForms = {Form{"/home/", '/', true}, Form{"/Users/", '/', true},
                                          Form{"/root/", '/', false}, Form{"\\Users\\", '\\', true},
                                          Form{"\\\\Users\\\\", '\\', true}};
    std::string out;
    size_t done = 0;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '/' && text[at] != '\\') continue;
        for (const Form& form : kForms) {
            if (!text.substr(at).starts_with(form.parent)) continue;
            size_t begin = at;
            if (form.separator == '\\') {
                if (at >= 2 && text[at - 1] == ':') begin = at - 2;  // the drive's letter too
            } else if (!beginsPath(text, at)) {
                continue;
            }
            size_t end = at + form.parent.size();
            if (form.namesPerson) end = text.find_first_of("/\\ \t\n\r\"':;,()", end);
            if (end == std::string_view::npos) end = text.size();
            if (!form.namesPerson) --end;  // keep the separator
            out.append(text.substr(done, begin - done)).append("~");
            done = end;
            at = end - 1;
            break;
        }
    }
    return out.append(text.substr(done));
}

ExportTexts::ExportTexts(const Trace& trace, Identity identity) : m_trace(trace), m_identity(identity) {
    if (identity == Identity::Kept) return;
    for (uint32_t id = 0; id < trace.stringCount(); ++id) {
        const std::string_view text = trace.string(StringId{id});
        if (text.find_first_of("/\\") == std::string_view::npos) continue;
        std::string shown = withoutHomeFolders(text);
        if (shown != text) m_changed.emplace(id, std::move(shown));
    }
}

std::string ExportTexts::of(std::string_view text) const {
    return m_identity == Identity::Kept ? std::string(text) : withoutHomeFolders(text);
}

RunInfo ExportTexts::run(const RunInfo& run) const {
    RunInfo shown = run;
    if (m_identity == Identity::Kept) return shown;
    // A failed run's reason names files; the prompt stays as it was given.
    for (std::string* text : {&shown.modelName, &shown.deviceName, &shown.speculation, &shown.stopReason})
        *text = withoutHomeFolders(*text);
    shown.modelPath = std::filesystem::path(run.modelPath).filename().string();
    return shown;
}

}  // namespace gapscope
