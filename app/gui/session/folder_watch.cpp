#include "app/gui/session/folder_watch.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <algorithm>
#include <utility>

#include "core/import/recognize.h"

namespace gapscope {
namespace {

constexpr int kMostFiles = 20'000;     // of one folder; the newest are looked at
constexpr int kIdleMs = 5000;          // between looks where nothing tells of changes, as on shares
constexpr int kSoonMs = 50;            // after a change: several come together
constexpr qint64 kPatienceOfCut = 20;  // settle times that JSON without an end is waited for

}  // namespace

FolderLook lookAtFolder(const QString& folder, FolderState before, qint64 nowMs, qint64 settleMs) {
    FolderLook look;
    const QDir dir(folder);
    look.state.exists = dir.exists();
    // What comes back with a folder that was away is judged against what was there before.
    look.state.wasRead = true;
    if (!look.state.exists) {
        look.state.files = std::move(before.files);
        return look;
    }
    const QFileInfoList entries = dir.entryInfoList(QDir::Files | QDir::Readable, QDir::Time);
    for (int i = 0; i < std::min<int>(kMostFiles, static_cast<int>(entries.size())); ++i) {
        const QFileInfo& entry = entries[i];
        FolderState::File file{entry.size(), entry.lastModified().toMSecsSinceEpoch(), nowMs, !before.wasRead};
        const auto known = before.files.constFind(entry.fileName());
        if (known != before.files.constEnd() && known->bytes == file.bytes && known->modifiedMs == file.modifiedMs)
            file = *known;
        const qint64 quietMs = nowMs - file.sinceMs;
        if (!file.settled && file.bytes > 0 && quietMs >= settleMs &&
            !QFileInfo::exists(entry.filePath() + QStringLiteral("-wal"))) {  // a recording that still goes on
            const TraceLook kind = lookAtBeginning(entry.filePath().toStdString());
            file.settled = kind != TraceLook::CutShort || quietMs >= kPatienceOfCut * settleMs;
            if (file.settled && kind != TraceLook::None) look.found.append(entry.filePath());
        }
        look.state.files.insert(entry.fileName(), file);
    }
    return look;
}

FolderWatch::FolderWatch(QObject* parent) : QObject(parent) {
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &FolderWatch::look);
    connect(&m_watcher, &QFileSystemWatcher::directoryChanged, this, [this] {
        if (m_job.running())
            m_again = true;
        else
            m_timer.start(kSoonMs);
    });
}

void FolderWatch::start(const QString& folder) {
    stop();
    m_folder = QDir(folder).absolutePath();
    Q_EMIT changed();
    look();
}

void FolderWatch::stop() {
    if (m_folder.isEmpty()) return;
    m_job.cancel();
    m_timer.stop();
    if (!m_watcher.directories().isEmpty()) m_watcher.removePaths(m_watcher.directories());
    m_folder.clear();
    m_state = {};
    m_again = false;
    Q_EMIT changed();
}

void FolderWatch::look() {
    m_job.start(
        [folder = m_folder, before = m_state, now = QDateTime::currentMSecsSinceEpoch(), settle = qint64{m_settleMs}](
            std::stop_token) mutable { return lookAtFolder(folder, std::move(before), now, settle); },
        [this](FolderLook look) { take(std::move(look)); });
}

void FolderWatch::take(FolderLook look) {
    const bool wasMissing = isMissing();
    m_state = std::move(look.state);
    // A folder that comes back is another one to the watcher.
    if (m_state.exists && !m_watcher.directories().contains(m_folder)) m_watcher.addPath(m_folder);
    const bool unsettled =
        std::ranges::any_of(m_state.files, [](const FolderState::File& file) { return !file.settled; });
    m_timer.start(std::exchange(m_again, false) ? kSoonMs : unsettled && m_state.exists ? m_settleMs : kIdleMs);
    if (isMissing() != wasMissing) Q_EMIT changed();
    if (!look.found.isEmpty()) Q_EMIT found(look.found);
}

}  // namespace gapscope
