#include "core/analysis/token_table.h"

#include <algorithm>
#include <limits>

#include "core/analysis/busy.h"

namespace gapscope {

namespace {

// Of steps that ranges name, the operations are known; else what begins from a step's start on, on any stream, is the
// step's.
TokenWorks worksOf(const Trace& trace, const LaunchJoin& join, const FoundSteps& steps) {
    const DeviceOps& ops = trace.deviceOps();
    TokenWorks works;
    std::vector<TokenWork*> workOf;
    const auto numbers = stepNumbers(steps);
    for (size_t i = 0; i < numbers.size(); ++i) {
        TokenWork& work = works[numbers[i]];
        work.device = steps.steps[i].device;
        workOf.push_back(&work);
    }
    const auto count = [&](TokenWork& work, uint32_t row) {
        if (ops.kind[row] == DeviceOpKind::Kernel) ++work.kernelCount;
        const uint32_t call = join.callOfOp[row];
        if (call != kNoRow && join.opsOf(call).front() == row) ++work.launchCount;
    };
    if (steps.source == StepSource::NamedRanges) {
        for (size_t i = 0; i < steps.steps.size(); ++i)
            for (uint32_t place = steps.steps[i].begin; place < steps.steps[i].end; ++place)
                count(*workOf[i], steps.ops[place]);
        return works;
    }
    for (uint32_t row = 0; row < ops.startNs.size(); ++row) {
        const auto after = std::ranges::upper_bound(steps.steps, ops.startNs[row], {},
                                                    [](const FoundStep& step) { return step.device.startNs; });
        if (after == steps.steps.begin()) continue;
        const auto step = static_cast<size_t>(std::prev(after) - steps.steps.begin());
        if (after != steps.steps.end() || ops.startNs[row] < steps.steps[step].device.endNs) count(*workOf[step], row);
    }
    return works;
}

// Of `total` in `count` parts, the one at `place`; they add up to it.
int64_t partOf(int64_t total, int64_t place, int64_t count) {
    const auto upTo = [&](int64_t parts) { return total / count * parts + total % count * parts / count; };
    return upTo(place + 1) - upTo(place);
}

// A step's tokens stand one after the other, all in the window or none: they end together.
void shareOutSteps(std::vector<TokenTime>& rows) {
    for (size_t first = 0, end = 0; first < rows.size(); first = end) {
        TokenTime step{.range = {}};
        for (end = first; end < rows.size(); ++end) {
            const TokenTime& row = rows[end];
            const auto place = static_cast<int64_t>(end - first);
            if (place > 0 && (row.place != place || row.repeat != rows[first].repeat)) break;
            step.range.endNs += row.range.durationNs();
            step.busyNs += row.busyNs;
            step.idleNs += row.idleNs;
            step.launchCount += row.launchCount;
            step.kernelCount += row.kernelCount;
        }
        const auto count = static_cast<int64_t>(end - first);
        for (size_t i = first; i < end; ++i) {
            const auto place = static_cast<int64_t>(i - first);
            rows[i].cut = rows[i].cut || rows[first].cut;
            rows[i].share = {.ns = partOf(step.range.durationNs(), place, count),
                             .busyNs = partOf(step.busyNs, place, count),
                             .idleNs = partOf(step.idleNs, place, count),
                             .launches = static_cast<double>(step.launchCount) / static_cast<double>(count),
                             .kernels = static_cast<double>(step.kernelCount) / static_cast<double>(count)};
        }
    }
}

}  // namespace

std::vector<std::pair<int16_t, int32_t>> stepNumbers(const FoundSteps& steps) {
    std::vector<std::pair<int16_t, int32_t>> numbers;
    int16_t request = -1;
    int32_t index = 0;
    for (const FoundStep& step : steps.steps) {
        if (step.prompt || request < 0) {
            if (request < std::numeric_limits<int16_t>::max()) ++request;
            index = step.prompt ? -1 : 0;
        }
        numbers.emplace_back(request, index);
        index = index < 0 ? 1 : index + 1;
    }
    return numbers;
}

TokenWorks tokenWorks(const Trace& trace, const LaunchJoin& join, const FoundSteps& steps, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    TokenWorks work;
    if (join.callOfOp.size() != ops.startNs.size()) return work;
    if (!trace.run()) return worksOf(trace, join, steps);
    TokenWork* token = nullptr;
    TokenWorks::key_type last;
    const auto tokenOf = [&](size_t row) -> TokenWork& {
        const TokenWorks::key_type key{ops.repeat[row], ops.token[row]};
        if (!token || key != last) token = &work[last = key];
        return *token;
    };
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return work;
        if (ops.token[row] == kNoToken) continue;
        TokenWork& of = tokenOf(row);
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        if (!of.device) of.device = range;
        of.device->startNs = std::min(of.device->startNs, range.startNs);
        of.device->endNs = std::max(of.device->endNs, range.endNs);
        if (ops.kind[row] == DeviceOpKind::Kernel) ++of.kernelCount;
    }
    // A call counts once, though a graph of the prompt also works for the first token: where its work began.
    for (uint32_t call = 0; call < trace.apiCalls().startNs.size(); ++call) {
        if ((call & 0xFFFF) == 0 && stop.stop_requested()) return work;
        const auto owned = join.opsOf(call);
        const auto first = std::ranges::find_if(owned, [&](uint32_t row) { return ops.token[row] != kNoToken; });
        if (first != owned.end()) ++tokenOf(*first).launchCount;
    }
    for (uint32_t row = 0; row < trace.tokens().emittedNs.size(); ++row)
        work[{trace.tokens().repeat[row], trace.tokens().index[row]}].emitted = row;
    return work;
}

TokenTable tokenTable(const Trace& trace, const TokenWorks& works, const FoundSteps& steps,
                      std::span<const Coverage> busy, TimeRange window) {
    TokenTable table{.source = trace.run() && !works.empty() ? StepSource::Recorded : steps.source,
                     .confidence = trace.run() ? 1 : steps.confidence,
                     .sentence = steps.sentence(),
                     .opsPerStep = static_cast<int64_t>(steps.opsPerStep),
                     .layersPerStep = steps.layersPerStep,
                     .layerConfidence = steps.layerConfidence};
    std::optional<int16_t> repeat;
    std::optional<int64_t> previousEndNs;
    bool previousFromDevice = false;
    for (const auto& [key, of] : works) {
        if (repeat != key.first) {
            repeat = key.first;
            previousEndNs.reset();
        }
        TokenTime row{.repeat = key.first, .index = key.second};
        row.launchCount = of.launchCount;
        row.kernelCount = of.kernelCount;
        if (of.emitted) {
            row.id = trace.tokens().id[*of.emitted];
            row.text = trace.string(trace.tokens().text[*of.emitted]);
            row.drafted = trace.tokens().drafted[*of.emitted];
            row.accepted = trace.tokens().accepted[*of.emitted];
            row.place = trace.tokens().place[*of.emitted];
            row.sequence = trace.tokens().sequence[*of.emitted];
        }
        if (of.device) {
            const int64_t startNs = previousEndNs.value_or(of.device->startNs);
            row.range = {startNs, std::max(startNs, of.device->endNs)};
        } else {
            // The first token often comes straight out of prompt processing and has no work of its own, nor have those
            // that came with another in one step; others without work are known only by when they were told.
            const int64_t emittedNs = trace.tokens().emittedNs[*of.emitted];
            const int64_t startNs = previousEndNs.value_or(emittedNs);
            row.fromDevice = key.second == 0 ? previousEndNs.has_value() : row.place > 0 && previousFromDevice;
            row.range = {startNs, row.fromDevice ? startNs : std::max(startNs, emittedNs)};
        }
        previousEndNs = row.range.endNs;
        previousFromDevice = row.fromDevice;
        if (row.range.endNs <= window.startNs || row.range.endNs > window.endNs) continue;
        row.cut = row.range.startNs < window.startNs;
        row.range = row.range.clippedTo(window);
        for (const Coverage& device : busy)
            row.busyNs += device.coveredNs(row.range);
        row.idleNs = row.range.durationNs() * static_cast<int64_t>(busy.size()) - row.busyNs;
        table.rows.push_back(std::move(row));
    }
    shareOutSteps(table.rows);
    return table;
}

double TokenTable::tokensPerSecond() const {
    int64_t count = 0, ns = 0;
    for (const TokenTime& row : rows) {
        if (row.index <= 0 || row.cut) continue;
        ++count;
        ns += row.range.durationNs();
    }
    return ns > 0 ? static_cast<double>(count) * 1e9 / static_cast<double>(ns) : 0;
}

TokenTable tokenTable(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop) {
    return tokenTable(trace, join, findSteps(trace, join, stop), window, stop);
}

TokenTable tokenTable(const Trace& trace, const LaunchJoin& join, const FoundSteps& steps, TimeRange window,
                      std::stop_token stop) {
    const TokenWorks works = tokenWorks(trace, join, steps, stop);
    if (works.empty()) return {};
    std::vector<Coverage> busy;
    for (DeviceBusy& device : deviceBusy(trace, trace.extent(), stop))
        busy.emplace_back(std::move(device.busy));
    if (stop.stop_requested()) return {};
    return tokenTable(trace, works, steps, busy, window);
}

TokenTable tokenTable(const Trace& trace, TimeRange window, std::stop_token stop) {
    return tokenTable(trace, joinLaunches(trace, stop), window, stop);
}

}  // namespace gapscope
