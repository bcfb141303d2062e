// Charts of a report as SVG.
#pragma once

#include <string>

#include "core/analysis/category_times.h"
#include "core/analysis/gaps.h"
#include "core/analysis/roofline.h"
#include "core/analysis/token_table.h"

namespace gapscope {

std::string pieSvg(const CategoryTimes& times);                     // with its legend; empty: no device time
std::string twoWaySvg(const CategoryTimes& times);                  // gemm | elementwise | other
std::string causesSvg(const GapCauses& causes);                     // one bar
std::string tokensSvg(const TokenTable& table);                     // a bar a token, busy and idle; empty: no tokens
std::string rooflineSvg(const Trace& trace, const Roofline& roof);  // empty: no points or no peaks

}  // namespace gapscope
