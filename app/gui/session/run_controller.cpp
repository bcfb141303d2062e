#include "app/gui/session/run_controller.h"

#include <QDateTime>
#include <QDir>
#include <QStandardPaths>
#include <QUuid>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "core/runner/prefix_memory.h"

namespace gapscope {
namespace {

constexpr int kPollMs = 100;

std::filesystem::path newSessionPath() {
    const QString name = QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd_HH-mm-ss")) +
                         QLatin1Char('_') + QUuid::createUuid().toString(QUuid::Id128).left(6) +
                         QStringLiteral(".gapscope");
    return temporarySessionFolder() / name.toStdString();
}

// Of a file, or of the newest in a model's folder.
std::filesystem::file_time_type timeOf(const std::filesystem::path& path) {
    std::error_code ignored;
    std::filesystem::file_time_type newest = std::filesystem::last_write_time(path, ignored);
    for (std::filesystem::directory_iterator file(path, ignored), end; file != end; file.increment(ignored))
        newest = std::max(newest, file->last_write_time(ignored));
    return newest;
}

}  // namespace

std::filesystem::path temporarySessionFolder() {
    const QByteArray stateHome = qgetenv("XDG_STATE_HOME");
    const QString base = QDir::isAbsolutePath(QString::fromLocal8Bit(stateHome)) && !stateHome.isEmpty()
                             ? QString::fromLocal8Bit(stateHome)
                             : QDir::homePath() + QStringLiteral("/.local/state");
    return (base + QStringLiteral("/gapscope/sessions")).toStdString();
}

RunController::RunController(Session& session, QObject* parent) : QObject(parent), m_session(session) {
    m_pool.setMaxThreadCount(1);
    m_timer.setInterval(kPollMs);
    connect(&m_timer, &QTimer::timeout, this, &RunController::poll);
}

RunController::~RunController() = default;

Status RunController::start(RecordingSettings settings) {
    std::error_code error;
    std::filesystem::create_directories(temporarySessionFolder(), error);
    if (error)
        return fail("Could not make the folder " + temporarySessionFolder().string() +
                    " for the session: " + error.message() + ". Check its permissions or set XDG_STATE_HOME.");
    settings.sessionPath = newSessionPath();
    remember(settings);
    ASSIGN_OR_RETURN(m_recording, Recording::start(std::move(settings)));
    m_stopping = false;
    m_progress = {};
    m_session.clearSelection();
    m_session.setTrace(m_recording->trace());
    m_session.setFollowing(true);
    m_timer.start();
    Q_EMIT started();
    return {};
}

// The model stays loaded with what it has read, as long as runs ask for that and its file is the same.
void RunController::remember(RecordingSettings& settings) {
    if (!settings.generate.reusePrefix) {
        m_memory.reset();
        return;
    }
    const auto time = timeOf(settings.modelPath);
    if (m_memory && m_memory->model && m_memory->model->path() == settings.modelPath && m_modelTime == time)
        settings.model = m_memory->model;
    else
        m_memory = std::make_shared<PrefixMemory>();
    m_modelTime = time;
    settings.memory = m_memory;
}

void RunController::stop() {
    if (!m_recording || m_stopping) return;
    m_stopping = true;
    m_recording->cancel();
    Q_EMIT progressChanged();
}

void RunController::poll() {
    const bool done = m_recording->done();  // asked first, so that the snapshot below is the last one
    m_progress = m_recording->progress();
    const TracePtr trace = m_recording->trace();
    if (trace != m_session.trace() && (trace->eventCount() != m_session.trace()->eventCount() || done))
        m_session.setTrace(trace);
    if (!done) {
        Q_EMIT progressChanged();
        return;
    }
    m_timer.stop();
    m_stopping = false;
    RunEnd end{.sessionPath = QString::fromStdString(m_recording->sessionPath().string())};
    if (const auto& result = m_recording->result(); !result && result.error().kind != ErrorKind::Cancelled) {
        end.error = text(result.error().message);
        end.kind = result.error().kind;
    }
    // Its destructor joins a thread, which is no work for this one.
    m_pool.start([recording = std::shared_ptr<Recording>(std::move(m_recording))]() mutable { recording.reset(); });
    m_recording.reset();
    Q_EMIT progressChanged();
    Q_EMIT finished(end);
}

}  // namespace gapscope
