// Files beside the one that is open: a folder that is watched for new traces, several opened together.
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>

#include "app/gui/views/align_dialog.h"
#include "app/gui/views/banner.h"
#include "app/gui/window/main_window.h"

namespace gapscope {

void MainWindow::connectFolderWatch() {
    connect(m_actions.watchFolder, &QAction::triggered, this, &MainWindow::askForFolder);
    connect(m_actions.stopWatching, &QAction::triggered, this, [this] { watch({}); });
    connect(&m_folderWatch, &FolderWatch::found, this, &MainWindow::offerNewTraces);
    connect(&m_folderWatch, &FolderWatch::changed, this, [this] {
        updateActions();
        updateFacts();
    });
    if (!m_settings.watchedFolder().isEmpty()) m_folderWatch.start(m_settings.watchedFolder());
}

void MainWindow::askForFolder() {
    const QString folder = QFileDialog::getExistingDirectory(
        this, tr("Folder to watch for new traces"),
        m_folderWatch.folder().isEmpty() ? m_settings.lastFolder() : m_folderWatch.folder());
    if (!folder.isEmpty()) watch(folder);
}

// An empty name ends it.
void MainWindow::watch(const QString& folder) {
    m_settings.setWatchedFolder(folder);
    takeBackOffer();
    if (folder.isEmpty())
        m_folderWatch.stop();
    else
        m_folderWatch.start(folder);
}

void MainWindow::takeBackOffer() {
    if (!m_offer.isEmpty()) m_banners->close(m_offer);
    m_offer.clear();
    m_newTraces.clear();
}

// One banner for all that came since the last choice; the newest is the one that a person waits for.
void MainWindow::offerNewTraces(const QStringList& paths) {
    QStringList traces = m_newTraces;
    for (const QString& path : paths) {
        if (path == m_document.path()) continue;  // saved there by this window
        traces.removeAll(path);
        traces.append(path);
    }
    takeBackOffer();
    if (traces.isEmpty()) return;
    m_newTraces = traces;
    const QString newest = QFileInfo(traces.last()).fileName();
    const QString folder = QDir(m_folderWatch.folder()).dirName();
    m_offer = traces.size() == 1
                  ? tr("New trace in the folder %1: %2").arg(folder, newest)
                  : tr("%1 new traces in the folder %2, the newest is %3").arg(traces.size()).arg(folder, newest);
    std::vector<BannerAction> actions = {
        {traces.size() == 1 ? tr("Open") : tr("Open the newest"), [this, traces] { openOffered({traces.last()}); }}};
    if (traces.size() > 1) actions.push_back({tr("Open all as one"), [this, traces] { openOffered(traces); }});
    actions.push_back({tr("Stop watching"), [this] { watch({}); }});
    m_banners->show(BannerKind::Offer, m_offer, std::move(actions));
}

void MainWindow::openOffered(const QStringList& paths) {
    // The banner is gone with the click: while nothing can be opened it comes back.
    if (recording() || m_document.busy()) return offerNewTraces(m_newTraces);
    takeBackOffer();
    openFiles(paths);
}

void MainWindow::showAlignment() {
    if (!m_alignment.isEmpty()) m_banners->close(m_alignment);
    m_alignment.clear();
    if (!m_document.filesTogether()) return;
    const FilesTogether& files = *m_document.filesTogether();
    m_alignment = tr("%1 files as one, aligned %2.").arg(files.paths.size()).arg(alignmentText(files));
    m_banners->show(BannerKind::Notice, m_alignment, {{tr("Align…"), [this] { askForAlignment(); }}});
}

void MainWindow::askForAlignment() {
    if (!m_document.filesTogether()) return;
    auto* dialog = new AlignDialog(*m_document.filesTogether(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    const auto showAgain = [this] { showAlignment(); };  // choosing "Align…" closed the banner
    connect(dialog, &QDialog::rejected, this, showAgain);
    connect(dialog, &AlignDialog::chosen, this, [this, showAgain](const JoinAlignment& alignment) {
        showAgain();
        if (m_document.filesTogether() && !m_runs.running() && !m_document.busy())
            m_document.openTogether(m_document.filesTogether()->paths, alignment);
    });
    dialog->open();
}

}  // namespace gapscope
