#include "app/gui/window/shortcut_sheet.h"

#include <QDialogButtonBox>
#include <QGridLayout>
#include <QVBoxLayout>

#include "app/gui/views/card.h"

namespace gapscope {
namespace {

QGridLayout* makeColumn(const QString& title, const QList<std::pair<QString, QString>>& rows, QWidget* parent) {
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(18);
    grid->setVerticalSpacing(5);
    grid->addWidget(new Label(LabelRole::Heading, title, parent), 0, 0, 1, 2);
    int row = 1;
    for (const auto& [keys, what] : rows) {
        grid->addWidget(new Label(LabelRole::Quiet, keys, parent), row, 0);
        grid->addWidget(new Label(LabelRole::Body, what, parent), row, 1);
        ++row;
    }
    grid->setRowStretch(row, 1);
    return grid;
}

QString keysOf(const QAction& action) {
    QStringList keys;
    for (const QKeySequence& sequence : action.shortcuts())
        keys.append(sequence.toString(QKeySequence::NativeText));
    keys.removeDuplicates();
    return keys.join(QStringLiteral(", "));
}

}  // namespace

ShortcutSheet::ShortcutSheet(const Actions& actions, QWidget* parent) : QDialog(parent) {
    setObjectName(QStringLiteral("shortcutSheet"));
    setWindowTitle(tr("Keyboard and mouse"));
    QList<std::pair<QString, QString>> commands;
    for (const QAction* action : actions.all())
        if (!action->shortcuts().isEmpty()) commands.append({keysOf(*action), action->text().remove(QLatin1Char('&'))});
    const QList<std::pair<QString, QString>> timeline = {
        {tr("Ctrl + wheel, W, S"), tr("Zoom in and out at the pointer")},
        {tr("A, D, Left, Right, Shift + wheel"), tr("Move along the time")},
        {tr("Wheel"), tr("Scroll the rows")},
        {tr("Drag"), tr("Select a range, or move its end; Alt: not to edges")},
        {tr("Shift + click"), tr("Extend the range")},
        {tr("R"), tr("The selected item's time as a range")},
        {tr("Click"), tr("Select a kernel, call, gap or token")},
        {tr("Double click, F"), tr("Zoom to the selection")},
        {tr("Middle drag"), tr("Move along the time")},
        {tr("[, ]"), tr("To the launch of a kernel or gap, and back")},
        {tr("Comma, period"), tr("Previous or next on the row")},
        {tr("Up, Down"), tr("Go from row to row")},
        {tr("Space, click on a row's name"), tr("Fold its group, or show it")},
        {tr("H, Shift+H"), tr("Hide the row; show all that are hidden")},
        {tr("P"), tr("Pin the row to the top, or let it go")},
        {tr("T, drag a row's lower edge"), tr("Make the row higher or lower")},
        {tr("Shift+Up, Shift+Down, drag a row's name"), tr("Move the row or its group")},
        {tr("Menu key, right click on a row's name"), tr("All that can be done with the row")},
        {tr("C"), tr("Fold the counters, or show them")},
    };
    const QList<std::pair<QString, QString>> tables = {
        {tr("Enter, click"), tr("Select what the row is about")},
        {tr("Double click"), tr("Zoom to it")},
        {tr("Ctrl+C"), tr("Copy the rows with exact values")},
    };
    auto* columns = new QHBoxLayout;
    columns->setSpacing(40);
    columns->addLayout(makeColumn(tr("Commands"), commands, this));
    auto* right = new QVBoxLayout;
    right->setSpacing(18);
    right->addLayout(makeColumn(tr("Timeline"), timeline, this));
    right->addLayout(makeColumn(tr("Tables"), tables, this), 1);
    columns->addLayout(right);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 20, 24, 16);
    layout->setSpacing(16);
    layout->addLayout(columns, 1);
    layout->addWidget(buttons);
}

}  // namespace gapscope
