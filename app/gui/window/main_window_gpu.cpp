// What the window does about GPUs: one that has gone, one that failed for good, and the libraries they need.
#include <QFileDialog>
#include <QFileInfo>
#include <algorithm>
#include <utility>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/gpu_libraries_dialog.h"
#include "app/gui/window/main_window.h"
#include "core/base/format.h"

namespace gapscope {

void MainWindow::setDeviceLook(DeviceLook look) {
    m_lookAtDevices = std::move(look);
    m_machineKnown = false;
    lookAround();
}

// The list of devices may be hours old, and a GPU can fall off the bus.
void MainWindow::whenDeviceIsThere(std::function<void()> then) {
    const RunDevice* const device = m_runBar->device();
    if (!device || device->id == "cpu") return then();
    m_deviceJob.start([look = m_lookAtDevices](std::stop_token) { return look(); },
                      [this, then = std::move(then), wanted = *device](const FoundDevices& found) {
                          updateActions();
                          const bool there = std::ranges::any_of(found.devices, [&](const RunDevice& known) {
                              return known.id == wanted.id && known.pciBusId == wanted.pciBusId;
                          });
                          if (there) return then();
                          m_runBar->showDevices(found);
                          const QString why = found.gpuProblem.empty()
                                                  ? tr("%1 is not there any more.").arg(text(wanted.name))
                                                  : text(found.gpuProblem);
                          showError(tr("%1 Nothing was run. The list of devices is up to date again; the next run "
                                       "takes %2.")
                                        .arg(why, m_runBar->deviceName()));
                      });
    updateActions();
}

// `kept` says what of the run is left.
void MainWindow::showGpuFailure(const QString& error, const QString& kept) {
    m_runBar->refuseGpus(
        tr("A run failed on the GPU, and CUDA refuses all further work of this program until it is started again."));
    m_banners->show(BannerKind::Error,
                    error + kept + tr(" CUDA refuses all further work of this program until it is started again."),
                    {{tr("Run on the CPU"),
                      [this] {
                          m_runBar->chooseDevice(QStringLiteral("cpu"));
                          run();
                      }},
                     {tr("Restart Gapscope"), [this] { restart(); }}});
}

// Another process takes over, with the same session open in it.
void MainWindow::restart() {
    if (recording() || m_document.busy()) return;
    finishWriting();
    // A run that is not saved goes along; what was noted on it would not.
    if (m_session.hasUnsavedNotes())
        settleUnsaved(tr("Save the session with its notes before Gapscope is started again?"),
                      [this] { startAgain(); });
    else
        startAgain();
}

void MainWindow::startAgain() {
    saveLayout();
    m_settings.sync();
    if (!m_restart || !m_restart(m_document.reopenArguments())) {
        showError(tr("Gapscope could not be started again. Save the session, quit, and start it by hand."));
        return;
    }
    m_document.handOver();
    m_closeSettled = true;
    close();
}

void MainWindow::showGpuLibraries() {
    if (auto* open = findChild<GpuLibrariesDialog*>()) {
        open->raise();
        open->activateWindow();
        return;
    }
    auto* dialog = new GpuLibrariesDialog(m_runBar->gpuVerdict(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &GpuLibrariesDialog::restartWanted, this, &MainWindow::restart);
    dialog->show();
}

void MainWindow::chooseModelFile() {
    const QString file =
        QFileDialog::getOpenFileName(this, tr("Model"), m_settings.lastFolder(),
                                     tr("Gemma 3 models (*.gguf *.safetensors config.json);;All files (*)"));
    if (file.isEmpty()) return;
    RunChoices choices = m_runBar->choices();
    // A model of several files is its folder.
    choices.modelPath = file.endsWith(QStringLiteral(".gguf")) ? file : QFileInfo(file).absolutePath();
    m_runBar->setChoices(choices);
}

}  // namespace gapscope
