#include "core/report/timeline_svg.h"

#include <cmath>
#include <map>

#include "core/analysis/api_calls.h"
#include "core/base/palette.h"
#include "core/layout/gap_pieces.h"
#include "core/layout/ruler.h"
#include "core/layout/timeline_frame.h"
#include "core/report/html.h"

namespace gapscope {

namespace {

constexpr double kNames = 150, kWidth = 890, kRuler = 24;  // px
constexpr double kLetter = 6.2;                            // px, of names on items
constexpr size_t kMostRows = 24;
constexpr uint32_t kLaunchColor = 0x8DA3BF, kCopyColor = 0xA9A9A9, kWaitColor = 0xDCC9A3, kApiColor = 0xCFD6DE;
constexpr int kShades = 4;  // of merged stretches, by how busy they are

uint8_t apiTint(std::string_view name) {
    const ApiTraits traits = apiTraits(name);
    return traits.launches ? 0 : traits.waits ? 1 : traits.copies ? 2 : 3;
}

uint32_t colorOf(RowKind kind, uint8_t tint) {
    static constexpr std::array<uint32_t, 4> kApi = {kLaunchColor, kWaitColor, kCopyColor, kApiColor};
    switch (kind) {
        case RowKind::Stream:
        case RowKind::Copy:
        case RowKind::Stage:
            return kCategoryColors[std::min<size_t>(tint, kCategoryColors.size() - 1)];
        case RowKind::Gap:
            return kGapCauseColors[std::min<size_t>(tint, kGapCauseColors.size() - 1)];
        case RowKind::Range:
            return kRangeColors[tint % kRangeColors.size()];
        case RowKind::Token:
        case RowKind::Step:
            return tint == 0 ? kPrefillColor : kTokenColors[(tint - 1U) % kTokenColors.size()];
        case RowKind::Wait:
            return kWaitColor;
        default:
            return kApi[tint % kApi.size()];
    }
}

bool isShown(RowKind kind) {
    return kind == RowKind::Token || kind == RowKind::Step || kind == RowKind::Range || kind == RowKind::ApiCall ||
           kind == RowKind::Gap || kind == RowKind::Stream || kind == RowKind::Copy || kind == RowKind::Stage;
}

// What stands on an item that is wide enough; empty: nothing.
std::string nameOn(const TimelineIndex& index, const FrameLane& lane, const LaneSpan& span) {
    const TimelineRow& row = *index.rows()[lane.row];
    if (span.count != 1) return {};
    const uint32_t tableRow = row.lanes.lanes()[lane.lane][span.first].row;
    if (row.kind == RowKind::Token && tableRow < index.tokens().size()) {
        const TokenSpan& step = index.tokens()[tableRow];
        const int32_t token = row.sequence >= 0 ? step.number : step.index;
        return token < 0 ? "prefill" : std::to_string(token);
    }
    if (row.kind == RowKind::Step && tableRow < index.steps().size()) {
        const int32_t step = index.steps()[tableRow].index;
        return step < 0 ? "prefill" : std::to_string(step);
    }
    if (row.kind == RowKind::Range) return std::string(index.trace().string(index.trace().ranges().name[tableRow]));
    if (row.kind == RowKind::Stage) return std::string(index.trace().string(index.trace().stages().name[tableRow]));
    return {};
}

}  // namespace

TimelinePictures::TimelinePictures(TracePtr trace, const GapTable& gaps) : m_index(apiTint) {
    m_index.setTrace(std::move(trace));
    m_index.setGaps(gapLanesOf(piecesOf(gaps)));
}

std::string TimelinePictures::svg(TimeRange range, std::string_view description) const {
    if (range.empty()) return {};
    const TimeScale scale{range, kWidth};
    const int everything = 1 << 20;  // px: no row is scrolled out of sight
    const TimelineFrame frame = makeFrame(m_index, scale, everything, 0);
    // Rows move together where others are left out.
    std::map<size_t, double> topOf;
    double height = kRuler;
    for (size_t row = 0; row < m_index.rows().size() && topOf.size() < kMostRows; ++row) {
        const TimelineRow& of = *m_index.rows()[row];
        if (!isShown(of.kind) || of.lanes.lanes().empty()) continue;
        if (of.startsGroup) height += kGroupSpacing;
        topOf[row] = height;
        height += frame.places[row].height + kLaneSpacing;
    }
    std::string body;
    for (const RulerTick& tick : rulerTicks(scale)) {
        const std::string x = number(kNames + tick.x);
        body += "<path class=\"l\" d=\"M" + x + " " + number(kRuler - (tick.major ? 6 : 3)) + "V" +
                number(tick.major ? height : kRuler) + "\"/>";
        if (tick.major && tick.x < kWidth - 60)
            body += "<text class=\"m\" x=\"" + number(kNames + tick.x + 3) + "\" y=\"12\">" + escaped(tick.label) +
                    "</text>";
    }
    body += "\n";
    for (const auto& [row, top] : topOf) {
        const TimelineRow& of = *m_index.rows()[row];
        std::string title = of.title;
        if (of.kind == RowKind::Gap && frame.busy[row]) title += ", gaps";
        body += "<text x=\"0\" y=\"" + number(top + std::min(14, frame.places[row].height - 3)) + "\">" +
                escaped(title.substr(0, 26)) + "</text>";
    }
    body += "\n<g class=\"c\">";
    std::string names;
    for (const FrameLane& lane : frame.lanes) {
        const auto top = topOf.find(lane.row);
        if (top == topOf.end()) continue;
        const RowKind kind = m_index.rows()[lane.row]->kind;
        const double y = top->second + (lane.y - frame.places[lane.row].y);
        // One path a colour and shade: the file stays small.
        std::map<std::pair<uint32_t, int>, std::string> paths;
        for (const LaneSpan& span : lane.spans) {
            const double x0 = std::max(0.0, span.x0), x1 = std::min(kWidth, std::max(span.x1, span.x0 + 0.5));
            if (x1 <= x0) continue;
            const int shade = span.count == 1 ? kShades : std::max(1, static_cast<int>(std::ceil(span.busy * kShades)));
            paths[{colorOf(kind, span.tint), shade}] += std::string("M") + number(kNames + x0) + " " + number(y) + "h" +
                                                        number(std::max(0.1, x1 - x0)) + "v" + number(lane.height) +
                                                        "h-" + number(std::max(0.1, x1 - x0)) + "z";
            const std::string name = nameOn(m_index, lane, span);
            if (!name.empty() && static_cast<double>(name.size()) * kLetter + 6 < x1 - x0)
                names += "<text class=\"o\" x=\"" + number(kNames + x0 + 3) + "\" y=\"" +
                         number(y + lane.height / 2.0 + 4) + "\">" + escaped(name) + "</text>";
        }
        for (const auto& [style, path] : paths) {
            body += "<path fill=\"" + hexColor(style.first) + "\"";
            if (style.second < kShades) body += " fill-opacity=\"" + number(0.2 + 0.2 * style.second) + "\"";
            body += " d=\"" + path + "\"/>\n";
        }
    }
    body += "</g>" + names;
    return "<figure><svg viewBox=\"0 0 " + number(kNames + kWidth) + " " + number(height + 2) +
           "\" role=\"img\" aria-label=\"" + escaped(description) + "\">" + body + "</svg><figcaption>" +
           escaped(description) + "</figcaption></figure>\n";
}

}  // namespace gapscope
