#include "app/gui/views/roofline_panel.h"

#include <qcustomplot.h>

#include <QComboBox>
#include <QMouseEvent>
#include <QPushButton>
#include <QSplitter>
#include <QToolTip>
#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/panel_layout.h"
#include "app/gui/views/plot_style.h"
#include "app/gui/views/roofline_item.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kNarrowestPlot = 260;  // px

// Whole decades around both, so that the grid has lines.
QCPRange decades(double least, double most) {
    return {std::pow(10, std::floor(std::log10(least) - 0.15)), std::pow(10, std::ceil(std::log10(most) + 0.15))};
}

}  // namespace

RooflinePanel::RooflinePanel(Analyst& analyst, QWidget* parent)
    : QWidget(parent),
      m_analyst(analyst),
      m_caption(new ElidedLabel(LabelRole::Quiet, {}, this)),
      m_rows(new QComboBox(this)),
      m_measureButton(new QPushButton(tr("&Measure peaks"), this)),
      m_table(new DataTable(m_model, tr("Roofline"), this)),
      m_plot(new QCustomPlot(this)) {
    m_measure = [](const RunInfo& run) { return peaksOf(run.device, run.deviceName, static_cast<int>(run.threads)); };
    m_rows->addItems({tr("By operation"), tr("By category"), tr("By layer"), tr("By token")});
    m_rows->setObjectName(QStringLiteral("rooflineRows"));
    m_rows->setAccessibleName(tr("Points of the roofline"));
    m_measureButton->setObjectName(QStringLiteral("measurePeaks"));
    m_measureButton->setToolTip(tr("Measure what the device of this run moves and computes at most: about a second"));
    m_measureButton->hide();
    m_table->setObjectName(QStringLiteral("rooflineTable"));
    m_table->setColumnCharacters({22, 18, 8, 7, 10, 10, 12, 10, 9}, 0);
    m_table->installEventFilter(this);
    m_table->sortAtFirst(2, Qt::DescendingOrder);
    makePlot();
    QVBoxLayout* const column = columnIn(this);
    QHBoxLayout* const captionRow = captionRowIn(column);
    captionRow->addWidget(m_caption, 1);
    captionRow->addWidget(m_measureButton);
    captionRow->addWidget(m_rows);
    auto* split = new QSplitter(Qt::Horizontal, this);
    split->setChildrenCollapsible(false);
    split->addWidget(m_plot);
    split->addWidget(m_table);
    split->setSizes({290, 710});
    split->setStretchFactor(0, 1);
    split->setStretchFactor(1, 1);
    column->addWidget(split, 1);
    connect(&analyst, &Analyst::reportChanged, this, &RooflinePanel::request);
    connect(m_rows, &QComboBox::currentIndexChanged, this, &RooflinePanel::showRows);
    connect(m_table, &DataTable::chosen, this, &RooflinePanel::choose);
    connect(m_measureButton, &QPushButton::clicked, this, &RooflinePanel::measure);
}

void RooflinePanel::makePlot() {
    m_plot->setObjectName(QStringLiteral("rooflinePlot"));
    m_plot->setAccessibleName(
        tr("Arithmetic a second by flops a byte, under the device's roofs. The table beside it has "
           "the same numbers."));
    m_plot->setMinimumSize(kNarrowestPlot, 80);
    m_plot->setMouseTracking(true);
    m_plot->installEventFilter(this);
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) {
        axis->setScaleType(QCPAxis::stLogarithmic);
        axis->setTicker(QSharedPointer<QCPAxisTickerLog>::create());
        axis->setNumberFormat(QStringLiteral("eb"));
        axis->setNumberPrecision(0);
        axis->setLabelPadding(2);
        axis->setTickLabelPadding(3);
    }
    m_plot->xAxis->setLabel(tr("flops a byte"));
    m_plot->yAxis->setLabel(tr("flops a second"));
    m_item = new RooflineItem(m_plot);
    restyle();
}

void RooflinePanel::restyle() {
    styleAxes(*m_plot, *this);
}

void RooflinePanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() != QEvent::PaletteChange || !m_item) return;
    restyle();
    showPlot();
}

void RooflinePanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    request();
}

void RooflinePanel::request() {
    const ReportPtr report = m_analyst.report();
    if (!report || !isVisible()) return;
    // Another name or category of the same window: the points are the same.
    if (m_shown && m_roofline && m_shown->prepared == report->prepared && m_shown->window == report->window) {
        m_shown = report;
        const int row = rowOf(report->selection);
        if (m_table->selectedSourceRows() != std::vector<int>{row}) m_table->markSourceRow(row);
        m_item->setMarked(row);
        m_plot->replot(QCustomPlot::rpQueuedReplot);
        return;
    }
    // A token that was chosen here leaves its neighbours listed.
    if (m_shown && m_shown->prepared == report->prepared && report->selection.kind == Selection::Kind::Token &&
        m_rows->currentIndex() == static_cast<int>(RooflineRows::ByToken) && rowOf(report->selection) >= 0) {
        m_item->setMarked(rowOf(report->selection));
        m_plot->replot(QCustomPlot::rpQueuedReplot);
        return;
    }
    m_jobs.start(
        [report](std::stop_token stop) {
            return std::make_shared<Roofline>(roofline(*report->trace, report->window, stop));
        },
        [this, report](std::shared_ptr<Roofline> found) {
            m_shown = report;
            m_roofline = std::move(found);
            showRows();
        });
}

void RooflinePanel::showRows() {
    if (!m_shown || !m_roofline) return;
    if (m_measuredFor == m_shown->trace && m_measureProblem.isEmpty() &&
        (m_roofline->peakBytesPerSecond <= 0 || m_roofline->peakFlopsPerSecond <= 0)) {
        m_roofline->peakBytesPerSecond = m_measured.bytesPerSecond;
        m_roofline->peakFlopsPerSecond = m_measured.flopsPerSecond;
        m_roofline->lacks.clear();
    }
    m_model.show(m_shown, m_roofline, static_cast<RooflineRows>(m_rows->currentIndex()));
    shareWidth();
    const int row = rowOf(m_shown->selection);
    m_table->markSourceRow(row);
    m_item->setMarked(row);
    QStringList says;
    if (m_measuredFor == m_shown->trace && !m_measureProblem.isEmpty())
        says << m_measureProblem;
    else if (!m_roofline->lacks.empty())
        says << text(m_roofline->lacks);
    if (m_roofline->floorNsPerToken > 0 && m_roofline->recordedNsPerToken > 0)
        says << tr("The weights of a token take %1 at the memory roof; recorded: %2.")
                    .arg(text(formatDuration(std::llround(m_roofline->floorNsPerToken))),
                         text(formatDuration(std::llround(m_roofline->recordedNsPerToken))));
    int64_t noFlops = 0;
    for (int i = 0; i < m_model.rowCount(); ++i)
        noFlops += m_model.point(i).flops <= 0 ? 1 : 0;
    if (noFlops > 0)
        says << counted(noFlops, tr("%1 row computes nothing and is in the table only."),
                        tr("%1 rows compute nothing and are in the table only."));
    says << tr("For %1").arg(describe(*m_shown));
    m_caption->setFullText(says.join(QLatin1Char(' ')));
    const bool lacksPeaks = m_roofline->peakBytesPerSecond <= 0 || m_roofline->peakFlopsPerSecond <= 0;
    m_measureButton->setVisible(lacksPeaks && m_model.rowCount() > 0 && m_shown->trace->run());
    showPlot();
}

// Where the table is too narrow for its columns, what matters least goes first: the names of operations say more than
// their kernels', how many there are, and what the plot's axis tells. The menu of the header brings each back.
void RooflinePanel::shareWidth() {
    const bool byOperation = m_rows->currentIndex() == static_cast<int>(RooflineRows::ByOperation);
    const auto fits = [this] { return m_table->neededWidth() <= m_table->width(); };
    constexpr std::array kInTurn = {RooflineModel::kKernelColumn, RooflineModel::kCountColumn,
                                    RooflineModel::kIntensityColumn};
    for (const int column : kInTurn)
        m_table->offerColumn(column, column != RooflineModel::kKernelColumn || byOperation);
    for (const int column : kInTurn)
        if (!fits()) m_table->offerColumn(column, false);
}

void RooflinePanel::showPlot() {
    std::vector<RooflineItem::Point> points;
    double leastX = 1, mostX = 10, leastY = 1e9, mostY = 1e10;
    bool any = false;
    int64_t totalNs = 0;
    for (int row = 0; row < m_model.rowCount(); ++row)
        totalNs += m_model.point(row).ns;
    const auto byCategory = m_rows->currentIndex() <= static_cast<int>(RooflineRows::ByCategory);
    for (int row = 0; row < m_model.rowCount(); ++row) {
        const RooflinePoint& of = m_model.point(row);
        if (of.intensity() <= 0 || of.flopsPerSecond() <= 0) continue;
        points.push_back({.intensity = of.intensity(),
                          .flopsPerSecond = of.flopsPerSecond(),
                          .timeShare = totalNs > 0 ? static_cast<double>(of.ns) / static_cast<double>(totalNs) : 0,
                          .ring = of.prompt,
                          .color = byCategory ? appTheme().category(of.category) : appTheme().accent,
                          .row = row});
        leastX = any ? std::min(leastX, of.intensity()) : of.intensity();
        mostX = any ? std::max(mostX, of.intensity()) : of.intensity();
        leastY = any ? std::min(leastY, of.flopsPerSecond()) : of.flopsPerSecond();
        mostY = any ? std::max(mostY, of.flopsPerSecond()) : of.flopsPerSecond();
        any = true;
    }
    const double memory = m_roofline ? m_roofline->peakBytesPerSecond : 0;
    const double arithmetic = m_roofline ? m_roofline->peakFlopsPerSecond : 0;
    if (memory > 0 && arithmetic > 0) mostX = std::max(mostX, arithmetic / memory);
    if (arithmetic > 0) mostY = std::max(mostY, arithmetic);
    m_plot->xAxis->setRange(decades(leastX, mostX));
    m_plot->yAxis->setRange(decades(leastY, mostY));
    m_item->setRoofs(memory, arithmetic);
    m_item->setPoints(std::move(points));
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

int RooflinePanel::rowOf(const Selection& selection) const {
    const auto shown = static_cast<RooflineRows>(m_rows->currentIndex());
    const Trace* trace = m_shown ? m_shown->trace.get() : nullptr;
    for (int row = 0; trace && row < m_model.rowCount(); ++row) {
        const RooflinePoint& of = m_model.point(row);
        if (shown == RooflineRows::ByOperation && selection.kind == Selection::Kind::KernelName &&
            of.kernel == selection.name)
            return row;
        if (shown == RooflineRows::ByCategory && selection.kind == Selection::Kind::Category &&
            of.category == selection.category)
            return row;
        if (shown == RooflineRows::ByToken && selection.kind == Selection::Kind::Token) {
            const bool emitted = selection.row < trace->tokens().index.size();
            if (emitted ? of.token == trace->tokens().index[selection.row] &&
                              of.repeat == trace->tokens().repeat[selection.row]
                        : of.token == kPrefillToken)
                return row;
        }
    }
    return -1;
}

void RooflinePanel::choose(int row) {
    if (row < 0 || row >= m_model.rowCount() || !m_shown) return;
    const RooflinePoint& of = m_model.point(row);
    Session& session = m_analyst.session();
    const TimeRange range = session.selection().range;
    m_item->setMarked(row);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
    if (m_table->selectedSourceRows() != std::vector<int>{row}) m_table->markSourceRow(row);
    switch (static_cast<RooflineRows>(m_rows->currentIndex())) {
        case RooflineRows::ByOperation:
            session.select({.kind = Selection::Kind::KernelName, .range = range, .name = of.kernel});
            break;
        case RooflineRows::ByCategory:
            session.select({.kind = Selection::Kind::Category, .range = range, .category = of.category});
            break;
        case RooflineRows::ByToken:
            for (const TokenTime& token : m_shown->tokens.rows) {
                if (token.repeat != of.repeat || token.index != of.token) continue;
                const Tokens& tokens = m_shown->trace->tokens();
                size_t place = tokens.index.size();
                for (size_t i = 0; i < tokens.index.size(); ++i)
                    if (tokens.repeat[i] == of.repeat && tokens.index[i] == of.token) place = i;
                session.select({.kind = Selection::Kind::Token, .range = token.range, .row = place});
                break;
            }
            break;
        case RooflineRows::ByLayer:
            break;  // lies in every token: no one stretch of time
    }
}

void RooflinePanel::measure() {
    if (!m_shown || !m_shown->trace->run()) return;
    m_measureButton->setEnabled(false);
    m_measuring.start([measure = m_measure, trace = m_shown->trace](std::stop_token) { return measure(*trace->run()); },
                      [this, trace = m_shown->trace](const Result<DevicePeakRates>& peaks) {
                          m_measureButton->setEnabled(true);
                          m_measuredFor = trace;
                          m_measured = peaks ? *peaks : DevicePeakRates{};
                          m_measureProblem = peaks ? QString() : text(peaks.error().message);
                          showRows();
                      });
}

bool RooflinePanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_table && event->type() == QEvent::Resize) shareWidth();
    if (watched != m_plot) return QWidget::eventFilter(watched, event);
    switch (event->type()) {
        case QEvent::MouseButtonPress: {
            const auto* mouse = static_cast<QMouseEvent*>(event);
            if (mouse->button() == Qt::LeftButton) choose(m_item->rowAt(mouse->position()));
            break;
        }
        case QEvent::MouseMove: {
            const auto* mouse = static_cast<QMouseEvent*>(event);
            const int row = m_item->rowAt(mouse->position());
            m_item->setHovered(row);
            m_plot->setCursor(row >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
            QString tip;
            if (row >= 0) {
                const RooflinePoint& of = m_model.point(row);
                tip = tr("%1\n%2 in %3\n%4 flops a byte\n%5, %6")
                          .arg(m_model.title(row), counted(of.count, tr("%1 operation"), tr("%1 operations")),
                               text(formatDuration(of.ns)), QString::number(of.intensity(), 'g', 3),
                               text(formatRate(of.bytesPerSecond(), "B/s")),
                               text(formatRate(of.flopsPerSecond(), "FLOP/s")));
                if (m_roofline->peakBytesPerSecond > 0)
                    tip += QLatin1Char('\n') +
                           tr("%1 of the %2 roof")
                               .arg(text(formatPercent(m_roofline->shareOfRoof(of))),
                                    m_roofline->isUnderMemoryRoof(of) ? tr("memory") : tr("arithmetic"));
            }
            m_plot->setToolTip(tip);
            m_plot->replot(QCustomPlot::rpQueuedReplot);
            break;
        }
        case QEvent::Leave:
            m_item->setHovered(-1);
            m_plot->replot(QCustomPlot::rpQueuedReplot);
            break;
        default:
            break;
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace gapscope
