#include "core/analysis/find_events.h"

#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <tuple>

namespace gapscope {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

using Matcher = std::function<bool(std::string_view)>;

Result<Matcher> matcherFor(std::string_view text) {
    if (text.size() >= 2 && text.front() == '/' && text.back() == '/') {
        // RE2 takes time in proportion to the name, whatever the expression.
        RE2::Options options;
        options.set_case_sensitive(false);
        options.set_log_errors(false);
        const std::string_view inner = text.substr(1, text.size() - 2);
        auto expression = std::make_shared<RE2>(re2::StringPiece(inner.data(), inner.size()), options);
        if (!expression->ok())
            return fail(std::string(text) + " is no regular expression: " + expression->error() + ".",
                        ErrorKind::WrongUse);
        return [expression](std::string_view name) {
            return RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), *expression);
        };
    }
    std::string wanted(text);
    std::ranges::transform(wanted, wanted.begin(), lower);
    return [wanted = std::move(wanted)](std::string_view name) {
        return std::search(name.begin(), name.end(), wanted.begin(), wanted.end(),
                           [](char a, char b) { return lower(a) == b; }) != name.end();
    };
}

}  // namespace

Result<std::vector<FoundEvent>> findEvents(const Trace& trace, std::string_view text, std::stop_token stop,
                                           std::span<const Note> notes) {
    std::vector<FoundEvent> found;
    if (text.empty() || text == "/" || text == "//") return found;
    ASSIGN_OR_RETURN(const Matcher matches, matcherFor(text));
    std::vector<char> names(trace.stringCount());
    constexpr size_t kRowsBetweenLooks = size_t{1} << 16;
    constexpr size_t kNamesBetweenLooks = 256;
    for (uint32_t id = 0; id < names.size(); ++id) {
        if (id % kNamesBetweenLooks == 0 && stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        names[id] = matches(trace.string(StringId{id}));
    }
    const auto fits = [&](StringId id) { return id.valid() && names[id.value]; };
    std::vector<char> ops(trace.ops().size()), configs(trace.launchConfigs().size());
    for (size_t i = 0; i < ops.size(); ++i)
        ops[i] = fits(trace.ops()[i].name);
    for (size_t i = 0; i < configs.size(); ++i)
        configs[i] = fits(trace.launchConfigs()[i].fullName);

    const auto look = [&](const auto& rows, FoundEvent::Kind kind, auto isFound) {
        for (size_t row = 0; row < rows.startNs.size(); ++row) {
            if (row % kRowsBetweenLooks == 0 && stop.stop_requested()) return;
            if (isFound(row)) found.push_back({rows.startNs[row], rows.endNs[row], static_cast<uint32_t>(row), kind});
        }
    };
    const DeviceOps& deviceOps = trace.deviceOps();
    look(deviceOps, FoundEvent::Kind::DeviceOp, [&](size_t row) {
        const OpId op = deviceOps.op[row];
        const LaunchConfigId config = deviceOps.config[row];
        return fits(deviceOps.name[row]) || (op.valid() && ops[op.value]) || (config.valid() && configs[config.value]);
    });
    const Stages& stages = trace.stages();
    look(stages, FoundEvent::Kind::Stage, [&](size_t row) {
        const OpId op = stages.op[row];
        return fits(stages.name[row]) || (op.valid() && ops[op.value]);
    });
    look(trace.apiCalls(), FoundEvent::Kind::ApiCall, [&](size_t row) { return fits(trace.apiCalls().name[row]); });
    look(trace.ranges(), FoundEvent::Kind::Range, [&](size_t row) { return fits(trace.ranges().name[row]); });
    const Tokens& tokens = trace.tokens();
    for (size_t row = 0; row < tokens.emittedNs.size(); ++row)
        if (fits(tokens.text[row]))
            found.push_back(
                {tokens.emittedNs[row], tokens.emittedNs[row], static_cast<uint32_t>(row), FoundEvent::Kind::Token});
    for (size_t place = 0; place < notes.size(); ++place)
        if (const Note& note = notes[place]; !note.text.empty() && matches(note.text))
            found.push_back(
                {note.range.startNs, note.range.endNs, static_cast<uint32_t>(place), FoundEvent::Kind::Note});
    if (stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
    const auto place = [](const FoundEvent& event) { return std::tuple(event.startNs, event.kind, event.row); };
    if (!std::ranges::is_sorted(found, {}, place)) std::ranges::sort(found, {}, place);
    return found;
}

}  // namespace gapscope
