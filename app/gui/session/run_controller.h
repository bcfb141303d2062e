// Starts and watches one recorded run at a time: polls it ten times a second and hands its snapshots to the session.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <QTimer>
#include <memory>

#include "app/gui/session/session.h"
#include "core/recording/recording.h"

namespace gapscope {

// How a run ended. The session holds the last snapshot.
struct RunEnd {
    QString error;  // empty, or the sentence to show
    ErrorKind kind = ErrorKind::General;
    QString sessionPath;  // of the session file, complete and closed
};

class RunController : public QObject {
    Q_OBJECT

public:
    explicit RunController(Session& session, QObject* parent = nullptr);
    ~RunController() override;

    // The error, if it cannot even start. The session path is chosen here, in temporarySessionFolder().
    Status start(RecordingSettings settings);
    void stop();  // asks; finished() tells when it has
    bool running() const { return m_recording != nullptr; }
    bool stopping() const { return m_stopping; }
    const RecordingProgress& progress() const { return m_progress; }

Q_SIGNALS:
    void started();
    void progressChanged();
    void finished(const gapscope::RunEnd& end);

private:
    void poll();
    void remember(RecordingSettings& settings);

    Session& m_session;
    QTimer m_timer;
    QThreadPool m_pool;  // one thread, where finished recordings are taken down: that may wait
    std::unique_ptr<Recording> m_recording;
    std::shared_ptr<PrefixMemory> m_memory;       // of the last run, if it was to be kept
    std::filesystem::file_time_type m_modelTime;  // of its model's file
    RecordingProgress m_progress;
    bool m_stopping = false;
};

// $XDG_STATE_HOME/gapscope/sessions, else ~/.local/state/gapscope/sessions: sessions that nobody has saved yet.
std::filesystem::path temporarySessionFolder();

}  // namespace gapscope
