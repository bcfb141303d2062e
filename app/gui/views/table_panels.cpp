#include "app/gui/views/table_panels.h"

#include <QAction>
#include <QHeaderView>
#include <QLineEdit>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/card.h"
#include "app/gui/views/panel_layout.h"

namespace gapscope {

TablePanel::TablePanel(Analyst& analyst, QWidget* parent)
    : QWidget(parent), m_analyst(analyst), m_caption(new ElidedLabel(LabelRole::Quiet, {}, this)) {
    connect(&analyst, &Analyst::reportChanged, this, [this] {
        if (m_analyst.report()) showReport(m_analyst.report());
    });
}

// Not in the constructor: the model is a member of the derived class and not there yet.
void TablePanel::makeTable(TableModel& model, const QString& name, RowOrder order) {
    m_table = new DataTable(model, name, this, order);
    m_filter = new QLineEdit(this);
    m_filter->setObjectName(QStringLiteral("tableFilter"));
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setAccessibleName(tr("Filter of %1").arg(name));
    m_filter->setToolTip(tr("Only rows with this text in one of their columns"));
    m_filter->setMaximumWidth(fontMetrics().averageCharWidth() * 28);
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString& text) { filterChanged(text); });
    QVBoxLayout* const column = columnIn(this);
    m_captionRow = captionRowIn(column);
    m_captionRow->addWidget(m_caption, 1);
    m_captionRow->addWidget(m_filter);
    column->addWidget(m_table, 1);
}

void TablePanel::filterChanged(const QString& text) {
    m_table->setFilterText(text);
}

QString TablePanel::filterText() const {
    return m_filter->text();
}

void TablePanel::addToCaptionRow(QWidget* widget) {
    m_captionRow->addWidget(widget);
}

void TablePanel::setCaption(const QString& caption) {
    m_caption->setFullText(caption);
}

void TablePanel::choose(const Selection& selection) {
    const TimeRange visible = session().visibleRange();
    const TimeRange range = selection.range;
    session().select(selection);
    if (range.empty() || range.overlaps(visible)) return;
    const int64_t startNs = range.startNs + range.durationNs() / 2 - visible.durationNs() / 2;
    session().setFollowing(false);
    session().setVisibleRange({startNs, startNs + visible.durationNs()});
}

void TablePanel::zoomTo(TimeRange range) {
    const int64_t margin = range.durationNs() / 4;
    session().setFollowing(false);
    session().setVisibleRange({range.startNs - margin, range.endNs + margin});
}

KernelPanel::KernelPanel(Analyst& analyst, QWidget* parent) : TablePanel(analyst, parent) {
    makeTable(m_model, tr("Kernels"));
    table().setObjectName(QStringLiteral("kernelTable"));
    table().setColumnCharacters({28, 13, 7, 8, 8, 8, 8, 8, 8, 8}, 0);
    table().sortAtFirst(3, Qt::DescendingOrder);
    auto* rule = new QAction(tr("Add a category &rule…"), &table());
    rule->setObjectName(QStringLiteral("addRuleForKernel"));
    table().addAction(rule);
    connect(rule, &QAction::triggered, this, [this] {
        const std::vector<int> rows = table().selectedSourceRows();
        const ReportPtr report = m_analyst.report();
        if (report && !rows.empty()) Q_EMIT ruleWanted(text(report->trace->string(m_model.kernel(rows.front()).name)));
    });
    connect(table().selectionModel(), &QItemSelectionModel::selectionChanged, rule, [this, rule] {
        const ReportPtr report = m_analyst.report();
        const std::vector<int> rows = table().selectedSourceRows();
        rule->setEnabled(report && !report->trace->run() && !rows.empty() &&
                         m_model.kernel(rows.front()).kind == DeviceOpKind::Kernel);
    });
    rule->setEnabled(false);
    connect(&table(), &DataTable::chosen, this, [this](int row) {
        if (row < 0) return;
        session().select({.kind = Selection::Kind::KernelName,
                          .range = session().selection().range,
                          .name = m_model.kernel(row).name});
    });
}

void KernelPanel::showReport(const ReportPtr& report) {
    const Selection& selection = report->selection;
    const bool ofCategory = selection.kind == Selection::Kind::Category;
    m_model.show(report, ofCategory ? std::optional(selection.category) : std::nullopt);
    setCaption(
        counted(m_model.rowCount(), tr("%1 kernel name for %2"), tr("%1 kernel names for %2")).arg(describe(*report)));
    if (selection.kind != Selection::Kind::KernelName) return;
    for (int row = 0; row < m_model.rowCount(); ++row)
        if (m_model.kernel(row).name == selection.name) table().markSourceRow(row);
}

DetailsPanel::DetailsPanel(Analyst& analyst, QWidget* parent) : TablePanel(analyst, parent) {
    makeTable(m_model, tr("Details"));
    table().setObjectName(QStringLiteral("detailsTable"));
    table().setColumnCharacters({38, 60}, 1);
    // Long names are read whole here.
    table().setWordWrap(true);
    table().setTextElideMode(Qt::ElideNone);
    table().verticalHeader()->setMinimumSectionSize(table().verticalHeader()->defaultSectionSize());
    table().verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
}

void DetailsPanel::showReport(const ReportPtr& report) {
    m_model.show(detailsOf(*report));
    setCaption(tr("Details of %1").arg(describe(*report)));
}

DiagnosticsPanel::DiagnosticsPanel(Analyst& analyst, QWidget* parent) : TablePanel(analyst, parent) {
    makeTable(m_model, tr("Diagnostics"));
    table().setObjectName(QStringLiteral("diagnosticsTable"));
    table().setColumnCharacters({12, 10, 30, 60}, 3);
}

void DiagnosticsPanel::showReport(const ReportPtr& report) {
    const auto& entries = report->analysis.summary.diagnostics;
    m_model.show(entries);
    setCaption(entries.empty() ? tr("Nothing is broken or missing in this trace.")
                               : counted(static_cast<int64_t>(entries.size()), tr("%1 finding about the whole trace"),
                                         tr("%1 findings about the whole trace")));
}

}  // namespace gapscope
