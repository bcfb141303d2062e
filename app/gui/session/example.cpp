#include "app/gui/session/example.h"

#include <zlib.h>

#include <QDir>
#include <QFile>
#include <QSaveFile>
#include <array>
#include <memory>

#include "core/runner/model_catalog.h"

namespace gapscope {
namespace {

constexpr qint64 kMostBytes = qint64{256} << 20;  // unpacked; ours have a few MB

// Without the .gz that the packed file has.
QString fileName(Example example) {
    return example == Example::Eager ? QStringLiteral("example-eager.gapscope")
                                     : QStringLiteral("example-graph.gapscope");
}

QString packedPath(Example example) {
    return QString::fromStdString(resourceFolder().string()) + QLatin1Char('/') + fileName(example) +
           QStringLiteral(".gz");
}

struct GzClose {
    void operator()(gzFile_s* file) const { gzclose(file); }
};

}  // namespace

bool isThere(Example example) {
    return QFile::exists(packedPath(example));
}

Result<QString> unpack(Example example) {
    const QString from = packedPath(example);
    const QString folder = QString::fromStdString((cacheModelFolder().parent_path() / "examples").string());
    const QString to = folder + QLatin1Char('/') + fileName(example);
    const std::unique_ptr<gzFile_s, GzClose> packed(gzopen(QFile::encodeName(from).constData(), "rb"));
    if (!packed) return fail("The example " + from.toStdString() + " cannot be read.", ErrorKind::NotFound);
    QSaveFile session(to);
    if (!QDir().mkpath(folder) || !session.open(QIODevice::WriteOnly))
        return fail("The example could not be unpacked to " + to.toStdString() +
                    ". Check the folder's permissions or set XDG_CACHE_HOME.");
    std::array<char, 1 << 16> block;
    qint64 bytes = 0;
    int count = 0;
    while ((count = gzread(packed.get(), block.data(), block.size())) > 0 && bytes <= kMostBytes) {
        bytes += count;
        session.write(block.data(), count);  // a failure comes back from commit()
    }
    // A file that ends early reads as the end, too.
    int problem = Z_OK;
    gzerror(packed.get(), &problem);
    if (count < 0 || problem != Z_OK || bytes > kMostBytes)
        return fail("The example " + from.toStdString() + " is damaged. Install Gapscope again.", ErrorKind::BadFile);
    if (!session.commit())
        return fail("The example could not be unpacked to " + to.toStdString() + ": " +
                    session.errorString().toStdString() + ".");
    return to;
}

}  // namespace gapscope
