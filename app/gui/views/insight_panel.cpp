#include "app/gui/views/insight_panel.h"

#include <qcustomplot.h>

#include <QComboBox>
#include <QCursor>
#include <QGridLayout>
#include <QHeaderView>
#include <QMouseEvent>
#include <QToolButton>
#include <QToolTip>
#include <QVBoxLayout>
#include <algorithm>

#include "app/gui/plain_tip.h"
#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/pie_item.h"
#include "app/gui/views/two_way_bar.h"
#include "app/gui/views/what_if_card.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kPieSize = 118;

double ratio(int64_t part, int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// Two or three significant digits: 4.63, 46.3, 463.
QString threeDigits(double value) {
    const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return QString::number(value, 'f', decimals);
}

const QString kNothing = QStringLiteral("–");

constexpr std::array kTileRows = {Evidence::TokenRows, Evidence::Idle, Evidence::LaunchRows, Evidence::KernelRows};

// What a number of the verdict means, what it is held against and where its rows are.
QString definitionOf(Evidence evidence) {
    switch (evidence) {
        case Evidence::Idle:
            return InsightPanel::tr(
                       "Idle: the window less the union of the device's operations. From %1 of the window "
                       "on it counts as overhead-bound. Click for the gaps.")
                .arg(text(formatPercent(kOverheadIdleShare)));
        case Evidence::Cause:
            return InsightPanel::tr(
                "Each gap is cut where the call that launched its end begins and returns: host, "
                "launch call, device latency. Click for the gaps of the largest cause.");
        case Evidence::Bandwidth:
            return InsightPanel::tr(
                       "Bytes that the plan moves by the time of the operations, against the measured "
                       "peak. From %1 of it on it counts as memory-bound. Click for the roofline.")
                .arg(text(formatPercent(kNearPeakShare)));
        case Evidence::Arithmetic:
            return InsightPanel::tr(
                       "Flops of the plan by the time of the operations, against the measured peak. From "
                       "%1 of it on it counts as compute-bound. Click for the roofline.")
                .arg(text(formatPercent(kNearPeakShare)));
        case Evidence::StageRows:
            return InsightPanel::tr(
                "Stages: what one block of a kernel did, by a clock that it wrote at each border. Until a product has "
                "its input, blocks wait for the values of others. Click for the layers.");
        default:
            return {};
    }
}

}  // namespace

InsightPanel::InsightPanel(Analyst& analyst, QWidget* parent) : QWidget(parent), m_analyst(analyst) {
    setObjectName(QStringLiteral("insightPanel"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    layout->addWidget(makeScope());
    m_figures = new Label(LabelRole::Body, {}, this);
    m_figures->setObjectName(QStringLiteral("tokenFigures"));
    m_figures->setWordWrap(true);
    m_figures->setContentsMargins(2, 0, 2, 0);
    layout->addWidget(m_figures);
    layout->addWidget(makeVerdict());
    layout->addWidget(makeTiles());
    layout->addWidget(makePie());
    m_whatIf = new WhatIfCard(m_analyst, this);
    layout->addWidget(m_whatIf);
    layout->addStretch(1);
    connect(&analyst, &Analyst::reportChanged, this, &InsightPanel::showReport);
    showReport();
}

QWidget* InsightPanel::makeScope() {
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(2, 0, 0, 0);
    layout->setSpacing(4);
    m_scope = new ElidedLabel(LabelRole::Quiet, {}, row);
    m_scope->setObjectName(QStringLiteral("scopeLabel"));
    m_whole = new QToolButton(row);
    m_whole->setAutoRaise(true);
    m_whole->setIcon(lineIcon(QStringLiteral("close")));
    m_whole->setIconSize({12, 12});
    m_whole->setToolTip(tr("Back to the whole run (Esc)"));
    m_whole->setAccessibleName(tr("Back to the whole run"));
    QSizePolicy keepsRoom = m_whole->sizePolicy();
    keepsRoom.setRetainSizeWhenHidden(true);
    m_whole->setSizePolicy(keepsRoom);
    connect(m_whole, &QToolButton::clicked, &m_analyst.session(), &Session::clearSelection);
    layout->addWidget(m_scope, 1);
    layout->addWidget(m_whole);
    return row;
}

QWidget* InsightPanel::makeVerdict() {
    auto* card = new Card(this);
    auto* layout = new QVBoxLayout(card);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(3);
    m_verdict = new Label(LabelRole::Heading, {}, card);
    m_verdict->setObjectName(QStringLiteral("verdict"));
    m_verdict->setWordWrap(true);
    m_evidence = new Label(LabelRole::Quiet, {}, card);
    m_evidence->setWordWrap(true);
    m_verdict->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_evidence->setObjectName(QStringLiteral("evidence"));
    m_evidence->setTextFormat(Qt::RichText);
    m_evidence->setTextInteractionFlags(Qt::TextBrowserInteraction);
    connect(m_evidence, &QLabel::linkActivated, this,
            [this](const QString& link) { follow(static_cast<Evidence>(link.toInt())); });
    connect(m_evidence, &QLabel::linkHovered, this, [this](const QString& link) {
        QToolTip::showText(QCursor::pos(),
                           link.isEmpty() ? QString() : definitionOf(static_cast<Evidence>(link.toInt())), m_evidence);
    });
    layout->addWidget(m_verdict);
    layout->addWidget(m_evidence);
    return card;
}

QWidget* InsightPanel::makeTiles() {
    auto* tiles = new QWidget(this);
    auto* grid = new QGridLayout(tiles);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(6);
    const std::array<std::pair<QString, QString>, 4> texts = {{
        {tr("tokens/s"),
         tr("Of the run: (new tokens - 1) / time from the first token to the last, by the host's clock. Of a "
            "selection: the tokens that lie in it as a whole / their time")},
        {tr("device busy"), tr("Union of the device's operations, as a share of the window; overlap counts once")},
        {tr("launches/token"), tr("Launching calls of the tokens in the window, divided by those tokens; a graph "
                                  "launch is one")},
        {tr("host : device"), tr("Self CPU time (outermost API calls, waits included) to self GPU time")},
    }};
    for (size_t i = 0; i < 4; ++i) {
        auto* card = new Card(tiles);
        card->setToolTip(wrappedTip(tr("%1. Click for the rows behind it.").arg(texts[i].second)));
        card->setObjectName(QStringLiteral("tileCard%1").arg(i));
        card->setCursor(Qt::PointingHandCursor);
        card->setFocusPolicy(Qt::TabFocus);
        card->installEventFilter(this);
        m_tiles[i].card = card;
        m_tiles[i].evidence = kTileRows[i];
        auto* layout = new QVBoxLayout(card);
        layout->setContentsMargins(10, 5, 10, 6);
        layout->setSpacing(0);
        m_tiles[i].value = new Label(LabelRole::Value, kNothing, card);
        m_tiles[i].value->setObjectName(QStringLiteral("tile%1").arg(i));
        m_tiles[i].caption = new Label(LabelRole::Quiet, texts[i].first, card);
        layout->addWidget(m_tiles[i].value);
        layout->addWidget(m_tiles[i].caption);
        grid->addWidget(card, static_cast<int>(i / 2), static_cast<int>(i % 2));
    }
    grid->setColumnStretch(0, 1);
    grid->setColumnStretch(1, 1);
    return tiles;
}

QWidget* InsightPanel::makePie() {
    auto* card = new Card(this);
    auto* layout = new QVBoxLayout(card);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(6);
    auto* title = new QHBoxLayout;
    title->addWidget(new Label(LabelRole::Heading, tr("Device work by category"), card), 1);
    m_pieBy = new QComboBox(card);
    m_pieBy->addItems({tr("time"), tr("count")});
    m_pieBy->setObjectName(QStringLiteral("pieBy"));
    m_pieBy->setAccessibleName(tr("Slices of the pie by time or by count"));
    m_pieBy->setToolTip(tr("By time of the operations, or by their number"));
    connect(m_pieBy, &QComboBox::currentIndexChanged, this, &InsightPanel::showPie);
    title->addWidget(m_pieBy);
    layout->addLayout(title);

    m_plot = new QCustomPlot(card);
    m_plot->setObjectName(QStringLiteral("categoryPie"));
    m_plot->setAccessibleName(tr("Device time by category. The table below has the same numbers."));
    m_plot->setFixedSize(kPieSize, kPieSize);
    m_plot->setMouseTracking(true);
    m_plot->axisRect()->setAutoMargins(QCP::msNone);
    m_plot->axisRect()->setMargins({});
    for (QCPAxis* axis : m_plot->axisRect()->axes())
        axis->setVisible(false);
    m_plot->installEventFilter(this);
    m_pie = new PieItem(m_plot);
    auto* row = new QHBoxLayout;
    row->setSpacing(6);
    row->addWidget(m_plot, 0, Qt::AlignTop);
    layout->addLayout(row);

    m_legend = new DataTable(m_categories, tr("Device time by category"), card);
    m_legend->setObjectName(QStringLiteral("categoryLegend"));
    m_legend->setSelectionMode(QAbstractItemView::SingleSelection);
    m_legend->horizontalHeader()->hide();
    m_legend->horizontalHeader()->setStretchLastSection(false);
    m_legend->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_legend->horizontalHeader()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    m_legend->horizontalHeader()->setSectionResizeMode(2, QHeaderView::ResizeToContents);
    QFont small = m_legend->font();
    small.setPointSizeF(small.pointSizeF() * 0.9);
    m_legend->setFont(small);
    m_legend->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 4);
    m_legend->setAlternatingRowColors(false);
    m_legend->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_legend->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_legend->installEventFilter(this);
    connect(m_legend, &DataTable::chosen, this, &InsightPanel::chooseSlice);
    row->addWidget(m_legend, 1);

    m_twoWay = new TwoWayBar(card);
    layout->addWidget(m_twoWay);
    m_unknown = new QToolButton(card);
    m_unknown->setObjectName(QStringLiteral("unknownNamesLink"));
    m_unknown->setAutoRaise(true);
    m_unknown->setToolTip(tr("Which names they are, and rules that tell their category"));
    m_unknown->hide();
    connect(m_unknown, &QToolButton::clicked, this, &InsightPanel::rulesWanted);
    layout->addWidget(m_unknown, 0, Qt::AlignLeft);
    layout->addStretch(1);
    return card;
}

void InsightPanel::chooseSlice(int slice) {
    if (slice < 0 || slice >= m_categories.rowCount()) return;
    const Category category = m_categories.slices()[static_cast<size_t>(slice)].category;
    Session& session = m_analyst.session();
    const Selection& now = session.selection();
    // A second click on the same slice goes back to what the pie was of.
    if (now.kind == Selection::Kind::Category && now.category == category) {
        session.select(now.range.empty() ? Selection{} : Selection{.kind = Selection::Kind::Range, .range = now.range});
        return;
    }
    session.select({.kind = Selection::Kind::Category, .range = now.range, .category = category});
}

void InsightPanel::showUnknownNames(int64_t count) {
    m_unknown->setText(counted(count, tr("%1 kernel name has no rule…"), tr("%1 kernel names have no rule…")));
    m_unknown->setVisible(count > 0);
}

void InsightPanel::follow(Evidence evidence) {
    const ReportPtr report = m_analyst.report();
    if (!report || evidence == Evidence::None) return;
    Session& session = m_analyst.session();
    const TimeRange range = session.selection().range;
    const GapCauses& causes = report->analysis.gaps.causes;
    if (evidence == Evidence::Cause && causes.totalNs() > 0) {
        const auto largest = std::ranges::max_element(causes.ns) - causes.ns.begin();
        session.select({.kind = Selection::Kind::GapCause, .range = range, .cause = static_cast<int>(largest)});
    }
    if (evidence == Evidence::Idle && session.selection().kind == Selection::Kind::GapCause)
        session.select(range.empty() ? Selection{} : Selection{.kind = Selection::Kind::Range, .range = range});
    Q_EMIT rowsWanted(evidence);
}

// Name and share are read whole at any width; the amounts give way, and stay in the tooltips.
void InsightPanel::fitLegend() {
    constexpr int kCellMargins = 14, kSwatch = 16;
    const QFontMetrics metrics(m_legend->font());
    int needed = kSwatch;
    for (int column = 0; column < m_categories.columnCount(); ++column) {
        int widest = 0;
        for (int row = 0; row < m_categories.rowCount(); ++row)
            widest = std::max(widest, metrics.horizontalAdvance(m_categories.index(row, column).data().toString()));
        needed += std::max(widest + kCellMargins, m_legend->horizontalHeader()->minimumSectionSize());
    }
    m_legend->setColumnHidden(1, needed > m_legend->viewport()->width());
}

bool InsightPanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_legend && event->type() == QEvent::Resize) fitLegend();
    for (const Tile& tile : m_tiles) {
        if (watched != tile.card) continue;
        const bool isClick =
            event->type() == QEvent::MouseButtonRelease && static_cast<QMouseEvent*>(event)->button() == Qt::LeftButton;
        const bool isKey =
            event->type() == QEvent::KeyPress && (static_cast<QKeyEvent*>(event)->key() == Qt::Key_Return ||
                                                  static_cast<QKeyEvent*>(event)->key() == Qt::Key_Space);
        if (isClick || isKey) follow(tile.evidence);
    }
    if (watched == m_plot) {
        switch (event->type()) {
            case QEvent::MouseButtonPress: {
                const auto* mouse = static_cast<QMouseEvent*>(event);
                if (mouse->button() == Qt::LeftButton) chooseSlice(m_pie->sliceAt(mouse->position()));
                break;
            }
            case QEvent::MouseMove: {
                const int slice = m_pie->sliceAt(static_cast<QMouseEvent*>(event)->position());
                m_pie->setHovered(slice);
                m_plot->setCursor(slice >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
                QString tip;
                if (slice >= 0) {
                    const CategorySlice& under = m_categories.slices()[static_cast<size_t>(slice)];
                    tip = tr("%1: %2, %3; %4 of all by %5")
                              .arg(categoryTitle(under.category), text(formatDuration(under.time.ns)),
                                   counted(under.time.count, tr("%1 operation"), tr("%1 operations")),
                                   text(formatPercent(under.share)), m_pieBy->currentText());
                }
                m_plot->setToolTip(tip);
                m_plot->replot(QCustomPlot::rpQueuedReplot);
                break;
            }
            case QEvent::Leave:
                m_pie->setHovered(-1);
                m_plot->replot(QCustomPlot::rpQueuedReplot);
                break;
            default:
                break;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void InsightPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_pie) showReport();
}

void InsightPanel::showReport() {
    const ReportPtr report = m_analyst.report();
    const Session& session = m_analyst.session();
    if (!report) {
        m_scope->setFullText({});
        m_whole->hide();
        m_figures->hide();
        m_verdict->setText(tr("Nothing recorded yet"));
        m_evidence->setText({});
        showPie();
        return;
    }
    const Summary& summary = report->analysis.summary;
    const QString what = describe(*report);
    // A selection with a time of its own already names its duration.
    m_scope->setFullText(report->selection.range.empty()
                             ? tr("For %1, %2").arg(what, text(formatDuration(report->window.durationNs())))
                             : tr("For %1").arg(what));
    m_whole->setVisible(session.selection().kind != Selection::Kind::None);
    m_verdict->setText(text(summary.verdict.sentence));
    showEvidence();

    const TokenTime* token =
        report->selection.kind == Selection::Kind::Token ? tokenOf(*report, report->selection) : nullptr;
    m_figures->setVisible(token != nullptr);
    if (token)
        m_figures->setText(tr("Device busy %1, idle %2; %3, %4")
                               .arg(text(formatDuration(token->busyNs)), text(formatDuration(token->idleNs)),
                                    counted(token->kernelCount, tr("%1 kernel"), tr("%1 kernels")),
                                    counted(token->launchCount, tr("%1 launch"), tr("%1 launches"))));
    // Of a part of the run the run's own figure would be another one's.
    const bool ofWholeRun = report->selection.range.empty() && summary.phases;
    const double rate = ofWholeRun ? summary.phases->tokensPerSecond : report->tokens.tokensPerSecond();
    m_tiles[0].value->setText(rate > 0 ? threeDigits(rate) : kNothing);
    const int64_t deviceTimeNs = summary.gpuBusyNs + summary.gpuIdleNs;
    m_tiles[1].value->setText(deviceTimeNs > 0 ? text(formatPercent(ratio(summary.gpuBusyNs, deviceTimeNs)))
                                               : kNothing);
    int64_t tokens = 0;
    int64_t launches = 0;
    for (const TokenTime& row : report->tokens.rows) {
        if (row.index < 0 || row.cut) continue;
        ++tokens;
        launches += row.launchCount;
    }
    m_tiles[2].value->setText(tokens > 0 ? threeDigits(ratio(launches, tokens)) : kNothing);
    // What repeats in a trace of another program need not be tokens.
    const bool areTokens = report->trace->run() != nullptr;
    m_tiles[0].caption->setText(areTokens ? tr("tokens/s") : tr("steps/s"));
    m_tiles[2].caption->setText(areTokens ? tr("launches/token") : tr("launches/step"));
    m_tiles[3].value->setText(summary.selfGpuNs > 0
                                  ? tr("%1 : 1").arg(threeDigits(ratio(summary.host.selfCpuNs, summary.selfGpuNs)))
                                  : kNothing);
    m_tiles[3].value->parentWidget()->setAccessibleName(
        tr("Self CPU time %1, self GPU time %2")
            .arg(text(formatDuration(summary.host.selfCpuNs)), text(formatDuration(summary.selfGpuNs))));
    for (size_t i = 0; i < 3; ++i)
        m_tiles[i].card->setAccessibleName(m_tiles[i].caption->text() + QStringLiteral(": ") +
                                           m_tiles[i].value->text());
    showPie();
}

void InsightPanel::showEvidence() {
    const Verdict& verdict = m_analyst.report()->analysis.summary.verdict;
    const QString color = m_evidence->palette().color(QPalette::WindowText).name();
    QStringList lines;
    for (size_t i = 0; i < verdict.evidence.size(); ++i) {
        const QString words = text(verdict.evidence[i]).toHtmlEscaped();
        const Evidence about = i < verdict.about.size() ? verdict.about[i] : Evidence::None;
        lines << (about == Evidence::None ? words
                                          : QStringLiteral("<a href=\"%1\" style=\"color:%2\">%3</a>")
                                                .arg(static_cast<int>(about))
                                                .arg(color, words));
    }
    m_evidence->setText(lines.join(QStringLiteral("<br>")));
    m_evidence->setVisible(!lines.isEmpty());
}

void InsightPanel::showPie() {
    const PieBy by = m_pieBy->currentIndex() == 0 ? PieBy::Time : PieBy::Count;
    m_plot->setBackground(palette().color(QPalette::Base));
    const ReportPtr report = m_analyst.report();
    std::vector<CategorySlice> slices;
    if (report) slices = slicesOf(report->analysis.summary.categories, by);
    std::vector<PieItem::Slice> drawn;
    int lifted = -1;
    const Selection& selection = m_analyst.session().selection();
    int64_t total = 0;
    for (const CategorySlice& slice : slices) {
        const int64_t amount = by == PieBy::Time ? slice.time.ns : slice.time.count;
        if (selection.kind == Selection::Kind::Category && selection.category == slice.category)
            lifted = static_cast<int>(drawn.size());
        drawn.push_back(
            {static_cast<double>(amount), appTheme().category(slice.category), categoryTitle(slice.category)});
        total += amount;
    }
    m_categories.show(std::move(slices), by);
    fitLegend();
    m_legend->setFixedHeight(
        std::max(kPieSize, m_categories.rowCount() * m_legend->verticalHeader()->defaultSectionSize() + 2));
    m_legend->markSourceRow(lifted);
    m_pie->setSlices(std::move(drawn));
    m_pie->setLifted(lifted);
    const QString centre = by == PieBy::Time ? text(formatDuration(total)) : text(formatCount(total));
    m_pie->setCentreText(report ? centre : kNothing, by == PieBy::Time ? tr("device time") : tr("operations"));
    m_plot->replot(QCustomPlot::rpQueuedReplot);
    const auto& twoWay = report ? report->analysis.summary.categories.twoWay : std::array<CategoryTime, 3>{};
    std::array<int64_t, 3> values{};
    std::array<QString, 3> amounts;
    for (size_t part = 0; part < values.size(); ++part) {
        values[part] = by == PieBy::Time ? twoWay[part].ns : twoWay[part].count;
        amounts[part] =
            by == PieBy::Time ? exactNs(values[part]) : counted(values[part], tr("%1 operation"), tr("%1 operations"));
    }
    m_twoWay->show(values, amounts);
}

}  // namespace gapscope
