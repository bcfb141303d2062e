#include "app/gui/models/layer_model.h"

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

enum Column { kLayer, kOperation, kTotal, kShare, kCount, kBytes, kBandwidth, kThroughput };

TableCell amountCell(double amount, const std::string& shown) {
    if (amount <= 0) return {.shown = QStringLiteral("–"), .raw = 0.0};
    return {.shown = text(shown), .raw = amount, .exact = QString::number(amount, 'f', 0)};
}

}  // namespace

void LayerModel::show(ReportPtr report, LayerRows rows) {
    beginResetModel();
    m_report = std::move(report);
    m_shown = rows;
    endResetModel();
}

const std::vector<LayerOpTime>& LayerModel::rows() const {
    return m_shown == LayerRows::Layers ? m_report->layers.layers : m_report->layers.ops;
}

int LayerModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || !m_report ? 0 : static_cast<int>(rows().size());
}

const std::vector<TableColumn>& LayerModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Layer"), tr("Of the model, from 0; outside: embedding, output head, sampling")},
        {tr("Operation"), tr("What it does in the layer"), false},
        {tr("Total"), tr("Sum of the durations inside the window")},
        {tr("Share"), tr("Of all device operations' time in the window")},
        {tr("Count"), tr("Operations that begin inside the window; of a role inside kernels its stages")},
        {tr("Bytes"), tr("Moved, by the plan")},
        {tr("Bandwidth"), tr("Bytes moved by the plan / time, an overlap of operations counted once")},
        {tr("Throughput"), tr("Floating-point operations by the plan / time, an overlap of operations counted once")},
    };
    return columns;
}

TableCell LayerModel::cell(int row, int column) const {
    const LayerOpTime& time = rows()[static_cast<size_t>(row)];
    switch (column) {
        case kLayer:
            if (time.layer < 0) return {.shown = tr("outside"), .raw = time.layer, .exact = tr("outside")};
            return countCell(time.layer);
        case kOperation: {
            if (!time.name.valid()) return textCell(tr("all"));
            TableCell cell = textCell(text(m_report->trace->string(time.name)));
            cell.swatch = appTheme().category(time.category);
            return cell;
        }
        case kTotal:
            return durationCell(time.totalNs);
        case kShare:
            return shareCell(time.share);
        case kCount:
            return countCell(time.count > 0 ? time.count : time.stageCount);
        case kBytes:
            return amountCell(time.bytes, formatBytes(time.bytes));
        case kBandwidth:
            return amountCell(time.bytesPerSecond(), formatRate(time.bytesPerSecond(), "B/s"));
        case kThroughput:
            return amountCell(time.flopsPerSecond(), formatRate(time.flopsPerSecond(), "FLOP/s"));
        default:
            return {};
    }
}

}  // namespace gapscope
