// What goes to others: the report, one HTML file that opens in any browser, and the trace for other programs.
#include <QDesktopServices>
#include <QFileDialog>
#include <QFileInfo>
#include <QUrl>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/export_choice.h"
#include "app/gui/views/status_strip.h"
#include "app/gui/window/main_window.h"
#include "core/analysis/window.h"
#include "core/base/format.h"
#include "core/export/export_trace.h"
#include "core/report/html_report.h"

namespace gapscope {

void MainWindow::askForReport() {
    QString name = QFileInfo(m_document.name()).completeBaseName();
    name.replace(QLatin1Char('/'), QLatin1Char('-')).replace(QLatin1Char(' '), QLatin1Char('-'));
    QFileDialog dialog(this, tr("Export report"), m_settings.lastFolder(), tr("Web pages (*.html)"));
    dialog.setAcceptMode(QFileDialog::AcceptSave);
    dialog.setDefaultSuffix(QStringLiteral("html"));
    dialog.selectFile(name + (comparing() ? QStringLiteral("-compared.html") : QStringLiteral(".html")));
    if (dialog.exec() == QDialog::Accepted && !dialog.selectedFiles().isEmpty())
        exportReport(dialog.selectedFiles().first());
}

void MainWindow::exportReport(const QString& path) {
    finishWriting();
    const auto nameOf = [](const QString& name) { return name.toStdString(); };
    const std::string file = path.toStdString();
    std::function<Status(std::stop_token)> write;
    if (comparing()) {
        const auto sideOf = [&](const ComparedSide& side) {
            return ReportOf{nameOf(side.name), side.trace,
                            side.window ? side.window->range : defaultWindow(*side.trace)};
        };
        write = [file, before = sideOf(m_comparer.sideBefore()), after = sideOf(m_comparer.sideAfter())](
                    std::stop_token stop) { return writeCompareReport(file, before, after, stop); };
    } else {
        write = [file, of = ReportOf{nameOf(m_document.name()), m_session.annotatedTrace(), m_session.window()}](
                    std::stop_token stop) { return writeReport(file, of, stop); };
    }
    m_status->showProgress(tr("Writing the report"), -1);
    m_reportJob.start(std::move(write), [this, path](const Status& status) {
        m_status->hideProgress();
        updateActions();
        if (!status) {
            if (status.error().kind != ErrorKind::Cancelled) showError(text(status.error().message));
            return;
        }
        m_banners->show(BannerKind::Notice, tr("The report is in %1.").arg(path),
                        {{tr("Open"), [path] { QDesktopServices::openUrl(QUrl::fromLocalFile(path)); }}});
    });
    updateActions();
}

void MainWindow::askForTraceExport() {
    QString name = QFileInfo(m_document.name()).completeBaseName();
    name.replace(QLatin1Char('/'), QLatin1Char('-')).replace(QLatin1Char(' '), QLatin1Char('-'));
    const auto choice =
        askForExport(this, tr("Export trace"), m_settings.lastFolder(), name + QStringLiteral(".json"),
                     {tr("Chrome JSON (*.json *.json.gz)"), tr("Perfetto (*.pftrace)"), tr("Session (*.gapscope)")},
                     QStringLiteral("json"));
    if (choice) exportTrace(choice->path, choice->identity);
}

void MainWindow::exportTrace(const QString& path, Identity identity) {
    finishWriting();
    m_status->showProgress(tr("Exporting %1").arg(QFileInfo(path).fileName()), -1);
    m_reportJob.start(
        [file = path.toStdString(), trace = m_session.annotatedTrace(), identity](std::stop_token stop) {
            return gapscope::exportTrace(*trace, file, identity, stop);
        },
        [this, path](const Result<ExportReport>& report) {
            m_status->hideProgress();
            updateActions();
            if (!report) {
                if (report.error().kind != ErrorKind::Cancelled) showError(text(report.error().message));
                return;
            }
            QString sentence =
                tr("The trace is in %1 (%2).").arg(path, text(formatBytes(static_cast<double>(report->bytes))));
            for (const ExportReport::Count& lack : report->notRepresented)
                sentence +=
                    QStringLiteral(" %1 %2: %3").arg(text(formatCount(lack.count)), text(lack.name), text(lack.text));
            m_banners->show(BannerKind::Notice, sentence);
        });
    updateActions();
}

void MainWindow::cancelReport() {
    m_reportJob.cancel();
    m_status->hideProgress();
    updateActions();
}

}  // namespace gapscope
