#include "core/analysis/figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "core/analysis/gap_cause_titles.h"
#include "core/analysis/roofline.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

class FigureList {
public:
    void ns(std::string name, std::string title, std::optional<double> value, Better better = Better::Less) {
        add(std::move(name), std::move(title), FigureUnit::Nanoseconds, better, value);
    }
    void ns(std::string name, std::string title, int64_t value, Better better = Better::Less) {
        ns(std::move(name), std::move(title), std::optional(static_cast<double>(value)), better);
    }
    void count(std::string name, std::string title, int64_t value, Better better = Better::Less) {
        add(std::move(name), std::move(title), FigureUnit::Count, better, static_cast<double>(value));
    }
    void add(std::string name, std::string title, FigureUnit unit, Better better, std::optional<double> value) {
        figures.push_back(
            {.name = std::move(name), .title = std::move(title), .unit = unit, .better = better, .value = value});
    }
    std::vector<Figure> figures;
};

std::optional<double> when(bool known, double value) {
    return known ? std::optional(value) : std::nullopt;
}

std::optional<double> medianOf(std::vector<double> values) {
    if (values.empty()) return std::nullopt;
    std::ranges::sort(values);
    const size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Tokens after the first that lie in the window as a whole, as TokenTable::tokensPerSecond() counts them.
void addTokens(FigureList& list, const TokenTable& table, double floorNsPerToken) {
    std::vector<int64_t> times, busy, idle;
    std::vector<double> launches, kernels;
    for (const TokenTime& row : table.rows) {
        if (row.index <= 0 || row.cut) continue;
        times.push_back(row.share.ns);
        busy.push_back(row.share.busyNs);
        idle.push_back(row.share.idleNs);
        launches.push_back(row.share.launches);
        kernels.push_back(row.share.kernels);
    }
    const bool known = !times.empty();
    const auto median = [&](const std::vector<int64_t>& of) { return when(known, distributionOf(of).medNs); };
    const Distribution all = distributionOf(times);
    const Percentiles percentiles = percentilesOf(times);
    list.add("tokens.count", "whole tokens after the first", FigureUnit::Count, Better::Neither,
             static_cast<double>(all.count));
    list.ns("tokens.medNs", "a token, median", when(known, all.medNs));
    list.ns("tokens.avgNs", "a token, mean", when(known, all.avgNs));
    list.ns("tokens.p90Ns", "a token, 90th percentile", when(known, static_cast<double>(percentiles.p90Ns)));
    list.ns("tokens.p99Ns", "a token, 99th percentile", when(known, static_cast<double>(percentiles.p99Ns)));
    list.ns("tokens.busyMedNs", "busy a token, median", median(busy));
    list.ns("tokens.idleMedNs", "idle a token, median", median(idle));
    list.add("tokens.launchMedCount", "launches a token, median", FigureUnit::Count, Better::Less,
             medianOf(std::move(launches)));
    list.add("tokens.kernelMedCount", "kernels a token, median", FigureUnit::Count, Better::Less,
             medianOf(std::move(kernels)));
    list.ns("floorNsPerToken", "memory floor of a token", when(floorNsPerToken > 0, floorNsPerToken), Better::Neither);
    list.add("floorShare", "share of the memory floor's speed", FigureUnit::Share, Better::More,
             when(known && floorNsPerToken > 0 && all.avgNs > 0, floorNsPerToken / all.avgNs));
}

void addDistribution(FigureList& list, const std::string& name, const std::string& title, const Distribution& times,
                     const Percentiles& percentiles) {
    const bool known = times.count > 0;
    list.count(name + ".count", title + ", launches", times.count, Better::Neither);
    list.ns(name + ".avgNs", title + ", mean", when(known, times.avgNs));
    list.ns(name + ".medNs", title + ", median", when(known, times.medNs));
    list.ns(name + ".p90Ns", title + ", 90th percentile", when(known, static_cast<double>(percentiles.p90Ns)));
    list.ns(name + ".p99Ns", title + ", 99th percentile", when(known, static_cast<double>(percentiles.p99Ns)));
    list.ns(name + ".maxNs", title + ", longest", when(known, static_cast<double>(times.maxNs)));
}

// HTA's classes, over all streams.
void addStreamIdle(FigureList& list, const std::vector<StreamIdle>& streams) {
    static constexpr std::array<const char*, kStreamIdleClassCount> kTitles = {"host wait", "kernel wait", "other"};
    for (size_t i = 0; i < kTitles.size(); ++i) {
        int64_t ns = 0, count = 0;
        for (const StreamIdle& stream : streams) {
            ns += stream.classes[i].totalNs;
            count += stream.classes[i].count;
        }
        const std::string name(kStreamIdleClassNames[i]), title = "idle of streams (HTA): " + std::string(kTitles[i]);
        list.ns("streamIdleNs." + name, title, ns);
        list.count("streamIdleCount." + name, title + ", intervals", count, Better::Neither);
    }
}

// What each remedy would make of a token, and of the window.
void addWhatIf(FigureList& list, const WhatIf& whatIf) {
    for (const auto& [name, title] : kWhatIfTitles) {
        const Prediction* prediction = whatIf.find(name);
        const bool told = prediction && prediction->unavailable.empty();
        const std::string key = "whatIf." + std::string(name), text = "what if " + std::string(title);
        list.ns(
            key + ".tokenNs", text + ": a token, median",
            when(told && prediction->predictedMedianNsPerToken > 0, told ? prediction->predictedMedianNsPerToken : 0),
            Better::Neither);
        list.ns(key + ".windowNs", text + ": the window",
                when(told, told ? static_cast<double>(prediction->predictedNs) : 0), Better::Neither);
    }
}

void addRates(FigureList& list, const std::string& prefix, const std::string& title, const Throughput& of) {
    list.add(prefix + "bytesPerSecond", title + " bandwidth", FigureUnit::BytesPerSecond, Better::More,
             when(of.ns > 0, of.bytesPerSecond()));
    list.add(prefix + "flopsPerSecond", title + " arithmetic", FigureUnit::FlopsPerSecond, Better::More,
             when(of.ns > 0, of.flopsPerSecond()));
}

void addRun(FigureList& list, const std::optional<Phases>& phases) {
    const Phases of = phases.value_or(Phases());
    const auto known = [&](int64_t value) { return when(phases && value > 0, static_cast<double>(value)); };
    list.add("run.newTokenCount", "new tokens", FigureUnit::Count, Better::Neither, known(of.newTokenCount));
    list.ns("run.timeToFirstTokenNs", "time to first token", known(of.timeToFirstTokenNs));
    list.ns("run.prefillNs", "prefill", known(of.prefillNs));
    list.ns("run.decodeNs", "decode", known(of.decodeNs));
    list.add("run.tokensPerSecond", "tokens a second", FigureUnit::TokensPerSecond, Better::More,
             when(phases && of.tokensPerSecond > 0, of.tokensPerSecond));
}

}  // namespace

WindowFacts windowFacts(const PreparedWindow& of, std::stop_token stop, FactsOf what) {
    WindowFacts facts;
    WindowAnalysis analysis = analyze(of);
    facts.summary = std::move(analysis.summary);
    if (stop.stop_requested()) return facts;
    facts.kernels = kernelSummary(of);
    facts.layers = layerTable(of);
    facts.tokens = tokenTable(of);
    if (stop.stop_requested()) return facts;
    facts.launches = launchStatistics(of.prepared.trace(), of.prepared.join(), launchesIn(of), {}, stop);
    facts.streamIdle = streamIdle(of.prepared.trace(), of.prepared.join(), of.window, kHtaKernelWaitNs, stop);
    facts.floorNsPerToken = memoryFloorNsPerToken(of.prepared.trace(), facts.summary.throughput.peakBytesPerSecond);
    if (what == FactsOf::Phase || stop.stop_requested()) return facts;
    facts.culprits = culprits(of.prepared.trace(), analysis.gaps.gaps, stop);
    facts.whatIf = whatIf(of.prepared.trace(), of.prepared.join(), of.window, {}, stop);
    return facts;
}

std::vector<Figure> figuresOf(const WindowFacts& facts) {
    const Summary& summary = facts.summary;
    FigureList list;
    list.ns("windowNs", "window", summary.window.durationNs());
    addRun(list, summary.phases);
    addTokens(list, facts.tokens, facts.floorNsPerToken);
    const double allNs = static_cast<double>(summary.gpuBusyNs + summary.gpuIdleNs);
    list.ns("gpuBusyNs", "device busy", summary.gpuBusyNs);
    list.ns("gpuIdleNs", "device idle", summary.gpuIdleNs);
    list.add("gpuIdleShare", "idle share", FigureUnit::Share, Better::Less,
             when(allNs > 0, static_cast<double>(summary.gpuIdleNs) / allNs));
    for (size_t i = 0; i < kGapCauseTitles.size(); ++i)
        list.ns("gapCauseNs." + std::string(kGapCauseNames[i]), "idle: " + std::string(kGapCauseTitles[i]),
                summary.gapCauses.ns[i]);
    addStreamIdle(list, facts.streamIdle);
    list.ns("selfGpuNs", "self GPU", summary.selfGpuNs);
    list.ns("selfCpuNs", "self CPU", summary.host.selfCpuNs);
    list.ns("cpuLaunchingNs", "CPU launching", summary.host.cpuLaunchingNs);
    list.ns("hostWaitNs", "CPU waiting", summary.host.hostWaitNs, Better::Neither);
    list.ns("hostNs", "CPU outside the API", summary.host.hostNs);
    list.count("kernelCount", "kernels", summary.kernelCount);
    list.count("copyCount", "copies and sets", summary.copyCount);
    list.count("graphLaunchCount", "whole graph launches", summary.graphLaunchCount, Better::Neither);
    list.count("launchCount", "launches", summary.host.launchCount);
    list.count("gapCount", "gaps", summary.gapCount);
    addDistribution(list, "launchLatency", "launch latency", summary.launchLatency, facts.launches.latency);
    addDistribution(list, "queueDelay", "queue delay", summary.queueDelay, facts.launches.queueDelay);
    list.count("shortLaunchCount", "launches longer than their work",
               static_cast<int64_t>(facts.launches.shortLaunches.size()));
    static constexpr std::array kTwoWay = {std::pair{TwoWay::Gemm, "gemm"},
                                           std::pair{TwoWay::Elementwise, "elementwise"},
                                           std::pair{TwoWay::Other, "other"}};
    for (const auto& [part, name] : kTwoWay)
        list.ns("twoWayNs." + std::string(name), "two-way: " + std::string(name), summary.categories[part].ns);
    for (size_t i = 0; i < kCategoryNames.size(); ++i) {
        const std::string name(kCategoryNames[i]);
        list.ns("categoryNs." + name, name, summary.categories.categories[i].ns);
        list.count("categoryCount." + name, name + ", operations", summary.categories.categories[i].count);
        addRates(list, "categoryThroughput." + name + ".", name, summary.throughput.categories[i]);
    }
    addRates(list, "throughput.", "all operations,", summary.throughput.all);
    addWhatIf(list, facts.whatIf);
    return list.figures;
}

std::string figureText(FigureUnit unit, std::optional<double> value) {
    if (!value) return {};
    switch (unit) {
        case FigureUnit::Nanoseconds:
            return formatDuration(std::llround(*value));
        case FigureUnit::Count: {
            const auto whole = static_cast<int64_t>(*value);
            const double rest = *value - std::floor(*value);
            if (rest == 0) return formatCount(whole);
            if (rest == 0.5) return formatCount(whole) + ".5";  // a median of counts
            char text[32];
            std::snprintf(text, sizeof text, "%.2f", *value);  // a share of a step's
            return text;
        }
        case FigureUnit::BytesPerSecond:
            return formatRate(*value, "B/s");
        case FigureUnit::FlopsPerSecond:
            return formatRate(*value, "FLOP/s");
        case FigureUnit::TokensPerSecond:
            return formatRate(*value, "tokens/s");
        case FigureUnit::Share:
            return formatPercent(*value);
    }
    return {};
}

std::string differenceText(FigureUnit unit, std::optional<double> difference) {
    if (!difference) return {};
    const std::string size = figureText(unit, std::abs(*difference));
    if (*difference == 0) return size;
    // "+12.0 %" of a share could be read as a part of it.
    return (*difference < 0 ? "−" : "+") + (unit == FigureUnit::Share ? size + " points" : size);
}

}  // namespace gapscope
