// What the timeline writes on its items and says about them, and which colour a tint of a row stands for.
#pragma once

#include <QColor>
#include <QString>
#include <memory>
#include <string_view>

#include "app/gui/theme.h"
#include "app/gui/timeline/gap_feed.h"
#include "app/gui/timeline/label_cache.h"
#include "core/layout/timeline_frame.h"

namespace gapscope {

enum class ApiTint : uint8_t { Launch, Copy, Wait, Other };
uint8_t apiTintOf(std::string_view name);

QColor itemColor(const Theme& theme, RowKind kind, uint8_t tint, ColourBy colourBy);
QColor deviceColor(const Theme& theme, uint8_t tint, ColourBy colourBy);

class TimelineLabels {
public:
    // `gaps` of the same trace, or of a former snapshot of it; null while there are none.
    TimelineLabels(const TimelineIndex& index, std::shared_ptr<const TraceGaps> gaps, LabelCache& cache);

    LabelCache& cache() const { return m_cache; }
    // The fullest form of the item's name that fits the width in the cache's font; empty if none does.
    QString fitting(const TimelineRow& row, const LaneItem& item, double width) const;
    QString name(const TimelineRow& row, uint32_t tableRow) const;

    QString tooltip(const FrameHit& hit) const;
    QString rowTooltip(size_t row, std::optional<double> busy) const;

private:
    std::string_view tableName(const TimelineRow& row, uint32_t tableRow) const;
    QString mergedTooltip(const TimelineRow& row, const Lane& lane, const LaneSpan& span) const;
    QString stageTooltip(uint32_t row) const;
    QString deviceOpTooltip(uint32_t row) const;
    QString apiCallTooltip(uint32_t row) const;
    QString gapTooltip(uint32_t row) const;
    QString tokenTooltip(const TimelineRow& of, uint32_t row) const;
    const TokenTime* figuresOf(int16_t repeat, int32_t index) const;
    QString stepTooltip(const TimelineRow& of, uint32_t row) const;
    QString counterTooltip(const TimelineRow& row, const FrameHit& hit) const;

    const TimelineIndex& m_index;
    std::shared_ptr<const TraceGaps> m_gaps;
    LabelCache& m_cache;
};

// "212 µs idle: 180 µs host in layer 3, 9.00 µs launch call, 23.0 µs device"
QString gapSentence(const Trace& trace, const Gap& gap);

// Of a plot, by what it shows.
QString plotValue(const TimelineRow& row, double value);
QString plotAxisText(const TimelineRow& row, double value);

// With its unit: "2.61 GB", "1.98 GHz", "312 W".
QString counterValue(CounterUnit unit, double value);
// The same for a round number: "2.5 GB".
QString counterAxisText(CounterUnit unit, double value);

}  // namespace gapscope
