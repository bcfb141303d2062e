// All events of the window by start. Holds eight bytes an event and makes a cell when it is seen.
#pragma once

#include <vector>

#include "app/gui/models/table_model.h"
#include "app/gui/session/report.h"
#include "core/analysis/event_list.h"

namespace gapscope {

class EventModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(TracePtr trace, std::vector<EventRow> events);
    Selection selectionOf(int row) const;
    int rowOf(const Selection& selection) const;  // -1: none

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    TimeRange rangeOf(EventRow event) const;

    TracePtr m_trace;
    std::vector<EventRow> m_events;
};

}  // namespace gapscope
