#include "app/gui/views/export_choice.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QFileDialog>
#include <QGridLayout>

namespace gapscope {

std::optional<ExportChoice> askForExport(QWidget* parent, const QString& title, const QString& folder,
                                         const QString& name, const QStringList& filters, const QString& suffix) {
    QFileDialog dialog(parent, title, folder);
    dialog.setObjectName(QStringLiteral("exportDialog"));
    dialog.setOption(QFileDialog::DontUseNativeDialog);  // the desktop's own has no room for the box
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    dialog.setNameFilters(filters);
    dialog.setDefaultSuffix(suffix);
    dialog.selectFile(name);
    auto* keep = new QCheckBox(
        QCoreApplication::translate("ExportChoice", "&Keep home folders in paths (they tell who recorded)"), &dialog);
    keep->setObjectName(QStringLiteral("keepIdentity"));
    if (auto* grid = qobject_cast<QGridLayout*>(dialog.layout()))
        grid->addWidget(keep, grid->rowCount(), 0, 1, grid->columnCount());
    if (dialog.exec() != QDialog::Accepted || dialog.selectedFiles().isEmpty()) return std::nullopt;
    return ExportChoice{.path = dialog.selectedFiles().first(),
                        .identity = keep->isChecked() ? Identity::Kept : Identity::LeftOut};
}

}  // namespace gapscope
