#include "app/gui/session/ladder_climber.h"

#include <QDateTime>

#include "app/gui/session/run_controller.h"
#include "app/gui/session/selection_text.h"

namespace gapscope {
namespace {

constexpr int kPollMs = 100;

// Two ladders of one second do not meet.
std::filesystem::path newFolder() {
    const std::string time = QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd_HH-mm-ss")).toStdString();
    std::filesystem::path folder = ladderFolder() / time;
    std::error_code ignored;
    for (int i = 2; std::filesystem::exists(folder, ignored); ++i)
        folder = ladderFolder() / (time + "_" + std::to_string(i));
    return folder;
}

}  // namespace

std::filesystem::path ladderFolder() {
    return temporarySessionFolder().parent_path() / "ladders";
}

struct LadderClimber::News {
    std::mutex mutex;
    std::vector<LadderRung> ended;  // since the last poll, in order
    size_t rung = 0;
    RecordingProgress progress;
};

LadderClimber::LadderClimber(QObject* parent) : QObject(parent), m_jobs(&m_pool) {
    m_pool.setMaxThreadCount(1);
    m_timer.setInterval(kPollMs);
    connect(&m_timer, &QTimer::timeout, this, &LadderClimber::poll);
}

LadderClimber::~LadderClimber() {
    m_stop.request_stop();
}

void LadderClimber::start(RecordingSettings settings, const RunDevice& device) {
    m_news = std::make_shared<News>();
    m_folder = newFolder();
    m_ladder = {};
    m_ladder.device = device.id;
    m_ladder.deviceName = device.name;
    // All remedies: who runs without drafts still wants to know what those would bring.
    SpeculationSettings& speculation = settings.generate.speculation;
    if (speculation.kind == Speculation::Off) speculation.kind = Speculation::Ngram;
    m_ladder.rungs = rungsOf(device, speculation);
    m_rung = 0;
    m_progress = {};
    m_stop = std::stop_source();
    m_stopping = false;
    settings.generate.device = device.id;
    settings.generate.ignoreEos = true;
    LadderEvents events;
    events.onProgress = [news = m_news](size_t rung, size_t, const std::string&, const RecordingProgress& progress) {
        const std::lock_guard lock(news->mutex);
        news->rung = rung;
        news->progress = progress;
    };
    events.onRung = [news = m_news](const LadderRung& rung) {
        const std::lock_guard lock(news->mutex);
        news->ended.push_back(rung);
    };
    // Not the tracker's own stop, which drops the result: the rungs that ended are wanted.
    m_jobs.start([of = LadderSettings{std::move(settings), m_folder}, events = std::move(events),
                  stop = m_stop.get_token()](std::stop_token) { return climb(of, events, stop); },
                 [this](Result<Ladder> ladder) { take(std::move(ladder)); });
    m_timer.start();
    Q_EMIT changed();
}

void LadderClimber::stop() {
    if (!running() || m_stopping) return;
    m_stopping = true;
    m_stop.request_stop();
    Q_EMIT progressChanged();
}

void LadderClimber::poll() {
    std::vector<LadderRung> ended;
    size_t rung = 0;
    {
        const std::lock_guard lock(m_news->mutex);
        ended.swap(m_news->ended);
        rung = m_news->rung;
        m_progress = m_news->progress;
    }
    for (LadderRung& of : ended)
        for (LadderRung& shown : m_ladder.rungs)
            if (shown.name == of.name) shown = std::move(of);
    if (!ended.empty() || rung != m_rung) {
        m_rung = rung;
        Q_EMIT changed();
    }
    Q_EMIT progressChanged();
}

void LadderClimber::take(Result<Ladder> ladder) {
    m_timer.stop();
    m_stopping = false;
    const std::optional<Error> problem = ladder ? ladder->failure : std::optional(ladder.error());
    m_ladder = ladder ? std::move(*ladder) : Ladder();
    const bool said = problem && problem->kind != ErrorKind::Cancelled;
    Q_EMIT changed();
    Q_EMIT progressChanged();
    Q_EMIT finished(said ? text(problem->message) : QString(), said && problem->kind == ErrorKind::GpuUnusable);
}

}  // namespace gapscope
