// A table of any number of rows that stand as listed, or in an order that was worked out elsewhere: eight bytes a row,
// none as listed. A cell is made when it is seen.
#pragma once

#include <cstdint>
#include <vector>

#include "app/gui/models/table_model.h"

namespace gapscope {

class OrderedModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    struct Order {
        std::vector<uint32_t> places;  // in the list, by row; empty: as listed
        std::vector<uint32_t> rows;    // the other way round
    };
    static Order orderOf(std::vector<uint32_t> places);  // any thread
    void setOrder(Order order);                          // of the list as it is

protected:
    // Between beginResetModel() and endResetModel().
    void resetOrder(Order order) { m_order = std::move(order); }
    size_t placeOf(int row) const {
        const auto at = static_cast<size_t>(row);
        return m_order.places.empty() ? at : m_order.places[at];
    }
    int rowAt(size_t place) const { return static_cast<int>(m_order.rows.empty() ? place : m_order.rows[place]); }

private:
    Order m_order;
};

}  // namespace gapscope
