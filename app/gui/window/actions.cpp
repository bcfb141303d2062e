#include "app/gui/window/actions.h"

#include <QActionGroup>
#include <QCoreApplication>
#include <QWidget>

#include "app/gui/settings/appearance.h"

namespace gapscope {
namespace {

QString tr(const char* source) {
    return QCoreApplication::translate("Actions", source);
}

QAction* make(QWidget* window, const char* name, const QString& text, const QString& tip,
              const QList<QKeySequence>& shortcuts = {}, const QString& icon = {}) {
    auto* action = new QAction(text, window);
    action->setObjectName(QLatin1String(name));
    action->setShortcuts(shortcuts);
    const QString keys = shortcuts.isEmpty()
                             ? QString()
                             : QStringLiteral(" (%1)").arg(shortcuts.first().toString(QKeySequence::NativeText));
    action->setToolTip(tip + keys);
    action->setStatusTip(tip);
    if (!icon.isEmpty()) action->setIcon(lineIcon(icon));
    window->addAction(action);
    return action;
}

}  // namespace

Actions::Actions(QWidget* window) {
    run = make(window, "runAction", tr("&Run"), tr("Run the model and record it"),
               {QKeySequence(Qt::CTRL | Qt::Key_R), QKeySequence(Qt::Key_F5)}, QStringLiteral("run"));
    climb = make(window, "climbAction", tr("Run all re&medies"),
                 tr("Run with one remedy after the other, eager to speculative, and show what each brings"),
                 {QKeySequence(Qt::CTRL | Qt::Key_L)}, QStringLiteral("ladder"));
    stop = make(window, "stopAction", tr("S&top"), tr("Stop the run; what was recorded stays"),
                {QKeySequence(Qt::SHIFT | Qt::Key_F5)}, QStringLiteral("stop"));
    open = make(window, "openAction", tr("&Open trace…"), tr("Open a session or a trace of another program"),
                {QKeySequence::Open}, QStringLiteral("open"));
    openExampleEager =
        make(window, "openExampleEagerAction", tr("Open the &example: eager"),
             tr("Gemma 3 1B decoding on a GPU, one launch an operation: see what overhead-bound looks like"));
    openExampleGraph = make(window, "openExampleGraphAction", tr("Open the example: &graph"),
                            tr("The same as a CUDA graph, one launch a token: the launch gaps are gone"));
    reopenLast = make(window, "reopenLastAction", tr("Reopen &last"), tr("Open the file that was opened or saved last"),
                      {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O)});
    compareWith = make(window, "compareWithAction", tr("Co&mpare with…"),
                       tr("Open a second trace beside this one and see what changed"),
                       {QKeySequence(Qt::CTRL | Qt::Key_M)}, QStringLiteral("compare"));
    compareWith->setIconText(tr("Compare…"));  // the tool bar has little room
    setBaseline = make(window, "setBaselineAction", tr("Set selection as &baseline"),
                       tr("Keep the selected range, token or phase, to compare other selections with it"),
                       {QKeySequence(Qt::CTRL | Qt::Key_B)});
    compareBaseline = make(window, "compareBaselineAction", tr("Compare selection with base&line"),
                           tr("See what changed from the baseline to the selection"),
                           {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_M)});
    alignFiles =
        make(window, "alignFilesAction", tr("Ali&gn files…"), tr("How the files that are open together meet in time"));
    watchFolder = make(window, "watchFolderAction", tr("&Watch folder…"),
                       tr("Offer new traces that another program writes there, as torch.profiler does"));
    stopWatching = make(window, "stopWatchingAction", tr("Stop &watching"), tr("Offer no new traces any more"));
    save =
        make(window, "saveAction", tr("&Save"), tr("Save the session"), {QKeySequence::Save}, QStringLiteral("save"));
    saveAs = make(window, "saveAsAction", tr("Save &as…"), tr("Save the session under another name"),
                  {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S)});
    quit = make(window, "quitAction", tr("&Quit"), tr("Close the window"), {QKeySequence::Quit});
    undoZoom =
        make(window, "undoZoomAction", tr("&Undo view"), tr("Back to the visible range, the rows or the notes before"),
             {QKeySequence::Undo, QKeySequence(Qt::ALT | Qt::Key_Left)}, QStringLiteral("undo"));
    redoZoom = make(window, "redoZoomAction", tr("&Redo view"),
                    tr("Forward to the visible range, the rows or the notes after"),
                    {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), QKeySequence(Qt::ALT | Qt::Key_Right)},
                    QStringLiteral("redo"));
    whole = make(window, "wholeAction", tr("&Whole trace"), tr("Show the whole trace"),
                 {QKeySequence(Qt::CTRL | Qt::Key_0)}, QStringLiteral("whole"));
    clearSelection = make(window, "clearSelectionAction", tr("&Clear selection"),
                          tr("All panels answer for the whole run again"), {QKeySequence(Qt::Key_Escape)});
    find = make(window, "findAction", tr("&Find…"), tr("Search names of kernels, calls, ranges and tokens, and notes"),
                {QKeySequence::Find, QKeySequence(Qt::Key_Slash)});
    findNext =
        make(window, "findNextAction", tr("Find &next"), tr("To the next that was found"), {QKeySequence(Qt::Key_F3)});
    findPrevious = make(window, "findPreviousAction", tr("Find &previous"), tr("To the one before that was found"),
                        {QKeySequence(Qt::SHIFT | Qt::Key_F3)});
    commandPalette = make(window, "commandPaletteAction", tr("&Command palette…"), tr("Find a command by its name"),
                          {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P)});
    exportTrace = make(window, "exportTraceAction", tr("Export tra&ce…"),
                       tr("Save the trace for other programs: Chrome JSON, Perfetto, or a session for others"));
    exportReport = make(window, "exportReportAction", tr("Export repor&t…"),
                        tr("What all panels tell of the window, as one web page for others"),
                        {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_E)});
    exportView = make(window, "exportViewAction", tr("E&xport view…"),
                      tr("Save the timeline as it is seen, as a PNG or SVG picture"));
    copyView = make(window, "copyViewAction", tr("Copy view"), tr("Put the timeline as it is seen on the clipboard"),
                    {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C)});
    printView = make(window, "printViewAction", tr("&Print view…"), tr("Print the timeline as it is seen"));
    follow =
        make(window, "followAction", tr("&Follow the run"), tr("Keep the newest at the right edge while a run goes on"),
             {QKeySequence(Qt::CTRL | Qt::Key_End)}, QStringLiteral("follow"));
    follow->setCheckable(true);
    rows = make(window, "rowsAction", tr("R&ows…"), tr("Choose which rows the timeline shows and which are pinned"),
                {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_R)});
    foldRows = make(window, "foldRowsAction", tr("Fo&ld all groups"), tr("Fold each group of rows to its first"),
                    {QKeySequence(Qt::CTRL | Qt::Key_Minus)});
    unfoldRows = make(window, "unfoldRowsAction", tr("Show all &groups"), tr("Show the rows of all folded groups"),
                      {QKeySequence(Qt::CTRL | Qt::Key_Plus), QKeySequence(Qt::CTRL | Qt::Key_Equal)});
    colourBy = {make(window, "colourByCategoryAction", tr("Colour by &category"),
                     tr("Device operations in the colour of their category")),
                make(window, "colourByNameAction", tr("Colour by &name"),
                     tr("Device operations, API calls and ranges in a colour of their name")),
                make(window, "colourByStreamAction", tr("Colour by &stream"),
                     tr("Device operations and the calls that launch them in a colour of their stream")),
                make(window, "colourByLatencyAction", tr("Colour by launch &latency"),
                     tr("Device operations and the calls that launch them by the time from the call to their start"))};
    colours = new QActionGroup(window);
    for (QAction* action : colourBy) {
        action->setCheckable(true);
        colours->addAction(action);
    }
    themes = new QActionGroup(window);
    themeSystem = make(window, "themeSystemAction", tr("As the &desktop"), tr("Light or dark as the desktop is"));
    themeLight = make(window, "themeLightAction", tr("&Light"), tr("Dark text on light ground"));
    themeDark = make(window, "themeDarkAction", tr("&Dark"), tr("Light text on dark ground"));
    for (QAction* theme : {themeSystem, themeLight, themeDark}) {
        theme->setCheckable(true);
        themes->addAction(theme);
    }
    kernelRules = make(window, "kernelRulesAction", tr("&Kernel rules…"),
                       tr("Which kernels of other programs are of which category, and names that no rule knows"));
    gpuLibraries = make(window, "gpuLibrariesAction", tr("GPU &libraries…"),
                        tr("What of NVIDIA's libraries was found, where it was looked for and what to install"));
    shortcuts = make(window, "shortcutsAction", tr("&Keyboard and mouse"), tr("Show all shortcuts"),
                     {QKeySequence(Qt::Key_F1), QKeySequence(QStringLiteral("?"))}, QStringLiteral("keyboard"));
    about = make(window, "aboutAction", tr("&About Gapscope"), tr("Version and licence"));
}

QList<QAction*> Actions::all() const {
    return {run,
            climb,
            stop,
            open,
            openExampleEager,
            openExampleGraph,
            reopenLast,
            compareWith,
            setBaseline,
            compareBaseline,
            alignFiles,
            watchFolder,
            stopWatching,
            save,
            saveAs,
            quit,
            undoZoom,
            redoZoom,
            whole,
            clearSelection,
            follow,
            find,
            findNext,
            findPrevious,
            exportTrace,
            exportReport,
            exportView,
            copyView,
            printView,
            commandPalette,
            rows,
            foldRows,
            unfoldRows,
            colourBy[0],
            colourBy[1],
            colourBy[2],
            colourBy[3],
            themeSystem,
            themeLight,
            themeDark,
            kernelRules,
            gpuLibraries,
            shortcuts,
            about};
}

}  // namespace gapscope
