// Every command of the window, made once; menu, toolbar and first screen share them.
#pragma once

#include <QAction>
#include <QObject>
#include <array>

#include "core/layout/colour_by.h"

class QActionGroup;
class QMenuBar;

namespace gapscope {

struct Actions {
    explicit Actions(QWidget* window);

    QAction* run;
    QAction* climb;  // the ladder
    QAction* stop;
    QAction* open;
    QAction* openExampleEager;
    QAction* openExampleGraph;
    QAction* reopenLast;
    QAction* compareWith;
    QAction* setBaseline;
    QAction* compareBaseline;  // the selection with it
    QAction* alignFiles;
    QAction* watchFolder;
    QAction* stopWatching;
    QAction* save;
    QAction* saveAs;
    QAction* quit;
    QAction* undoZoom;
    QAction* redoZoom;
    QAction* whole;           // the visible range back to the whole trace
    QAction* clearSelection;  // Esc
    QAction* follow;          // checkable
    QAction* find;
    QAction* findNext;
    QAction* findPrevious;
    QAction* commandPalette;
    QAction* exportTrace;
    QAction* exportReport;
    QAction* exportView;
    QAction* copyView;
    QAction* printView;
    QAction* rows;  // the dialog
    QAction* foldRows;
    QAction* unfoldRows;
    std::array<QAction*, kColourByCount> colourBy;  // checkable, in the order of ColourBy
    QAction* themeSystem;
    QAction* themeLight;
    QAction* themeDark;
    QAction* kernelRules;
    QAction* gpuLibraries;
    QAction* shortcuts;
    QAction* about;
    QActionGroup* themes;
    QActionGroup* colours;

    // All of them in the order of the menus, for the shortcut sheet and the command palette.
    QList<QAction*> all() const;
};

}  // namespace gapscope
