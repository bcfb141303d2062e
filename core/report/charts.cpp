#include "core/report/charts.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "core/analysis/gap_cause_titles.h"
#include "core/base/format.h"
#include "core/base/palette.h"
#include "core/report/html.h"

namespace gapscope {

namespace {

constexpr uint32_t kBusyColor = 0x0072B2, kIdleColor = 0xE9A37A;

std::string svgOf(double width, double height, std::string_view label, const std::string& body) {
    return "<svg viewBox=\"0 0 " + number(width) + " " + number(height) + "\" role=\"img\" aria-label=\"" +
           escaped(label) + "\">" + body + "</svg>\n";
}

std::string rect(double x, double y, double width, double height, uint32_t color) {
    return "<rect class=\"c\" x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(std::max(0.0, width)) +
           "\" height=\"" + number(std::max(0.0, height)) + "\" fill=\"" + hexColor(color) + "\"/>";
}

std::string label(double x, double y, std::string_view text, const char* anchor = "start", const char* style = "") {
    return "<text class=\"" + std::string(style) + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" +
           anchor + "\">" + escaped(text) + "</text>";
}

double share(int64_t part, int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

struct BarPart {
    std::string_view name;
    int64_t ns = 0;
    uint32_t color = 0;
};

// One bar of parts with a legend below it.
std::string barSvg(std::span<const BarPart> parts, std::string_view what) {
    constexpr double kWidth = 480, kLine = 16;
    int64_t totalNs = 0;
    for (const BarPart& part : parts)
        totalNs += part.ns;
    if (totalNs <= 0) return {};
    std::string body;
    double x = 0, row = 0;
    for (const BarPart& part : parts) {
        if (part.ns <= 0) continue;
        const double width = kWidth * share(part.ns, totalNs);
        body += rect(x, 0, width, 20, part.color);
        body += rect(0, 30 + row * kLine, 9, 9, part.color);
        body += label(15, 38 + row * kLine, part.name);
        body += label(330, 38 + row * kLine, formatDuration(part.ns), "end");
        body += label(400, 38 + row * kLine, formatPercent(share(part.ns, totalNs)), "end");
        x += width;
        ++row;
    }
    return svgOf(kWidth, 34 + row * kLine, what, body);
}

}  // namespace

std::string pieSvg(const CategoryTimes& times) {
    if (times.totalNs <= 0) return {};
    constexpr double kMiddle = 80, kOuter = 76, kInner = 46, kLine = 16;
    std::vector<size_t> order;
    for (size_t i = 0; i < times.categories.size(); ++i)
        if (times.categories[i].ns > 0) order.push_back(i);
    std::ranges::stable_sort(order, std::ranges::greater{}, [&](size_t i) { return times.categories[i].ns; });
    std::string body;
    double begin = 0;
    for (size_t i = 0; i < order.size(); ++i) {
        const CategoryTime& of = times.categories[order[i]];
        const double part = share(of.ns, times.totalNs);
        const uint32_t color = kCategoryColors[order[i]];
        // A whole ring has no two ends that an arc could go between.
        const double end = begin + std::min(part, 0.99999);
        const auto at = [&](double turn, double radius) {
            const double angle = (turn - 0.25) * 2 * std::numbers::pi;
            char text[64];
            std::snprintf(text, sizeof text, "%.2f %.2f", kMiddle + radius * std::cos(angle),
                          kMiddle + radius * std::sin(angle));
            return std::string(text);
        };
        const char* large = part > 0.5 ? " 0 1 1 " : " 0 0 1 ";
        const char* largeBack = part > 0.5 ? " 0 1 0 " : " 0 0 0 ";
        body += "<path class=\"c\" fill=\"" + hexColor(color) + "\" d=\"M" + at(begin, kOuter) + "A" + number(kOuter) +
                " " + number(kOuter) + large + at(end, kOuter) + "L" + at(end, kInner) + "A" + number(kInner) + " " +
                number(kInner) + largeBack + at(begin, kInner) + "z\"/>";
        begin += part;
        const double y = 14 + static_cast<double>(i) * kLine;
        body += rect(180, y - 8, 9, 9, color) + label(195, y, kCategoryNames[order[i]]);
        body += label(360, y, formatDuration(of.ns), "end") + label(430, y, formatPercent(part), "end");
        body += label(480, y, formatCount(of.count), "end", "m");
    }
    body += label(kMiddle, kMiddle + 2, formatDuration(times.totalNs), "middle");
    body += label(kMiddle, kMiddle + 16, "device time", "middle", "m");
    return svgOf(480, std::max(160.0, 20 + static_cast<double>(order.size()) * kLine), "Device time by category", body);
}

std::string twoWaySvg(const CategoryTimes& times) {
    const std::array<BarPart, 3> parts = {
        BarPart{"gemm", times[TwoWay::Gemm].ns, kCategoryColors[static_cast<size_t>(Category::Gemm)]},
        BarPart{"elementwise", times[TwoWay::Elementwise].ns,
                kCategoryColors[static_cast<size_t>(Category::Elementwise)]},
        BarPart{"other", times[TwoWay::Other].ns, kCategoryColors[static_cast<size_t>(Category::Other)]}};
    return barSvg(parts, "Device time: gemm, elementwise, other");
}

std::string causesSvg(const GapCauses& causes) {
    std::array<BarPart, kGapCauseCount> parts;
    for (size_t i = 0; i < parts.size(); ++i)
        parts[i] = {kGapCauseTitles[i], causes.ns[i], kGapCauseColors[i]};
    return barSvg(parts, "Idle device time by cause");
}

std::string tokensSvg(const TokenTable& table) {
    constexpr double kWidth = 1040, kHeight = 150, kLeft = 60, kBottom = 20;
    std::vector<const TokenTime*> rows;
    for (const TokenTime& row : table.rows)
        if (row.index > 0 && !row.cut) rows.push_back(&row);
    if (rows.empty()) return {};
    int64_t longest = 1;
    for (const TokenTime* row : rows)
        longest = std::max(longest, row->range.durationNs());
    const double step = (kWidth - kLeft) / static_cast<double>(rows.size());
    const double scale = (kHeight - kBottom - 10) / static_cast<double>(longest);
    const double floor = kHeight - kBottom;
    std::string body = "<path class=\"l\" d=\"M" + number(kLeft) + " 10H" + number(kWidth) + "M" + number(kLeft) + " " +
                       number(floor) + "H" + number(kWidth) + "\"/>";
    body += label(kLeft - 6, 14, formatDuration(longest), "end", "m") + label(kLeft - 6, floor, "0", "end", "m");
    for (size_t i = 0; i < rows.size(); ++i) {
        const TokenTime& row = *rows[i];
        // Of several devices the mean one: busy and idle are summed over them.
        const double both = static_cast<double>(std::max<int64_t>(1, row.busyNs + row.idleNs));
        const double whole = static_cast<double>(row.range.durationNs()) * scale;
        const double busy = whole * static_cast<double>(row.busyNs) / both;
        const double x = kLeft + static_cast<double>(i) * step, width = std::min(40.0, std::max(0.5, step * 0.85));
        body +=
            rect(x, floor - whole, width, whole - busy, kIdleColor) + rect(x, floor - busy, width, busy, kBusyColor);
    }
    const auto name = [](const TokenTime& row) { return "token " + std::to_string(row.index); };
    body += label(kLeft, kHeight - 5, name(*rows.front()), "start", "m");
    if (rows.size() > 1) body += label(kWidth, kHeight - 5, name(*rows.back()), "end", "m");
    return "<figure>" + svgOf(kWidth, kHeight, "Time of each token, busy and idle", body) +
           "<figcaption>Time of each token after the first: " + swatch(kBusyColor) + "device busy, " +
           swatch(kIdleColor) + "device idle.</figcaption></figure>\n";
}

std::string rooflineSvg(const Trace& trace, const Roofline& roof) {
    if (roof.roles.empty() || roof.peakBytesPerSecond <= 0) return {};
    constexpr double kWidth = 1040, kHeight = 320, kLeft = 90, kBottom = 40, kTop = 10;
    double low = 1e300, high = 0, most = roof.peakFlopsPerSecond, least = 1e300;
    for (const RooflinePoint& point : roof.roles) {
        if (point.intensity() <= 0 || point.flopsPerSecond() <= 0) continue;
        low = std::min(low, point.intensity());
        high = std::max(high, point.intensity());
        least = std::min(least, point.flopsPerSecond());
        most = std::max(most, point.flopsPerSecond());
    }
    if (high <= 0) return {};
    low = std::pow(10, std::floor(std::log10(low / 2)));
    high = std::pow(10, std::ceil(std::log10(std::max(high, roof.ridge()) * 2)));
    most = std::max(most, roof.peakFlopsPerSecond > 0 ? most : high * roof.peakBytesPerSecond);
    most = std::pow(10, std::ceil(std::log10(most)));
    least = std::pow(10, std::floor(std::log10(least)));
    const auto xOf = [&](double v) { return kLeft + (kWidth - kLeft - 10) * std::log(v / low) / std::log(high / low); };
    const auto yOf = [&](double v) {
        return kHeight - kBottom - (kHeight - kBottom - kTop) * std::log(v / least) / std::log(most / least);
    };
    std::string body;
    for (double v = low; v <= high * 1.001; v *= 10) {
        body +=
            "<path class=\"l\" d=\"M" + number(xOf(v)) + " " + number(kTop) + "V" + number(kHeight - kBottom) + "\"/>";
        char text[32];
        std::snprintf(text, sizeof text, "%g", v);
        body += label(xOf(v), kHeight - kBottom + 14, text, "middle", "m");
    }
    for (double v = least; v <= most * 1.001; v *= 10) {
        body += "<path class=\"l\" d=\"M" + number(kLeft) + " " + number(yOf(v)) + "H" + number(kWidth - 10) + "\"/>";
        body += label(kLeft - 6, yOf(v) + 4, formatRate(v, "FLOP/s"), "end", "m");
    }
    // The memory roof from where it enters the picture to the ridge (or the edge), then the arithmetic one.
    const double from = std::max(low, least / roof.peakBytesPerSecond);
    const double to =
        roof.peakFlopsPerSecond > 0 ? std::min(high, roof.ridge()) : std::min(high, most / roof.peakBytesPerSecond);
    if (from < to) {
        body += "<path class=\"k\" d=\"M" + number(xOf(from)) + " " + number(yOf(from * roof.peakBytesPerSecond)) +
                "L" + number(xOf(to)) + " " + number(yOf(to * roof.peakBytesPerSecond));
        if (roof.peakFlopsPerSecond > 0) body += "H" + number(kWidth - 10);
        body += "\"/>";
    }
    int64_t longest = 1;
    for (const RooflinePoint& point : roof.roles)
        longest = std::max(longest, point.ns);
    for (const RooflinePoint& point : roof.roles) {
        if (point.intensity() <= 0 || point.flopsPerSecond() <= 0) continue;
        const double radius = 3 + 9 * std::sqrt(share(point.ns, longest));
        body += "<circle class=\"c\" fill-opacity=\".75\" cx=\"" + number(xOf(point.intensity())) + "\" cy=\"" +
                number(yOf(point.flopsPerSecond())) + "\" r=\"" + number(radius) + "\" fill=\"" +
                hexColor(kCategoryColors[static_cast<size_t>(point.category)]) + "\"><title>" +
                escaped(trace.string(point.name)) + (point.prompt ? ", prefill" : ", decode") + ": " +
                formatDuration(point.ns) + ", " + formatRate(point.bytesPerSecond(), "B/s") + "</title></circle>";
    }
    body += label(kWidth - 10, kHeight - 6, "flops a byte", "end", "m");
    return "<figure>" + svgOf(kWidth, kHeight, "Roofline of roles", body) +
           "<figcaption>Each circle is what operations of one role reached, its area their time; the line is the "
           "measured roof of memory and arithmetic.</figcaption></figure>\n";
}

}  // namespace gapscope
