#include "app/gui/views/token_panel.h"

#include <qcustomplot.h>

#include <QHeaderView>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/panel_layout.h"
#include "core/analysis/token_phases.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kNarrowestPlot = 220;  // px
constexpr double kBarShare = 0.8;    // of the room for a token

// "First token 1.20 ms  ·  between tokens p50 ..., p90 ..., p99 ...  ·  prefill ... busy ..."
QString phasesText(const TokenTable& table) {
    const TokenPhases phases = tokenPhases(table);
    QStringList parts;
    const auto time = [](int64_t ns) { return text(formatDuration(ns)); };
    const auto busy = [](const TokenPhase& phase) {
        const int64_t all = phase.busyNs + phase.idleNs;
        return text(formatPercent(all > 0 ? static_cast<double>(phase.busyNs) / static_cast<double>(all) : 0));
    };
    if (phases.timeToFirstTokenNs)
        parts << TokenPanel::tr("first token after %1").arg(time(*phases.timeToFirstTokenNs));
    if (phases.interToken.count > 0)
        parts << TokenPanel::tr("between tokens p50 %1, p90 %2, p99 %3")
                     .arg(time(phases.percentiles.p50Ns), time(phases.percentiles.p90Ns),
                          time(phases.percentiles.p99Ns));
    if (phases.prefill.tokenCount > 0)
        parts << TokenPanel::tr("prefill %1, busy %2").arg(time(phases.prefill.durationNs), busy(phases.prefill));
    if (phases.decode.tokenCount > 0)
        parts << TokenPanel::tr("decode %1, busy %2").arg(time(phases.decode.durationNs), busy(phases.decode));
    return parts.join(QStringLiteral("  ·  "));
}

// Marks whole tokens, by the numbers that the table gives them.
class TokenTicker : public QCPAxisTicker {
public:
    explicit TokenTicker(std::function<QString(int position)> number) : m_number(std::move(number)) {
        setTickStepStrategy(tssReadability);
    }

protected:
    double getTickStep(const QCPRange& range) override { return std::ceil(QCPAxisTicker::getTickStep(range)); }
    QString getTickLabel(double tick, const QLocale&, QChar, int) override {
        return m_number(static_cast<int>(std::lround(tick)));
    }

private:
    std::function<QString(int)> m_number;
};

}  // namespace

TokenPanel::TokenPanel(Analyst& analyst, QWidget* parent)
    : QWidget(parent),
      m_analyst(analyst),
      m_caption(new ElidedLabel(LabelRole::Quiet, {}, this)),
      m_table(new DataTable(m_model, tr("Tokens"), this)),
      m_plot(new QCustomPlot(this)) {
    m_table->setObjectName(QStringLiteral("tokenTable"));
    m_table->setColumnCharacters({7, 9, 12, 8, 8, 8, 8, 8, 10, 8, 8, 9, 8, 7, 9}, 1);
    makePlot();
    auto* left = new QVBoxLayout;
    left->setSpacing(3);
    captionRowIn(left)->addWidget(m_caption);
    m_phases = new ElidedLabel(LabelRole::Body, {}, this);
    m_phases->setObjectName(QStringLiteral("tokenPhases"));
    m_phases->setContentsMargins(8, 0, 8, 0);
    left->addWidget(m_phases);
    left->addWidget(m_table, 1);
    // Whose a token is says more than its text.
    m_table->horizontalHeader()->moveSection(TokenModel::kSequenceColumn, TokenModel::kTextColumn);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 4, 0, 0);
    layout->setSpacing(6);
    layout->addLayout(left, 1);
    layout->addWidget(m_plot, 1);
    connect(&analyst, &Analyst::reportChanged, this, &TokenPanel::showReport);
    connect(m_table, &DataTable::chosen, this, [this](int) { choose(m_table->selectedSourceRows()); });
    connect(m_table, &DataTable::doubleChosen, this, [this](int row) {
        if (row < 0) return;
        m_analyst.session().setFollowing(false);
        m_analyst.session().setVisibleRange(m_model.stepRange(row));
    });
}

void TokenPanel::makePlot() {
    m_plot->setObjectName(QStringLiteral("tokenPlot"));
    m_plot->setAccessibleName(tr("Time of each token, busy and idle. The table beside it has the same numbers."));
    m_plot->setMinimumSize(kNarrowestPlot, 80);
    m_idle = new QCPBars(m_plot->xAxis, m_plot->yAxis);
    m_busy = new QCPBars(m_plot->xAxis, m_plot->yAxis);
    m_busy->setName(tr("busy"));
    m_idle->setName(tr("idle"));
    for (QCPBars* bars : {m_busy, m_idle}) {
        bars->setPen(Qt::NoPen);
        bars->setAntialiased(false);
    }
    m_idle->moveAbove(m_busy);
    m_plot->yAxis->setLabel(tr("ms per token"));
    m_plot->xAxis->grid()->setVisible(false);
    m_plot->xAxis->setLabel(tr("token"));
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) {
        axis->setLabelPadding(2);
        axis->setTickLabelPadding(3);
        axis->setSubTicks(false);
    }
    m_plot->xAxis->setTicker(QSharedPointer<TokenTicker>::create([this](int position) {
        if (position < 0 || position >= static_cast<int>(m_plotted.size())) return QString();
        return QStringLiteral("%L1").arg(m_model.token(m_plotted[static_cast<size_t>(position)]).index);
    }));
    // Bars narrower than a pixel would fall between the pixels, the highest too.
    connect(m_plot, &QCustomPlot::beforeReplot, this, [this] {
        const bool areMany = m_plot->xAxis->range().size() > m_plot->axisRect()->width() * kBarShare;
        for (QCPBars* bars : {m_busy, m_idle}) {
            bars->setWidthType(areMany ? QCPBars::wtAbsolute : QCPBars::wtPlotCoords);
            bars->setWidth(areMany ? 1 : kBarShare);
        }
    });
    connect(m_plot, &QCustomPlot::mousePress, this, [this](const QMouseEvent* event) {
        const int position = static_cast<int>(std::lround(m_plot->xAxis->pixelToCoord(event->position().x())));
        if (position >= 0 && position < static_cast<int>(m_plotted.size()))
            choose({m_plotted[static_cast<size_t>(position)]});
    });
    restyle();
}

void TokenPanel::choose(std::vector<int> rows) {
    std::erase_if(rows, [this](int row) { return row < 0 || row >= m_model.rowCount(); });
    const ReportPtr report = m_analyst.report();
    if (rows.empty() || !report) return;
    if (rows.size() == 1) {
        const TokenTime& token = m_model.token(rows.front());
        m_analyst.session().select({.kind = Selection::Kind::Token,
                                    .range = m_model.stepRange(rows.front()),
                                    .row = tokenRow(*report->trace, token)});
        return;
    }
    TimeRange all = m_model.token(rows.front()).range;
    for (const int row : rows) {
        all.startNs = std::min(all.startNs, m_model.token(row).range.startNs);
        all.endNs = std::max(all.endNs, m_model.token(row).range.endNs);
    }
    m_analyst.session().select({.kind = Selection::Kind::Range, .range = all});
}

void TokenPanel::showReport() {
    const ReportPtr report = m_analyst.report();
    if (!report) return;
    // As with gaps: the neighbours of a chosen token stay listed.
    if (report->selection.kind == Selection::Kind::Token) {
        const int row = m_model.rowOf(report->selection);
        if (row >= 0) {
            if (m_table->selectedSourceRows() != std::vector<int>{row}) m_table->markSourceRow(row);
            showPlot();
            return;
        }
    }
    m_model.show(report);
    m_table->offerColumn(TokenModel::kDraftsColumn, m_model.hasDrafts());
    m_table->offerColumn(TokenModel::kShareColumn, m_model.hasDrafts() || m_model.isBatch());
    m_table->offerColumn(TokenModel::kSequenceColumn, m_model.isBatch());
    m_table->offerColumn(TokenModel::kRepeatColumn, m_model.hasRepeats());
    m_table->offerColumn(TokenModel::kTextColumn, m_model.hasTexts());
    m_phases->setFullText(phasesText(report->tokens));
    m_phases->setVisible(m_model.rowCount() > 0);
    shareWidth();
    const std::string& sentence = report->tokens.sentence;
    if (m_model.rowCount() == 0)
        m_caption->setFullText(
            tr("No tokens: the trace tells none, and nothing repeats in its kernels that could be a step."));
    else if (!sentence.empty())
        m_caption->setFullText(tr("%1 For %2").arg(text(sentence), describe(*report)));
    else
        m_caption->setFullText(counted(m_model.rowCount(), tr("%1 row for %2"), tr("%1 rows, the prompt first, for %2"))
                                   .arg(describe(*report)));
    showPlot();
}

// The table gets what its columns need and the plot the rest. Where that is too little for a plot, columns that matter
// less go first, then the causes of idle time (the menu of the header brings each back, for good), then the plot.
void TokenPanel::shareWidth() {
    const auto fits = [this] { return width() - m_table->neededWidth() - layout()->spacing() >= kNarrowestPlot; };
    const auto offerDetails = [this](bool shown) {
        m_table->offerColumn(TokenModel::kStartColumn, shown);
        m_table->offerColumn(TokenModel::kKernelsColumn, shown);
        m_table->offerColumn(TokenModel::kIdColumn, shown && m_model.hasTexts());
    };
    const auto offerCauses = [this](bool shown) {
        for (int column = TokenModel::kHostColumn; column <= TokenModel::kUnknownColumn; ++column)
            m_table->offerColumn(column, shown && (column != TokenModel::kUnknownColumn || m_model.hasUnknownIdle()));
    };
    offerDetails(true);
    offerCauses(true);
    if (!fits()) offerDetails(false);
    if (!fits()) offerCauses(false);
    const bool both = fits();
    const int needed = m_table->neededWidth();
    m_table->setMaximumWidth(both ? needed : QWIDGETSIZE_MAX);
    m_table->setMinimumWidth(both ? needed : 0);
    m_plot->setVisible(both);
}

void TokenPanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    shareWidth();
}

void TokenPanel::showPlot() {
    QVector<double> positions;
    QVector<double> busy;
    QVector<double> idle;
    m_plotted.clear();
    for (int row = 0; row < m_model.rowCount(); ++row) {
        const TokenTime& token = m_model.token(row);
        if (token.index < 0) continue;  // the prompt's bar would flatten all others
        positions.append(static_cast<double>(m_plotted.size()));
        busy.append(static_cast<double>(token.share.busyNs) * 1e-6);
        idle.append(static_cast<double>(token.share.idleNs) * 1e-6);
        m_plotted.push_back(row);
    }
    double highest = 0;
    for (int i = 0; i < positions.size(); ++i)
        highest = std::max(highest, busy[i] + idle[i]);
    m_busy->setData(positions, busy, true);
    m_idle->setData(positions, idle, true);
    m_plot->xAxis->setRange(-0.6, std::max(1.0, static_cast<double>(positions.size()) - 0.4));
    m_plot->yAxis->setRange(0, highest > 0 ? highest * 1.25 : 1);  // with room for the legend
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void TokenPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_busy) {
        restyle();
        m_plot->replot(QCustomPlot::rpQueuedReplot);
    }
}

void TokenPanel::restyle() {
    const Theme& theme = appTheme();
    QFont small = font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    m_plot->setBackground(palette().color(QPalette::Base));
    m_busy->setBrush(theme.category(Category::Gemm));
    m_idle->setBrush(theme.gapCause(GapCause::HostOutside));
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
    m_plot->legend->setVisible(true);
    m_plot->legend->setFont(small);
    m_plot->legend->setTextColor(theme.mutedText);
    m_plot->legend->setBrush(palette().color(QPalette::Base));
    m_plot->legend->setBorderPen(Qt::NoPen);
    m_plot->legend->setFillOrder(QCPLegend::foColumnsFirst);
    m_plot->legend->setIconSize(8, 8);
    m_plot->legend->setMargins({2, 0, 2, 0});
    m_plot->axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignTop | Qt::AlignRight);
}

}  // namespace gapscope
