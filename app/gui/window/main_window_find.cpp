// The window's search, its command palette, and pictures of what is seen.
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QPrintDialog>
#include <QPrinter>
#include <QTabWidget>

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/views/find_bar.h"
#include "app/gui/views/found_panel.h"
#include "app/gui/window/command_palette.h"
#include "app/gui/window/export_view.h"
#include "app/gui/window/main_window.h"
#include "core/base/format.h"

namespace gapscope {

void MainWindow::connectFind() {
    connect(m_actions.find, &QAction::triggered, this, [this] {
        showWorkspace();
        m_findBar->open();
    });
    connect(m_actions.findNext, &QAction::triggered, &m_finder, &Finder::next);
    connect(m_actions.findPrevious, &QAction::triggered, &m_finder, &Finder::previous);
    connect(m_findBar, &FindBar::closed, this, [this] { m_timeline->setFocus(Qt::OtherFocusReason); });
    connect(m_findBar, &FindBar::listWanted, this, [this] { m_tabs->setCurrentWidget(m_foundPanel); });
    connect(&m_finder, &Finder::changed, this, [this] {
        m_timeline->setFound(m_finder.found(), m_finder.current());
        const bool any = !m_finder.found()->empty();
        m_actions.findNext->setEnabled(any);
        m_actions.findPrevious->setEnabled(any);
        const auto count = static_cast<int64_t>(m_finder.found()->size());
        m_tabs->setTabText(m_tabs->indexOf(m_foundPanel),
                           count == 0 ? tr("Found") : tr("Found (%1)").arg(gapscope::text(formatCount(count))));
    });
    m_actions.findNext->setEnabled(false);
    m_actions.findPrevious->setEnabled(false);
    connect(m_actions.commandPalette, &QAction::triggered, this, [this] {
        auto* palette = new CommandPalette(m_actions.all() + m_timeline->commands(), m_recentCommands, this);
        palette->setAttribute(Qt::WA_DeleteOnClose);
        palette->setModal(true);
        palette->show();
    });
    connect(m_actions.exportView, &QAction::triggered, this, &MainWindow::exportTimeline);
    connect(m_actions.copyView, &QAction::triggered, this, [this] {
        QApplication::clipboard()->setImage(viewImage(*m_timeline, viewCaption(), devicePixelRatioF()));
    });
    connect(m_actions.printView, &QAction::triggered, this, &MainWindow::printTimeline);
}

QString MainWindow::viewCaption() const {
    const TimeRange visible = m_session.visibleRange();
    const QString name = m_document.name().isEmpty() ? tr("unsaved run") : m_document.name();
    return tr("%1, %2 from %3")
        .arg(name, gapscope::text(formatDuration(visible.durationNs())),
             gapscope::text(formatDuration(visible.startNs)));
}

void MainWindow::exportTimeline() {
    auto* dialog = new QFileDialog(this, tr("Export view"));
    dialog->setObjectName(QStringLiteral("exportViewDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setNameFilters({tr("PNG picture (*.png)"), tr("SVG drawing (*.svg)")});
    dialog->setDefaultSuffix(QStringLiteral("png"));
    connect(dialog, &QFileDialog::filterSelected, dialog, [dialog](const QString& filter) {
        dialog->setDefaultSuffix(filter.contains(QStringLiteral("svg")) ? QStringLiteral("svg")
                                                                        : QStringLiteral("png"));
    });
    dialog->selectFile(QFileInfo(m_document.name()).completeBaseName() + QStringLiteral("-timeline"));
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        if (const Status status = exportView(*m_timeline, viewCaption(), path); !status)
            showError(gapscope::text(status.error().message));
    });
    dialog->open();
}

void MainWindow::printTimeline() {
    auto printer = std::make_shared<QPrinter>(QPrinter::HighResolution);
    printer->setPageOrientation(QPageLayout::Landscape);
    auto* dialog = new QPrintDialog(printer.get(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, printer] {
        if (const Status status = printView(*m_timeline, viewCaption(), *printer); !status)
            showError(gapscope::text(status.error().message));
    });
    dialog->open();
}

}  // namespace gapscope
