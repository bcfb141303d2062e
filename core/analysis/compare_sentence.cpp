// What changed between two windows, in words: the time, then which part of it, then what runs now and did not.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/analysis/compare.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

constexpr double kSameShare = 0.01;  // changes below this share of the time are called none
constexpr double kWorthShare = 0.1;  // a cause is named if it makes at least this share of the change

std::string timeText(double ns) {
    return formatDuration(std::llround(ns));
}

std::string factorText(double factor) {
    char text[32];
    std::snprintf(text, sizeof text, factor < 9.995 ? "%.2f" : "%.1f", factor);
    return text;
}

struct Part {
    std::string name;
    double difference = 0;  // ns of what the sentence is about
};

// Busy time and the causes of idle time, as parts of the change, largest first.
std::vector<Part> partsOf(std::span<const FigureDelta> figures, double perBefore, double perAfter) {
    std::vector<Part> parts;
    for (const FigureDelta& figure : figures) {
        const bool isCause = figure.name.starts_with("gapCauseNs.");
        if ((!isCause && figure.name != "gpuBusyNs") || !figure.difference()) continue;
        std::string name = figure.title;  // "idle: launch call"
        if (const size_t colon = name.find(": "); isCause && colon != std::string::npos)
            name.replace(colon, 2, " (").push_back(')');
        parts.push_back({.name = std::move(name), .difference = *figure.after / perAfter - *figure.before / perBefore});
    }
    std::ranges::stable_sort(parts, std::ranges::greater{}, [](const Part& part) { return std::abs(part.difference); });
    return parts;
}

std::string partsText(const std::vector<Part>& parts, double change, const std::string& per) {
    std::string text;
    for (const Part& part : parts) {
        if (std::abs(part.difference) < kWorthShare * std::abs(change) || part.difference == 0) continue;
        text += (text.empty() ? "" : ", ") + part.name + " " +
                differenceText(FigureUnit::Nanoseconds, std::round(part.difference));
    }
    return text.empty() ? text : " Of " + per + ": " + text + ".";
}

std::string namesText(const Comparison& of) {
    const int64_t fresh = of.kernelCountOf(Presence::New), gone = of.kernelCountOf(Presence::Gone);
    const auto names = [](int64_t count) {
        return formatCount(count) + (count == 1 ? " kernel name" : " kernel names");
    };
    std::string text;
    if (fresh > 0) text += names(fresh) + (fresh == 1 ? " is new" : " are new");
    if (gone > 0)
        text += (text.empty() ? names(gone) : ", " + formatCount(gone)) + (gone == 1 ? " is gone" : " are gone");
    return text.empty() ? text : " " + text + ".";
}

std::string boundText(const Comparison& of) {
    const Bound before = of.before.summary.verdict.bound, after = of.after.summary.verdict.bound;
    if (before == after || before == Bound::Unknown || after == Bound::Unknown) return {};
    return " It was " + std::string(boundName(before)) + " and is " + std::string(boundName(after)) + ".";
}

bool isFound(const TokenTable& table) {
    return table.source == StepSource::NamedRanges || table.source == StepSource::Sequence;
}

std::string predictionText(const std::optional<PredictionCheck>& check) {
    if (!check) return {};
    return " Predicted were " + timeText(check->predictedNs) + " a token, measured are " + timeText(check->measuredNs) +
           ": " + formatPercent(std::abs(check->error())) + " off.";
}

// After the time: what else there is to say.
std::string restText(const Comparison& of) {
    return namesText(of) + boundText(of) + predictionText(of.prediction);
}

}  // namespace

std::string whatChanged(const Comparison& comparison) {
    const FigureDelta* time = comparison.find("tokens.medNs");
    const bool perToken = time && time->difference();
    if (!perToken) time = comparison.find("windowNs");
    if (!time || !time->difference()) return {};
    const double before = *time->before, after = *time->after;
    if (before <= 0 || after <= 0) return "One of the windows is empty.";

    // Of another program's trace a token is a step that was found.
    const std::string noun = isFound(comparison.before.tokens) || isFound(comparison.after.tokens) ? "step" : "token";
    std::string text = perToken ? "A " + noun : "The window";
    const double change = after - before;
    if (std::abs(change) < kSameShare * before) {
        text += " takes as long as before: " + timeText(after) + " (" + (change < 0 ? "−" : "+") +
                formatPercent(std::abs(change) / before) + ").";
    } else {
        text += " takes " + timeText(after) + " instead of " + timeText(before) + ": " +
                (after < before ? factorText(before / after) + " times as fast."
                                : factorText(after / before) + " times as long.");
    }
    std::span<const FigureDelta> figures = comparison.figures;
    double perBefore = 1, perAfter = 1;
    std::string per = perToken ? "a " + noun + "'s change" : "the change";
    if (perToken) {
        // Idle and busy time of decoding alone, shared out to its tokens.
        const auto decode = std::ranges::find(comparison.phases, "decode", &PhaseDelta::name);
        if (decode == comparison.phases.end()) return text + restText(comparison);
        figures = decode->figures;
        const FigureDelta* count = Comparison::findFigure(figures, "tokens.count");
        if (!count || count->before.value_or(0) <= 0 || count->after.value_or(0) <= 0)
            return text + restText(comparison);
        perBefore = *count->before;
        perAfter = *count->after;
        per = "the mean " + noun;
    }
    if (std::abs(change) >= kSameShare * before) text += partsText(partsOf(figures, perBefore, perAfter), change, per);
    return text + restText(comparison);
}

}  // namespace gapscope
