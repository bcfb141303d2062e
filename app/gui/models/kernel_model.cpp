#include "app/gui/models/kernel_model.h"

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {
namespace {

enum Column { kName, kCategory, kShare, kTotal, kCount, kAverage, kMedian, kMin, kMax, kDeviation };

}  // namespace

void KernelModel::show(ReportPtr report, std::optional<Category> only) {
    beginResetModel();
    m_report = std::move(report);
    m_rows.clear();
    if (m_report) {
        for (const auto* table : {&m_report->kernels.kernels, &m_report->kernels.others})
            for (const KernelRow& row : *table)
                if (!only || row.category == *only) m_rows.push_back(&row);
    }
    endResetModel();
}

int KernelModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& KernelModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Kernel"), {}, false},
        {tr("Category"), {}, false},
        {tr("Share"), tr("Of all device operations' time in the window")},
        {tr("Total"), tr("Sum of the durations inside the window")},
        {tr("Count"), tr("Operations that begin inside the window")},
        {tr("Average"), {}},
        {tr("Median"), {}},
        {tr("Min"), {}},
        {tr("Max"), {}},
        {tr("Std dev"), tr("Of the sample (n - 1)")},
    };
    return columns;
}

TableCell KernelModel::cell(int row, int column) const {
    const KernelRow& kernel = *m_rows[static_cast<size_t>(row)];
    const auto duration = [](double ns) { return durationCell(qRound64(ns)); };
    switch (column) {
        case kName:
            return textCell(text(m_report->trace->string(kernel.name)));
        case kCategory: {
            TableCell cell = textCell(categoryTitle(kernel.category));
            cell.swatch = appTheme().category(kernel.category);
            return cell;
        }
        case kShare:
            return shareCell(kernel.share);
        case kTotal:
            return durationCell(kernel.times.totalNs);
        case kCount:
            return countCell(kernel.times.count);
        case kAverage:
            return duration(kernel.times.avgNs);
        case kMedian:
            return duration(kernel.times.medNs);
        case kMin:
            return durationCell(kernel.times.minNs);
        case kMax:
            return durationCell(kernel.times.maxNs);
        case kDeviation:
            return duration(kernel.times.stdNs);
        default:
            return {};
    }
}

}  // namespace gapscope
