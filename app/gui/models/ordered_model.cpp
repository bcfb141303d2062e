#include "app/gui/models/ordered_model.h"

namespace gapscope {

OrderedModel::Order OrderedModel::orderOf(std::vector<uint32_t> places) {
    Order order{.rows = std::vector<uint32_t>(places.size())};
    for (uint32_t row = 0; row < places.size(); ++row)
        order.rows[places[row]] = row;
    order.places = std::move(places);
    return order;
}

// The same rows at other places: told as changed contents, which costs what is seen and not what is there.
void OrderedModel::setOrder(Order order) {
    m_order = std::move(order);
    if (const int count = rowCount(); count > 0) Q_EMIT dataChanged(index(0, 0), index(count - 1, columnCount() - 1));
}

}  // namespace gapscope
