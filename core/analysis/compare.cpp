#include "core/analysis/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/analysis/phase_windows.h"
#include "core/trace/run_words.h"

namespace gapscope {

namespace {

std::vector<FigureDelta> figureDeltas(const WindowFacts& before, const WindowFacts& after) {
    std::vector<Figure> left = figuresOf(before), right = figuresOf(after);
    std::vector<FigureDelta> deltas;
    deltas.reserve(left.size());
    for (size_t i = 0; i < left.size(); ++i)
        deltas.push_back({.name = std::move(left[i].name),
                          .title = std::move(left[i].title),
                          .unit = left[i].unit,
                          .better = left[i].better,
                          .before = left[i].value,
                          .after = right[i].value});
    return deltas;
}

// Largest change first, whichever way it went; equal ones by what they are called.
template <class Delta>
void sortByChange(std::vector<Delta>& deltas) {
    std::ranges::sort(deltas, [](const Delta& a, const Delta& b) {
        const int64_t left = std::abs(a.differenceNs()), right = std::abs(b.differenceNs());
        return left != right ? left > right : a.name < b.name;
    });
}

std::vector<KernelDelta> kernelDeltas(const Trace& traceBefore, const KernelSummary& before, const Trace& traceAfter,
                                      const KernelSummary& after) {
    std::map<std::pair<DeviceOpKind, std::string_view>, KernelDelta> byName;
    const auto deltaOf = [&](const Trace& trace, const KernelRow& row) -> KernelDelta& {
        KernelDelta& delta = byName[{row.kind, trace.string(row.name)}];
        delta.name = trace.string(row.name);
        delta.kind = row.kind;
        delta.category = row.category;
        return delta;
    };
    for (const auto* rows : {&before.kernels, &before.others})
        for (const KernelRow& row : *rows) {
            KernelDelta& delta = deltaOf(traceBefore, row);
            delta.nameBefore = row.name;
            delta.before = row.times;
        }
    for (const auto* rows : {&after.kernels, &after.others})
        for (const KernelRow& row : *rows) {
            KernelDelta& delta = deltaOf(traceAfter, row);
            delta.nameAfter = row.name;
            delta.after = row.times;
        }
    std::vector<KernelDelta> deltas;
    for (auto& [name, delta] : byName)
        deltas.push_back(std::move(delta));
    sortByChange(deltas);
    return deltas;
}

void add(std::optional<Work>& work, const LayerOpTime& row) {
    if (!work) work.emplace();
    work->count += row.count;
    work->ns += row.totalNs;
    work->ownNs += row.ownNs;
    work->bytes += row.bytes;
    work->flops += row.flops;
}

std::vector<WorkDelta> roleDeltas(const Trace& traceBefore, const LayerTable& before, const Trace& traceAfter,
                                  const LayerTable& after) {
    std::map<std::string_view, WorkDelta> byName;
    const auto deltaOf = [&](const Trace& trace, const LayerOpTime& row) -> WorkDelta& {
        WorkDelta& delta = byName[trace.string(row.name)];
        delta.name = trace.string(row.name);
        delta.category = row.category;
        return delta;
    };
    for (const LayerOpTime& row : before.ops)
        add(deltaOf(traceBefore, row).before, row);
    for (const LayerOpTime& row : after.ops)
        add(deltaOf(traceAfter, row).after, row);
    std::vector<WorkDelta> deltas;
    for (auto& [name, delta] : byName)
        deltas.push_back(std::move(delta));
    sortByChange(deltas);
    return deltas;
}

std::vector<WorkDelta> layerDeltas(const LayerTable& before, const LayerTable& after) {
    std::map<int32_t, WorkDelta> byLayer;
    for (const LayerOpTime& row : before.layers) {
        byLayer[row.layer].layer = row.layer;
        add(byLayer[row.layer].before, row);
    }
    for (const LayerOpTime& row : after.layers) {
        byLayer[row.layer].layer = row.layer;
        add(byLayer[row.layer].after, row);
    }
    std::vector<WorkDelta> deltas;
    for (auto& [layer, delta] : byLayer)
        deltas.push_back(std::move(delta));
    return deltas;
}

// Tokens by (how manieth repeat of the window, number).
using NumberedTokens = std::map<std::pair<size_t, int32_t>, const TokenTime*>;

NumberedTokens numbered(const TokenTable& table) {
    NumberedTokens tokens;
    std::map<int16_t, size_t> ordinals;
    for (const TokenTime& row : table.rows)
        tokens[{ordinals.try_emplace(row.repeat, ordinals.size()).first->second, row.index}] = &row;
    return tokens;
}

std::vector<TokenDelta> tokenDeltas(const TokenTable& before, const TokenTable& after) {
    const NumberedTokens left = numbered(before), right = numbered(after);
    std::vector<TokenDelta> deltas;
    const bool share = std::ranges::any_of(left, [&](const auto& token) { return right.contains(token.first); });
    if (!share) {
        deltas.resize(std::max(before.rows.size(), after.rows.size()));
        for (size_t i = 0; i < deltas.size(); ++i) {
            if (i < before.rows.size()) deltas[i].before = before.rows[i];
            if (i < after.rows.size()) deltas[i].after = after.rows[i];
        }
        return deltas;
    }
    std::map<NumberedTokens::key_type, TokenDelta> byNumber;
    for (const auto& [key, token] : left)
        byNumber[key].before = *token;
    for (const auto& [key, token] : right)
        byNumber[key].after = *token;
    for (auto& [key, delta] : byNumber)
        deltas.push_back(std::move(delta));
    return deltas;
}

std::vector<CulpritDelta> culpritDeltas(const std::vector<Culprit>& before, const std::vector<Culprit>& after) {
    // A range may be called as an API call is: the kind is part of the key, though not of the title.
    std::map<std::pair<CulpritKind, std::string>, CulpritDelta> byName;
    for (const Culprit& culprit : before)
        byName[{culprit.kind, culpritTitle(culprit)}].before = culprit;
    for (const Culprit& culprit : after)
        byName[{culprit.kind, culpritTitle(culprit)}].after = culprit;
    std::vector<CulpritDelta> deltas;
    for (auto& [key, delta] : byName) {
        delta.name = key.second;
        deltas.push_back(std::move(delta));
    }
    sortByChange(deltas);
    return deltas;
}

// What the run before says of one with drafts; the mode is the same.
std::optional<PredictionCheck> speculationCheck(const PreparedWindow& before, const Comparison& comparison,
                                                const RunInfo& runAfter, std::stop_token stop) {
    const auto& phases = comparison.after.summary.phases;
    const Prediction* prediction = comparison.before.whatIf.find("speculative");
    // What a draft model takes is not predicted.
    if (!prediction || !phases || runAfter.speculation != "ngram") return std::nullopt;
    return PredictionCheck{.name = prediction->name,
                           .title = prediction->title,
                           .figure = "tokens.avgNs",
                           .predictedNs = speculativeNsPerToken(before.prepared.trace(), before.prepared.join(),
                                                                before.window, phases->drafts, stop)};
}

// The same of a batch of several prompts. The median token is one of a step of all that go at once.
std::optional<PredictionCheck> batchCheck(const PreparedWindow& before, const RunInfo& runAfter, std::stop_token stop) {
    constexpr int64_t kMost = 1024;  // a file may say anything
    if (promptsAStep(runAfter) < 1 || promptsAStep(runAfter) > kMost) return std::nullopt;
    const int sequences = static_cast<int>(promptsAStep(runAfter));
    const BatchForecast forecast =
        batchForecast(before.prepared.trace(), before.prepared.join(), before.window, sequences, stop);
    return PredictionCheck{.name = "batch",
                           .title = "Batch of " + std::to_string(sequences) + " prompts",
                           .figure = "tokens.medNs",
                           .predictedNs = forecast.medianNsPerStep / sequences};
}

std::optional<PredictionCheck> modeCheck(const Comparison& comparison, const RunInfo& runAfter) {
    const auto& all = comparison.before.whatIf.predictions;
    const auto prediction = std::ranges::find(all, runAfter.mode, &Prediction::mode);
    if (prediction == all.end() || !prediction->unavailable.empty()) return std::nullopt;
    return PredictionCheck{.name = prediction->name,
                           .title = prediction->title,
                           .figure = "tokens.medNs",
                           .predictedNs = prediction->predictedMedianNsPerToken};
}

// Of one change: to drafts, to a batch or to another mode.
std::optional<PredictionCheck> predictionCheck(const PreparedWindow& before, const Comparison& comparison,
                                               const RunInfo* runBefore, const RunInfo* runAfter,
                                               std::stop_token stop) {
    if (!runBefore || !runAfter || speculates(*runBefore)) return std::nullopt;
    if (runBefore->modelName != runAfter->modelName || runBefore->deviceName != runAfter->deviceName ||
        runBefore->precision != runAfter->precision)
        return std::nullopt;
    const bool sameMode = runBefore->mode == runAfter->mode;
    const bool sameBatch = runBefore->batch == runAfter->batch && runBefore->sequences == runAfter->sequences;
    std::optional<PredictionCheck> check;
    if (speculates(*runAfter)) {
        if (sameMode && sameBatch) check = speculationCheck(before, comparison, *runAfter, stop);
    } else if (!sameBatch) {
        if (sameMode && runBefore->batch == 0) check = batchCheck(before, *runAfter, stop);
    } else if (!sameMode) {
        check = modeCheck(comparison, *runAfter);
    }
    if (!check) return std::nullopt;
    const FigureDelta* measured = comparison.find(check->figure);
    if (!measured || !measured->after || check->predictedNs <= 0) return std::nullopt;
    check->measuredNs = *measured->after;
    return check;
}

std::vector<PhaseWindow> phasesOf(const WindowFacts& facts) {
    if (facts.tokens.rows.empty()) return {};
    const auto& phases = facts.summary.phases;
    return phaseWindows(facts.tokens, phases ? phases->repeat : longestRepeat(facts.tokens));
}

std::vector<PhaseDelta> phaseDeltas(const PreparedTrace& before, const WindowFacts& factsBefore,
                                    const PreparedTrace& after, const WindowFacts& factsAfter, std::stop_token stop) {
    std::vector<PhaseDelta> deltas;
    const std::vector<PhaseWindow> right = phasesOf(factsAfter);
    for (const PhaseWindow& phase : phasesOf(factsBefore)) {
        const auto same = std::ranges::find(right, phase.name, &PhaseWindow::name);
        if (same == right.end() || stop.stop_requested()) continue;
        PhaseDelta delta{.name = phase.name, .before = phase.range, .after = same->range, .figures = {}};
        delta.figures = figureDeltas(windowFacts({before, phase.range}, stop, FactsOf::Phase),
                                     windowFacts({after, same->range}, stop, FactsOf::Phase));
        std::erase_if(delta.figures, [](const FigureDelta& figure) {
            return figure.name.starts_with("run.") || figure.name.starts_with("whatIf.");
        });
        deltas.push_back(std::move(delta));
    }
    return deltas;
}

}  // namespace

std::optional<double> FigureDelta::difference() const {
    return before && after ? std::optional(*after - *before) : std::nullopt;
}

std::optional<double> FigureDelta::relativeChange() const {
    const auto change = difference();
    return change && *before != 0 ? std::optional(*change / *before) : std::nullopt;
}

std::optional<bool> FigureDelta::improved() const {
    const auto change = difference();
    if (!change || *change == 0 || better == Better::Neither) return std::nullopt;
    return (*change < 0) == (better == Better::Less);
}

const FigureDelta* Comparison::findFigure(std::span<const FigureDelta> figures, std::string_view name) {
    const auto it = std::ranges::find(figures, name, &FigureDelta::name);
    return it == figures.end() ? nullptr : &*it;
}

int64_t Comparison::kernelCountOf(Presence presence) const {
    return std::ranges::count(kernels, presence, &KernelDelta::presence);
}

Comparison compare(const PreparedWindow& before, const PreparedWindow& after, std::stop_token stop) {
    Comparison result;
    result.before = windowFacts(before, stop);
    result.after = windowFacts(after, stop);
    if (stop.stop_requested()) return result;
    const Trace &left = before.prepared.trace(), &right = after.prepared.trace();
    result.figures = figureDeltas(result.before, result.after);
    result.kernels = kernelDeltas(left, result.before.kernels, right, result.after.kernels);
    result.roles = roleDeltas(left, result.before.layers, right, result.after.layers);
    result.layers = layerDeltas(result.before.layers, result.after.layers);
    result.tokens = tokenDeltas(result.before.tokens, result.after.tokens);
    result.phases = phaseDeltas(before.prepared, result.before, after.prepared, result.after, stop);
    result.culprits = culpritDeltas(result.before.culprits, result.after.culprits);
    if (stop.stop_requested()) return result;
    result.prediction = predictionCheck(before, result, left.run(), right.run(), stop);
    result.sentence = whatChanged(result);
    return result;
}

std::optional<double> regressionPercent(const FigureDelta& figure) {
    if (!figure.difference() || figure.better == Better::Neither) return std::nullopt;
    const double worse = figure.better == Better::Less ? *figure.difference() : -*figure.difference();
    if (worse == 0) return 0;
    if (*figure.before == 0) return std::copysign(std::numeric_limits<double>::infinity(), worse);
    return worse * 100 / *figure.before;
}

std::string_view defaultRegressionFigure(const Comparison& comparison) {
    const FigureDelta* token = comparison.find("tokens.medNs");
    return token && token->difference() ? "tokens.medNs" : "windowNs";
}

}  // namespace gapscope
