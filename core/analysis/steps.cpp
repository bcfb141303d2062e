#include "core/analysis/steps.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "core/analysis/repeating_pattern.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

// A step of the same kernels counts as prompt processing from this many times the usual kernel time, or where this
// share of its kernels is launched otherwise.
constexpr double kPromptTimes = 2;
constexpr double kPromptConfigs = 0.5;

// Rows of the busiest stream of the busiest device, by start.
std::vector<uint32_t> mainOps(const Trace& trace) {
    const DeviceOps& ops = trace.deviceOps();
    std::vector<int64_t> kernels(trace.tracks().size());
    std::map<uint32_t, int64_t> ofDevice;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        const bool counts = ops.kind[row] == DeviceOpKind::Kernel || ops.kind[row] == DeviceOpKind::GraphLaunch;
        if (counts && ops.track[row].value < kernels.size()) ++kernels[ops.track[row].value];
    }
    for (size_t track = 0; track < kernels.size(); ++track)
        ofDevice[trace.tracks()[track].deviceId] += kernels[track];
    if (ofDevice.empty()) return {};
    const uint32_t device = std::ranges::max_element(ofDevice, {}, [](const auto& of) { return of.second; })->first;
    size_t main = kernels.size();
    for (size_t track = 0; track < kernels.size(); ++track)
        if (trace.tracks()[track].deviceId == device && (main == kernels.size() || kernels[track] > kernels[main]))
            main = track;
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < ops.startNs.size(); ++row)
        if (ops.track[row].value == main) rows.push_back(row);
    std::ranges::stable_sort(rows, {}, [&](uint32_t row) { return ops.startNs[row]; });
    return rows;
}

TimeRange deviceRange(const DeviceOps& ops, const std::vector<uint32_t>& rows, uint32_t begin, uint32_t end) {
    TimeRange range{ops.startNs[rows[begin]], ops.endNs[rows[begin]]};
    for (uint32_t place = begin; place < end; ++place)
        range.endNs = std::max(range.endNs, ops.endNs[rows[place]]);
    return range;
}

// "decode 12" -> "decode N"; the number is not part of what the range is.
std::string withoutNumbers(std::string_view name) {
    std::string text;
    for (const char c : name) {
        if (c < '0' || c > '9')
            text += c;
        else if (text.empty() || text.back() != 'N')
            text += 'N';
    }
    return text;
}

enum class RangeMeaning { None, Step, Prompt };

RangeMeaning meaningOf(std::string_view pattern) {
    std::string lower(pattern);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const auto begins = [&](std::string_view word) { return lower.starts_with(word); };
    if (begins("prefill") || begins("prompt")) return RangeMeaning::Prompt;
    for (const std::string_view word : {"profilerstep#", "decode", "token", "step", "generate_token", "forward_step"})
        if (begins(word)) return RangeMeaning::Step;
    return RangeMeaning::None;
}

// Places of ranges that name steps, by start; empty without at least two. Names that say more win over ProfilerStep,
// which a whole generation may lie in.
struct NamedSteps {
    std::string name;
    std::vector<uint32_t> rows;
    std::vector<uint32_t> prompts;
};

NamedSteps namedSteps(const Trace& trace) {
    const Ranges& ranges = trace.ranges();
    std::vector<std::pair<RangeMeaning, std::string>> known(trace.stringCount());
    std::vector<bool> asked(trace.stringCount());
    std::map<std::pair<std::string, uint64_t>, std::vector<uint32_t>> steps;  // by name and thread
    NamedSteps result;
    for (uint32_t row = 0; row < ranges.startNs.size(); ++row) {
        const StringId name = ranges.name[row];
        if (ranges.kind[row] != RangeKind::User || name.value >= known.size()) continue;
        if (!asked[name.value]) {
            asked[name.value] = true;
            std::string pattern = withoutNumbers(trace.string(name));
            known[name.value] = {meaningOf(pattern), std::move(pattern)};
        }
        const auto& [meaning, pattern] = known[name.value];
        if (meaning == RangeMeaning::Step) steps[{pattern, ranges.globalTid[row]}].push_back(row);
        if (meaning == RangeMeaning::Prompt) result.prompts.push_back(row);
    }
    const auto byStart = [&](uint32_t row) { return ranges.startNs[row]; };
    const auto rank = [](const auto& entry) {
        return std::pair(!entry.first.first.starts_with("ProfilerStep"), entry.second.size());
    };
    const auto best = std::ranges::max_element(steps, {}, rank);
    if (best == steps.end() || best->second.size() < 2) return {};
    result.name = best->first.first;
    result.rows = best->second;
    std::ranges::stable_sort(result.rows, {}, byStart);
    for (size_t i = 0; i + 1 < result.rows.size(); ++i)
        if (ranges.endNs[result.rows[i]] > ranges.startNs[result.rows[i + 1]])
            return {};  // nested: no sequence of steps
    return result;
}

// A step's operations are those whose launch lies in its range on the range's thread.
FoundSteps stepsOfRanges(const Trace& trace, const LaunchJoin& join, const NamedSteps& named, std::stop_token stop) {
    const Ranges& ranges = trace.ranges();
    const ApiCalls& calls = trace.apiCalls();
    FoundSteps found;
    struct Bound {
        TimeRange range;
        uint64_t thread = 0;
        bool prompt = false;
    };
    std::vector<Bound> bounds;
    for (const uint32_t row : named.rows)
        bounds.push_back({{ranges.startNs[row], ranges.endNs[row]}, ranges.globalTid[row], false});
    for (const uint32_t row : named.prompts)
        bounds.push_back({{ranges.startNs[row], ranges.endNs[row]}, ranges.globalTid[row], true});
    std::ranges::stable_sort(bounds, {}, [](const Bound& bound) { return bound.range.startNs; });
    // Ranges of a prompt may lie within others of it: the outer one counts.
    std::vector<Bound> flat;
    for (const Bound& bound : bounds)
        if (flat.empty() || bound.range.startNs >= flat.back().range.endNs) flat.push_back(bound);
    std::vector<std::vector<uint32_t>> opsOf(flat.size());
    for (uint32_t call = 0; call < calls.startNs.size(); ++call) {
        if ((call & 0xFFFF) == 0 && stop.stop_requested()) return {};
        const auto owned = join.opsOf(call);
        if (owned.empty()) continue;
        const auto after =
            std::ranges::upper_bound(flat, calls.startNs[call], {}, [](const Bound& b) { return b.range.startNs; });
        if (after == flat.begin()) continue;
        const auto bound = std::prev(after);
        if (calls.startNs[call] >= bound->range.endNs || calls.globalTid[call] != bound->thread) continue;
        auto& list = opsOf[static_cast<size_t>(bound - flat.begin())];
        list.insert(list.end(), owned.begin(), owned.end());
    }
    const DeviceOps& ops = trace.deviceOps();
    std::vector<size_t> counts;
    int64_t lastEndNs = INT64_MIN;
    for (size_t i = 0; i < flat.size(); ++i) {
        if (opsOf[i].empty()) continue;
        std::ranges::stable_sort(opsOf[i], {}, [&](uint32_t row) { return ops.startNs[row]; });
        const auto begin = static_cast<uint32_t>(found.ops.size());
        found.ops.insert(found.ops.end(), opsOf[i].begin(), opsOf[i].end());
        const auto end = static_cast<uint32_t>(found.ops.size());
        FoundStep step{
            .device = deviceRange(ops, found.ops, begin, end), .begin = begin, .end = end, .prompt = flat[i].prompt};
        step.device.startNs = std::max(step.device.startNs, std::min(lastEndNs, step.device.endNs));
        lastEndNs = step.device.endNs;
        if (!step.prompt) counts.push_back(end - begin);
        found.steps.push_back(step);
    }
    if (counts.size() < 2) return {};
    std::ranges::nth_element(counts, counts.begin() + static_cast<ptrdiff_t>(counts.size() / 2));
    found.opsPerStep = counts[counts.size() / 2];
    found.source = StepSource::NamedRanges;
    found.confidence = 1;
    found.rangeName = named.name;
    return found;
}

// Steps of the same kernels that work on far more: told by how they are launched, else by their time.
void markPrompts(const Trace& trace, FoundSteps& found) {
    const DeviceOps& ops = trace.deviceOps();
    std::vector<int64_t> times;
    for (const FoundStep& step : found.steps) {
        int64_t ns = 0;
        for (uint32_t place = step.begin; place < step.end; ++place)
            ns += ops.endNs[found.ops[place]] - ops.startNs[found.ops[place]];
        times.push_back(ns);
    }
    std::vector<int64_t> sorted = times;
    std::ranges::nth_element(sorted, sorted.begin() + static_cast<ptrdiff_t>(sorted.size() / 2));
    const auto usual = static_cast<double>(sorted[sorted.size() / 2]);
    // Launch configurations of the usual steps.
    std::unordered_map<uint32_t, uint32_t> stepsWith;  // by configuration
    for (const FoundStep& step : found.steps) {
        std::vector<uint32_t> configs;
        for (uint32_t place = step.begin; place < step.end; ++place)
            configs.push_back(ops.config[found.ops[place]].value);
        std::ranges::sort(configs);
        configs.erase(std::ranges::unique(configs).begin(), configs.end());
        for (const uint32_t config : configs)
            ++stepsWith[config];
    }
    for (size_t i = 0; i < found.steps.size(); ++i) {
        FoundStep& step = found.steps[i];
        uint32_t rare = 0;
        for (uint32_t place = step.begin; place < step.end; ++place)
            rare += stepsWith[ops.config[found.ops[place]].value] * 4 < found.steps.size() ? 1 : 0;
        step.prompt = step.prompt || static_cast<double>(times[i]) >= kPromptTimes * usual ||
                      rare >= kPromptConfigs * static_cast<double>(step.end - step.begin);
    }
    // Half of all steps cannot be prompts: then the hints say something else.
    if (static_cast<size_t>(std::ranges::count(found.steps, true, &FoundStep::prompt)) * 2 > found.steps.size())
        for (FoundStep& step : found.steps)
            step.prompt = false;
}

FoundSteps stepsOfSequence(const Trace& trace, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    FoundSteps found;
    found.ops = mainOps(trace);
    if (found.ops.empty()) return found;
    // Symbols are names: launch configurations change as the context grows.
    std::vector<uint32_t> symbolOf(trace.stringCount() + 1, UINT32_MAX);
    std::vector<uint32_t> symbols;
    std::vector<int64_t> idle;
    std::vector<uint8_t> ofUnit, beginsUnit;
    symbols.reserve(found.ops.size());
    idle.reserve(found.ops.size());
    int64_t endNs = ops.startNs[found.ops.front()];
    for (const uint32_t row : found.ops) {
        uint32_t& symbol = symbolOf[std::min<size_t>(ops.name[row].value, trace.stringCount())];
        if (symbol == UINT32_MAX) {
            symbol = static_cast<uint32_t>(ofUnit.size());
            const Category category = ops.category[row];
            const std::string_view name = trace.string(ops.name[row]);
            const bool picks =
                name.find("argmax") != std::string_view::npos || name.find("ArgMax") != std::string_view::npos;
            ofUnit.push_back(category == Category::Sampling || picks);
            beginsUnit.push_back(category == Category::Embedding);
        }
        symbols.push_back(symbol);
        idle.push_back(std::max<int64_t>(0, ops.startNs[row] - endNs));
        endNs = std::max(endNs, ops.endNs[row]);
    }
    PatternHints hints;
    hints.idleBeforeNs = idle;
    if (std::ranges::count(ofUnit, 1) > 0) hints.ofUnit = ofUnit;
    hints.beginsUnit = beginsUnit;
    const RepeatingPattern pattern = findPattern(symbols, static_cast<uint32_t>(ofUnit.size()), hints, stop);
    if (pattern.unit.units.empty()) return found;
    found.source = StepSource::Sequence;
    found.confidence = pattern.unit.confidence;
    found.opsPerStep = pattern.unit.length;
    found.layersPerStep = static_cast<int32_t>(pattern.innersPerUnit);
    found.layerConfidence = pattern.inner.confidence;
    size_t inner = 0;
    uint32_t lastEnd = 0;
    for (const PatternUnit& unit : pattern.unit.units) {
        // What lies before the steps of a request is taken for its prompt, from the longest wait in it on: set-up comes
        // before.
        if (unit.begin - lastEnd >= found.opsPerStep / 2) {
            const auto longest = static_cast<uint32_t>(
                std::max_element(idle.begin() + lastEnd + (lastEnd > 0), idle.begin() + unit.begin) - idle.begin());
            const uint32_t begin = unit.begin - longest >= found.opsPerStep / 2 ? longest : lastEnd;
            found.steps.push_back({.device = deviceRange(ops, found.ops, begin, unit.begin),
                                   .begin = begin,
                                   .end = unit.begin,
                                   .prompt = true});
        }
        lastEnd = unit.end;
        found.steps.push_back(
            {.device = deviceRange(ops, found.ops, unit.begin, unit.end), .begin = unit.begin, .end = unit.end});
        for (int32_t layer = 0; inner < pattern.inner.units.size() && pattern.inner.units[inner].begin < unit.end;
             ++inner, ++layer)
            found.layers.push_back({pattern.inner.units[inner].begin, pattern.inner.units[inner].end, layer});
    }
    markPrompts(trace, found);
    return found;
}

}  // namespace

std::string FoundSteps::sentence() const {
    const auto stepCount = static_cast<int64_t>(std::ranges::count(steps, false, &FoundStep::prompt));
    switch (source) {
        case StepSource::NamedRanges:
            return "Steps are the ranges " + rangeName + ": " + formatCount(stepCount) + " with device operations.";
        case StepSource::Sequence: {
            std::string text = "Found from the kernel sequence, " + formatPercent(confidence) +
                               " sure: " + formatCount(stepCount) + " steps of " +
                               formatCount(static_cast<int64_t>(opsPerStep)) + " operations";
            if (layersPerStep > 0)
                text += ", " + std::to_string(layersPerStep) + " layers each (" + formatPercent(layerConfidence) + ")";
            return text + ".";
        }
        case StepSource::None:
        case StepSource::Recorded:
            break;
    }
    return {};
}

FoundSteps findSteps(const Trace& trace, const LaunchJoin& join, std::stop_token stop) {
    if (trace.run() || trace.deviceOps().startNs.empty()) return {};
    const NamedSteps named = namedSteps(trace);
    if (!named.rows.empty()) {
        FoundSteps found = stepsOfRanges(trace, join, named, stop);
        if (found.source != StepSource::None) return found;
    }
    return stepsOfSequence(trace, stop);
}

}  // namespace gapscope
