// Comparing: the open session with another file, or a run with the session that it took the place of.
#include <QFileDialog>
#include <QFileInfo>
#include <QStackedWidget>
#include <tuple>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/compare_page.h"
#include "app/gui/views/status_strip.h"
#include "app/gui/window/main_window.h"
#include "core/import/open_trace.h"

namespace gapscope {

void MainWindow::connectCompare() {
    connect(m_actions.compareWith, &QAction::triggered, this, &MainWindow::askForComparison);
    connect(m_actions.exportReport, &QAction::triggered, this, &MainWindow::askForReport);
    connect(m_compare, &ComparePage::leaveWanted, this, &MainWindow::leaveCompare);
}

bool MainWindow::comparing() const {
    return m_pages->currentWidget() == m_compare;
}

void MainWindow::askForComparison() {
    const QString path = QFileDialog::getOpenFileName(
        this, tr("Compare with"), m_settings.lastFolder(),
        tr("Sessions and traces (*.gapscope *.sqlite *.json *.gz *.zst *.pftrace *.perfetto-trace);;All files (*)"));
    if (!path.isEmpty()) compareWith(path);
}

void MainWindow::compareWith(const QString& path) {
    if (recording() || m_document.busy() || m_document.isEmpty()) return;
    const QString name = QFileInfo(path).fileName();
    m_status->showProgress(tr("Opening %1").arg(name), -1);
    m_compareJob.start([path](std::stop_token stop) { return openTrace(path.toStdString(), {}, stop); },
                       [this, name](Result<TracePtr> trace) {
                           m_status->hideProgress();
                           updateActions();
                           if (!trace) {
                               if (trace.error().kind != ErrorKind::Cancelled) showError(text(trace.error().message));
                               return;
                           }
                           showComparison(m_session.trace(), m_document.name(), std::move(*trace), name);
                       });
    updateActions();
}

void MainWindow::cancelComparison() {
    m_compareJob.cancel();
    m_status->hideProgress();
    updateActions();
}

void MainWindow::showComparison(TracePtr before, const QString& nameBefore, TracePtr after, const QString& nameAfter) {
    m_comparer.show(std::move(before), nameBefore, std::move(after), nameAfter);
    m_pages->setCurrentWidget(m_compare);
    m_actions.clearSelection->setEnabled(true);  // Esc leaves
    m_compare->setFocus();
    updateActions();
}

void MainWindow::leaveCompare() {
    m_pages->setCurrentIndex(1);
    m_comparer.clear();
    m_actions.clearSelection->setEnabled(m_session.selection().kind != Selection::Kind::None);
    updateActions();
}

// After a run with other choices than the session's that was open before it: what they changed.
void MainWindow::offerComparison() {
    if (!m_earlier.trace || m_session.trace()->eventCount() == 0) return;
    const RunInfo *before = m_earlier.trace->run(), *after = m_session.trace()->run();
    if (!before || !after || before->repeatTimes.empty()) return;
    const auto choices = [](const RunInfo& run) {
        return std::tie(run.modelName, run.device, run.precision, run.mode);
    };
    if (choices(*before) == choices(*after)) return;
    m_banners->show(BannerKind::Offer, tr("See what changed against the session before, %1.").arg(m_earlier.name),
                    {{tr("Compare"), [this] {
                          if (recording() || !m_earlier.trace) return;
                          showComparison(m_earlier.trace, m_earlier.name, m_session.trace(), m_document.name());
                      }}});
}

}  // namespace gapscope
