// All events of the window, by start or in an order that was worked out elsewhere. Holds eight bytes an event, eight
// more in another order, and makes a cell when it is seen.
#pragma once

#include <memory>
#include <vector>

#include "app/gui/models/table_model.h"
#include "app/gui/session/report.h"
#include "core/analysis/event_list.h"

namespace gapscope {

class EventModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    using Events = std::shared_ptr<const std::vector<EventRow>>;

    // By start until another order comes.
    void show(TracePtr trace, Events events);
    const Events& events() const { return m_events; }
    struct Order {
        std::vector<uint32_t> places;  // in events(), by row; empty: by start
        std::vector<uint32_t> rows;    // the other way round
    };
    static Order orderOf(std::vector<uint32_t> places);  // any thread
    void setOrder(Order order);                          // of events()
    static EventOrder orderBy(int column);
    Selection selectionOf(int row) const;
    int rowOf(const Selection& selection) const;  // -1: none

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    TimeRange rangeOf(EventRow event) const;
    EventRow eventAt(int row) const {
        const auto at = static_cast<size_t>(row);
        return (*m_events)[m_order.places.empty() ? at : m_order.places[at]];
    }

    TracePtr m_trace;
    Events m_events = std::make_shared<const std::vector<EventRow>>();
    Order m_order;
};

}  // namespace gapscope
