// Broken or missing trace data, counted and shown; never an Error and never silent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gapscope {

enum class Severity : uint8_t { Info, DataLoss, Error };

constexpr std::string_view severityName(Severity severity) {
    switch (severity) {
        case Severity::Info:
            return "info";
        case Severity::DataLoss:
            return "data loss";
        case Severity::Error:
            return "error";
    }
    return "error";
}

struct Diagnostic {
    std::string name;  // stable, snake_case: "orphan_kernel"
    Severity severity = Severity::Info;
    int64_t count = 0;
    std::string text;  // one sentence: what it means for the numbers shown
    bool operator==(const Diagnostic&) const = default;
};

class Diagnostics {
public:
    // Adds `count` to the entry of this name; the first call fixes severity and text.
    void add(std::string_view name, Severity severity, int64_t count, std::string_view text);
    const std::vector<Diagnostic>& entries() const { return m_entries; }
    int64_t countOf(std::string_view name) const;
    bool operator==(const Diagnostics&) const = default;

private:
    std::vector<Diagnostic> m_entries;
};

}  // namespace gapscope
