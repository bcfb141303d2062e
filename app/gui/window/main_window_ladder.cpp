// The ladder: all remedies one after the other, for the choices of the run bar.
#include <QDesktopServices>
#include <QTabWidget>
#include <QUrl>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/ladder_panel.h"
#include "app/gui/views/prompt_panel.h"
#include "app/gui/views/status_strip.h"
#include "app/gui/window/main_window.h"

namespace gapscope {

void MainWindow::connectLadder() {
    connect(m_actions.climb, &QAction::triggered, this, &MainWindow::climbLadder);
    connect(&m_climber, &LadderClimber::progressChanged, this, [this] {
        if (!m_climber.running()) {
            m_status->hideProgress();
            return;
        }
        const RecordingProgress& progress = m_climber.progress();
        const auto count = static_cast<double>(m_climber.ladder().rungs.size());
        m_status->showProgress(m_climber.stopping() ? tr("Stopping") : tr("Ladder: %1").arg(text(progress.phase)),
                               (static_cast<double>(m_climber.rung()) + progress.share) / count);
        updateActions();
    });
    connect(&m_climber, &LadderClimber::finished, this, &MainWindow::ladderFinished);
    connect(m_ladder, &LadderPanel::openWanted, this, &MainWindow::openFile);
    connect(m_ladder, &LadderPanel::compareWanted, this, [this](const QString& before, const QString& after) {
        if (recording() || m_document.busy()) return;
        if (m_document.path() == before) return compareWith(after);
        settleUnsaved(tr("Save the session before another one is opened?"), [this, before, after] {
            compareWhenOpened(after);
            m_document.open(before);
        });
    });
    connect(m_ladder, &LadderPanel::folderWanted, this,
            [](const QString& folder) { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); });
}

// The open session stays open: each rung records into a file of its own.
void MainWindow::climbLadder() {
    if (!m_actions.climb->isEnabled()) return;
    whenDeviceIsThere([this] {
        auto settings = m_runBar->recordingSettings(m_prompt->prompt());
        const RunDevice* const device = m_runBar->device();
        if (!settings || !device) {
            showError(settings ? tr("There is no device to run on.") : text(settings.error().message));
            return;
        }
        settings->generate.prompts.clear();  // rungs are compared on one prompt: the whole text
        m_settings.setRunChoices(m_runBar->choices());
        m_climber.start(std::move(*settings), *device);
        showWorkspace();
        m_tabs->setCurrentWidget(m_ladder);
        updateActions();
    });
}

void MainWindow::ladderFinished(const QString& problem, bool gpuLost) {
    if (gpuLost)
        showGpuFailure(problem, m_climber.ladder().first() ? tr(" The rungs before are kept.") : QString());
    else if (!problem.isEmpty())
        showError(problem);
    updateActions();
    if (m_closeAfterRun) {
        m_closeAfterRun = false;
        close();
        return;
    }
    // On a fresh start there is nothing to look at yet.
    if (const LadderRung* best = m_climber.ladder().fastest(); best && m_document.isEmpty())
        openFile(QString::fromStdString(best->session.string()));
}

}  // namespace gapscope
