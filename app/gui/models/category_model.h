// The pie's legend: device time by category, largest first.
#pragma once

#include <vector>

#include "app/gui/models/table_model.h"
#include "core/analysis/category_times.h"

namespace gapscope {

struct CategorySlice {
    Category category = Category::Other;
    CategoryTime time;
    double share = 0;
};

enum class PieBy { Time, Count };

// Those with any, largest first; shares add up to 1.
std::vector<CategorySlice> slicesOf(const CategoryTimes& times, PieBy by = PieBy::Time);

class CategoryModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(std::vector<CategorySlice> slices, PieBy by = PieBy::Time);
    const std::vector<CategorySlice>& slices() const { return m_slices; }

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    std::vector<CategorySlice> m_slices;
    PieBy m_by = PieBy::Time;
};

}  // namespace gapscope
