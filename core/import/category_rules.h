// Categories of foreign kernels by their names: an ordered list of substring rules from resources/category_rules.txt.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/category.h"
#include "core/base/result.h"

namespace gapscope {

class CategoryRules {
public:
    // Lines "CATEGORY SUBSTRING [SUBSTRING ...]": the first line whose substrings all occur in the name (case ignored)
    // wins; "#" starts a comment. An unknown category is an error that names the line.
    static Result<CategoryRules> parse(std::string_view text);
    static const CategoryRules& builtIn();  // the file as shipped, compiled in

    Category categoryOf(std::string_view kernelName) const;  // Other, if no rule fits

private:
    struct Rule {
        Category category = Category::Other;
        std::vector<std::string> parts;  // lower case
    };
    std::vector<Rule> m_rules;
};

}  // namespace gapscope
