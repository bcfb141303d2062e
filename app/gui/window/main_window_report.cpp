// Export report: what the window answers for, as one HTML file that opens in any browser.
#include <QDesktopServices>
#include <QFileDialog>
#include <QFileInfo>
#include <QUrl>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/status_strip.h"
#include "app/gui/window/main_window.h"
#include "core/analysis/window.h"
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
        write = [file, of = ReportOf{nameOf(m_document.name()), m_session.trace(), m_session.window()}](
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

void MainWindow::cancelReport() {
    m_reportJob.cancel();
    m_status->hideProgress();
    updateActions();
}

}  // namespace gapscope
