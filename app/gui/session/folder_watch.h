// Looks out for traces that another program writes into a folder: the output folder of torch.profiler, a recorder's. A
// file is told of once it is a trace by its content and has not changed for a while; one that is written anew is new
// again. The folder is read off the UI thread; it may lie on a share, and may go and come back.
#pragma once

#include <QFileSystemWatcher>
#include <QMap>
#include <QObject>
#include <QString>
#include <QStringList>
#include <QTimer>

#include "app/gui/jobs/job_tracker.h"

namespace gapscope {

// What is known of a folder between two looks.
struct FolderState {
    struct File {
        qint64 bytes = 0;
        qint64 modifiedMs = 0;
        qint64 sinceMs = 0;    // it has looked like this
        bool settled = false;  // nothing more to find out until it changes
    };
    QMap<QString, File> files;
    bool exists = false;
    bool wasRead = false;
};

struct FolderLook {
    FolderState state;
    QStringList found;  // paths
};

// One look. What lies in the folder at the first is not new. Blocks.
FolderLook lookAtFolder(const QString& folder, FolderState before, qint64 nowMs, qint64 settleMs);

class FolderWatch : public QObject {
    Q_OBJECT

public:
    explicit FolderWatch(QObject* parent = nullptr);

    void start(const QString& folder);  // instead of the one before
    void stop();
    QString folder() const { return m_folder; }  // empty: none is watched
    bool isMissing() const { return m_state.wasRead && !m_state.exists; }
    void setSettleMs(int ms) { m_settleMs = ms; }

Q_SIGNALS:
    void changed();  // which folder, and whether it is there
    void found(const QStringList& paths);

private:
    void look();
    void take(FolderLook look);

    QString m_folder;
    FolderState m_state;
    QFileSystemWatcher m_watcher;
    QTimer m_timer;
    JobTracker m_job;
    int m_settleMs = 1500;
    bool m_again = false;  // something changed during a look
};

}  // namespace gapscope
