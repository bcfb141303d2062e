#include "core/analysis/verdict.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/format.h"

namespace gapscope {

namespace {

double shareOf(int64_t part, int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// "of it 71 % the host outside the API, 20 % ...": the causes that make up most of the idle time, largest first.
std::string causeSentence(const GapCauses& causes) {
    static constexpr std::array<std::string_view, kGapCauseCount> kWords = {"the host waiting in synchronizing calls",
                                                                            "the host inside other API calls",
                                                                            "the host outside the API",
                                                                            "the profiler",
                                                                            "running launch calls",
                                                                            "latency between launch and start",
                                                                            "without a known cause"};
    std::array<size_t, kGapCauseCount> order;
    for (size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::ranges::stable_sort(order, std::ranges::greater{}, [&](size_t i) { return causes.ns[i]; });
    std::string text = "Of the idle time";
    int named = 0;
    for (const size_t i : order) {
        const double share = shareOf(causes.ns[i], causes.totalNs());
        if (share < 0.05 || named == 3) break;
        ++named;
        text += ", " + formatPercent(share) + " is " + std::string(kWords[i]);
    }
    return text + ".";
}

std::string ratePart(double achieved, double peak, const char* unit) {
    return formatRate(achieved, unit) + ", " + formatPercent(achieved / peak) + " of the measured " +
           formatRate(peak, unit);
}

// "Inside kernels with stages 42 % of the time goes to matrix products, ...": largest first.
std::string stageSentence(const StageShares& stages) {
    std::array<std::pair<int64_t, const char*>, 4> parts = {{{stages.productNs, "to matrix products"},
                                                             {stages.inputNs, "to bringing their inputs to all blocks"},
                                                             {stages.attentionNs, "to attention"},
                                                             {stages.otherNs, "to the rest"}}};
    std::ranges::stable_sort(parts, std::ranges::greater{}, [](const auto& part) { return part.first; });
    std::string text = "Of the time inside kernels with stages";
    for (const auto& [ns, what] : parts)
        if (ns > 0)
            text += ", " + formatPercent(shareOf(ns, stages.totalNs)) + (ns == parts[0].first ? " goes " : " ") + what;
    return text + ".";
}

}  // namespace

std::string_view boundName(Bound bound) {
    switch (bound) {
        case Bound::Overhead:
            return "overhead-bound";
        case Bound::Memory:
            return "memory-bound";
        case Bound::Compute:
            return "compute-bound";
        case Bound::Unknown:
            return "unknown";
    }
    return "unknown";
}

Verdict verdict(TimeRange window, int64_t busyNs, int64_t idleNs, const GapCauses& causes, const ThroughputTable& rates,
                const StageShares& stages) {
    Verdict result;
    if (window.empty() || busyNs + idleNs <= 0 || busyNs == 0) {
        result.sentence = "No device operation in the window: nothing to judge.";
        return result;
    }
    const auto add = [&](Evidence about, std::string sentence) {
        result.evidence.push_back(std::move(sentence));
        result.about.push_back(about);
    };
    const double idle = shareOf(idleNs, busyNs + idleNs);
    add(Evidence::Idle, "The device is idle " + formatPercent(idle) + " of the window (" + formatDuration(idleNs) +
                            " of " + formatDuration(busyNs + idleNs) + "); from " + formatPercent(kOverheadIdleShare) +
                            " it counts as overhead-bound.");
    if (causes.totalNs() > 0) add(Evidence::Cause, causeSentence(causes));

    const bool knowsBytes = rates.all.bytes > 0 && rates.peakBytesPerSecond > 0;
    const bool knowsFlops = rates.all.flops > 0 && rates.peakFlopsPerSecond > 0;
    const double memory = knowsBytes ? rates.all.bytesPerSecond() / rates.peakBytesPerSecond : 0;
    const double compute = knowsFlops ? rates.all.flopsPerSecond() / rates.peakFlopsPerSecond : 0;
    if (knowsBytes) {
        add(Evidence::Bandwidth, "While busy, operations move " +
                                     ratePart(rates.all.bytesPerSecond(), rates.peakBytesPerSecond, "B/s") + ".");
    }
    if (knowsFlops) {
        add(Evidence::Arithmetic, "While busy, operations compute " +
                                      ratePart(rates.all.flopsPerSecond(), rates.peakFlopsPerSecond, "FLOP/s") + ".");
    }

    if (stages.totalNs > 0) add(Evidence::StageRows, stageSentence(stages));

    if (idle >= kOverheadIdleShare) {
        result.bound = Bound::Overhead;
        result.sentence = "Overhead-bound: the device is idle " + formatPercent(idle) + " of the window.";
    } else if (std::max(memory, compute) >= kNearPeakShare) {
        add(Evidence::None, "A rate counts as the limit from " + formatPercent(kNearPeakShare) +
                                " of its peak; the one nearer to its peak is named.");
        const bool byMemory = memory >= compute;
        result.bound = byMemory ? Bound::Memory : Bound::Compute;
        result.sentence = byMemory
                              ? "Memory-bound: operations reach " + formatPercent(memory) + " of peak bandwidth."
                              : "Compute-bound: operations reach " + formatPercent(compute) + " of peak arithmetic.";
    } else if (knowsBytes || knowsFlops) {
        add(Evidence::None, "Neither rate reaches " + formatPercent(kNearPeakShare) + " of its peak.");
        result.sentence = "Unknown: the device is busy, but neither bandwidth nor arithmetic is near its peak.";
        // What no rate shows: inside its kernels, blocks wait for one another.
        if (const double waits = shareOf(stages.inputNs, stages.totalNs); waits >= kInputShare) {
            result.sentence.back() = ';';
            result.sentence += " inside its kernels " + formatPercent(waits) +
                               " of the time goes by until products have their inputs.";
        }
    } else {
        add(Evidence::None,
            "Bytes and operations per kernel or the device's peaks are not known, so memory-bound and compute-bound "
            "cannot be "
            "told apart.");
        result.sentence = "Unknown: the device is busy " + formatPercent(1 - idle) +
                          " of the window; the trace does not tell bytes and flops.";
    }
    return result;
}

}  // namespace gapscope
