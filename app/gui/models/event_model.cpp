#include "app/gui/models/event_model.h"

#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {
namespace {

enum Column { kStart, kDuration, kKind, kName, kWhere, kCorrelation };

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

TimeRange EventModel::rangeOf(EventRow event) const {
    switch (event.kind) {
        case EventKind::DeviceOp:
            return {m_trace->deviceOps().startNs[event.row], m_trace->deviceOps().endNs[event.row]};
        case EventKind::ApiCall:
            return {m_trace->apiCalls().startNs[event.row], m_trace->apiCalls().endNs[event.row]};
        case EventKind::Range:
            break;
    }
    return {m_trace->ranges().startNs[event.row], m_trace->ranges().endNs[event.row]};
}

Selection EventModel::selectionOf(int row) const {
    const EventRow event = eventAt(row);
    Selection selection{.range = rangeOf(event), .row = event.row};
    selection.kind = event.kind == EventKind::DeviceOp  ? Selection::Kind::DeviceOp
                     : event.kind == EventKind::ApiCall ? Selection::Kind::ApiCall
                                                        : Selection::Kind::UserRange;
    return selection;
}

int EventModel::rowOf(const Selection& selection) const {
    EventRow wanted{.row = static_cast<uint32_t>(selection.row)};
    switch (selection.kind) {
        case Selection::Kind::DeviceOp:
            wanted.kind = EventKind::DeviceOp;
            break;
        case Selection::Kind::ApiCall:
            wanted.kind = EventKind::ApiCall;
            break;
        case Selection::Kind::UserRange:
            wanted.kind = EventKind::Range;
            break;
        default:
            return -1;
    }
    if (!m_trace) return -1;
    const auto startOf = [&](EventRow event) { return rangeOf(event).startNs; };
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
        {tr("Kind"), tr("Kernel, copy, set or graph launch of a device; API call or range of a thread"), false},
        {tr("Name"), {}, false},
        {tr("Where"), tr("Device and stream, or thread"), false},
        {tr("Correlation"), tr("The id that joins an API call to what it launched")},
    };
    return columns;
}

TableCell EventModel::cell(int row, int column) const {
    const EventRow event = eventAt(row);
    const TimeRange range = rangeOf(event);
    if (column == kStart) return momentCell(range.startNs);
    if (column == kDuration) return durationCell(range.durationNs());
    const auto correlation = [](uint32_t id) {
        return id == 0 ? TableCell{.raw = 0} : TableCell{.shown = QString::number(id), .raw = id};
    };
    switch (event.kind) {
        case EventKind::DeviceOp: {
            const DeviceOps& ops = m_trace->deviceOps();
            if (column == kKind) {
                TableCell cell = textCell(deviceOpTitle(ops.kind[event.row]));
                cell.swatch = appTheme().category(ops.category[event.row]);
                return cell;
            }
            if (column == kName) return textCell(text(m_trace->string(ops.name[event.row])));
            if (column == kCorrelation) return correlation(ops.correlationId[event.row]);
            if (ops.track[event.row].value >= m_trace->tracks().size()) return {};
            const TrackRow& track = m_trace->tracks()[ops.track[event.row].value];
            return textCell(tr("device %1, stream %2").arg(track.deviceId).arg(track.streamId));
        }
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
