#include "core/base/category_rules.h"

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

bool fitsLower(const CategoryRule& rule, std::string_view lowerName) {
    return std::ranges::all_of(rule.parts,
                               [&](const std::string& part) { return lowerName.find(part) != std::string_view::npos; });
}

}  // namespace

bool CategoryRule::fits(std::string_view kernelName) const {
    return fitsLower(*this, lowerCase(kernelName));
}

std::string CategoryRule::text() const {
    std::string line(categoryName(category));
    for (const std::string& part : parts)
        line += ' ' + part;
    return line;
}

Result<std::optional<CategoryRule>> CategoryRule::parse(std::string_view line) {
    line = line.substr(0, line.find('#'));
    std::vector<std::string> words;
    for (;;) {
        const size_t begin = line.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos) break;
        const size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
        words.push_back(lowerCase(line.substr(begin, end - begin)));
        line.remove_prefix(end);
    }
    if (words.empty()) return std::nullopt;
    const auto category = categoryFromName(words[0]);
    if (!category) {
        std::string known;
        for (const std::string_view name : kCategoryNames)
            known += (known.empty() ? "" : ", ") + std::string(name);
        return fail("'" + words[0].substr(0, 40) + "' is no category; a rule begins with one of " + known + ".",
                    ErrorKind::BadFile);
    }
    if (words.size() < 2)
        return fail("after the category at least one part of a kernel's name must stand.", ErrorKind::BadFile);
    words.erase(words.begin());
    return CategoryRule{.category = *category, .parts = std::move(words)};
}

Result<CategoryRules> CategoryRules::parse(std::string_view text) {
    CategoryRules rules;
    for (int number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        auto rule = CategoryRule::parse(line);
        if (!rule)
            return fail("Category rules, line " + std::to_string(number) + ": " + rule.error().message,
                        ErrorKind::BadFile);
        if (*rule) rules.m_rules.push_back(std::move(**rule));
    }
    return rules;
}

const CategoryRules& CategoryRules::builtIn() {
    // The text was checked when it was built in; a test parses it too.
    static const CategoryRules kRules = parse(kCategoryRulesText).value_or(CategoryRules());
    return kRules;
}

CategoryRules CategoryRules::beforeBuiltIn(std::vector<CategoryRule> first) {
    CategoryRules rules(std::move(first));
    rules.m_rules.insert(rules.m_rules.end(), builtIn().m_rules.begin(), builtIn().m_rules.end());
    return rules;
}

std::optional<size_t> CategoryRules::ruleFor(std::string_view kernelName) const {
    const std::string name = lowerCase(kernelName);
    const auto found = std::ranges::find_if(m_rules, [&](const CategoryRule& rule) { return fitsLower(rule, name); });
    if (found == m_rules.end()) return std::nullopt;
    return static_cast<size_t>(found - m_rules.begin());
}

Category CategoryRules::categoryOf(std::string_view kernelName) const {
    const auto rule = ruleFor(kernelName);
    return rule ? m_rules[*rule].category : Category::Other;
}

}  // namespace gapscope
