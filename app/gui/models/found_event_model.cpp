#include "app/gui/models/found_event_model.h"

#include <algorithm>

namespace gapscope {

namespace {
enum Column { kName, kKind, kStart, kDuration };
}

FoundEventModel::FoundEventModel(const Finder& finder, QObject* parent)
    : TableModel(parent), m_finder(finder), m_found(finder.found()) {}

void FoundEventModel::refresh() {
    if (m_found == m_finder.found()) return;
    beginResetModel();
    m_found = m_finder.found();
    m_rows = static_cast<int>(std::min(m_found->size(), kMostRows));
    endResetModel();
}

int FoundEventModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : m_rows;
}

const std::vector<TableColumn>& FoundEventModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Name"), {}, false},
        {tr("Kind"), {}, false},
        {tr("Start"), tr("From the start of the trace")},
        {tr("Duration"), {}},
    };
    return columns;
}

TableCell FoundEventModel::cell(int row, int column) const {
    const FoundEvent& event = (*m_found)[static_cast<size_t>(row)];
    switch (column) {
        case kName:
            return textCell(m_finder.name(event));
        case kKind:
            switch (event.kind) {
                case FoundEvent::Kind::DeviceOp:
                    return textCell(tr("device operation"));
                case FoundEvent::Kind::Stage:
                    return textCell(tr("stage"));
                case FoundEvent::Kind::ApiCall:
                    return textCell(tr("API call"));
                case FoundEvent::Kind::Range:
                    return textCell(tr("range"));
                case FoundEvent::Kind::Token:
                    return textCell(tr("token"));
                case FoundEvent::Kind::Note:
                    return textCell(tr("note"));
            }
            return {};
        case kStart:
            return momentCell(event.startNs);
        case kDuration:
            return durationCell(event.endNs - event.startNs);
        default:
            return {};
    }
}

}  // namespace gapscope
