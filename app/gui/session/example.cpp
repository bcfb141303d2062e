#include "app/gui/session/example.h"

#include <QFile>

#include "core/runner/model_catalog.h"

namespace gapscope {

QString pathOf(Example example) {
    const QString name = example == Example::Eager ? QStringLiteral("example-eager.gapscope.gz")
                                                   : QStringLiteral("example-graph.gapscope.gz");
    return QString::fromStdString(resourceFolder().string()) + QLatin1Char('/') + name;
}

bool isThere(Example example) {
    return QFile::exists(pathOf(example));
}

}  // namespace gapscope
