// The numbers of a window as one list, each with name and unit: what comparing, CSV and reports go through, so that
// none of them forgets one.
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/culprits.h"
#include "core/analysis/launch_statistics.h"
#include "core/analysis/prepared_window.h"
#include "core/analysis/stream_idle.h"
#include "core/analysis/what_if.h"

namespace gapscope {

// What the analyses found in a window.
struct WindowFacts {
    Summary summary;
    KernelSummary kernels;
    LayerTable layers;  // empty for foreign traces
    TokenTable tokens;  // the same
    LaunchStatistics launches;
    std::vector<StreamIdle> streamIdle;
    double floorNsPerToken = 0;  // as Roofline::floorNsPerToken
    std::vector<Culprit> culprits;
    WhatIf whatIf;
};
// What a phase of a compared window is asked for leaves out culprits and what-if, which cost most.
enum class FactsOf : uint8_t { Window, Phase };
WindowFacts windowFacts(const PreparedWindow& of, std::stop_token stop = {}, FactsOf what = FactsOf::Window);

enum class FigureUnit : uint8_t { Nanoseconds, Count, BytesPerSecond, FlopsPerSecond, TokensPerSecond, Share };
enum class Better : uint8_t { Less, More, Neither };
inline constexpr std::array<std::string_view, 6> kFigureUnitNames = {"ns",      "count",    "bytes/s",
                                                                     "flops/s", "tokens/s", "share"};
inline constexpr std::array<std::string_view, 3> kBetterNames = {"less", "more", "neither"};

struct Figure {
    std::string name;   // stable; as `summary --json` names it, with a dot before the inner field
    std::string title;  // for people
    FigureUnit unit = FigureUnit::Count;
    Better better = Better::Neither;
    std::optional<double> value;  // absent: the trace does not tell. Times and counts are whole but for medians, means
};
// Always the same figures in the same order.
std::vector<Figure> figuresOf(const WindowFacts& facts);

// The value as text with its unit ("1.20 ms", "94.8 tokens/s"); absent: "". Of a difference with its sign ("+1.20 ms").
std::string figureText(FigureUnit unit, std::optional<double> value);
std::string differenceText(FigureUnit unit, std::optional<double> difference);

}  // namespace gapscope
