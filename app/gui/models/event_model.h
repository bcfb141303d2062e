// All events of the window, listed by start. Holds eight bytes an event.
#pragma once

#include <memory>
#include <vector>

#include "app/gui/models/ordered_model.h"
#include "app/gui/session/report.h"
#include "core/analysis/event_list.h"

namespace gapscope {

class EventModel : public OrderedModel {
    Q_OBJECT

public:
    using OrderedModel::OrderedModel;

    using Events = std::shared_ptr<const std::vector<EventRow>>;

    void show(TracePtr trace, Events events, Order order = {});
    const Events& events() const { return m_events; }
    static EventOrder orderBy(int column);
    Selection selectionOf(int row) const;
    int rowOf(const Selection& selection) const;  // -1: none

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    EventRow eventAt(int row) const { return (*m_events)[placeOf(row)]; }

    TracePtr m_trace;
    Events m_events = std::make_shared<const std::vector<EventRow>>();
};

}  // namespace gapscope
