// What the window does: runs, opening and saving, and the questions about unsaved sessions.
#include <QApplication>
#include <QCloseEvent>
#include <QDateTime>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QStyle>
#include <QVariantAnimation>
#include <algorithm>
#include <cmath>
#include <utility>

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/compare_page.h"
#include "app/gui/views/note_panel.h"
#include "app/gui/views/prompt_panel.h"
#include "app/gui/views/status_strip.h"
#include "app/gui/views/welcome.h"
#include "app/gui/window/main_window.h"
#include "core/analysis/event_list.h"
#include "core/analysis/phases.h"
#include "core/base/format.h"
#include "core/base/session_format.h"

namespace gapscope {
namespace {

constexpr int kEaseMs = 400;

// What each prompt of a batch got, under the prompt itself.
QString batchText(const QString& prompts, const std::vector<std::string>& texts) {
    const QStringList lines = prompts.split(QLatin1Char('\n'));
    QStringList parts;
    for (size_t i = 0; i < texts.size(); ++i) {
        const QString prompt = static_cast<qsizetype>(i) < lines.size() ? lines[static_cast<qsizetype>(i)] : QString();
        parts << QStringLiteral("%1 · %2\n%3").arg(i + 1).arg(prompt, text(texts[i]).trimmed());
    }
    return parts.join(QStringLiteral("\n\n"));
}

// How the batch's steps went; empty without one.
QString batchSentence(const Trace& trace) {
    const RunInfo* run = trace.run();
    if (!run || run->batch == 0 || run->repeatTimes.empty()) return {};
    const auto last = static_cast<int16_t>(run->repeatTimes.size() - 1);
    const auto times = phases(trace, trace.extent(), {{last, 1}});
    if (!times || times->sequences.empty()) return {};
    const auto [soonest, latest] = std::ranges::minmax(times->sequences, {}, &SequenceTimes::timeToFirstTokenNs);
    return MainWindow::tr("%1 prompts, %2 tokens a step, %3 of weights read for a token; first tokens after %4 to %5.")
        .arg(run->sequences)
        .arg(times->drafts.tokensPerStep(), 0, 'f', 2)
        .arg(text(formatBytes(times->weightBytesPerToken(run->weightBytes))),
             text(formatDuration(soonest.timeToFirstTokenNs)), text(formatDuration(latest.timeToFirstTokenNs)));
}

// What the last recorded repeat wrote.
QString generatedText(const Trace& trace) {
    const Tokens& tokens = trace.tokens();
    if (tokens.index.empty()) return {};
    if (const RunInfo* run = trace.run(); run && run->sequences > 0) {
        std::vector<std::string> texts;
        for (size_t row = 0; row < tokens.index.size(); ++row) {
            if (tokens.repeat[row] != tokens.repeat.back()) continue;
            const auto sequence = static_cast<size_t>(tokens.sequence[row]);
            texts.resize(std::max(texts.size(), sequence + 1));
            texts[sequence] += trace.string(tokens.text[row]);
        }
        return batchText(text(run->prompt), texts);
    }
    const int16_t repeat = tokens.repeat.back();
    std::string all;
    for (size_t row = 0; row < tokens.index.size(); ++row)
        if (tokens.repeat[row] == repeat) all += trace.string(tokens.text[row]);
    return text(all);
}

// From the first decode step of the last repeat to the end of its last; empty without any.
TimeRange decodeRange(const Trace& trace) {
    TimeRange inference;
    for (size_t row = 0; row < trace.ranges().startNs.size(); ++row)
        if (trace.string(trace.ranges().name[row]) == "model_inference")
            inference = {trace.ranges().startNs[row], trace.ranges().endNs[row]};
    TimeRange decode;
    for (size_t row = 0; row < trace.ranges().startNs.size(); ++row) {
        const TimeRange range{trace.ranges().startNs[row], trace.ranges().endNs[row]};
        if (!trace.string(trace.ranges().name[row]).starts_with("decode ") || !inference.contains(range.startNs))
            continue;
        decode = decode.empty()
                     ? range
                     : TimeRange{std::min(decode.startNs, range.startNs), std::max(decode.endNs, range.endNs)};
    }
    return decode;
}

QString questionBeforeRun() {
    return MainWindow::tr("Save the session before the next run takes its place?");
}

QString gemmaNotice() {
    QFile file(QStringLiteral(":/GEMMA_NOTICE.txt"));
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()).trimmed() : QString();
}

}  // namespace

// ---- What this machine has

void MainWindow::lookAround() {
    m_machineJob.start(
        [look = m_lookAtDevices](std::stop_token) {
            return Machine{findModels(), look(), defaultModel()};
        },
        [this](Machine machine) { showMachine(machine); });
    m_recoveryJob.start([](std::stop_token) { return findUnfinished(temporarySessionFolder()); },
                        [this](std::vector<UnfinishedSession> unfinished) { offerRecovery(unfinished); });
}

void MainWindow::showMachine(const Machine& machine) {
    m_machineKnown = true;
    Machine offered = machine;
    const bool known = std::any_of(offered.models.begin(), offered.models.end(),
                                   [&](const FoundModel& model) { return model.path == machine.defaultModel.path; });
    if (!known && !machine.defaultModel.path.empty()) offered.models.push_back(machine.defaultModel);
    m_runBar->showMachine(offered);
    const FoundModel* model = m_runBar->model();
    QString hint;
    if (!model)
        hint = tr("No Gemma 3 model was found in the usual folders. Choose a file in the Model box above.");
    else if (model->isRandom)
        hint =
            tr("Built in, with random weights: its text is noise. For real text put a Gemma 3 GGUF file where "
               "GAPSCOPE_MODELS points.");
    else
        hint = (model->bytes > 0 ? text(formatBytes(static_cast<double>(model->bytes))) + QStringLiteral(". ")
                                 : QString()) +
               gemmaNotice() + QLatin1Char('.');
    m_welcome->showFound(model ? text(model->name) : tr("None found"), hint, m_runBar->deviceName(),
                         text(machine.found.gpuProblem));
    updateActions();
    if (std::exchange(m_runWanted, false)) run();
}

void MainWindow::offerRecovery(const std::vector<UnfinishedSession>& unfinished) {
    for (const UnfinishedSession& session : unfinished) {
        if (session.eventCount == 0) continue;
        const QString started =
            session.startedUtcNs > 0
                ? QLocale().toString(QDateTime::fromMSecsSinceEpoch(session.startedUtcNs / 1'000'000),
                                     QLocale::ShortFormat)
                : tr("unknown time");
        const QString path = QString::fromStdString(session.path.string());
        m_banners->show(BannerKind::Offer,
                        tr("A run of %1 from %2 did not end properly. %3 events and %4 tokens of it can be had back.")
                            .arg(session.modelName.empty() ? tr("a model") : text(session.modelName), started,
                                 text(formatCount(session.eventCount)), text(formatCount(session.tokenCount))),
                        {{tr("Recover"), [this, path, unfinished] {
                              if (recording() || m_document.busy()) {
                                  offerRecovery(unfinished);
                                  showError(tr("A run is going on. Recover the other one when it has ended."));
                                  return;
                              }
                              settleUnsaved(tr("Save the open session before recovering the other one?"),
                                            [this, path] { m_document.recover(path); });
                          }}});
        return;  // the newest; the others are offered at later starts
    }
}

// ---- Files

void MainWindow::connectDocument() {
    connect(&m_document, &Document::changed, this, [this] {
        updateTitle();
        updateActions();
        updateFacts();
    });
    connect(&m_document, &Document::failed, this, &MainWindow::showError);
    connect(&m_document, &Document::progress, this, [this](const QString& what, double share) {
        m_status->showProgress(what, share);
        updateActions();
    });
    connect(&m_document, &Document::idle, this, [this] {
        m_status->hideProgress();
        updateActions();
    });
    connect(m_status, &StatusStrip::cancelled, this, [this] {
        if (recording())
            stopRecording();
        else if (m_compareJob.running())
            cancelComparison();
        else if (m_reportJob.running())
            cancelReport();
        else
            m_document.cancelJob();
    });
    const auto remember = [this](const QString& path) {
        m_settings.addRecentFile(path);
        m_settings.setLastFolder(QFileInfo(path).absolutePath());
        updateRecent();
    };
    connect(&m_document, &Document::saved, this, remember);
    connect(&m_document, &Document::opened, this, [this, remember](const QString& path) {
        if (!path.isEmpty() && !path.startsWith(QString::fromStdString(temporarySessionFolder().string())))
            remember(path);
        showWorkspace();
        showGeneratedText();
        if (const RunInfo* run = m_session.trace()->run(); run && !run->prompt.empty())
            m_prompt->setPrompt(text(run->prompt));
        if (const TimeRange decode = decodeRange(*m_session.trace()); !decode.empty())
            m_session.setVisibleRange(decode);
        setEarlier({});
        m_baseline = {};
        m_banners->close(m_baselineBanner);
        m_runFailed = false;
        showAlignment();
        if (!m_compareWanted.isEmpty()) compareWith(std::exchange(m_compareWanted, QString()));
    });
}

void MainWindow::askForFile() {
    const QStringList paths = QFileDialog::getOpenFileNames(
        this, tr("Open trace, or the ranks of one run together"), m_settings.lastFolder(),
        tr("Sessions and traces (*.gapscope *.sqlite *.json *.gz *.zst *.pftrace *.perfetto-trace);;All files (*)"));
    openFiles(paths);
}

void MainWindow::openFile(const QString& path) {
    if (recording() || m_document.busy()) return;
    settleUnsaved(tr("Save the session before another one is opened?"),
                  [this, path] { m_document.open(QFileInfo(path).absoluteFilePath()); });
}

void MainWindow::openFiles(const QStringList& paths) {
    if (paths.size() == 1) return openFile(paths.first());
    if (paths.isEmpty() || recording() || m_document.busy()) return;
    QStringList absolute;
    for (const QString& path : paths)
        absolute.append(QFileInfo(path).absoluteFilePath());
    settleUnsaved(tr("Save the session before others are opened?"),
                  [this, absolute] { m_document.openTogether(absolute); });
}

void MainWindow::finishWriting() {
    m_timeline->finishNote();
    m_notes->finishWriting();
}

void MainWindow::save(std::function<void()> then) {
    finishWriting();
    if (!m_document.canSaveInPlace())
        saveAs(std::move(then));
    else
        m_document.saveAs(m_document.path(), std::move(then));
}

void MainWindow::saveAs(std::function<void()> then) {
    finishWriting();
    QString name = m_document.path().isEmpty() ? m_document.name() : QFileInfo(m_document.path()).completeBaseName();
    name.replace(QLatin1Char('/'), QLatin1Char('-')).replace(QLatin1Char(' '), QLatin1Char('-'));
    // One that was packed has the ending of the packing gone and its own left.
    const QLatin1String extension(kSessionExtension.data(), static_cast<qsizetype>(kSessionExtension.size()));
    if (name.endsWith(extension)) name.chop(extension.size());
    QFileDialog dialog(this, tr("Save session"), m_settings.lastFolder(), tr("Sessions (*.gapscope)"));
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    dialog.setDefaultSuffix(QStringLiteral("gapscope"));
    dialog.selectFile(name + extension);
    if (dialog.exec() != QDialog::Accepted || dialog.selectedFiles().isEmpty()) return;
    m_document.saveAs(dialog.selectedFiles().first(), std::move(then));
}

void MainWindow::settleUnsaved(const QString& question, std::function<void()> then) {
    finishWriting();
    if (!m_document.isModified()) {
        then();
        return;
    }
    auto* box = new QMessageBox(QMessageBox::Question, tr("Unsaved session"),
                                question + QLatin1Char('\n') + tr("What is not saved is lost."),
                                QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, this);
    box->setObjectName(QStringLiteral("unsavedBox"));
    box->setDefaultButton(QMessageBox::Save);
    box->setAttribute(Qt::WA_DeleteOnClose);
    connect(box, &QMessageBox::finished, this, [this, then = std::move(then)](int answer) {
        if (answer == QMessageBox::Save) {
            save(then);
        } else if (answer == QMessageBox::Discard) {
            // The file goes only once something else takes its place: opening that may fail.
            then();
        }
    });
    box->open();
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (recording()) {
        m_closeAfterRun = true;
        stopRecording();
        event->ignore();
        return;
    }
    finishWriting();
    if (m_document.isModified() && !m_closeSettled) {
        event->ignore();
        settleUnsaved(tr("Save the session before closing?"), [this] {
            m_closeSettled = true;
            close();
        });
        return;
    }
    m_document.discard();
    saveLayout();
    event->accept();
}

// ---- Runs

void MainWindow::connectRuns() {
    connect(&m_runs, &RunController::progressChanged, this, &MainWindow::showRunProgress);
    connect(&m_runs, &RunController::finished, this, &MainWindow::runFinished);
}

bool MainWindow::recording() const {
    return m_runs.running() || m_climber.running();
}

void MainWindow::stopRecording() {
    if (m_runs.running()) m_runs.stop();
    m_climber.stop();
}

void MainWindow::run() {
    if (recording() || m_document.busy() || m_deviceJob.running()) return;
    settleUnsaved(questionBeforeRun(), [this] {
        m_predictedNsPerToken = 0;
        whenDeviceIsThere([this] { beginRun(); });
    });
}

void MainWindow::runWhenReady() {
    m_runWanted = !m_machineKnown;
    if (m_machineKnown) run();
}

bool MainWindow::beginRun() {
    auto settings = m_runBar->recordingSettings(m_prompt->prompt());
    if (!settings) {
        showError(text(settings.error().message));
        return false;
    }
    const FoundModel model = *m_runBar->model();
    m_runName = tr("%1 %2").arg(text(model.name), QDateTime::currentDateTime().toString(QStringLiteral("HH.mm.ss")));
    const Earlier earlier =
        m_document.isEmpty() || m_runFailed ? Earlier{} : Earlier{m_session.annotatedTrace(), m_document.name()};
    if (const Status started = m_runs.start(std::move(*settings)); !started) {
        showError(text(started.error().message));
        return false;
    }
    setEarlier(earlier);
    if (m_compareJob.running()) cancelComparison();
    m_document.discard();
    m_modelIsRandom = model.isRandom;
    m_prompt->showOutput({});
    m_prompt->setNoise(model.isRandom);
    m_settings.setRunChoices(m_runBar->choices());
    if (!model.isRandom && m_noticesWanted && !m_settings.gemmaNoticeShown()) {
        m_settings.setGemmaNoticeShown();
        m_banners->show(BannerKind::Notice, gemmaNotice());
    }
    showWorkspace();
    m_timeline->setLive(true);
    updateActions();
    updateTitle();
    return true;
}

void MainWindow::showRunProgress() {
    if (!m_runs.running()) {
        m_status->hideProgress();
        return;
    }
    const RecordingProgress& progress = m_runs.progress();
    QString phase = text(progress.phase);
    if (m_runs.stopping()) phase = tr("Stopping");
    if (progress.state == RecordingState::Running && progress.repeat < 0) phase = tr("Warm-up: %1").arg(phase);
    m_status->showProgress(phase, progress.share);
    const RunInfo* const run = m_session.trace()->run();
    m_prompt->showOutput(progress.texts.empty() || !run ? text(progress.text)
                                                        : batchText(text(run->prompt), progress.texts));
    m_prompt->setStatus(progress.tokenCount > 0 ? counted(progress.tokenCount, tr("%1 token"), tr("%1 tokens"))
                                                : phase);
    updateActions();
}

void MainWindow::runFinished(const RunEnd& end) {
    const bool wasFollowing = m_session.following();
    m_runFailed = !end.error.isEmpty();
    m_session.setFollowing(false);
    m_timeline->setLive(false);
    const Trace& trace = *m_session.trace();
    m_document.adoptRun(m_runName, end.sessionPath);
    // A run that never got anywhere leaves nothing to lose.
    if (trace.eventCount() == 0) m_document.discard();
    if (end.kind == ErrorKind::GpuUnusable)
        showGpuFailure(end.error, trace.eventCount() == 0 ? QString()
                                                          : tr(" The session up to there is kept: %1.")
                                                                .arg(counted(eventCountOf(trace),
                                                                             tr("%1 event"), tr("%1 events"))));
    else if (!end.error.isEmpty())
        showError(end.error);
    showGeneratedText();
    if (!compareWithPrediction()) {
        showPrediction();
        offerComparison();
    }
    updateTitle();
    updateActions();
    if (wasFollowing) easeToDecode();
    if (m_closeAfterRun) {
        m_closeAfterRun = false;
        close();
    }
}

// The remedy that the verdict recommends, with all else as the run bar has it.
void MainWindow::runRemedy(const QString& mode, double predictedNsPerToken) {
    if (!m_actions.run->isEnabled()) return;
    settleUnsaved(questionBeforeRun(), [this, mode, predictedNsPerToken] {
        m_predictedDevice = m_session.trace()->run() ? m_session.trace()->run()->deviceName : std::string();
        m_predictedNsPerToken = predictedNsPerToken;
        whenDeviceIsThere([this, mode] { runInMode(mode); });
    });
}

// The run bar takes the mode only with the run: whoever keeps the session, or cannot run, keeps the bar as well.
void MainWindow::runInMode(const QString& mode) {
    const RunChoices before = m_runBar->choices();
    RunChoices choices = before;
    choices.mode = mode;
    m_runBar->setChoices(choices);
    if (!beginRun()) m_runBar->setChoices(before);
}

// What was predicted of the run that ended, beside what it did.
void MainWindow::showPrediction() {
    const double predicted = std::exchange(m_predictedNsPerToken, 0);
    const RunInfo* const run = m_session.trace()->run();
    // A session of another machine predicts nothing of this one.
    if (predicted <= 0 || !run || run->deviceName != m_predictedDevice || run->repeatTimes.empty() ||
        run->repeatTimes.back().newTokens < 2)
        return;
    const RunInfo::Repeat& last = run->repeatTimes.back();
    const double measured = static_cast<double>(last.decodeNs) / static_cast<double>(last.newTokens - 1);
    const auto time = [](double ns) { return text(formatDuration(static_cast<int64_t>(ns))); };
    m_banners->show(BannerKind::Notice, tr("Predicted %1 a token, measured %2: %3 off.")
                                            .arg(time(predicted), time(measured),
                                                 text(formatPercent(std::abs(predicted - measured) / measured))));
}

void MainWindow::showGeneratedText() {
    const Trace& trace = *m_session.trace();
    m_prompt->showOutput(generatedText(trace));
    const RunInfo* run = trace.run();
    m_prompt->setNoise(run && run->textIsNoise);
    if (!run) {
        m_prompt->setStatus({});
        return;
    }
    QString status = tr("%1, %2 on %3").arg(text(run->modelName), text(run->mode), text(run->device));
    if (!run->repeatTimes.empty()) {
        const RunInfo::Repeat& last = run->repeatTimes.back();
        status = counted(last.newTokens, tr("%1 token in %2. "), tr("%1 tokens in %2. "))
                     .arg(text(formatDuration(last.timeToFirstTokenNs + last.decodeNs))) +
                 status;
    }
    if (run->reusedPromptTokens > 0)
        status += (run->batch > 0 ? tr(". %1 of %2 prompt tokens were shared between prompts.")
                                  : tr(". %1 of %2 prompt tokens were known from before."))
                      .arg(run->reusedPromptTokens)
                      .arg(run->promptTokens.size());
    if (const QString batch = batchSentence(trace); !batch.isEmpty())
        status += (status.endsWith(QLatin1Char('.')) ? QStringLiteral(" ") : QStringLiteral(". ")) + batch;
    if (run->stopReason == "cancelled" || run->stopReason == "interrupted") status = tr("Stopped early. ") + status;
    if (run->stopReason.starts_with("failed")) status = tr("Failed on the way. ") + status;
    m_prompt->setStatus(status);
}

void MainWindow::easeToDecode() {
    const TimeRange decode = decodeRange(*m_session.trace());
    if (decode.empty()) return;
    if (style()->styleHint(QStyle::SH_Widget_Animation_Duration, nullptr, this) == 0 ||
        qEnvironmentVariableIsSet("GAPSCOPE_NO_ANIMATION")) {
        m_session.setVisibleRange(decode);
        return;
    }
    auto* animation = new QVariantAnimation(this);
    const TimeRange from = m_session.visibleRange();
    animation->setStartValue(0.0);
    animation->setEndValue(1.0);
    animation->setDuration(kEaseMs);
    animation->setEasingCurve(QEasingCurve::InOutCubic);
    auto expected = std::make_shared<TimeRange>(from);
    connect(animation, &QVariantAnimation::valueChanged, this,
            [this, animation, from, decode, expected](const QVariant& value) {
                // The person took over: leave the range alone.
                if (m_session.visibleRange() != *expected) {
                    animation->stop();
                    return;
                }
                const double share = value.toDouble();
                const auto between = [share](int64_t a, int64_t b) {
                    return a + static_cast<int64_t>(static_cast<double>(b - a) * share);
                };
                const TimeRange now{between(from.startNs, decode.startNs), between(from.endNs, decode.endNs)};
                m_session.setVisibleRange(now, share >= 1 ? ZoomStep::Record : ZoomStep::Transient);
                *expected = m_session.visibleRange();
            });
    animation->start(QAbstractAnimation::DeleteWhenStopped);
}

bool MainWindow::settled() const {
    return m_machineKnown && !m_deviceJob.running() && !recording() && !m_document.busy() && m_analyst.settled() &&
           m_timeline->gapsSettled() && !m_compareJob.running() && !m_reportJob.running() &&
           (!comparing() || m_compare->settled());
}

}  // namespace gapscope
