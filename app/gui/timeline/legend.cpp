#include "app/gui/timeline/legend.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>
#include <array>
#include <set>

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/timeline_labels.h"
#include "core/base/format.h"
#include "core/layout/name_steps.h"

namespace gapscope {

namespace {

constexpr int kSquare = 10;
constexpr int kPadding = 6;
constexpr int kSpacing = 14;

QString tr(const char* source) {
    return QCoreApplication::translate("Timeline", source);
}
QString categoryText(uint8_t tint) {
    return gapscope::text(categoryName(static_cast<Category>(std::min<int>(tint, kCategoryCount - 1))));
}

// The streams of a tint; several where there are more streams than colours.
QString streamText(const Trace& trace, uint8_t tint) {
    std::set<uint32_t> streams;
    for (size_t t = tint; t < trace.tracks().size(); t += kNameTints)
        streams.insert(trace.tracks()[t].streamId);
    QStringList names;
    for (const uint32_t stream : streams)
        names.append(QString::number(stream));
    return tr("stream %1").arg(names.join(QStringLiteral(", ")));
}

// The names that share a tint. A device operation's name stands for them before one of the host's.
struct TintNames {
    StringId longest;
    int64_t longestNs = -1;
    bool isOfDevice = false;
    std::set<uint32_t> names;
};
using NamesByTint = std::array<TintNames, kTintCount>;

// Looks at some thousands of a large lane, so that it does not cost a walk over every event.
template <class Table>
void addNames(const Lane& lane, const Table& table, bool isOfDevice, NamesByTint& found) {
    constexpr size_t kLooked = 8192;
    const size_t step = std::max<size_t>(1, lane.size() / kLooked);
    for (size_t i = 0; i < lane.size(); i += step) {
        const LaneItem item = lane[i];
        TintNames& of = found[item.tint];
        const StringId name = table.name[item.row];
        if (!name.valid()) continue;
        of.names.insert(name.value);
        if (item.durationNs() <= of.longestNs || (of.isOfDevice && !isOfDevice)) continue;
        of.longestNs = item.durationNs();
        of.longest = name;
        of.isOfDevice = isOfDevice;
    }
}

// By tint: the name of its longest item, and how many share it.
std::array<LegendEntry, kTintCount> nameEntries(const TimelineIndex& index) {
    NamesByTint found;
    const Trace& trace = index.trace();
    for (const Lane* lane : index.devicesBusy())
        addNames(*lane, trace.deviceOps(), true, found);
    for (const TimelineRow* row : index.threadRows()) {
        for (const Lane& lane : row->lanes.lanes()) {
            if (row->kind == RowKind::ApiCall)
                addNames(lane, trace.apiCalls(), false, found);
            else
                addNames(lane, trace.ranges(), false, found);
        }
    }
    std::array<LegendEntry, kTintCount> entries;
    for (size_t tint = 0; tint < entries.size(); ++tint) {
        if (found[tint].names.empty()) continue;
        entries[tint].text = gapscope::text(nameSteps(trace.string(found[tint].longest)).back());
        entries[tint].others = found[tint].names.size() - 1;
    }
    return entries;
}

// How long each tint was at work in rows whose colours the mode tells.
TintTimes tintTimes(const TimelineIndex& index) {
    TintTimes times = index.deviceTintTimes();
    if (index.colourBy() == ColourBy::Category) return times;
    for (const TimelineRow* row : index.threadRows()) {
        if (index.colourBy() != ColourBy::Name && row->kind != RowKind::ApiCall) continue;
        for (const Lane& lane : row->lanes.lanes()) {
            const TintTimes more = lane.tintTimes(0, lane.size());
            for (size_t tint = 0; tint < times.size(); ++tint)
                times[tint] += more[tint];
        }
    }
    return times;
}

QString latencyText(uint8_t tint) {
    if (tint >= kLatencyTints) return tr("no launch of its own");
    if (tint == 0) return tr("< %1").arg(gapscope::text(formatDuration(latencyStepNs(1))));
    return tr("≥ %1").arg(gapscope::text(formatDuration(latencyStepNs(tint))));
}

}  // namespace

QString legendText(const LegendEntry& entry, const QFontMetrics& metrics, int width) {
    if (entry.others == 0) return metrics.elidedText(entry.text, Qt::ElideMiddle, width);
    const QString whole = tr("%1 and %2 more").arg(entry.text).arg(entry.others);
    if (metrics.horizontalAdvance(whole) <= width) return whole;
    const QString count = QStringLiteral(" +%1").arg(entry.others);
    return metrics.elidedText(entry.text, Qt::ElideMiddle, width - metrics.horizontalAdvance(count)) + count;
}

QString legendTitle(ColourBy colourBy) {
    switch (colourBy) {
        case ColourBy::Category:
            break;
        case ColourBy::Name:
            return tr("Name:");
        case ColourBy::Stream:
            return tr("Stream (kernels, launch calls):");
        case ColourBy::LaunchLatency:
            return tr("Launch latency:");
    }
    return tr("Category:");
}

std::vector<LegendEntry> legendOf(const TimelineIndex& index) {
    const TintTimes times = tintTimes(index);
    std::vector<uint8_t> tints;
    for (uint8_t tint = 0; tint < times.size(); ++tint)
        if (times[tint] > 0) tints.push_back(tint);
    const bool isScale = index.colourBy() == ColourBy::LaunchLatency;
    // The host's come after the device's: its ranges lie in each other and take the whole time all of them.
    const TintTimes ofDevices = index.deviceTintTimes();
    const auto comesBefore = [&](uint8_t a, uint8_t b) {
        return ofDevices[a] != ofDevices[b] ? ofDevices[a] > ofDevices[b] : times[a] > times[b];
    };
    if (!isScale) std::ranges::stable_sort(tints, comesBefore);
    std::array<LegendEntry, kTintCount> names;
    if (index.colourBy() == ColourBy::Name) names = nameEntries(index);
    std::vector<LegendEntry> entries;
    for (const uint8_t tint : tints) {
        QString text;
        switch (index.colourBy()) {
            case ColourBy::Category:
                text = categoryText(tint);
                break;
            case ColourBy::Name:
                text = names[tint].text;
                break;
            case ColourBy::Stream:
                text = tint == kNoStream ? tr("calls that launch nothing") : streamText(index.trace(), tint);
                break;
            case ColourBy::LaunchLatency:
                text = latencyText(tint);
                break;
        }
        entries.push_back({tint, text, names[tint].others});
    }
    return entries;
}

void paintLegend(QPainter& painter, const Theme& theme, const std::vector<LegendEntry>& entries, ColourBy colourBy,
                 const QFont& font, const QRect& where) {
    painter.save();
    painter.setClipRect(where);
    painter.setFont(font);
    painter.fillRect(where, theme.headerBackground);
    painter.fillRect(QRect(where.left(), where.top(), where.width(), 1), theme.lineStrong);
    const QFontMetrics metrics(font);
    int x = where.left() + kPadding;
    const QString title = legendTitle(colourBy);
    painter.setPen(theme.mutedText);
    painter.drawText(QRect(x, where.top() + 1, where.right() - x, where.height() - 1), Qt::AlignVCenter | Qt::AlignLeft,
                     title);
    x += metrics.horizontalAdvance(title) + kSpacing;
    // Long names give way where there are many.
    constexpr int kNarrowest = 80, kWidest = 180;
    const int room = (where.right() - x) / std::max(1, static_cast<int>(entries.size()));
    const int widest = std::clamp(room - kSquare - kPadding - kSpacing, kNarrowest, kWidest);
    for (size_t i = 0; i < entries.size(); ++i) {
        const QString text = legendText(entries[i], metrics, widest);
        const int width = kSquare + kPadding + metrics.horizontalAdvance(text);
        const QString rest = tr("%1 more").arg(entries.size() - i);
        const bool isLast = i + 1 == entries.size();
        if (x + width + (isLast ? 0 : kSpacing + metrics.horizontalAdvance(rest)) > where.right() - kPadding) {
            painter.setPen(theme.mutedText);
            painter.drawText(QRect(x, where.top(), where.right() - x, where.height()), Qt::AlignVCenter | Qt::AlignLeft,
                             rest);
            break;
        }
        painter.fillRect(QRect(x, where.top() + (where.height() - kSquare) / 2 + 1, kSquare, kSquare),
                         deviceColor(theme, entries[i].tint, colourBy));
        painter.setPen(theme.text);
        painter.drawText(QRect(x + kSquare + kPadding, where.top() + 1, width, where.height() - 1),
                         Qt::AlignVCenter | Qt::AlignLeft, text);
        x += width + kSpacing;
    }
    painter.restore();
}

}  // namespace gapscope
