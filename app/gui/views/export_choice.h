// Where an export goes, and whether it tells where the recording person's files lie.
#pragma once

#include <QString>
#include <optional>

#include "core/export/export_texts.h"

class QWidget;

namespace gapscope {

struct ExportChoice {
    QString path;
    Identity identity = Identity::LeftOut;
};

// Asks with a file dialog that has a box to tick for home folders; nothing if the person cancels. `filters` as
// QFileDialog takes them; `suffix` is what a name without one gets.
std::optional<ExportChoice> askForExport(QWidget* parent, const QString& title, const QString& folder,
                                         const QString& name, const QStringList& filters, const QString& suffix);

}  // namespace gapscope
