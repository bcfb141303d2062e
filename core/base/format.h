// Numbers as people read them: three significant digits and a unit that fits. Same in window, CLI text and reports.
#pragma once

#include <cstdint>
#include <string>

namespace gapscope {

std::string formatDuration(int64_t ns);                      // "1.20 µs", "31.4 ms", "0 ns", "-3.00 ms"
std::string formatMoment(int64_t ns);                        // "11.512345 s": a point in time, to the microsecond
std::string formatBytes(double bytes);                       // decimal units: "253 MB"
std::string formatRate(double perSecond, const char* unit);  // "13.8 GB/s", "1.20 TFLOP/s"
std::string formatCount(int64_t count);                      // "146,185"
std::string formatPercent(double share);                     // 0.183 -> "18.3 %"

}  // namespace gapscope
