#include "app/gui/views/ladder_panel.h"

#include <qcustomplot.h>

#include <QAction>
#include <QItemSelectionModel>
#include <QPushButton>
#include <QSplitter>
#include <QToolButton>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/panel_layout.h"
#include "app/gui/views/plot_style.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kNarrowestPlot = 260;  // px

QString pathOf(const std::filesystem::path& path) {
    return QString::fromStdString(path.string());
}

}  // namespace

LadderPanel::LadderPanel(LadderClimber& climber, QAction* climb, QWidget* parent)
    : QWidget(parent),
      m_climber(climber),
      m_caption(new ElidedLabel(LabelRole::Quiet, {}, this)),
      m_open(new QPushButton(tr("&Open session"), this)),
      m_compare(new QPushButton(tr("Compare with the &first"), this)),
      m_folder(new QPushButton(tr("Show fol&der"), this)),
      m_table(new DataTable(m_model, tr("Ladder"), this)),
      m_plot(new QCustomPlot(this)) {
    m_caption->setObjectName(QStringLiteral("ladderCaption"));
    m_open->setObjectName(QStringLiteral("openRung"));
    m_open->setToolTip(tr("Open the session that the chosen rung recorded"));
    m_compare->setObjectName(QStringLiteral("compareRung"));
    m_compare->setToolTip(tr("See what the chosen rung changed against the first one"));
    m_folder->setObjectName(QStringLiteral("ladderFolder"));
    m_folder->setToolTip(tr("The folder with the sessions of this ladder, one a rung"));
    auto* start = new QToolButton(this);
    start->setDefaultAction(climb);
    start->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    start->setObjectName(QStringLiteral("startLadder"));
    m_table->setObjectName(QStringLiteral("ladderTable"));
    m_table->setColumnCharacters({17, 8, 9, 8, 7, 19, 13, 11, 8, 8, 16}, 10);
    makePlot();
    QVBoxLayout* const column = columnIn(this);
    QHBoxLayout* const captionRow = captionRowIn(column);
    captionRow->addWidget(m_caption, 1);
    for (QWidget* button : std::initializer_list<QWidget*>{m_folder, m_compare, m_open, start})
        captionRow->addWidget(button);
    auto* split = new QSplitter(Qt::Horizontal, this);
    split->setChildrenCollapsible(false);
    split->addWidget(m_plot);
    split->addWidget(m_table);
    split->setSizes({360, 620});
    split->setStretchFactor(0, 1);
    split->setStretchFactor(1, 2);
    column->addWidget(split, 1);
    connect(&m_climber, &LadderClimber::changed, this, &LadderPanel::show);
    connect(&m_climber, &LadderClimber::progressChanged, this, &LadderPanel::showCaption);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &LadderPanel::showButtons);
    connect(m_table, &DataTable::doubleChosen, this, [this](int row) {
        if (m_model.rung(row).ran()) Q_EMIT openWanted(pathOf(m_model.rung(row).session));
    });
    connect(m_open, &QPushButton::clicked, this, [this] {
        if (const LadderRung* rung = chosen()) Q_EMIT openWanted(pathOf(rung->session));
    });
    connect(m_compare, &QPushButton::clicked, this, [this] {
        const LadderRung *rung = chosen(), *first = m_model.ladder().first();
        if (rung && first) Q_EMIT compareWanted(pathOf(first->session), pathOf(rung->session));
    });
    connect(m_folder, &QPushButton::clicked, this, [this] { Q_EMIT folderWanted(pathOf(m_climber.folder())); });
    show();
}

void LadderPanel::makePlot() {
    m_plot->setObjectName(QStringLiteral("ladderPlot"));
    m_plot->setAccessibleName(
        tr("Tokens a second of each rung, what was predicted of it, and what the memory allows. The table beside it "
           "has the same numbers."));
    m_plot->setMinimumSize(kNarrowestPlot, 80);
    m_plot->yAxis->setRangeReversed(true);  // the first rung on top
    m_plot->yAxis->grid()->setVisible(false);
    m_plot->yAxis->setSubTicks(false);
    m_plot->yAxis->setTickLength(0);
    m_plot->xAxis->setLabel(tr("tokens/s  ·  ◆ predicted  ·  dashed: memory limit"));
    m_plot->xAxis->setLabelPadding(2);
    m_bars = new QCPBars(m_plot->yAxis, m_plot->xAxis);
    m_bars->setWidth(0.6);
    m_predicted = new QCPGraph(m_plot->yAxis, m_plot->xAxis);
    m_predicted->setLineStyle(QCPGraph::lsNone);
    m_floor = new QCPItemStraightLine(m_plot);
    restyle();
}

void LadderPanel::restyle() {
    const Theme& theme = appTheme();
    styleAxes(*m_plot, *this);
    m_plot->yAxis->setTickLabelColor(theme.text);  // names, not numbers
    m_bars->setPen(Qt::NoPen);
    m_bars->setBrush(theme.accent);
    QPen edge(palette().color(QPalette::Base), 1.5);
    m_predicted->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDiamond, edge, theme.text, 11));
    m_floor->setPen(QPen(theme.mutedText, 1, Qt::DashLine));
}

void LadderPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() != QEvent::PaletteChange || !m_bars) return;
    restyle();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

// Rows come and are filled in, none goes: the one that was chosen stays chosen.
void LadderPanel::show() {
    const std::vector<int> rows = m_table->selectedSourceRows();
    m_model.show(m_climber.ladder(), m_climber.running());
    if (!rows.empty()) m_table->markSourceRow(rows.front());
    showPlot();
    showCaption();
    showButtons();
}

void LadderPanel::showPlot() {
    const Ladder& ladder = m_model.ladder();
    const auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    QVector<double> places, speeds, predictedPlaces, predictions;
    double most = ladder.floorTokensPerSecond;
    for (size_t i = 0; i < ladder.rungs.size(); ++i) {
        const LadderRung& rung = ladder.rungs[i];
        const auto place = static_cast<double>(i);
        ticker->addTick(place, rungTitle(rung));
        if (!rung.ran()) continue;
        places << place;
        speeds << rung.figures.tokensPerSecond;
        most = std::max({most, rung.figures.tokensPerSecond, rung.prediction.tokensPerSecond});
        if (rung.prediction.tokensPerSecond <= 0) continue;
        predictedPlaces << place;
        predictions << rung.prediction.tokensPerSecond;
    }
    m_plot->yAxis->setTicker(ticker);
    m_plot->yAxis->setRange(-0.6, std::max<double>(1, static_cast<double>(ladder.rungs.size())) - 0.4);
    m_plot->xAxis->setRange(0, most > 0 ? most * 1.06 : 1);
    m_bars->setData(places, speeds);
    m_predicted->setData(predictedPlaces, predictions);
    m_floor->setVisible(ladder.floorTokensPerSecond > 0);
    m_floor->point1->setCoords(ladder.floorTokensPerSecond, 0);
    m_floor->point2->setCoords(ladder.floorTokensPerSecond, 1);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void LadderPanel::showCaption() {
    const Ladder& ladder = m_model.ladder();
    if (m_climber.running()) {
        const RecordingProgress& progress = m_climber.progress();
        const QString phase = m_climber.stopping() ? tr("stopping") : text(progress.phase);
        m_caption->setFullText(tr("%1 of %2, %3%4")
                                   .arg(m_climber.rung() + 1)
                                   .arg(ladder.rungs.size())
                                   .arg(rungTitle(ladder.rungs[m_climber.rung()]),
                                        phase.isEmpty() ? QString() : QStringLiteral(": ") + phase));
        return;
    }
    const LadderRung *first = ladder.first(), *best = ladder.fastest();
    if (!first) {
        m_caption->setFullText(
            tr("Runs the model and prompt above with one remedy after the other and shows what each brings: eager, "
               "fused kernels, CUDA graph, one persistent kernel, speculative decoding."));
        return;
    }
    // What was found comes first: where there is little room, the end is left out.
    QStringList says;
    if (best != first)
        says << tr("%1 is the fastest, %2× %3: %4 tokens a second against %5")
                    .arg(rungTitle(*best),
                         QString::number(best->figures.tokensPerSecond / first->figures.tokensPerSecond, 'f', 2),
                         rungTitle(*first).toLower(), QString::number(best->figures.tokensPerSecond, 'f', 1),
                         QString::number(first->figures.tokensPerSecond, 'f', 1));
    const auto notRun = std::ranges::count_if(ladder.rungs, [](const LadderRung& rung) { return !rung.ran(); });
    if (ladder.cancelled)
        says << tr("Stopped early");
    else if (notRun > 0)
        says << counted(notRun, tr("%1 rung did not run"), tr("%1 rungs did not run"));
    says << tr("%1 on %2").arg(text(ladder.model), text(ladder.deviceName));
    m_caption->setFullText(says.join(QStringLiteral(". ")) + QLatin1Char('.'));
}

void LadderPanel::showButtons() {
    const LadderRung* rung = chosen();
    const LadderRung* first = m_model.ladder().first();
    const bool idle = !m_climber.running();
    m_open->setEnabled(idle && rung);
    m_compare->setEnabled(idle && rung && first && rung->session != first->session);
    m_folder->setVisible(first != nullptr);
    m_open->setVisible(first != nullptr);
    m_compare->setVisible(first != nullptr);
}

const LadderRung* LadderPanel::chosen() const {
    const std::vector<int> rows = m_table->selectedSourceRows();
    return rows.size() == 1 && m_model.rung(rows.front()).ran() ? &m_model.rung(rows.front()) : nullptr;
}

}  // namespace gapscope
