#include "app/gui/session/document.h"

#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <QPointer>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "core/base/session_format.h"
#include "core/export/session_writer.h"
#include "core/import/recover_session.h"

namespace gapscope {
namespace {

// Progress hops to the UI thread, at most once a percent.
ImportProgress reportTo(QPointer<Document> document, const QString& text) {
    return [document, text, last = -1](double share) mutable {
        const int percent = static_cast<int>(share * 100);
        if (percent == last) return;
        last = percent;
        QMetaObject::invokeMethod(
            qApp,
            [document, text, share] {
                if (document && document->busy()) Q_EMIT document->progress(text, share);
            },
            Qt::QueuedConnection);
    };
}

Result<TracePtr> sorted(Result<TracePtr> trace, const CategoryRules& rules, std::stop_token stop) {
    if (trace) trace = categorized(std::move(*trace), rules, stop);
    return trace;
}

}  // namespace

Document::Document(Session& session, QObject* parent) : QObject(parent), m_session(session) {
    connect(&session, &Session::notesChanged, this, &Document::changed);
    connect(&session, &Session::rowArrangementChanged, this, &Document::changed);
}
Document::~Document() = default;

QString Document::name() const {
    if (m_empty) return {};
    return m_path.isEmpty() ? m_unsavedName : QFileInfo(m_path).fileName();
}

bool Document::isSession() const {
    return m_path.endsWith(QLatin1String(kSessionExtension.data(), static_cast<qsizetype>(kSessionExtension.size())));
}

bool Document::isModified() const {
    return !m_empty && (m_modified || m_session.hasUnsavedNotes());
}

// Settings keep how the rows of any trace stand; only a session has a place of its own for it.
bool Document::hasSomethingToSave() const {
    return isModified() || (!m_empty && isSession() && m_session.hasUnsavedRows());
}

bool Document::canSaveInPlace() const {
    // Whoever may write everything, as root does, still sees the protection.
    constexpr QFile::Permissions kWritable = QFile::WriteOwner | QFile::WriteGroup | QFile::WriteOther;
    const QFileInfo file(m_path);
    return isSession() && file.lastModified() == m_fileTime && file.isWritable() && (file.permissions() & kWritable) &&
           !QFileInfo::exists(m_path + QLatin1String("-wal"));
}

qint64 Document::savedMsecsAgo() const {
    return m_savedAtMsecs < 0 ? -1 : QDateTime::currentMSecsSinceEpoch() - m_savedAtMsecs;
}

void Document::adoptRun(const QString& name, const QString& temporaryPath) {
    if (temporaryPath != m_temporaryPath) removeTemporary();
    m_temporaryPath = temporaryPath;
    m_together.reset();
    m_unsavedName = name;
    m_path.clear();
    m_savedAtMsecs = -1;
    m_modified = true;
    m_empty = false;
    Q_EMIT changed();
}

void Document::discard() {
    removeTemporary();
    m_modified = false;
    m_session.setSaved(m_session.annotations());
    Q_EMIT changed();
}

QStringList Document::reopenArguments() const {
    if (!m_temporaryPath.isEmpty()) return {QStringLiteral("--resume"), m_temporaryPath};
    if (m_together && m_path.isEmpty()) return QStringList{QStringLiteral("--")} + m_together->paths;
    return m_path.isEmpty() ? QStringList() : QStringList{QStringLiteral("--"), m_path};
}

void Document::handOver() {
    m_temporaryPath.clear();
    m_modified = false;
    m_session.setSaved(m_session.annotations());
}

void Document::removeTemporary() {
    if (m_temporaryPath.isEmpty()) return;
    for (const char* suffix : {"", "-wal", "-shm"})
        QFile::remove(m_temporaryPath + QLatin1String(suffix));
    m_temporaryPath.clear();
}

Result<Document::Opened> Document::laidOut(Result<TracePtr> trace, const LayOut& layOut, std::stop_token stop) {
    Opened opened;
    ASSIGN_OR_RETURN(opened.trace, std::move(trace));
    if (layOut && !stop.stop_requested()) opened.laidOut = layOut(opened.trace);
    return opened;
}

void Document::adopt(Opened file, const QString& path, std::optional<FilesTogether> together) {
    removeTemporary();
    m_together = std::move(together);
    m_path = path;
    m_fileTime = QFileInfo(path).lastModified();
    m_savedAtMsecs = -1;
    m_modified = false;
    m_empty = false;
    m_session.setFollowing(false);
    m_session.setTrace(std::move(file.trace), std::move(file.laidOut));
    Q_EMIT changed();
    Q_EMIT opened(path);
}

void Document::open(const QString& path) {
    const QString label = tr("Opening %1").arg(QFileInfo(path).fileName());
    Q_EMIT progress(label, -1);
    m_jobs.start(
        [path, report = reportTo(this, label), rules = m_rules, layOut = m_layOut](std::stop_token stop) {
            return laidOut(sorted(openTrace(path.toStdString(), report, stop), *rules, stop), layOut, stop);
        },
        [this, path](Result<Opened> opened) {
            Q_EMIT idle();
            if (opened)
                adopt(std::move(*opened), path);
            else if (opened.error().kind != ErrorKind::Cancelled)
                Q_EMIT failed(text(opened.error().message));
        });
}

void Document::openTogether(const QStringList& paths, const JoinAlignment& alignment) {
    constexpr size_t kMostNames = 500;
    struct Joined {
        Opened file;
        FilesTogether files;
    };
    const QString label = tr("Opening %1 files").arg(paths.size());
    Q_EMIT progress(label, -1);
    m_jobs.start(
        [paths, alignment, report = reportTo(this, label), rules = m_rules,
         layOut = m_layOut](std::stop_token stop) -> Result<Joined> {
            std::vector<std::filesystem::path> files;
            for (const QString& path : paths)
                files.emplace_back(path.toStdString());
            ASSIGN_OR_RETURN(const std::vector<TracePart> parts, openParts(files, report, stop));
            ASSIGN_OR_RETURN(Opened file,
                             laidOut(sorted(joinTraces(parts, alignment, stop), *rules, stop), layOut, stop));
            return Joined{.file = std::move(file),
                          .files = {.paths = paths,
                                    .alignment = alignment,
                                    .by = alignedBy(parts, alignment),
                                    .clocksMeet = alignedBy(parts, {}) == AlignedBy::WallClock,
                                    .names = commonNames(parts, kMostNames, stop)}};
        },
        [this, name = tr("%1 files").arg(paths.size())](Result<Joined> joined) {
            Q_EMIT idle();
            if (joined) {
                m_unsavedName = name;
                adopt(std::move(joined->file), {}, std::move(joined->files));
            } else if (joined.error().kind != ErrorKind::Cancelled) {
                Q_EMIT failed(text(joined.error().message));
            }
        });
}

void Document::recover(const QString& path) {
    const QString label = tr("Recovering %1").arg(QFileInfo(path).fileName());
    Q_EMIT progress(label, -1);
    m_jobs.start(
        [path, report = reportTo(this, label), layOut = m_layOut](std::stop_token stop) -> Result<Opened> {
            RETURN_IF_ERROR(recoverSession(path.toStdString()));
            return laidOut(openTrace(path.toStdString(), report, stop), layOut, stop);
        },
        [this, path](Result<Opened> opened) {
            Q_EMIT idle();
            if (!opened) {
                if (opened.error().kind != ErrorKind::Cancelled) Q_EMIT failed(text(opened.error().message));
                return;
            }
            adopt(std::move(*opened), path);
            adoptRun(tr("Recovered run"), path);
        });
}

void Document::saveAs(const QString& path, std::function<void()> then) {
    Q_EMIT progress(tr("Saving %1").arg(QFileInfo(path).fileName()), -1);
    m_jobs.start([path, trace = m_session.annotatedTrace()](
                     std::stop_token stop) { return saveSession(*trace, path.toStdString(), stop); },
                 [this, path, kept = m_session.annotations(), then = std::move(then)](Status status) {
                     Q_EMIT idle();
                     if (!status) {
                         if (status.error().kind != ErrorKind::Cancelled) Q_EMIT failed(text(status.error().message));
                         return;
                     }
                     m_path = path;
                     m_fileTime = QFileInfo(path).lastModified();
                     m_modified = false;
                     m_session.setSaved(kept);
                     m_savedAtMsecs = QDateTime::currentMSecsSinceEpoch();
                     removeTemporary();
                     Q_EMIT changed();
                     Q_EMIT saved(path);
                     if (then) then();
                 });
}

void Document::cancelJob() {
    m_jobs.cancel();
    Q_EMIT idle();
}

}  // namespace gapscope
