#include "app/gui/views/launch_panel.h"

#include <qcustomplot.h>

#include <QSplitter>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/panel_layout.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int64_t kPlotSteps = 1000;  // more than the plot has pixels

constexpr int kMostTicks = 5;

// The largest depth of each step of the window: a peak is never lost, however short.
void samplePlot(const QueueDepth& queue, TimeRange window, QVector<double>& milliseconds, QVector<double>& depths) {
    const auto stepAt = [&](int64_t step) {
        return window.startNs +
               static_cast<int64_t>(static_cast<double>(window.durationNs()) * static_cast<double>(step) / kPlotSteps);
    };
    size_t point = 0;
    for (int64_t step = 0; step < kPlotSteps && !queue.points.empty(); ++step) {
        const int64_t fromNs = stepAt(step), toNs = stepAt(step + 1);
        while (point + 1 < queue.points.size() && queue.points[point + 1].timeNs <= fromNs)
            ++point;
        int64_t most = queue.points[point].depth;
        for (size_t i = point + 1; i < queue.points.size() && queue.points[i].timeNs < toNs; ++i)
            most = std::max(most, queue.points[i].depth);
        milliseconds.append(static_cast<double>(fromNs) * 1e-6);
        depths.append(static_cast<double>(most));
    }
}

QString duration(int64_t ns) {
    return text(formatDuration(ns));
}

}  // namespace

LaunchPanel::LaunchPanel(Analyst& analyst, QWidget* parent)
    : QWidget(parent),
      m_analyst(analyst),
      m_caption(new ElidedLabel(LabelRole::Quiet, {}, this)),
      m_table(new DataTable(m_model, tr("Launches"), this)),
      m_facts(new Label(LabelRole::Quiet, {}, this)),
      m_plot(new QCustomPlot(this)) {
    m_table->setObjectName(QStringLiteral("launchTable"));
    m_table->setColumnCharacters({18, 16, 7, 8, 8, 8, 10, 7, 7, 7}, 0);
    m_table->sortAtFirst(3, Qt::DescendingOrder);
    m_facts->setObjectName(QStringLiteral("launchFacts"));
    m_facts->setWordWrap(true);
    m_facts->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    makePlot();
    auto* left = new QWidget(this);
    QVBoxLayout* const table = columnIn(left);
    captionRowIn(table)->addWidget(m_caption);
    table->addWidget(m_table, 1);
    auto* right = new QWidget(this);
    auto* facts = new QVBoxLayout(right);
    facts->setContentsMargins(4, 4, 8, 0);
    facts->addWidget(m_facts);
    facts->addWidget(m_plot, 1);
    auto* split = new QSplitter(Qt::Horizontal, this);
    split->addWidget(left);
    split->addWidget(right);
    split->setSizes({m_table->neededWidth(), m_table->neededWidth() / 2});
    split->setStretchFactor(0, 2);
    split->setStretchFactor(1, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(split);
    connect(&analyst, &Analyst::reportChanged, this, &LaunchPanel::request);
    connect(m_table, &DataTable::chosen, this, [this](int row) {
        if (row < 0) return;
        m_analyst.session().select({.kind = Selection::Kind::KernelName,
                                    .range = m_analyst.session().selection().range,
                                    .name = m_model.launches(row).kernelName});
    });
}

void LaunchPanel::makePlot() {
    m_plot->setObjectName(QStringLiteral("queueDepthPlot"));
    m_plot->setAccessibleName(tr("Launches waiting in the queue of a stream over time"));
    m_plot->setMinimumSize(160, 60);
    m_depth = m_plot->addGraph();
    m_depth->setLineStyle(QCPGraph::lsStepLeft);
    m_depth->setAntialiased(false);
    m_plot->xAxis->setLabel(tr("ms"));
    m_plot->yAxis->setLabel(tr("launches waiting"));
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) {
        axis->setLabelPadding(2);
        axis->setTickLabelPadding(3);
        axis->setSubTicks(false);
    }
    // Labels of a low plot would lie on one another.
    connect(m_plot, &QCustomPlot::beforeReplot, this, [this] {
        const int lines = m_plot->axisRect()->height() / (2 * QFontMetrics(m_plot->yAxis->tickLabelFont()).height());
        m_plot->yAxis->ticker()->setTickCount(std::clamp(lines, 2, kMostTicks));
    });
    restyle();
}

void LaunchPanel::restyle() {
    const Theme& theme = appTheme();
    QFont small = font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    m_plot->setBackground(palette().color(QPalette::Base));
    QColor line = theme.category(Category::Gemm);
    m_depth->setPen(QPen(line, 1));
    line.setAlphaF(0.3F);
    m_depth->setBrush(line);
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) {
        axis->setBasePen(theme.line);
        axis->setTickPen(theme.line);
        axis->setTickLabelColor(theme.mutedText);
        axis->setLabelColor(theme.mutedText);
        axis->setTickLabelFont(small);
        axis->setLabelFont(small);
        axis->grid()->setPen(QPen(theme.line, 1, Qt::DotLine));
        axis->grid()->setZeroLinePen(Qt::NoPen);
    }
}

void LaunchPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() != QEvent::PaletteChange || !m_depth) return;
    restyle();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void LaunchPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    request();
}

LaunchPanel::Answer LaunchPanel::ask(const ReportPtr& report, std::stop_token stop) {
    const Trace& trace = *report->trace;
    Answer answer{.report = report};
    const LaunchJoin join = joinLaunches(trace, stop);
    answer.rows = kernelExecutions(trace, join, report->window, stop).rows;
    answer.launches = launchTable(trace, join, report->window, stop);
    answer.statistics = launchStatistics(trace, join, answer.launches.launches, {}, stop);
    std::vector<QueueDepth> queues = queueDepths(trace, join, report->window, stop);
    if (queues.empty()) return answer;
    answer.queue = std::move(*std::ranges::max_element(queues, {}, &QueueDepth::launchCount));
    const TrackRow track = trace.tracks()[answer.queue.track.value];
    answer.stream = tr("Device %1, stream %2").arg(track.deviceId).arg(track.streamId);
    samplePlot(answer.queue, report->window, answer.milliseconds, answer.depths);
    answer.queue.points.clear();
    return answer;
}

void LaunchPanel::request() {
    const ReportPtr report = m_analyst.report();
    if (!report || !isVisible()) return;
    // Choosing a name changes no window: the table stays, and with it the row that was chosen.
    if (report->trace == m_trace && report->window == m_window) return;
    m_jobs.start([report](std::stop_token stop) { return ask(report, stop); },
                 [this](Answer answer) { take(std::move(answer)); });
}

void LaunchPanel::take(Answer answer) {
    m_trace = answer.report->trace;
    m_window = answer.report->window;
    m_model.show(m_trace, std::move(answer.rows));
    m_caption->setFullText(
        counted(m_model.rowCount(), tr("%1 pair of call and kernel for %2"), tr("%1 pairs of call and kernel for %2"))
            .arg(describe(*m_trace, answer.report->selection)));

    const LaunchStatistics& of = answer.statistics;
    const auto count = [](const std::vector<uint32_t>& rows) {
        return text(formatCount(static_cast<int64_t>(rows.size())));
    };
    QStringList lines;
    lines << tr("Latency p50 %1, p90 %2, p99 %3 of %4 launches")
                 .arg(duration(of.latency.p50Ns), duration(of.latency.p90Ns), duration(of.latency.p99Ns),
                      text(formatCount(answer.launches.latency.count)));
    lines << tr("%1 took less device time than their call; %2 calls over %3; %4 began over %5 after their call")
                 .arg(count(of.shortLaunches), count(of.runtimeOutliers), duration(of.thresholds.runtimeNs),
                      count(of.delayOutliers), duration(of.thresholds.delayNs));
    if (!answer.stream.isEmpty())
        lines << tr("%1: at most %2 waiting, %3 on average")
                     .arg(answer.stream, text(formatCount(answer.queue.maxDepth)),
                          QString::number(answer.queue.meanDepth, 'f', 2));
    m_facts->setText(lines.join(QLatin1Char('\n')));

    m_depth->setData(answer.milliseconds, answer.depths, true);
    m_plot->xAxis->setRange(static_cast<double>(m_window.startNs) * 1e-6, static_cast<double>(m_window.endNs) * 1e-6);
    m_plot->yAxis->setRange(0, std::max<double>(1, static_cast<double>(answer.queue.maxDepth) * 1.1));
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

}  // namespace gapscope
