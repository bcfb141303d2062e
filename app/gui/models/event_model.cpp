#include "app/gui/models/event_model.h"

#include <algorithm>
#include <array>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {
namespace {

enum Column { kStart, kDuration, kKind, kName, kWhere, kCorrelation };

// By EventKind.
constexpr std::array<Selection::Kind, kEventKindCount> kSelections = {
    Selection::Kind::DeviceOp, Selection::Kind::Stage, Selection::Kind::ApiCall, Selection::Kind::UserRange};

}  // namespace

void EventModel::show(TracePtr trace, Events events, Order order) {
    beginResetModel();
    m_trace = std::move(trace);
    m_events = std::move(events);
    resetOrder(std::move(order));
    endResetModel();
}

EventOrder EventModel::orderBy(int column) {
    switch (column) {
        case kDuration:
            return EventOrder::Duration;
        case kKind:
            return EventOrder::Kind;
        case kName:
            return EventOrder::Name;
        case kWhere:
            return EventOrder::Place;
        case kCorrelation:
            return EventOrder::Correlation;
        default:
            return EventOrder::Start;
    }
}

Selection EventModel::selectionOf(int row) const {
    const EventRow event = eventAt(row);
    return {.kind = kSelections[static_cast<size_t>(event.kind)], .range = rangeOf(*m_trace, event), .row = event.row};
}

int EventModel::rowOf(const Selection& selection) const {
    const auto kind = std::ranges::find(kSelections, selection.kind);
    if (kind == kSelections.end()) return -1;
    const EventRow wanted{.row = static_cast<uint32_t>(selection.row),
                          .kind = static_cast<EventKind>(kind - kSelections.begin())};
    if (!m_trace) return -1;
    const auto startOf = [&](EventRow event) { return rangeOf(*m_trace, event).startNs; };
    auto at = std::ranges::lower_bound(*m_events, selection.range.startNs, {}, startOf);
    for (; at != m_events->end() && startOf(*at) == selection.range.startNs; ++at) {
        if (*at == wanted) return rowAt(static_cast<size_t>(at - m_events->begin()));
    }
    return -1;
}

int EventModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_events->size());
}

const std::vector<TableColumn>& EventModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Start"), tr("From the start of the trace")},
        {tr("Duration"), {}},
        {tr("Kind"), tr("Kernel, stage of one, copy, set or graph launch of a device; API call or range of a thread"),
         false},
        {tr("Name"), {}, false},
        {tr("Where"), tr("Device and stream, or thread"), false},
        {tr("Correlation"), tr("The id that joins an API call to what it launched")},
    };
    return columns;
}

TableCell EventModel::cell(int row, int column) const {
    const EventRow event = eventAt(row);
    const TimeRange range = rangeOf(*m_trace, event);
    if (column == kStart) return momentCell(range.startNs);
    if (column == kDuration) return durationCell(range.durationNs());
    const auto correlation = [](uint32_t id) {
        return id == 0 ? TableCell{.raw = 0} : TableCell{.shown = QString::number(id), .raw = id};
    };
    // Of a device operation or of a stage.
    const auto onDevice = [&](const QString& title, const auto& table) -> TableCell {
        if (column == kKind) {
            TableCell cell = textCell(title);
            cell.swatch = appTheme().category(table.category[event.row]);
            return cell;
        }
        if (column == kName) return textCell(text(m_trace->string(table.name[event.row])));
        if (column == kCorrelation) return correlation(table.correlationId[event.row]);
        if (table.track[event.row].value >= m_trace->tracks().size()) return {};
        const TrackRow& track = m_trace->tracks()[table.track[event.row].value];
        return textCell(tr("device %1, stream %2").arg(track.deviceId).arg(track.streamId));
    };
    switch (event.kind) {
        case EventKind::DeviceOp:
            return onDevice(deviceOpTitle(m_trace->deviceOps().kind[event.row]), m_trace->deviceOps());
        case EventKind::Stage:
            return onDevice(tr("stage"), m_trace->stages());
        case EventKind::ApiCall:
            if (column == kKind) return textCell(tr("API call"));
            if (column == kName) return textCell(text(m_trace->string(m_trace->apiCalls().name[event.row])));
            if (column == kCorrelation) return correlation(m_trace->apiCalls().correlationId[event.row]);
            return textCell(text(m_trace->threadName(m_trace->apiCalls().globalTid[event.row])));
        case EventKind::Range:
            if (column == kKind) return textCell(tr("range"));
            if (column == kName) return textCell(text(m_trace->string(m_trace->ranges().name[event.row])));
            if (column == kCorrelation) return {};
            return textCell(text(m_trace->threadName(m_trace->ranges().globalTid[event.row])));
    }
    return {};
}

}  // namespace gapscope
