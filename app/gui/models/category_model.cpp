#include "app/gui/models/category_model.h"

#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {

std::vector<CategorySlice> slicesOf(const CategoryTimes& times, PieBy by) {
    const auto amount = [by](const CategoryTime& time) { return by == PieBy::Time ? time.ns : time.count; };
    std::vector<CategorySlice> slices;
    int64_t total = 0;
    for (const CategoryTime& time : times.categories)
        total += amount(time);
    for (int i = 0; i < kCategoryCount; ++i) {
        const auto category = static_cast<Category>(i);
        const int64_t of = amount(times[category]);
        if (of > 0) slices.push_back({category, times[category], static_cast<double>(of) / static_cast<double>(total)});
    }
    std::ranges::stable_sort(slices, std::ranges::greater{},
                             [&](const CategorySlice& slice) { return amount(slice.time); });
    return slices;
}

void CategoryModel::show(std::vector<CategorySlice> slices, PieBy by) {
    m_by = by;
    const bool sameRows = slices.size() == m_slices.size();
    if (sameRows) {
        m_slices = std::move(slices);
        if (!m_slices.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
        return;
    }
    beginResetModel();
    m_slices = std::move(slices);
    endResetModel();
}

int CategoryModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_slices.size());
}

const std::vector<TableColumn>& CategoryModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Category"), {}, false},
        {tr("Amount"), tr("Sum of the durations inside the window, or operations that begin inside")},
        {tr("Share"), tr("Of all device operations in the window")},
    };
    return columns;
}

TableCell CategoryModel::cell(int row, int column) const {
    const CategorySlice& slice = m_slices[static_cast<size_t>(row)];
    switch (column) {
        case 0: {
            TableCell cell = textCell(categoryTitle(slice.category));
            cell.swatch = appTheme().category(slice.category);
            cell.tip = tr("%1, %2").arg(exactNs(slice.time.ns),
                                        counted(slice.time.count, tr("%1 operation"), tr("%1 operations")));
            return cell;
        }
        case 1:
            return m_by == PieBy::Time ? durationCell(slice.time.ns) : countCell(slice.time.count);
        case 2:
            return shareCell(slice.share);
        default:
            return {};
    }
}

}  // namespace gapscope
