// Climbs the ladder of remedies off the UI thread, one at a time, and tells how far it has come. Each rung's session
// lies in a folder of this ladder's own under ladderFolder(). Lives on the UI thread.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <QTimer>
#include <memory>
#include <mutex>
#include <stop_token>

#include "app/gui/jobs/job_tracker.h"
#include "core/ladder/ladder.h"

namespace gapscope {

class LadderClimber : public QObject {
    Q_OBJECT

public:
    explicit LadderClimber(QObject* parent = nullptr);
    ~LadderClimber() override;  // stops and waits

    // Every rung makes as many tokens as asked, an end token or not, or their times could not be compared. `device` is
    // what settings name: its rungs are shown before they ran.
    void start(RecordingSettings settings, const RunDevice& device);
    void stop();  // asks; finished() tells when it has
    bool running() const { return m_jobs.running(); }
    bool stopping() const { return m_stopping; }

    const Ladder& ladder() const { return m_ladder; }  // rungs that did not run yet have no session and no reason
    const std::filesystem::path& folder() const { return m_folder; }
    size_t rung() const { return m_rung; }  // that is climbed
    const RecordingProgress& progress() const { return m_progress; }

Q_SIGNALS:
    void changed();          // a rung ended, or another began
    void progressChanged();  // ten times a second at most
    // Empty, or the sentence that says why it could not go on. `gpuLost`: CUDA refuses all further work of this
    // process.
    void finished(const QString& problem, bool gpuLost);

private:
    struct News;  // from the thread that climbs
    void poll();
    void take(Result<Ladder> ladder);

    std::shared_ptr<News> m_news;
    Ladder m_ladder;
    std::filesystem::path m_folder;
    size_t m_rung = 0;
    RecordingProgress m_progress;
    std::stop_source m_stop;
    bool m_stopping = false;
    QTimer m_timer;
    QThreadPool m_pool;  // one thread, and before the job that runs on it: a ladder takes minutes
    JobTracker m_jobs;
};

// $XDG_STATE_HOME/gapscope/ladders, else ~/.local/state/gapscope/ladders.
std::filesystem::path ladderFolder();

}  // namespace gapscope
