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
    grid->setVerticalSpacing(4);
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

ShortcutSheet::ShortcutSheet(const QList<QAction*>& window, const QList<QAction*>& timeline, QWidget* parent)
    : QDialog(parent) {
    setObjectName(QStringLiteral("shortcutSheet"));
    setWindowTitle(tr("Keyboard and mouse"));
    const auto keyed = [](const QList<QAction*>& actions) {
        QList<std::pair<QString, QString>> rows;
        for (const QAction* action : actions)
            if (!action->shortcuts().isEmpty()) rows.append({keysOf(*action), action->text().remove(QLatin1Char('&'))});
        return rows;
    };
    const QList<std::pair<QString, QString>> pointer = {
        {tr("Wheel"), tr("Scroll the rows")},
        {tr("Ctrl + wheel"), tr("Zoom at the pointer")},
        {tr("Shift + wheel, middle drag"), tr("Move along the time")},
        {tr("Click"), tr("Select a kernel, call, gap or token")},
        {tr("Double click"), tr("Zoom to it")},
        {tr("Drag"), tr("Select a range, or move its end; Alt: not to edges")},
        {tr("Shift + click"), tr("Extend the range")},
        {tr("Click on a row's name"), tr("Fold its group, or show it")},
        {tr("Drag a row's name, its lower edge"), tr("Move the row, make it higher")},
        {tr("Right click on a row's name"), tr("All that can be done with the row")},
    };
    const QList<std::pair<QString, QString>> tables = {
        {tr("Enter, click"), tr("Select what the row is about")},
        {tr("Double click"), tr("Zoom to it")},
        {tr("Ctrl+C"), tr("Copy the rows with exact values")},
        {tr("F2, Delete"), tr("Notes: write, remove")},
    };
    auto* columns = new QHBoxLayout;
    columns->setSpacing(40);
    columns->addLayout(makeColumn(tr("Commands"), keyed(window), this));
    columns->addLayout(makeColumn(tr("Timeline"), keyed(timeline), this));
    auto* right = new QVBoxLayout;
    right->setSpacing(18);
    right->addLayout(makeColumn(tr("Pointer on the timeline"), pointer, this));
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
