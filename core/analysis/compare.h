// Two windows side by side, of two traces or of one: what changed from the one ("before") to the other ("after"). A
// difference is always after minus before, so exchanging the two negates it. Aligned are
//   figures   by name (figures.h), of the windows and of their prefill and decode;
//   kernels   by name and kind, copies and graph launches too;
//   roles     by name ("q_proj"), whatever kernel does it, and layers by number: own runs only;
//   tokens    by number, repeats in the order in which they lie in the windows; if the windows share no number, as two
//             tokens of one run do not, the first with the first. Of traces of other programs the steps found
//             (steps.h);
//   culprits  of idle time by what they are called.
// Costs what the windows' analyses and what-if cost (prepared_window.h, what_if.h), and a sort of the names.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/figures.h"

namespace gapscope {

struct FigureDelta {
    std::string name;
    std::string title;
    FigureUnit unit = FigureUnit::Count;
    Better better = Better::Neither;
    std::optional<double> before, after;

    std::optional<double> difference() const;      // absent if one of them is
    std::optional<double> relativeChange() const;  // of before: 0.1 is a tenth more; absent also if before is 0
    std::optional<bool> improved() const;          // absent: equal, or neither way is better
};

enum class Presence : uint8_t { Both, New, Gone };
inline constexpr std::array<std::string_view, 3> kPresenceNames = {"both", "new", "gone"};
constexpr Presence presenceOf(bool before, bool after) {
    return before == after ? Presence::Both : after ? Presence::New : Presence::Gone;
}

struct KernelDelta {
    std::string name;
    Category category = Category::Other;  // of after, unless it is gone
    DeviceOpKind kind = DeviceOpKind::Kernel;
    StringId nameBefore, nameAfter;  // in each trace; not valid: not in the window
    Distribution before, after;
    Presence presence() const { return presenceOf(nameBefore.valid(), nameAfter.valid()); }
    int64_t differenceNs() const { return after.totalNs - before.totalNs; }
};

struct Work {
    int64_t count = 0;
    int64_t ns = 0;
    int64_t ownNs = 0;  // LayerOpTime::ownNs
    double bytes = 0;
    double flops = 0;
    double bytesPerSecond() const { return ownNs > 0 ? bytes * 1e9 / static_cast<double>(ownNs) : 0; }
    double flopsPerSecond() const { return ownNs > 0 ? flops * 1e9 / static_cast<double>(ownNs) : 0; }
};

struct WorkDelta {
    std::string name;    // of a role; of a layer empty
    int32_t layer = -1;  // of a layer; -1: outside the layers
    Category category = Category::Other;
    std::optional<Work> before, after;
    Presence presence() const { return presenceOf(before.has_value(), after.has_value()); }
    int64_t differenceNs() const { return (after ? after->ns : 0) - (before ? before->ns : 0); }
};

struct TokenDelta {
    std::optional<TokenTime> before, after;
    int64_t differenceNs() const { return (after ? after->share.ns : 0) - (before ? before->share.ns : 0); }
};

struct CulpritDelta {
    std::string name;                      // culpritTitle()
    std::optional<Culprit> before, after;  // indices of gaps in them are of each window's own
    Presence presence() const { return presenceOf(before.has_value(), after.has_value()); }
    int64_t differenceNs() const { return (after ? after->idleNs : 0) - (before ? before->idleNs : 0); }
};

// What was predicted from the run before of what the run after did.
struct PredictionCheck {
    std::string name;    // as in what_if.h
    std::string title;   // "CUDA graph: no launch overhead"
    std::string figure;  // what it is a prediction of: "tokens.medNs" or, of speculation, "tokens.avgNs"
    double predictedNs = 0;
    double measuredNs = 0;
    double error() const { return measuredNs > 0 ? predictedNs / measuredNs - 1 : 0; }  // 0.1: a tenth too slow
};

struct PhaseDelta {
    std::string_view name;  // "prefill", "decode"
    TimeRange before, after;
    std::vector<FigureDelta> figures;  // without those of the run as a whole
};

struct Comparison {
    WindowFacts before, after;
    std::vector<FigureDelta> figures;
    std::vector<PhaseDelta> phases;      // that both have
    std::vector<KernelDelta> kernels;    // largest change of total time first
    std::vector<WorkDelta> roles;        // the same
    std::vector<WorkDelta> layers;       // by number
    std::vector<TokenDelta> tokens;      // by repeat and number
    std::vector<CulpritDelta> culprits;  // largest change of idle time first
    // Where both are runs of one model in one precision on one device, and the one after did what a what-if of the one
    // before is about.
    std::optional<PredictionCheck> prediction;
    std::string sentence;  // what changed, for people

    const FigureDelta* find(std::string_view name) const { return findFigure(figures, name); }
    static const FigureDelta* findFigure(std::span<const FigureDelta> figures, std::string_view name);
    int64_t kernelCountOf(Presence presence) const;
};
// If stopped, what was not reached is empty.
Comparison compare(const PreparedWindow& before, const PreparedWindow& after, std::stop_token stop = {});

// How much worse `figure` became, in percent of before: 12.5 where a time grew by an eighth or a rate fell by one;
// negative: better. Infinite from 0. Absent: a side lacks it, or neither way is better.
std::optional<double> regressionPercent(const FigureDelta& figure);
// What a regression is judged by unless asked otherwise: the median token, without tokens the window.
std::string_view defaultRegressionFigure(const Comparison& comparison);

// For compare(): the sentence from all else.
std::string whatChanged(const Comparison& comparison);

}  // namespace gapscope
