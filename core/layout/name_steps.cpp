#include "core/layout/name_steps.h"

#include <cctype>

namespace gapscope {

namespace {

bool endsWith(const std::string& text, std::string_view end) {
    return text.size() >= end.size() && std::string_view(text).substr(text.size() - end.size()) == end;
}

void removeAll(std::string& text, std::string_view part) {
    for (size_t at; (at = text.find(part)) != std::string::npos;)
        text.erase(at, part.size());
}

// Without <...>; "->" and operators keep their signs. Broken nesting leaves the name as it is.
std::string withoutTemplateArguments(std::string_view name) {
    std::string out;
    out.reserve(name.size());
    int depth = 0;
    for (size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool isOperator = depth == 0 && (endsWith(out, "operator") || endsWith(out, "operator<"));
        if (c == '<' && !isOperator) {
            ++depth;
        } else if (c == '>' && depth > 0 && name[i - 1] != '-') {
            --depth;
        } else if (depth == 0) {
            out += c;
        }
    }
    return depth == 0 ? out : std::string(name);
}

bool endsWithOperator(std::string_view name) {
    const size_t at = name.rfind("operator");
    if (at == std::string_view::npos || at + 8 == name.size()) return false;
    return name.find_first_not_of("<>=!+-*/%&|^~[]()", at + 8) == std::string_view::npos;
}

// Without the parameter list and what follows it; "Memcpy HtoD (Pageable)" is prose and stays.
std::string withoutParameters(std::string name) {
    for (size_t at = name.find('('); at != std::string::npos; at = name.find('(', at + 1)) {
        if (at == 0 || endsWith(name.substr(0, at), "operator")) continue;
        const char before = name[at - 1];
        if (std::isalnum(static_cast<unsigned char>(before)) == 0 && before != '_' && before != ')' &&
            !endsWithOperator(std::string_view(name).substr(0, at)))
            continue;
        name.resize(at);
        const size_t space = name.rfind(' ');  // the return type
        return space == std::string::npos ? name : name.substr(space + 1);
    }
    if (name.starts_with("void ")) name.erase(0, 5);
    return name;
}

}  // namespace

std::vector<std::string> nameSteps(std::string_view fullName) {
    std::vector<std::string> steps{std::string(fullName)};
    const auto addShorter = [&steps](std::string name) {
        while (!name.empty() && name.back() == ' ')
            name.pop_back();
        if (!name.empty() && name.size() < steps.back().size()) steps.push_back(std::move(name));
    };
    constexpr size_t kLongest = 8192;  // a hostile file's name of megabytes is not worth taking apart
    if (fullName.size() > kLongest) return steps;
    std::string plain(fullName);
    removeAll(plain, "(anonymous namespace)::");
    plain = withoutTemplateArguments(plain);
    addShorter(plain);
    std::string bare = withoutParameters(plain);
    addShorter(bare);
    if (const size_t colons = bare.rfind("::"); colons != std::string::npos && colons + 2 < bare.size())
        addShorter(bare.substr(colons + 2));
    // "aten::mul, op_id = 995159", as PyTorch names its NVTX ranges.
    if (const size_t comma = bare.find(", ");
        comma != std::string::npos && bare.find(" = ", comma) != std::string::npos) {
        bare.resize(comma);
        addShorter(bare);
        if (const size_t colons = bare.rfind("::"); colons != std::string::npos) addShorter(bare.substr(colons + 2));
    }
    // "decode 12": of a word and a number the number tells neighbours apart, the word does not.
    const size_t space = bare.find(' ');
    if (space != std::string::npos && space > 0 && space + 1 < bare.size() &&
        bare.find_first_not_of("0123456789", space + 1) == std::string::npos)
        addShorter(bare.substr(space + 1));
    return steps;
}

}  // namespace gapscope
