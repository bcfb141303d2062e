#include "app/gui/models/roofline_model.h"

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

enum Column { kTitle, kKernel, kTotal, kCount, kIntensity, kBandwidth, kArithmetic, kShare, kRoof };
static_assert(kKernel == RooflineModel::kKernelColumn && kCount == RooflineModel::kCountColumn &&
              kIntensity == RooflineModel::kIntensityColumn);

TableCell rateCell(double rate, const char* unit) {
    if (rate <= 0) return {.shown = QStringLiteral("–"), .raw = 0.0};
    return {.shown = text(formatRate(rate, unit)), .raw = rate, .exact = QString::number(rate, 'f', 0)};
}

}  // namespace

void RooflineModel::show(ReportPtr report, RooflinePtr roofline, RooflineRows rows) {
    beginResetModel();
    m_report = std::move(report);
    m_roofline = std::move(roofline);
    m_shown = rows;
    endResetModel();
}

const std::vector<RooflinePoint>& RooflineModel::rows() const {
    switch (m_shown) {
        case RooflineRows::ByCategory:
            return m_roofline->categories;
        case RooflineRows::ByLayer:
            return m_roofline->layers;
        case RooflineRows::ByToken:
            return m_roofline->tokens;
        case RooflineRows::ByOperation:
            break;
    }
    return m_roofline->roles;
}

int RooflineModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || !m_roofline ? 0 : static_cast<int>(rows().size());
}

QString RooflineModel::title(int row) const {
    const RooflinePoint& of = point(row);
    const QString phase = of.prompt ? tr("prefill") : tr("decode");
    switch (m_shown) {
        case RooflineRows::ByCategory:
            return tr("%1, %2").arg(categoryTitle(of.category), phase);
        case RooflineRows::ByLayer:
            return of.layer < 0 ? tr("outside the layers") : tr("layer %1").arg(of.layer);
        case RooflineRows::ByToken: {
            const QString name = of.token < 0 ? tr("prompt") : tr("token %1").arg(of.token);
            return of.repeat < 0   ? tr("%1, warm-up").arg(name)
                   : of.repeat > 0 ? tr("%1, repeat %2").arg(name).arg(of.repeat + 1)
                                   : name;
        }
        case RooflineRows::ByOperation:
            break;
    }
    return tr("%1, %2").arg(text(m_report->trace->string(of.name)), phase);
}

const std::vector<TableColumn>& RooflineModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Operation"), {}, false},
        {tr("Kernel"), {}, false},
        {tr("Total"), tr("Sum of the durations inside the window")},
        {tr("Count"), tr("Operations that begin inside the window")},
        {tr("Flops/byte"), tr("Arithmetic intensity: flops by bytes, both of the plan")},
        {tr("Bandwidth"), tr("Bytes moved by the plan / time")},
        {tr("Arithmetic"), tr("Floating-point operations by the plan / time")},
        {tr("Of the roof"),
         tr("The least time that bytes and flops can take at the measured peaks, by the recorded time")},
        {tr("Roof"), tr("What bytes and flops would need the longer for: memory or arithmetic"), false},
    };
    return columns;
}

TableCell RooflineModel::cell(int row, int column) const {
    const RooflinePoint& of = point(row);
    switch (column) {
        case kTitle: {
            TableCell cell = textCell(title(row));
            if (m_shown == RooflineRows::ByOperation || m_shown == RooflineRows::ByCategory)
                cell.swatch = appTheme().category(of.category);
            if (m_shown == RooflineRows::ByLayer) cell.raw = of.layer;
            if (m_shown == RooflineRows::ByToken) cell.raw = of.repeat * 1'000'000LL + of.token;
            return cell;
        }
        case kKernel:
            return textCell(of.kernel.valid() ? text(m_report->trace->string(of.kernel)) : QString());
        case kTotal:
            return durationCell(of.ns);
        case kCount:
            return countCell(of.count);
        case kIntensity:
            return {.shown = of.intensity() > 0 ? QString::number(of.intensity(), 'g', 3) : QStringLiteral("–"),
                    .raw = of.intensity()};
        case kBandwidth:
            return rateCell(of.bytesPerSecond(), "B/s");
        case kArithmetic:
            return rateCell(of.flopsPerSecond(), "FLOP/s");
        case kShare:
            if (m_roofline->peakBytesPerSecond <= 0) return {.shown = QStringLiteral("–"), .raw = 0.0};
            return shareCell(m_roofline->shareOfRoof(of));
        case kRoof:
            return textCell(m_roofline->isUnderMemoryRoof(of) ? tr("memory") : tr("arithmetic"));
        default:
            return {};
    }
}

}  // namespace gapscope
