#include "app/gui/views/compare_page.h"

#include <qcustomplot.h>

#include <QComboBox>
#include <QHeaderView>
#include <QScrollArea>
#include <QSplitter>
#include <QTabWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/gui/models/category_model.h"
#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/pie_item.h"
#include "app/gui/views/two_way_bar.h"
#include "core/base/format.h"
#include "core/trace/run_words.h"

namespace gapscope {
namespace {

constexpr int kPieSize = 118;

// "run.gapscope: Gemma 3 1B, eager, on cuda:0"
QString sideName(const QString& name, const Trace& trace) {
    const RunInfo* run = trace.run();
    if (!run) return name;
    return ComparePage::tr("%1: %2, %3, on %4").arg(name, text(run->modelName), text(wayOf(*run)), text(run->device));
}

}  // namespace

ComparePage::ComparePage(Comparer& comparer, QWidget* parent) : QWidget(parent), m_comparer(comparer) {
    setObjectName(QStringLiteral("comparePage"));
    auto* timelines = new QSplitter(Qt::Vertical, this);
    timelines->addWidget(makeTimeline(m_sides[0], comparer.before(), QStringLiteral("timelineBefore")));
    timelines->addWidget(makeTimeline(m_sides[1], comparer.after(), QStringLiteral("timelineAfter")));
    m_middle = new QSplitter(Qt::Vertical, this);
    m_middle->addWidget(timelines);
    m_middle->addWidget(makeTables());
    m_middle->setStretchFactor(0, 2);
    m_middle->setStretchFactor(1, 1);
    m_middle->setSizes({470, 210});
    auto* outer = new QSplitter(Qt::Horizontal, this);
    outer->addWidget(m_middle);
    outer->addWidget(makePies());
    outer->setStretchFactor(0, 1);
    outer->setSizes({1010, 300});
    for (QSplitter* splitter : {timelines, m_middle, outer}) {
        splitter->setChildrenCollapsible(false);
        splitter->setHandleWidth(7);
    }
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 6, 8, 0);
    layout->setSpacing(6);
    layout->addWidget(makeHead());
    layout->addWidget(outer, 1);
    connect(&comparer, &Comparer::changed, this, &ComparePage::showResult);
    showResult();
}

QWidget* ComparePage::makeHead() {
    auto* card = new Card(this);
    auto* row = new QHBoxLayout(card);
    row->setContentsMargins(10, 6, 6, 6);
    row->setSpacing(6);
    m_sentence = new Label(LabelRole::Body, {}, card);
    m_sentence->setObjectName(QStringLiteral("compareSentence"));
    m_sentence->setWordWrap(true);
    m_sentence->setTextInteractionFlags(Qt::TextSelectableByMouse);
    row->addWidget(m_sentence, 1);

    m_align = new QComboBox(card);
    m_align->setObjectName(QStringLiteral("alignAt"));
    m_align->setAccessibleName(tr("Where the timelines are put above each other"));
    m_align->setToolTip(tr("What of the two runs stands above each other"));
    m_align->setMinimumContentsLength(16);
    connect(m_align, &QComboBox::activated, this, [this](int index) {
        const ComparedPtr result = m_comparer.result();
        if (!result || index < 0 || index >= static_cast<int>(result->points.size())) return;
        const AlignPoint& point = result->points[static_cast<size_t>(index)];
        const int64_t ns = m_comparer.before().visibleRange().durationNs();
        m_comparer.alignAt(point.beforeNs, point.afterNs);
        m_comparer.before().setVisibleRange({point.beforeNs - ns / 20, point.beforeNs - ns / 20 + ns});
    });
    auto* alignLabel = new Label(LabelRole::Quiet, tr("Align at"), card);
    alignLabel->setBuddy(m_align);
    row->addWidget(alignLabel);
    row->addWidget(m_align);

    auto* exchange = new QToolButton(card);
    exchange->setObjectName(QStringLiteral("exchangeButton"));
    exchange->setText(tr("Exchange"));
    exchange->setToolTip(tr("Before becomes after"));
    connect(exchange, &QToolButton::clicked, &m_comparer, &Comparer::exchange);
    row->addWidget(exchange);
    auto* leave = new QToolButton(card);
    leave->setObjectName(QStringLiteral("leaveCompareButton"));
    leave->setIcon(lineIcon(QStringLiteral("close")));
    leave->setText(tr("Leave"));
    leave->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    leave->setIconSize({12, 12});
    leave->setToolTip(tr("Back to the open session (Esc)"));
    connect(leave, &QToolButton::clicked, this, &ComparePage::leaveWanted);
    row->addWidget(leave);
    return card;
}

QWidget* ComparePage::makeTimeline(Side& side, Session& session, const QString& objectName) {
    auto* box = new QWidget(this);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    const bool isBefore = &side == &m_sides[0];
    side.name = new ElidedLabel(LabelRole::Body, {}, box);
    side.window = new QComboBox(box);
    side.window->setObjectName(isBefore ? QStringLiteral("windowBefore") : QStringLiteral("windowAfter"));
    side.window->setAccessibleName(isBefore ? tr("Window before") : tr("Window after"));
    side.window->setToolTip(tr("What of this trace is compared"));
    side.window->setMinimumContentsLength(16);
    side.window->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    const auto setWindow = [this, isBefore](const WindowChoice& window) {
        isBefore ? m_comparer.setWindowBefore(window) : m_comparer.setWindowAfter(window);
    };
    connect(side.window, &QComboBox::activated, this, [this, isBefore, setWindow](int index) {
        const ComparedPtr result = m_comparer.result();
        if (!result || index < 0) return;
        const auto& choices = isBefore ? result->choicesBefore : result->choicesAfter;
        // What follows is the window that is shown already.
        if (static_cast<size_t>(index) < choices.size()) setWindow(choices[static_cast<size_t>(index)]);
    });
    side.selected = new QToolButton(box);
    side.selected->setObjectName(isBefore ? QStringLiteral("selectedBefore") : QStringLiteral("selectedAfter"));
    side.selected->setText(tr("Take selection"));
    side.selected->setToolTip(tr("Compare what is selected in this timeline: drag over it, or click a token"));
    side.selected->setEnabled(false);
    connect(side.selected, &QToolButton::clicked, this, [&session, setWindow] {
        const Selection& selection = session.selection();
        if (!selection.range.empty()) setWindow({describe(*session.trace(), selection), selection.range});
    });
    connect(&session, &Session::selectionChanged, this,
            [&session, &side] { side.selected->setEnabled(!session.selection().range.empty()); });
    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    head->addWidget(side.name, 1);
    auto* windowLabel = new Label(LabelRole::Quiet, tr("Window"), box);
    windowLabel->setBuddy(side.window);
    head->addWidget(windowLabel);
    head->addWidget(side.window);
    head->addWidget(side.selected);
    side.timeline = new TimelineWidget(session, box);
    side.timeline->setObjectName(objectName);
    side.timeline->setNotesKept(false);
    layout->addLayout(head);
    layout->addWidget(side.timeline, 1);
    return box;
}

QWidget* ComparePage::makePie(Side& side, const QString& objectName) {
    auto* box = new QWidget(this);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    side.pieName = new Label(LabelRole::Quiet, {}, box);
    side.pieName->setAlignment(Qt::AlignHCenter);
    side.plot = new QCustomPlot(box);
    side.plot->setObjectName(objectName);
    side.plot->setAccessibleName(tr("Device time by category. The figures below have the same numbers."));
    side.plot->setFixedSize(kPieSize, kPieSize);
    side.plot->axisRect()->setAutoMargins(QCP::msNone);
    side.plot->axisRect()->setMargins({});
    for (QCPAxis* axis : side.plot->axisRect()->axes())
        axis->setVisible(false);
    side.pie = new PieItem(side.plot);
    layout->addWidget(side.pieName);
    layout->addWidget(side.plot, 0, Qt::AlignHCenter);
    return box;
}

QWidget* ComparePage::makePies() {
    auto* card = new Card(this);
    auto* layout = new QVBoxLayout(card);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->setSpacing(6);
    layout->addWidget(new Label(LabelRole::Heading, tr("Device time by category"), card));
    auto* pies = new QHBoxLayout;
    pies->addWidget(makePie(m_sides[0], QStringLiteral("pieBefore")));
    pies->addWidget(makePie(m_sides[1], QStringLiteral("pieAfter")));
    layout->addLayout(pies);
    for (size_t i = 0; i < m_sides.size(); ++i) {
        layout->addWidget(new Label(LabelRole::Quiet, i == 0 ? tr("Before") : tr("After"), card));
        m_sides[i].twoWay = new TwoWayBar(card);
        layout->addWidget(m_sides[i].twoWay);
    }
    // The legend of both.
    auto* table = new DataTable(m_categories, tr("Device time by category, before and after"), card);
    table->setObjectName(QStringLiteral("compareLegend"));
    table->horizontalHeader()->setStretchLastSection(false);
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    for (int column = 1; column < m_categories.columnCount(); ++column)
        table->horizontalHeader()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    QFont small = table->font();
    small.setPointSizeF(small.pointSizeF() * 0.9);
    table->setFont(small);
    table->horizontalHeader()->setFont(small);
    table->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 4);
    table->setAlternatingRowColors(false);
    table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(table, &DataTable::chosen, this, [this](int row) {
        if (row < 0) return;
        const Selection selection{.kind = Selection::Kind::Category, .category = m_categories.category(row)};
        m_comparer.before().select(selection);
        m_comparer.after().select(selection);
    });
    layout->addWidget(table, 1);
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidgetResizable(true);
    scroll->setWidget(card);
    scroll->setMinimumWidth(310);
    return scroll;
}

DataTable* ComparePage::addTable(CompareModel& model, const QString& title, const QString& objectName) {
    auto* table = new DataTable(model, title, m_tabs);
    table->setObjectName(objectName);
    m_tabs->addTab(table, title);
    return table;
}

QWidget* ComparePage::makeTables() {
    m_tabs = new QTabWidget(this);
    m_tabs->setObjectName(QStringLiteral("compareTabs"));
    m_tabs->setDocumentMode(true);
    m_scope = new QComboBox(m_tabs);
    m_scope->setObjectName(QStringLiteral("compareScope"));
    m_scope->setAccessibleName(tr("What the figures are of"));
    m_tabs->setCornerWidget(m_scope, Qt::TopRightCorner);
    connect(m_scope, &QComboBox::currentIndexChanged, this, [this](int index) { m_figures.setPhase(index - 1); });
    connect(m_tabs, &QTabWidget::currentChanged, this, [this](int index) { m_scope->setVisible(index == 0); });

    DataTable* figures = addTable(m_figures, tr("Figures"), QStringLiteral("compareFigures"));
    figures->setColumnCharacters({34, 13, 13, 13, 16, 10, 9}, 0);
    m_figuresTable = figures;
    connect(figures, &DataTable::chosen, this, &ComparePage::chooseFigure);
    DataTable* kernels = addTable(m_kernels, tr("Kernels"), QStringLiteral("compareKernels"));
    kernels->setColumnCharacters({28, 13, 9, 11, 9, 9, 12, 11, 14, 13, 9}, 0);
    connect(kernels, &DataTable::chosen, this, &ComparePage::chooseKernel);
    DataTable* roles = addTable(m_roles, tr("Roles and layers"), QStringLiteral("compareRoles"));
    roles->setColumnCharacters({28, 9, 11, 9, 9, 12, 11, 16, 15}, 0);
    DataTable* tokens = addTable(m_tokens, tr("Tokens"), QStringLiteral("compareTokens"));
    tokens->setColumnCharacters({9, 20, 11, 9, 9, 11, 10, 15, 14}, 1);
    connect(tokens, &DataTable::chosen, this, &ComparePage::chooseToken);
    DataTable* culprits = addTable(m_culprits, tr("Who left it idle"), QStringLiteral("compareCulprits"));
    culprits->setColumnCharacters({34, 10, 12, 12, 11, 12, 11, 15, 14}, 0);
    connect(culprits, &DataTable::chosen, this, &ComparePage::chooseCulprit);
    return m_tabs;
}

// The windows that the trace offers, and behind them the one that is shown if it is another.
void ComparePage::showWindows(Side& side, const ComparedSide& of, const std::vector<WindowChoice>* choices) {
    side.window->clear();
    side.window->setEnabled(choices != nullptr);
    if (!choices) return;
    QStringList names;
    for (const WindowChoice& choice : *choices)
        names << choice.name;
    const auto range = of.window ? of.window->range : choices->front().range;
    const auto known = std::ranges::find(*choices, range, &WindowChoice::range);
    if (known == choices->end()) names << of.window->name;
    side.window->addItems(names);
    side.window->setCurrentIndex(static_cast<int>(known - choices->begin()));
}

void ComparePage::showResult() {
    const ComparedPtr result = m_comparer.result();
    m_sides[0].name->setFullText(tr("Before: %1").arg(sideName(m_comparer.nameBefore(), *m_comparer.before().trace())));
    m_sides[1].name->setFullText(tr("After: %1").arg(sideName(m_comparer.nameAfter(), *m_comparer.after().trace())));
    m_sentence->setText(result ? text(result->comparison.sentence) : tr("Comparing…"));
    m_align->setEnabled(result != nullptr);
    m_align->clear();
    m_scope->clear();
    m_scope->addItem(tr("Of the whole window"));
    if (result) {
        for (const AlignPoint& point : result->points)
            m_align->addItem(point.name);
        for (const PhaseDelta& phase : result->comparison.phases)
            m_scope->addItem(phase.name == "prefill" ? tr("Of prefill") : tr("Of decode"));
    }
    m_scope->setVisible(m_tabs->currentIndex() == 0 && m_scope->count() > 1);
    showWindows(m_sides[0], m_comparer.sideBefore(), result ? &result->choicesBefore : nullptr);
    showWindows(m_sides[1], m_comparer.sideAfter(), result ? &result->choicesAfter : nullptr);
    for (CompareModel* model :
         std::initializer_list<CompareModel*>{&m_figures, &m_kernels, &m_roles, &m_tokens, &m_culprits})
        model->show(result);
    m_figuresTable->setColumnHidden(CompareFigureModel::kPredictedColumn, !result || !result->comparison.prediction);
    m_tabs->setTabText(1, result ? tr("Kernels (%1 new, %2 gone)")
                                       .arg(result->comparison.kernelCountOf(Presence::New))
                                       .arg(result->comparison.kernelCountOf(Presence::Gone))
                                 : tr("Kernels"));
    // Traces of other programs know neither.
    m_tabs->setTabVisible(2, m_roles.rowCount() > 0);
    m_tabs->setTabVisible(3, m_tokens.rowCount() > 0);
    m_tabs->setTabVisible(4, m_culprits.rowCount() > 0);
    showPie(m_sides[0], result ? &result->comparison.before : nullptr);
    showPie(m_sides[1], result ? &result->comparison.after : nullptr);
    m_categories.show(result);
}

void ComparePage::showPie(Side& side, const WindowFacts* facts) {
    side.plot->setBackground(palette().color(QPalette::Base));
    side.pieName->setText(&side == &m_sides[0] ? tr("Before") : tr("After"));
    std::vector<PieItem::Slice> slices;
    int64_t totalNs = 0;
    if (facts) {
        for (const CategorySlice& slice : slicesOf(facts->summary.categories)) {
            slices.push_back({static_cast<double>(slice.time.ns), appTheme().category(slice.category),
                              categoryTitle(slice.category)});
            totalNs += slice.time.ns;
        }
    }
    side.pie->setSlices(std::move(slices));
    side.pie->setCentreText(facts ? text(formatDuration(totalNs)) : QStringLiteral("–"), tr("device time"));
    side.plot->replot(QCustomPlot::rpQueuedReplot);
    const auto& twoWay = facts ? facts->summary.categories.twoWay : std::array<CategoryTime, 3>{};
    side.twoWay->show({twoWay[0].ns, twoWay[1].ns, twoWay[2].ns});
}

// Categories and causes of idle time light up in both timelines.
void ComparePage::chooseFigure(int row) {
    if (row < 0) return;
    const std::string& name = m_figures.figure(row).name;
    Selection selection;
    if (name.starts_with("category")) {
        const size_t begin = name.find('.') + 1;
        const auto category = categoryFromName(name.substr(begin, name.find('.', begin) - begin));
        if (category) selection = {.kind = Selection::Kind::Category, .category = *category};
    } else if (name.starts_with("gapCauseNs.")) {
        const auto cause = std::ranges::find(kGapCauseNames, std::string_view(name).substr(name.find('.') + 1));
        if (cause != kGapCauseNames.end())
            selection = {.kind = Selection::Kind::GapCause, .cause = static_cast<int>(cause - kGapCauseNames.begin())};
    }
    m_comparer.before().select(selection);
    m_comparer.after().select(selection);
}

void ComparePage::chooseKernel(int row) {
    const ComparedPtr result = m_comparer.result();
    if (row < 0 || !result) return;
    const KernelDelta& kernel = m_kernels.kernel(row);
    const auto selectionOf = [](StringId name) {
        return name.valid() ? Selection{.kind = Selection::Kind::KernelName, .name = name} : Selection{};
    };
    m_comparer.before().select(selectionOf(kernel.nameBefore));
    m_comparer.after().select(selectionOf(kernel.nameAfter));
    // Kernels are short: what is around them is worth seeing.
    const auto around = [](std::optional<TimeRange> range) {
        if (range) range->endNs += range->durationNs() * 8;
        return range;
    };
    m_comparer.goTo(around(result->firstBefore[static_cast<size_t>(row)]),
                    around(result->firstAfter[static_cast<size_t>(row)]));
}

void ComparePage::chooseToken(int row) {
    if (row < 0) return;
    const TokenDelta& token = m_tokens.token(row);
    const auto rangeOf = [](const std::optional<TokenTime>& of) {
        return of && !of->range.empty() ? std::optional(of->range) : std::nullopt;
    };
    const auto before = rangeOf(token.before), after = rangeOf(token.after);
    const auto selectionOf = [](const std::optional<TimeRange>& range) {
        return range ? Selection{.kind = Selection::Kind::Range, .range = *range} : Selection{};
    };
    m_comparer.before().select(selectionOf(before));
    m_comparer.after().select(selectionOf(after));
    m_comparer.goTo(before, after);
}

// The longest gap of each window that it filled.
void ComparePage::chooseCulprit(int row) {
    if (row < 0) return;
    const CulpritDelta& culprit = m_culprits.culprit(row);
    const auto longestOf = [](const std::optional<Culprit>& of) {
        return of ? std::optional(of->longest) : std::nullopt;
    };
    const auto before = longestOf(culprit.before), after = longestOf(culprit.after);
    const auto selectionOf = [](const std::optional<TimeRange>& range) {
        return range ? Selection{.kind = Selection::Kind::Range, .range = *range} : Selection{};
    };
    m_comparer.before().select(selectionOf(before));
    m_comparer.after().select(selectionOf(after));
    m_comparer.goTo(before, after);
}

bool ComparePage::settled() const {
    return m_comparer.settled() && m_sides[0].timeline->gapsSettled() && m_sides[1].timeline->gapsSettled();
}

void ComparePage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_tabs) showResult();
}

}  // namespace gapscope
