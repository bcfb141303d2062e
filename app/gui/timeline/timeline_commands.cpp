// What the timeline can be told by a key, as actions: menus, command palette and shortcut sheet show them too. While
// the timeline has the focus its keys go before those of the window.
#include <QAction>
#include <QKeyEvent>

#include "app/gui/timeline/timeline_widget.h"

namespace gapscope {

namespace {

constexpr double kNotchZoom = 0.8;    // of the visible time, a key closer
constexpr double kKeyPanShare = 0.1;  // of the width, a key
constexpr double kFarPanShare = 0.3;

}  // namespace

void TimelineWidget::makeCommands() {
    const auto add = [&](const char* name, const QString& text, const QString& tip, const QList<QKeySequence>& keys,
                         auto act) {
        auto* action = new QAction(text, this);
        action->setObjectName(QLatin1String(name));
        action->setShortcuts(keys);
        action->setShortcutContext(Qt::WidgetShortcut);
        action->setToolTip(tip);
        action->setStatusTip(tip);
        connect(action, &QAction::triggered, this, act);
        m_commands.append(action);
        return action;
    };
    const auto pan = [this](double share) { return [this, share] { panBy(share * scale().width, Motion::Eased); }; };
    const auto row = [this](RowAct act) { return [this, act] { actOnRow(m_focusedRow, act); }; };
    using Keys = QList<QKeySequence>;
    add("zoomInAction", tr("Zoom &in"), tr("Closer, at the pointer"), Keys{Qt::Key_W},
        [this] { zoomBy(kNotchZoom, anchorX(), Motion::Eased); });
    add("zoomOutAction", tr("Zoom &out"), tr("Farther, at the pointer"), Keys{Qt::Key_S},
        [this] { zoomBy(1 / kNotchZoom, anchorX(), Motion::Eased); });
    add("earlierAction", tr("Move &earlier"), tr("Along the time, to the left"), Keys{Qt::Key_A, Qt::Key_Left},
        pan(-kKeyPanShare));
    add("laterAction", tr("Move &later"), tr("Along the time, to the right"), Keys{Qt::Key_D, Qt::Key_Right},
        pan(kKeyPanShare));
    add("farEarlierAction", tr("Move far earlier"), tr("A third of the width to the left"),
        Keys{Qt::SHIFT | Qt::Key_A, Qt::SHIFT | Qt::Key_Left}, pan(-kFarPanShare));
    add("farLaterAction", tr("Move far later"), tr("A third of the width to the right"),
        Keys{Qt::SHIFT | Qt::Key_D, Qt::SHIFT | Qt::Key_Right}, pan(kFarPanShare));
    add("zoomToSelectionAction", tr("&Zoom to the selection"), tr("When already there: to the whole trace"),
        Keys{Qt::Key_F, Qt::Key_Z}, [this] { zoomToSelection(); });
    add("zoomToWholeAction", tr("Zoom to the whole trace"), tr("All that was recorded"), Keys{Qt::Key_0, Qt::Key_Home},
        [this] { zoomToWhole(); });
    add("toLaunchAction", tr("To the &launch"), tr("From a kernel or gap to the call that launched it"),
        Keys{Qt::Key_BracketLeft}, [this] { selectLaunch(); });
    add("toLaunchedAction", tr("To what was launched"), tr("From a call to its first kernel"),
        Keys{Qt::Key_BracketRight}, [this] { selectLaunched(); });
    add("previousOnRowAction", tr("&Previous on the row"), tr("Select the item before"), Keys{Qt::Key_Comma},
        [this] { selectNeighbour(Neighbour::Previous); });
    add("nextOnRowAction", tr("&Next on the row"), tr("Select the item after"), Keys{Qt::Key_Period},
        [this] { selectNeighbour(Neighbour::Next); });
    add("rangeOfItemAction", tr("Select its time as a &range"), tr("The selected item's, or what was measured"),
        Keys{Qt::Key_R}, [this] { selectRangeOfItem(); });
    m_measureCommand = add("measureAction", tr("Mea&sure"), tr("The time between any two edges; Esc ends it"),
                           Keys{Qt::Key_X}, [this](bool on) { setMeasuring(on); });
    m_measureCommand->setCheckable(true);
    add("addNoteAction", tr("Add a &note…"), tr("At the selection, or at the pointer"), Keys{Qt::Key_N},
        [this] { writeNote(); });
    add("markAction", tr("Mar&k"), tr("The selection, or the time at the pointer, until the next mark"),
        Keys{Qt::Key_M}, [this] { toggleMark(); });
    add("keepMarkAction", tr("Mark and &keep"), tr("The mark is saved with the session"), Keys{Qt::SHIFT | Qt::Key_M},
        [this] { keepMark(); });
    add("rowUpAction", tr("Row above"), tr("Go to the row above"), Keys{Qt::Key_Up}, [this] { moveRowFocus(-1); });
    add("rowDownAction", tr("Row below"), tr("Go to the row below"), Keys{Qt::Key_Down}, [this] { moveRowFocus(1); });
    add("foldRowAction", tr("&Fold the row's group"), tr("Or show it"), Keys{Qt::Key_Space}, row(RowAct::ToggleFold));
    add("hideRowAction", tr("&Hide the row"), tr("It comes back with Show hidden rows"), Keys{Qt::Key_H},
        row(RowAct::Hide));
    add("showHiddenRowsAction", tr("Show hidden rows"), tr("Show the rows of the timeline that were hidden"),
        Keys{Qt::SHIFT | Qt::Key_H}, row(RowAct::ShowHidden));
    add("pinRowAction", tr("Pin the row"), tr("To the top, or let it go"), Keys{Qt::Key_P}, row(RowAct::TogglePin));
    add("rowHeightAction", tr("Row hei&ght"), tr("Taller, compact, as usual"), Keys{Qt::Key_T},
        row(RowAct::NextHeight));
    add("moveRowUpAction", tr("Move the row &up"), tr("Or its group"), Keys{Qt::SHIFT | Qt::Key_Up},
        row(RowAct::MoveUp));
    add("moveRowDownAction", tr("Move the row &down"), tr("Or its group"), Keys{Qt::SHIFT | Qt::Key_Down},
        row(RowAct::MoveDown));
    add("countersAction", tr("&Counters"), tr("Fold those of all devices, or show them"), Keys{Qt::Key_C},
        [this] { toggleCounters(); });
    m_frameTimeCommand =
        add("frameTimeAction", tr("&Frame time"), tr("How long the last frames took to build and paint"), {},
            [this](bool on) { setFrameTimeShown(on); });
    m_frameTimeCommand->setCheckable(true);
}

QAction* TimelineWidget::command(const char* name) const {
    for (QAction* action : m_commands)
        if (action->objectName() == QLatin1String(name)) return action;
    return nullptr;
}

// Shift makes no difference where no command has it: on some keyboards it is needed for digits and brackets.
QAction* TimelineWidget::commandOf(const QKeyEvent& event) const {
    const auto find = [this](QKeyCombination wanted) -> QAction* {
        for (QAction* action : m_commands)
            if (action->shortcuts().contains(QKeySequence(wanted))) return action;
        return nullptr;
    };
    const Qt::KeyboardModifiers modifiers = event.modifiers() & ~(Qt::KeypadModifier | Qt::GroupSwitchModifier);
    const auto key = static_cast<Qt::Key>(event.key());
    if (QAction* exact = find(QKeyCombination(modifiers, key))) return exact;
    const bool isLetter = key >= Qt::Key_A && key <= Qt::Key_Z;
    return modifiers == Qt::ShiftModifier && !isLetter ? find(QKeyCombination(Qt::NoModifier, key)) : nullptr;
}

}  // namespace gapscope
