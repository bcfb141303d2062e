#include "core/analysis/kernel_rules.h"

#include <algorithm>

namespace gapscope {

namespace {

bool rulesDecide(const Trace& trace, size_t row) {
    const DeviceOps& ops = trace.deviceOps();
    return ops.kind[row] == DeviceOpKind::Kernel && !ops.op[row].valid();
}

StringId judgedName(const Trace& trace, size_t row) {
    const LaunchConfigId config = trace.deviceOps().config[row];
    if (config.value < trace.launchConfigs().size()) {
        const StringId full = trace.launchConfigs()[config.value].fullName;
        if (full.value < trace.stringCount() && !trace.string(full).empty()) return full;
    }
    return trace.deviceOps().name[row];
}

}  // namespace

TracePtr categorized(TracePtr trace, const CategoryRules& rules, std::stop_token stop) {
    if (trace->run()) return trace;
    const DeviceOps& ops = trace->deviceOps();
    constexpr uint8_t kNotAsked = kCategoryCount;
    std::vector<uint8_t> known(trace->stringCount(), kNotAsked);
    ColumnWriter<Category> categories;
    bool changed = false;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return trace;
        Category category = ops.category[row];
        if (rulesDecide(*trace, row)) {
            const StringId name = judgedName(*trace, row);
            category = Category::Other;
            if (name.value < known.size()) {
                uint8_t& of = known[name.value];
                if (of == kNotAsked) of = static_cast<uint8_t>(rules.categoryOf(trace->string(name)));
                category = static_cast<Category>(of);
            }
        }
        changed |= category != ops.category[row];
        categories.push(category);
    }
    return changed ? trace->withCategories(categories.view()) : trace;
}

std::vector<KernelName> kernelNames(const Trace& trace, TimeRange window, const CategoryRules& rules,
                                    std::stop_token stop) {
    if (trace.run()) return {};
    const DeviceOps& ops = trace.deviceOps();
    constexpr uint32_t kNone = UINT32_MAX;
    std::vector<uint32_t> placeOf(trace.stringCount() + 1, kNone);
    std::vector<KernelName> names;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return names;
        if (!window.contains(ops.startNs[row]) || !rulesDecide(trace, row)) continue;
        const StringId id = judgedName(trace, row);
        uint32_t& place = placeOf[std::min<size_t>(id.value, trace.stringCount())];
        if (place == kNone) {
            place = static_cast<uint32_t>(names.size());
            names.push_back({.name = trace.string(id)});
        }
        ++names[place].count;
        names[place].ns += TimeRange{ops.startNs[row], ops.endNs[row]}.clippedTo(window).durationNs();
    }
    for (KernelName& name : names)
        name.rule = rules.ruleFor(name.name);
    std::ranges::stable_sort(names, std::ranges::greater{}, &KernelName::ns);
    return names;
}

std::string suggestedParts(std::string_view name) {
    const auto isWord = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    // The last word outside brackets before one opens: "void ns::(anonymous namespace)::f<int, g>(h)" has f there. The
    // first word inside is kept for functions that are only called "Kernel".
    std::string word, function, argument;
    int depth = 0;
    const auto end = [&] {
        if (!word.empty() && depth == 0 && word != "operator") function = word;
        if (!word.empty() && depth > 0 && !function.empty() && argument.empty()) argument = word;
        word.clear();
    };
    for (const char c : name) {
        if (isWord(c)) {
            word += c;
        } else if (c == '<' || c == '(' || c == '[' || c == '{') {
            end();
            ++depth;
        } else if (c == '>' || c == ')' || c == ']' || c == '}') {
            end();
            depth = std::max(0, depth - 1);
        } else if (depth > 0) {
            end();
        } else {
            word.clear();  // return type or namespace
        }
    }
    end();
    const auto isOnlyKernel = [](std::string text) {
        std::erase_if(text, [](char c) { return c == '_' || (c >= '0' && c <= '9'); });
        return text == "Kernel" || text == "kernel" || text == "globalKernel" || text == "devicekernel";
    };
    if (!function.empty()) return isOnlyKernel(function) && !argument.empty() ? function + ' ' + argument : function;
    std::string rest(name.substr(0, name.find('#')));
    return rest.substr(0, rest.find_first_of(" \t"));
}

}  // namespace gapscope
