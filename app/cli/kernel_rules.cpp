#include "app/cli/kernel_rules.h"

#include <cstdio>

#include "app/cli/text_table.h"
#include "core/base/rule_file.h"

namespace gapscope::cli {

Result<CategoryRules> readRules(const std::string& file) {
    const std::filesystem::path path = file.empty() ? userRuleFile() : std::filesystem::path(file);
    std::error_code error;
    if (!file.empty() && !std::filesystem::exists(path, error))
        return fail(printable(file) + " does not exist.", ErrorKind::NotFound);
    ASSIGN_OR_RETURN(const RuleFile rules, RuleFile::read(path));
    for (const std::string& problem : rules.problems())
        std::fprintf(stderr, "gapscope-cli: %s, %s\n", printable(path.string()).c_str(), printable(problem).c_str());
    return CategoryRules::beforeBuiltIn(rules.rules());
}

}  // namespace gapscope::cli
