#include "core/import/category_rules.h"

#include <algorithm>

#include "category_rules_text.h"

namespace gapscope {

namespace {

std::string lowerCase(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

}  // namespace

Result<CategoryRules> CategoryRules::parse(std::string_view text) {
    CategoryRules rules;
    int lineNumber = 0;
    while (!text.empty()) {
        ++lineNumber;
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        line = line.substr(0, line.find('#'));
        std::vector<std::string> words;
        for (;;) {
            const size_t begin = line.find_first_not_of(" \t\r");
            if (begin == std::string_view::npos) break;
            const size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
            words.emplace_back(line.substr(begin, end - begin));
            line.remove_prefix(end);
        }
        if (words.empty()) continue;
        const auto category = categoryFromName(words[0]);
        if (!category || words.size() < 2) {
            return fail("Category rules, line " + std::to_string(lineNumber) +
                            ": expected a category and at least one part of a name.",
                        ErrorKind::BadFile);
        }
        Rule rule{.category = *category};
        for (size_t i = 1; i < words.size(); ++i)
            rule.parts.push_back(lowerCase(words[i]));
        rules.m_rules.push_back(std::move(rule));
    }
    return rules;
}

const CategoryRules& CategoryRules::builtIn() {
    // The text was checked when it was built in; a test parses it too.
    static const CategoryRules kRules = parse(kCategoryRulesText).value_or(CategoryRules());
    return kRules;
}

Category CategoryRules::categoryOf(std::string_view kernelName) const {
    const std::string name = lowerCase(kernelName);
    for (const Rule& rule : m_rules) {
        const bool fits = std::ranges::all_of(
            rule.parts, [&](const std::string& part) { return name.find(part) != std::string::npos; });
        if (fits) return rule.category;
    }
    return Category::Other;
}

}  // namespace gapscope
