// Comparing: the open session with another file, or a run with the session that it took the place of.
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QStackedWidget>
#include <algorithm>
#include <tuple>
#include <utility>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/compare_page.h"
#include "app/gui/views/status_strip.h"
#include "app/gui/window/main_window.h"
#include "core/import/open_trace.h"
#include "core/trace/run_words.h"

namespace gapscope {

void MainWindow::connectCompare() {
    connect(m_actions.compareWith, &QAction::triggered, this, &MainWindow::askForComparison);
    connect(m_actions.setBaseline, &QAction::triggered, this, &MainWindow::setBaseline);
    connect(m_actions.compareBaseline, &QAction::triggered, this, &MainWindow::compareWithBaseline);
    connect(m_actions.exportTrace, &QAction::triggered, this, &MainWindow::askForTraceExport);
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
                           showComparison({m_session.trace(), m_document.name(), {}}, {std::move(*trace), name, {}});
                       });
    updateActions();
}

void MainWindow::cancelComparison() {
    m_compareJob.cancel();
    m_status->hideProgress();
    updateActions();
}

void MainWindow::showComparison(ComparedSide before, ComparedSide after) {
    finishWriting();
    // With the notes written since it was opened. Both sides keep one trace where they have one.
    const TracePtr open = m_session.trace();
    if (m_session.notes() != open->annotations().notes) {
        const TracePtr noted = m_session.annotatedTrace();
        for (ComparedSide* side : {&before, &after})
            if (side->trace == open) side->trace = noted;
    }
    m_comparer.show(std::move(before), std::move(after));
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

// ---- Windows of one trace

void MainWindow::makeCompareMenu(QMenu* menu) {
    m_compareMenu = menu;
    menu->setToolTipsVisible(true);
    const auto add = [&](const char* name, const QString& title, const QString& window) {
        QAction* action = menu->addAction(title);
        action->setObjectName(QLatin1String(name));
        connect(action, &QAction::triggered, this, [this, window] { compareSelectionWith(window); });
        return action;
    };
    add("compareWholeAction", tr("The &whole run"), Comparer::tr("whole run"));
    add("comparePrefillAction", tr("&Prefill"), Comparer::tr("prefill"));
    add("compareDecodeAction", tr("&Decode"), Comparer::tr("decode"));
    m_compareBeforeToken = menu->addAction(tr("The &token before"));
    m_compareBeforeToken->setObjectName(QStringLiteral("compareTokenBeforeAction"));
    connect(m_compareBeforeToken, &QAction::triggered, this, [this] {
        const ReportPtr report = m_analyst.report();
        const TokenTime* token = report ? tokenOf(*report, m_session.selection()) : nullptr;
        if (!token) return;
        const bool recorded = report->tokens.source == StepSource::Recorded;
        compareSelectionWith((recorded ? Comparer::tr("token %1") : Comparer::tr("step %1")).arg(token->index - 1));
    });
}

void MainWindow::updateSelectionActions() {
    const Selection& selection = m_session.selection();
    const bool any = !selection.range.empty() && !m_document.isEmpty() && !recording() && !m_document.busy() &&
                     !m_compareJob.running() && !comparing();
    m_actions.setBaseline->setEnabled(any);
    m_actions.compareBaseline->setEnabled(any && m_baseline.trace);
    m_actions.compareBaseline->setText(m_baseline.trace
                                           ? tr("Compare selection with base&line (%1)").arg(m_baseline.window->name)
                                           : tr("Compare selection with base&line"));
    m_compareMenu->setEnabled(any);
    m_compareBeforeToken->setEnabled(selection.kind == Selection::Kind::Token);
}

WindowChoice MainWindow::selectedWindow() const {
    const ReportPtr report = m_analyst.report();
    const Selection& selection = m_session.selection();
    // The report knows ranges that are tokens by these.
    const bool same = report && report->selection == selection && report->trace == m_session.trace();
    return {same ? describe(*report) : describe(*m_session.trace(), selection), selection.range};
}

void MainWindow::setBaseline() {
    if (m_session.selection().range.empty()) return;
    m_baseline = {m_session.trace(), m_document.name(), selectedWindow()};
    m_banners->close(m_baselineBanner);
    m_baselineBanner = tr("The baseline is %1. Select something else and compare it.").arg(m_baseline.window->name);
    m_banners->show(BannerKind::Notice, m_baselineBanner,
                    {{tr("Compare selection"), [this] { compareWithBaseline(); }}});
    updateSelectionActions();
}

void MainWindow::compareWithBaseline() {
    if (!m_baseline.trace || m_session.selection().range.empty() || recording() || comparing()) return;
    m_banners->close(m_baselineBanner);
    showComparison(m_baseline, {m_session.trace(), m_document.name(), selectedWindow()});
}

void MainWindow::compareSelectionWith(const QString& windowName) {
    const ReportPtr report = m_analyst.report();
    if (!report || report->trace != m_session.trace() || m_session.selection().range.empty()) return;
    const WindowChoice selected = selectedWindow();
    m_compareJob.start([prepared = report->prepared](std::stop_token) { return windowChoices(*prepared); },
                       [this, windowName, selected, trace = m_session.trace()](const std::vector<WindowChoice>& all) {
                           updateActions();
                           const auto found = std::ranges::find(all, windowName, &WindowChoice::name);
                           if (found == all.end()) {
                               showError(tr("The trace has no %1 to compare with.").arg(windowName));
                               return;
                           }
                           if (m_session.trace() != trace) return;
                           showComparison({trace, m_document.name(), *found}, {trace, m_document.name(), selected});
                       });
    updateActions();
}

// What was offered of an earlier one no longer holds.
void MainWindow::setEarlier(Earlier earlier) {
    if (!m_comparisonOffer.isEmpty()) m_banners->close(std::exchange(m_comparisonOffer, QString()));
    m_earlier = std::move(earlier);
}

// After the run of a remedy both sessions are opened compared, prediction beside fact.
bool MainWindow::compareWithPrediction() {
    if (m_predictedNsPerToken <= 0 || m_runFailed || m_closeAfterRun || !m_earlier.trace) return false;
    const RunInfo *before = m_earlier.trace->run(), *after = m_session.trace()->run();
    if (!before || !after || after->repeatTimes.empty() || after->repeatTimes.back().newTokens < 2) return false;
    m_predictedNsPerToken = 0;
    showComparison({m_earlier.trace, m_earlier.name, {}}, {m_session.trace(), m_document.name(), {}});
    return true;
}

// After a run with other choices than the session's that was open before it: what they changed.
void MainWindow::offerComparison() {
    if (!m_earlier.trace || m_session.trace()->eventCount() == 0) return;
    const RunInfo *before = m_earlier.trace->run(), *after = m_session.trace()->run();
    if (!before || !after || before->repeatTimes.empty()) return;
    const auto choices = [](const RunInfo& run) {
        const std::string drafter = speculates(run) ? run.speculation : std::string();
        return std::tuple(run.modelName, run.device, run.precision, run.mode, drafter, run.draftTokens, run.batch);
    };
    if (choices(*before) == choices(*after)) return;
    m_comparisonOffer = tr("See what changed against the session before, %1.").arg(m_earlier.name);
    m_banners->show(
        BannerKind::Offer, m_comparisonOffer,
        {{tr("Compare"), [this] {
              if (recording() || !m_earlier.trace) return;
              showComparison({m_earlier.trace, m_earlier.name, {}}, {m_session.trace(), m_document.name(), {}});
          }}});
}

}  // namespace gapscope
