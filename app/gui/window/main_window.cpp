// The window's shape: menus, toolbar, panels and what keeps their looks in step. What they do is in
// main_window_flow.cpp.
#include "app/gui/window/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QScreen>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QStyle>
#include <QTabWidget>
#include <QToolBar>
#include <QVBoxLayout>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/timeline/row_memory.h"
#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/compare_page.h"
#include "app/gui/views/find_bar.h"
#include "app/gui/views/found_panel.h"
#include "app/gui/views/idle_panel.h"
#include "app/gui/views/insight_panel.h"
#include "app/gui/views/ladder_panel.h"
#include "app/gui/views/launch_panel.h"
#include "app/gui/views/long_table_panel.h"
#include "app/gui/views/model_panels.h"
#include "app/gui/views/note_panel.h"
#include "app/gui/views/prompt_panel.h"
#include "app/gui/views/roofline_panel.h"
#include "app/gui/views/status_strip.h"
#include "app/gui/views/table_panels.h"
#include "app/gui/views/token_panel.h"
#include "app/gui/views/welcome.h"
#include "app/gui/views/what_if_card.h"
#include "app/gui/window/shortcut_sheet.h"
#include "core/analysis/event_list.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kFactsIntervalMs = 1000;
const QString kDefaultPrompt = QStringLiteral("Once upon a time, in a small village by the sea,");

QString ago(qint64 seconds) {
    if (seconds < 60) return MainWindow::tr("%1 s").arg(seconds);
    if (seconds < 3600) return MainWindow::tr("%1 min").arg(seconds / 60);
    return MainWindow::tr("%1 h").arg(seconds / 3600);
}

}  // namespace

MainWindow::MainWindow(AppSettings& settings, QWidget* parent)
    : QMainWindow(parent),
      m_settings(settings),
      m_analyst(m_session),
      m_finder(m_session),
      m_kernelRules(m_session),
      m_document(m_session),
      m_runs(m_session),
      m_actions(this),
      m_lookAtDevices([] { return findDevices(); }) {
    setObjectName(QStringLiteral("mainWindow"));
    setAcceptDrops(true);
    makeMenus();
    makeToolBar();
    makeWorkspace();
    connectSession();
    connectDocument();
    connectRuns();
    connectFind();
    connectCompare();
    connectAnswers();
    connectFolderWatch();
    connectLadder();
    restoreLayout();
    m_runBar->setChoices(m_settings.runChoices());
    m_prompt->setPrompt(m_settings.prompt().isEmpty() ? kDefaultPrompt : m_settings.prompt());
    updateRecent();
    updateTitle();
    updateActions();
    updateFacts();
    lookAround();
}

MainWindow::~MainWindow() = default;

void MainWindow::makeMenus() {
    QMenu* file = menuBar()->addMenu(tr("&File"));
    file->addActions({m_actions.open, m_actions.openExampleEager, m_actions.openExampleGraph});
    m_recentMenu = file->addMenu(tr("Open &recent"));
    file->addActions({m_actions.reopenLast});
    file->addActions({m_actions.compareWith, m_actions.alignFiles});
    file->addSeparator();
    file->addActions({m_actions.watchFolder, m_actions.stopWatching});
    file->addSeparator();
    file->addActions({m_actions.save, m_actions.saveAs});
    file->addSeparator();
    file->addActions(
        {m_actions.exportTrace, m_actions.exportReport, m_actions.exportView, m_actions.copyView, m_actions.printView});
    file->addSeparator();
    file->addAction(m_actions.quit);
    QMenu* runMenu = menuBar()->addMenu(tr("&Run"));
    runMenu->addActions({m_actions.run, m_actions.climb, m_actions.stop});
    QMenu* view = menuBar()->addMenu(tr("&View"));
    view->addActions({m_actions.undoZoom, m_actions.redoZoom, m_actions.whole, m_actions.follow});
    view->addSeparator();
    view->addActions({m_actions.find, m_actions.findNext, m_actions.findPrevious, m_actions.clearSelection});
    view->addActions({m_actions.setBaseline, m_actions.compareBaseline});
    makeCompareMenu(view->addMenu(tr("Compare selection &with")));
    view->addSeparator();
    m_rowsMenu = view->addMenu(tr("&Rows"));
    m_rowsMenu->addActions({m_actions.rows, m_actions.foldRows, m_actions.unfoldRows});
    QMenu* colourMenu = view->addMenu(tr("&Colour by"));
    colourMenu->addActions(m_actions.colours->actions());
    view->addAction(m_actions.kernelRules);
    QMenu* themeMenu = view->addMenu(tr("&Theme"));
    themeMenu->addActions(m_actions.themes->actions());
    m_viewMenu = view;
    m_timelineMenu = menuBar()->addMenu(tr("&Timeline"));
    QMenu* help = menuBar()->addMenu(tr("&Help"));
    help->addActions({m_actions.commandPalette, m_actions.gpuLibraries, m_actions.shortcuts, m_actions.about});

    switch (m_settings.theme()) {
        case ThemeChoice::System:
            m_actions.themeSystem->setChecked(true);
            break;
        case ThemeChoice::Light:
            m_actions.themeLight->setChecked(true);
            break;
        case ThemeChoice::Dark:
            m_actions.themeDark->setChecked(true);
            break;
    }
    connect(m_actions.open, &QAction::triggered, this, &MainWindow::askForFile);
    m_actions.openExampleEager->setVisible(isThere(Example::Eager));
    m_actions.openExampleGraph->setVisible(isThere(Example::Graph));
    connect(m_actions.openExampleEager, &QAction::triggered, this, [this] { openFile(pathOf(Example::Eager)); });
    connect(m_actions.openExampleGraph, &QAction::triggered, this, [this] { openFile(pathOf(Example::Graph)); });
    connect(m_actions.reopenLast, &QAction::triggered, this, [this] {
        const QStringList recent = m_settings.recentFiles();
        if (!recent.isEmpty()) openFile(recent.first());
    });
    connect(m_actions.alignFiles, &QAction::triggered, this, &MainWindow::askForAlignment);
    connect(m_actions.save, &QAction::triggered, this, [this] { save(); });
    connect(m_actions.saveAs, &QAction::triggered, this, [this] { saveAs(); });
    connect(m_actions.quit, &QAction::triggered, this, &QWidget::close);
    connect(m_actions.run, &QAction::triggered, this, &MainWindow::run);
    connect(m_actions.stop, &QAction::triggered, this, &MainWindow::stopRecording);
    connect(m_actions.undoZoom, &QAction::triggered, &m_session, &Session::undoView);
    connect(m_actions.redoZoom, &QAction::triggered, &m_session, &Session::redoView);
    connect(m_actions.whole, &QAction::triggered, this, [this] {
        m_session.setFollowing(false);
        m_session.setVisibleRange(m_session.trace()->extent());
    });
    connect(m_actions.clearSelection, &QAction::triggered, this, [this] {
        if (comparing())
            leaveCompare();
        else
            m_session.clearSelection();
    });
    connect(m_actions.follow, &QAction::triggered, &m_session, &Session::setFollowing);
    connect(m_actions.themeSystem, &QAction::triggered, this, [this] { chooseTheme(ThemeChoice::System); });
    connect(m_actions.themeLight, &QAction::triggered, this, [this] { chooseTheme(ThemeChoice::Light); });
    connect(m_actions.themeDark, &QAction::triggered, this, [this] { chooseTheme(ThemeChoice::Dark); });
    connect(m_actions.shortcuts, &QAction::triggered, this, [this] {
        auto* sheet = new ShortcutSheet(m_actions.all(), m_timeline->commands(), this);
        sheet->setAttribute(Qt::WA_DeleteOnClose);
        sheet->show();
    });
    connect(m_actions.gpuLibraries, &QAction::triggered, this, &MainWindow::showGpuLibraries);
    connect(m_actions.about, &QAction::triggered, this, [this] {
        auto* box =
            new QMessageBox(QMessageBox::NoIcon, tr("About Gapscope"),
                            tr("Gapscope %1\n\nRuns Gemma 3 on this machine and shows why the run took the time "
                               "it took.\n\nGPL-3.0-or-later, with permission to link NVIDIA's CUDA libraries.")
                                .arg(QApplication::applicationVersion()),
                            QMessageBox::Close, this);
        box->setIconPixmap(QApplication::windowIcon().pixmap(QSize(64, 64), devicePixelRatioF()));
        box->setAttribute(Qt::WA_DeleteOnClose);
        box->setModal(false);
        box->show();
    });
}

// The commands that the timeline has keys for.
void MainWindow::makeTimelineMenus() {
    m_rowsMenu->addAction(m_timeline->command("showHiddenRowsAction"));
    m_rowsMenu->addSeparator();
    for (const char* name : {"rowUpAction", "rowDownAction", "foldRowAction", "hideRowAction", "pinRowAction",
                             "rowHeightAction", "moveRowUpAction", "moveRowDownAction", "countersAction"})
        m_rowsMenu->addAction(m_timeline->command(name));
    m_viewMenu->addAction(m_timeline->command("frameTimeAction"));
    const std::initializer_list<std::initializer_list<const char*>> groups = {
        {"zoomInAction", "zoomOutAction", "zoomToSelectionAction", "zoomToWholeAction"},
        {"earlierAction", "laterAction", "farEarlierAction", "farLaterAction"},
        {"previousOnRowAction", "nextOnRowAction", "toLaunchAction", "toLaunchedAction", "rangeOfItemAction"},
        {"measureAction"},
        {"addNoteAction", "markAction", "keepMarkAction"}};
    for (const auto& group : groups) {
        if (!m_timelineMenu->isEmpty()) m_timelineMenu->addSeparator();
        for (const char* name : group)
            m_timelineMenu->addAction(m_timeline->command(name));
    }
}

void MainWindow::makeToolBar() {
    auto* bar = new QToolBar(tr("Run"), this);
    bar->setObjectName(QStringLiteral("runToolBar"));
    bar->setMovable(false);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->setIconSize({16, 16});
    bar->addAction(m_actions.run);
    bar->addAction(m_actions.stop);
    for (const QAction* action : {m_actions.run, m_actions.stop}) {
        QWidget* button = bar->widgetForAction(const_cast<QAction*>(action));
        button->setObjectName(action->objectName() + QStringLiteral("Button"));
        button->setMinimumHeight(34);
    }
    QFont bold = bar->font();
    bold.setBold(true);
    bar->widgetForAction(m_actions.run)->setFont(bold);
    bar->addSeparator();
    m_runBar = new RunBar(bar);
    bar->addWidget(m_runBar);
    bar->addSeparator();
    bar->addAction(m_actions.compareWith);
    bar->widgetForAction(m_actions.compareWith)->setObjectName(QStringLiteral("compareButton"));
    addToolBar(bar);
    connect(m_runBar, &RunBar::changed, this, &MainWindow::updateActions);
    connect(m_runBar, &RunBar::librariesWanted, this, &MainWindow::showGpuLibraries);
    connect(m_runBar, &RunBar::browseForModel, this, &MainWindow::chooseModelFile);
}

void MainWindow::makeWorkspace() {
    m_banners = new BannerArea(this);
    m_welcome =
        new Welcome(m_actions.run, m_actions.open, {m_actions.openExampleEager, m_actions.openExampleGraph}, this);
    connect(m_welcome, &Welcome::openRequested, this, &MainWindow::openFile);

    m_prompt = new PromptPanel(this);
    m_timeline = new TimelineWidget(m_session, this);
    m_timeline->setObjectName(QStringLiteral("timeline"));
    const auto setColourBy = [this](ColourBy colourBy) {
        m_timeline->setColourBy(colourBy);
        m_document.setLayOut([colourBy](TracePtr trace) { return TimelineWidget::layOut(std::move(trace), colourBy); });
    };
    for (size_t i = 0; i < m_actions.colourBy.size(); ++i) {
        const QString name = text(kColourByNames[i]);
        connect(m_actions.colourBy[i], &QAction::triggered, this, [this, i, name, setColourBy] {
            m_settings.setColourBy(name);
            setColourBy(static_cast<ColourBy>(i));
        });
        if (i > 0 && m_settings.colourBy() != name) continue;
        m_actions.colourBy[i]->setChecked(true);
        setColourBy(static_cast<ColourBy>(i));
    }
    new RowMemory(m_settings, m_session, *m_timeline, this);
    connect(m_actions.rows, &QAction::triggered, m_timeline, &TimelineWidget::showRowsDialog);
    connect(m_actions.foldRows, &QAction::triggered, this, [this] { m_timeline->foldAll(true); });
    connect(m_actions.unfoldRows, &QAction::triggered, this, [this] { m_timeline->foldAll(false); });
    makeTimelineMenus();
    m_top = new QSplitter(Qt::Horizontal, this);
    m_top->addWidget(m_prompt);
    connect(m_runBar, &RunBar::changed, this, [this] { m_prompt->setBatch(m_runBar->choices().batch); });
    m_findBar = new FindBar(m_finder, this);
    auto* timelineSide = new QWidget(this);
    auto* timelineLayout = new QVBoxLayout(timelineSide);
    timelineLayout->setContentsMargins(0, 0, 0, 0);
    timelineLayout->setSpacing(0);
    timelineLayout->addWidget(m_findBar);
    timelineLayout->addWidget(m_timeline, 1);
    m_top->addWidget(timelineSide);
    m_top->setStretchFactor(1, 1);

    m_tabs = new QTabWidget(this);
    m_tabs->setObjectName(QStringLiteral("tabs"));
    m_tabs->setDocumentMode(true);
    m_kernels = new KernelPanel(m_analyst, this);
    m_tabs->addTab(m_kernels, tr("Kernels"));
    m_gaps = new GapPanel(m_analyst, this);
    m_tabs->addTab(m_gaps, tr("Gaps"));
    m_tokens = new TokenPanel(m_analyst, this);
    m_tabs->addTab(m_tokens, tr("Tokens"));
    m_idle = new IdlePanel(m_analyst, this);
    m_tabs->addTab(m_idle, tr("Idle"));
    m_launches = new LaunchPanel(m_analyst, this);
    m_tabs->addTab(m_launches, tr("Launches"));
    m_layers = new LayerPanel(m_analyst, this);
    m_tabs->addTab(m_layers, tr("Layers"));
    m_roofline = new RooflinePanel(m_analyst, this);
    m_tabs->addTab(m_roofline, tr("Roofline"));
    m_ladder = new LadderPanel(m_climber, m_actions.climb, this);
    m_tabs->addTab(m_ladder, tr("Ladder"));
    m_events = new EventPanel(m_analyst, this);
    m_tabs->addTab(m_events, tr("Events"));
    m_details = new DetailsPanel(m_analyst, this);
    m_tabs->addTab(m_details, tr("Details"));
    m_foundPanel = new FoundPanel(m_finder, this);
    m_tabs->addTab(m_foundPanel, tr("Found"));
    m_notes = new NotePanel(m_session, this);
    m_tabs->addTab(m_notes, tr("Notes"));
    connect(m_timeline, &TimelineWidget::noteWritingChanged, this, &MainWindow::updateActions);
    connect(m_notes, &NotePanel::writingChanged, this, &MainWindow::updateActions);
    connect(&m_session, &Session::notesChanged, this, [this] {
        const size_t count = m_session.notes().size();
        m_tabs->setTabText(m_tabs->indexOf(m_notes), count == 0 ? tr("Notes") : tr("Notes (%1)").arg(count));
    });
    auto* diagnostics = new DiagnosticsPanel(m_analyst, this);
    m_tabs->addTab(diagnostics, tr("Diagnostics"));
    connect(&m_analyst, &Analyst::reportChanged, this, [this, diagnostics] {
        const auto count = m_analyst.report()->analysis.summary.diagnostics.size();
        m_tabs->setTabText(m_tabs->indexOf(diagnostics),
                           count == 0 ? tr("Diagnostics") : tr("Diagnostics (%1)").arg(count));
    });

    m_middle = new QSplitter(Qt::Vertical, this);
    m_middle->addWidget(m_top);
    m_middle->addWidget(m_tabs);
    m_middle->setStretchFactor(0, 2);
    m_middle->setStretchFactor(1, 1);
    m_outer = new QSplitter(Qt::Horizontal, this);
    m_outer->addWidget(m_middle);
    m_insight = new InsightPanel(m_analyst, this);
    connect(&m_insight->whatIf(), &WhatIfCard::runWanted, this, &MainWindow::runRemedy);
    // On a small screen its cards are higher than the window.
    auto* insightScroll = new QScrollArea(this);
    insightScroll->setFrameShape(QFrame::NoFrame);
    insightScroll->setAccessibleName(tr("Verdict, pie and remedies"));
    insightScroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    insightScroll->setWidgetResizable(true);
    insightScroll->setWidget(m_insight);
    insightScroll->setMinimumWidth(m_insight->minimumSizeHint().width() +
                                   style()->pixelMetric(QStyle::PM_ScrollBarExtent));
    m_outer->addWidget(insightScroll);
    m_outer->setStretchFactor(0, 1);
    for (QSplitter* splitter : {m_top, m_middle, m_outer}) {
        splitter->setChildrenCollapsible(false);
        splitter->setHandleWidth(7);
    }
    m_top->setObjectName(QStringLiteral("topSplitter"));
    m_middle->setObjectName(QStringLiteral("middleSplitter"));
    m_outer->setObjectName(QStringLiteral("outerSplitter"));

    auto* workspace = new QWidget(this);
    auto* workspaceLayout = new QVBoxLayout(workspace);
    workspaceLayout->setContentsMargins(8, 6, 8, 0);
    workspaceLayout->addWidget(m_outer);

    m_pages = new QStackedWidget(this);
    m_pages->addWidget(m_welcome);
    m_pages->addWidget(workspace);
    m_compare = new ComparePage(m_comparer, this);
    m_pages->addWidget(m_compare);
    connect(m_pages, &QStackedWidget::currentChanged, this, &MainWindow::updateActions);
    m_status = new StatusStrip(this);
    auto* central = new QWidget(this);
    auto* layout = new QVBoxLayout(central);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_banners);
    layout->addWidget(m_pages, 1);
    layout->addWidget(m_status);
    setCentralWidget(central);
}

void MainWindow::restoreLayout() {
    const QSize screen = this->screen()->availableSize();
    resize(QSize(1600, 960).boundedTo(screen));
    restoreGeometry(m_settings.geometry());
    m_top->setSizes({230, 800});
    m_middle->setSizes({460, 220});
    m_outer->setSizes({1010, 340});
    for (QSplitter* splitter : {m_top, m_middle, m_outer})
        splitter->restoreState(m_settings.splitter(splitter->objectName()));
}

void MainWindow::saveLayout() {
    m_settings.setGeometry(saveGeometry());
    for (const QSplitter* splitter : {m_top, m_middle, m_outer})
        m_settings.setSplitter(splitter->objectName(), splitter->saveState());
    m_settings.setRunChoices(m_runBar->choices());
    m_settings.setPrompt(m_prompt->prompt() == kDefaultPrompt ? QString() : m_prompt->prompt());
}

void MainWindow::showWorkspace() {
    if (comparing()) leaveCompare();
    m_pages->setCurrentIndex(1);
}

void MainWindow::chooseTheme(ThemeChoice theme) {
    m_settings.setTheme(theme);
    applyTheme(theme);
}

void MainWindow::connectSession() {
    for (const auto change : {&Session::visibleRangeChanged, &Session::undoChanged})
        connect(&m_session, change, this, [this] {
            m_actions.undoZoom->setEnabled(m_session.canUndoView());
            m_actions.redoZoom->setEnabled(m_session.canRedoView());
        });
    connect(&m_session, &Session::followingChanged, this, &MainWindow::updateActions);
    connect(&m_session, &Session::selectionChanged, this, [this] {
        const Selection::Kind kind = m_session.selection().kind;
        m_actions.clearSelection->setEnabled(kind != Selection::Kind::None || comparing());
        updateSelectionActions();
        // What is chosen in the timeline has no table of its own to be seen in.
        const bool inTable = m_tabs->currentWidget() == m_gaps || m_tabs->currentWidget() == m_idle;
        if (m_tabs->currentWidget() == m_events) return;  // it shows the row
        if (kind == Selection::Kind::DeviceOp || kind == Selection::Kind::Stage || kind == Selection::Kind::ApiCall ||
            kind == Selection::Kind::UserRange || (kind == Selection::Kind::Gap && !inTable))
            m_tabs->setCurrentWidget(m_details);
    });
    m_actions.clearSelection->setEnabled(false);
    connect(&m_analyst, &Analyst::reportChanged, this, &MainWindow::updateFacts);
    m_factsTimer.setInterval(kFactsIntervalMs);
    connect(&m_factsTimer, &QTimer::timeout, this, &MainWindow::updateFacts);
    m_factsTimer.start();
}

void MainWindow::updateActions() {
    const bool running = recording();
    const bool busy = m_document.busy() || m_deviceJob.running();
    m_actions.run->setEnabled(!running && !busy && m_machineKnown);
    m_actions.stop->setEnabled(running && !m_runs.stopping() && !m_climber.stopping());
    m_actions.climb->setEnabled(m_actions.run->isEnabled());
    m_actions.open->setEnabled(!running && !busy);
    m_actions.exportTrace->setEnabled(!running && !busy && !m_document.isEmpty() && !m_reportJob.running());
    m_actions.exportReport->setEnabled(!running && !busy && !m_document.isEmpty() && !m_reportJob.running());
    m_actions.compareWith->setEnabled(!running && !busy && !m_document.isEmpty() && !m_compareJob.running());
    updateSelectionActions();
    m_actions.openExampleEager->setEnabled(!running && !busy);
    m_actions.openExampleGraph->setEnabled(!running && !busy);
    m_recentMenu->setEnabled(!running && !busy && !m_settings.recentFiles().isEmpty());
    m_actions.alignFiles->setEnabled(!running && !busy && m_document.filesTogether().has_value());
    m_actions.reopenLast->setEnabled(!running && !busy && !m_settings.recentFiles().isEmpty());
    m_actions.stopWatching->setEnabled(!m_folderWatch.folder().isEmpty());
    const bool writing = m_timeline->isWritingNote() || m_notes->isWriting();
    m_actions.save->setEnabled(!running && !busy && (m_document.hasSomethingToSave() || writing));
    m_actions.saveAs->setEnabled(!running && !busy && !m_document.isEmpty());
    for (QAction* action : {m_actions.find, m_actions.exportView, m_actions.copyView, m_actions.printView})
        action->setEnabled((m_runs.running() || !m_document.isEmpty()) && !comparing());
    for (QAction* command : m_timeline->commands())
        command->setEnabled(m_pages->currentIndex() == 1);  // it is in sight
    m_actions.follow->setEnabled(m_runs.running());
    m_actions.follow->setChecked(m_session.following());
    m_actions.undoZoom->setEnabled(m_session.canUndoView());
    m_actions.redoZoom->setEnabled(m_session.canRedoView());
    m_runBar->setEnabled(!running);
}

void MainWindow::updateTitle() {
    const QString name = m_runs.running() ? m_runName : m_document.name();
    setWindowTitle(name.isEmpty() ? tr("Gapscope") : tr("%1[*] – Gapscope").arg(name));
    setWindowModified(m_document.isModified());
}

void MainWindow::updateFacts() {
    const ReportPtr report = m_analyst.report();
    QString watching;
    if (!m_folderWatch.folder().isEmpty()) {
        const QString folder = QDir(m_folderWatch.folder()).dirName();
        watching = m_folderWatch.isMissing() ? tr("waiting for the folder %1").arg(folder)
                                             : tr("watching the folder %1").arg(folder);
    }
    if (!report || (m_document.isEmpty() && !m_runs.running())) {
        m_status->showFacts(watching);
        return;
    }
    QStringList facts;
    int64_t kernels = 0;
    for (const DeviceBusy& device : report->analysis.summary.devices)
        kernels += device.kernelCount;
    facts.append(counted(kernels, tr("%1 kernel in the window"), tr("%1 kernels in the window")));
    facts.append(tr("%1 events").arg(text(formatCount(eventCountOf(*report->trace)))));
    if (!m_document.path().isEmpty() && !m_runs.running()) {  // else it is of the session before
        const QFileInfo file(m_document.path());
        if (file.exists()) facts.append(text(formatBytes(static_cast<double>(file.size()))));
    }
    facts.append(tr("%1 dropped").arg(text(formatCount(report->lostRecordCount))));
    if (report->profilerNs > 0 && !report->window.empty())  // a CPU run has no profiler rows to tell it by
        facts.append(tr("tracing cost %1 of the window")
                         .arg(text(formatPercent(static_cast<double>(report->profilerNs) /
                                                 static_cast<double>(report->window.durationNs())))));
    if (m_runs.running())
        facts.append(tr("recording"));
    else if (m_document.isModified())
        facts.append(tr("not saved"));
    else if (m_document.savedMsecsAgo() >= 0)
        facts.append(tr("saved %1 ago").arg(ago(m_document.savedMsecsAgo() / 1000)));
    if (!watching.isEmpty()) facts.append(watching);
    m_status->showFacts(facts.join(QStringLiteral("  ·  ")));
}

void MainWindow::updateRecent() {
    const QStringList files = m_settings.recentFiles();
    m_recentMenu->clear();
    for (const QString& path : files) {
        QAction* action = m_recentMenu->addAction(QFileInfo(path).fileName(), this, [this, path] { openFile(path); });
        action->setToolTip(path);
        action->setStatusTip(path);
    }
    m_recentMenu->setToolTipsVisible(true);
    m_welcome->showRecent(files);
    updateActions();
}

void MainWindow::showError(const QString& sentence) {
    m_banners->show(BannerKind::Error, sentence);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    const auto urls = event->mimeData()->urls();
    const bool areFiles = std::ranges::all_of(urls, [](const QUrl& url) { return url.isLocalFile(); });
    if (!urls.isEmpty() && areFiles && m_actions.open->isEnabled()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    QStringList paths;
    for (const QUrl& url : event->mimeData()->urls())
        paths.append(url.toLocalFile());
    event->acceptProposedAction();
    openFiles(paths);
}

}  // namespace gapscope
