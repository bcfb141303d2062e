#include "app/gui/models/category_model.h"

#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {

std::vector<CategorySlice> slicesOf(const CategoryTimes& times) {
    std::vector<CategorySlice> slices;
    int64_t totalNs = 0;
    for (const CategoryTime& time : times.categories)
        totalNs += time.ns;
    for (int i = 0; i < kCategoryCount; ++i) {
        const auto category = static_cast<Category>(i);
        if (times[category].ns > 0)
            slices.push_back(
                {category, times[category], static_cast<double>(times[category].ns) / static_cast<double>(totalNs)});
    }
    std::stable_sort(slices.begin(), slices.end(),
                     [](const CategorySlice& a, const CategorySlice& b) { return a.time.ns > b.time.ns; });
    return slices;
}

void CategoryModel::show(std::vector<CategorySlice> slices) {
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
        {tr("Time"), tr("Sum of the durations inside the window")},
        {tr("Share"), tr("Of all device operations' time in the window")},
    };
    return columns;
}

TableCell CategoryModel::cell(int row, int column) const {
    const CategorySlice& slice = m_slices[static_cast<size_t>(row)];
    switch (column) {
        case 0: {
            TableCell cell = textCell(categoryTitle(slice.category));
            cell.swatch = appTheme().category(slice.category);
            cell.tip = counted(slice.time.count, tr("%1 operation"), tr("%1 operations"));
            return cell;
        }
        case 1:
            return durationCell(slice.time.ns);
        case 2:
            return shareCell(slice.share);
        default:
            return {};
    }
}

}  // namespace gapscope
