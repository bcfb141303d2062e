// A person's own category rules, one a line as in category_rules.h, kept as a text file that the window, the command
// line and an editor all reach. What is no rule (comments, empty lines, mistakes) stays as it was written: only its
// owner takes it out.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/category_rules.h"
#include "core/base/result.h"

namespace gapscope {

// $XDG_CONFIG_HOME/gapscope/kernel-rules.txt, else ~/.config/gapscope/...
std::filesystem::path userRuleFile();

class RuleFile {
public:
    // No file there: no rules. A file over 1 MiB or with a NUL byte is an error: it is something else.
    static Result<RuleFile> read(const std::filesystem::path& path);
    static RuleFile parse(std::string_view text);

    std::vector<CategoryRule> rules() const;    // in the order that they are tried
    std::vector<std::string> problems() const;  // of lines that are no rule: "line 3: ..."
    std::string text() const;

    // Rules are counted as rules() gives them; lines between them stay in place.
    void addFirst(const CategoryRule& rule);
    void replace(size_t index, const CategoryRule& rule);
    void remove(size_t index);
    void swapWithNext(size_t index);

    // Replaces the file as a whole, or leaves it as it was.
    Status write(const std::filesystem::path& path) const;

private:
    struct Line {
        std::string text;
        std::optional<CategoryRule> rule;
        std::string problem;
    };
    static Line lineOf(std::string text);
    size_t lineOfRule(size_t index) const;  // lines().size(): there is none

    std::vector<Line> m_lines;
};

}  // namespace gapscope
