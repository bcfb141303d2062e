// From a number of the answer to the rows behind it, and from kernel names to the rules about them.
#include <QTabWidget>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/insight_panel.h"
#include "app/gui/views/kernel_rules_dialog.h"
#include "app/gui/views/roofline_panel.h"
#include "app/gui/views/table_panels.h"
#include "app/gui/window/main_window.h"

namespace gapscope {

void MainWindow::connectAnswers() {
    m_document.setRules(m_kernelRules.rules());
    connect(&m_kernelRules, &KernelRules::changed, this, [this] { m_document.setRules(m_kernelRules.rules()); });
    connect(&m_kernelRules, &KernelRules::failed, this, &MainWindow::showError);
    connect(&m_kernelRules, &KernelRules::namesChanged, this, [this] {
        const auto unknown = m_kernelRules.names()->unknown();
        m_insight->showUnknownNames(static_cast<int64_t>(unknown.size()));
    });
    for (const QString& problem : m_kernelRules.problems())
        m_banners->show(BannerKind::Notice, problem);
    connect(m_actions.kernelRules, &QAction::triggered, this, [this] { showKernelRules(); });
    connect(m_insight, &InsightPanel::rulesWanted, this, [this] { showKernelRules(); });
    connect(m_kernels, &KernelPanel::ruleWanted, this, &MainWindow::showKernelRules);
    connect(m_insight, &InsightPanel::rowsWanted, this, [this](Evidence evidence) {
        switch (evidence) {
            case Evidence::Idle:
            case Evidence::Cause:
                m_tabs->setCurrentWidget(m_gaps);
                break;
            case Evidence::Bandwidth:
            case Evidence::Arithmetic:
                m_tabs->setCurrentWidget(m_roofline);
                break;
            case Evidence::StageRows:
                m_tabs->setCurrentWidget(m_layers);
                break;
            case Evidence::TokenRows:
                m_tabs->setCurrentWidget(m_tokens);
                break;
            case Evidence::LaunchRows:
                m_tabs->setCurrentWidget(m_launches);
                break;
            case Evidence::KernelRows:
                m_tabs->setCurrentWidget(m_kernels);
                break;
            case Evidence::None:
                break;
        }
    });
}

void MainWindow::showKernelRules(const QString& kernelName) {
    if (!m_rulesDialog) {
        m_rulesDialog = new KernelRulesDialog(m_kernelRules, this);
        m_rulesDialog->setAttribute(Qt::WA_DeleteOnClose);
        connect(m_rulesDialog, &QObject::destroyed, this, [this] { m_rulesDialog = nullptr; });
    }
    m_rulesDialog->show();
    m_rulesDialog->raise();
    m_rulesDialog->activateWindow();
    if (!kernelName.isEmpty()) m_rulesDialog->addRuleFor(kernelName);
}

}  // namespace gapscope
