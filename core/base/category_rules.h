// Categories of foreign kernels by their names: an ordered list of substring rules. Those of
// resources/category_rules.txt are compiled in; a person's own (rule_file.h) are tried before them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/category.h"
#include "core/base/result.h"

namespace gapscope {

// One line "CATEGORY PART [PART ...]": a name that holds all parts (case ignored) is of this category.
struct CategoryRule {
    Category category = Category::Other;
    std::vector<std::string> parts;  // lower case, at least one

    bool fits(std::string_view kernelName) const;
    std::string text() const;  // the line
    bool operator==(const CategoryRule&) const = default;

    // Nothing for an empty line or one that is all comment ("#" begins one). An error is a sentence without the place.
    static Result<std::optional<CategoryRule>> parse(std::string_view line);
};

class CategoryRules {
public:
    CategoryRules() = default;
    explicit CategoryRules(std::vector<CategoryRule> rules) : m_rules(std::move(rules)) {}
    // A line that is no rule is an error that names its number.
    static Result<CategoryRules> parse(std::string_view text);
    static const CategoryRules& builtIn();  // the file as shipped
    static CategoryRules beforeBuiltIn(std::vector<CategoryRule> first);

    const std::vector<CategoryRule>& rules() const { return m_rules; }
    // The first rule that fits decides.
    std::optional<size_t> ruleFor(std::string_view kernelName) const;
    Category categoryOf(std::string_view kernelName) const;  // Other, if no rule fits

private:
    std::vector<CategoryRule> m_rules;
};

}  // namespace gapscope
