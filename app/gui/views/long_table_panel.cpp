#include "app/gui/views/long_table_panel.h"

#include <QComboBox>
#include <QStandardItemModel>
#include <memory>
#include <utility>

#include "app/gui/session/selection_text.h"

namespace gapscope {

void LongTablePanel::makeLongTable(OrderedModel& model, const QString& name, Wanted first) {
    m_model = &model;
    m_order = first;
    makeTable(model, name, RowOrder::AsGiven);
    table().offerOrders(first.column, first.descending ? Qt::DescendingOrder : Qt::AscendingOrder);
    connect(&table(), &DataTable::orderWanted, this, [this](int column, Qt::SortOrder direction) {
        m_order = {column, direction == Qt::DescendingOrder};
        if (m_jobs.running() && m_isListing)
            start(What::List);
        else if (m_shown)
            start(What::Order);
    });
}

void LongTablePanel::showReport(const ReportPtr&) {
    refresh();
}

void LongTablePanel::showEvent(QShowEvent* event) {
    TablePanel::showEvent(event);
    refresh();
}

void LongTablePanel::filterChanged(const QString&) {
    refresh();
}

void LongTablePanel::refresh() {
    const ReportPtr report = m_analyst.report();
    if (!report || !isVisible()) return;
    if (m_shown && keepsListFor(*report)) {
        const int row = selectedRow(*report);
        if (table().selectedSourceRows() != std::vector<int>{row}) table().markSourceRow(row);
    } else if (!m_shown || !isListOf(*report)) {
        start(What::List);
    }
}

void LongTablePanel::start(What what) {
    const ReportPtr report = what == What::List ? m_analyst.report() : m_shown;
    m_isListing = what == What::List;
    m_jobs.start(m_isListing ? list(report, m_order) : reorder(m_order), [this, report, what](const Take& take) {
        m_shown = report;
        take();
        const int row = selectedRow(*m_analyst.report());
        table().markSourceRow(row);
        if (what == What::Order && row < 0) table().scrollToTop();
        showCaption();
    });
    if (what == What::Order) showCaption();
}

void LongTablePanel::showCaption() {
    const QString by = m_model->headerData(m_order.column, Qt::Horizontal, Qt::DisplayRole).toString().toLower();
    const QString said = m_jobs.running() ? tr("Sorting %1 by %2, for %3") : tr("%1 by %2, for %3");
    setCaption(said.arg(counted(), by, describe(*m_shown)));
}

GapPanel::GapPanel(Analyst& analyst, QWidget* parent) : LongTablePanel(analyst, parent) {
    makeLongTable(m_model, tr("Gaps"), {.column = 1, .descending = true});
    table().setObjectName(QStringLiteral("gapTable"));
    table().setColumnCharacters({12, 9, 20, 9, 11, 9, 20, 34, 7}, 7);
    connect(&table(), &DataTable::chosen, this, [this](int row) {
        if (row < 0) return;
        choose({.kind = Selection::Kind::Gap, .range = m_model.gap(row).range, .row = static_cast<size_t>(row)});
    });
    connect(&table(), &DataTable::doubleChosen, this, [this](int row) {
        if (row >= 0) zoomTo(m_model.gap(row).range);
    });
}

namespace {

std::optional<GapCause> causeOf(const Selection& selection) {
    return selection.kind == Selection::Kind::GapCause ? std::optional(static_cast<GapCause>(selection.cause))
                                                       : std::nullopt;
}

}  // namespace

bool GapPanel::isListOf(const Report& report) const {
    return filterText() == m_shownText && shown()->prepared == report.prepared && shown()->window == report.window &&
           m_shownCause == causeOf(report.selection);
}

int GapPanel::selectedRow(const Report& report) const {
    return report.selection.kind == Selection::Kind::Gap ? m_model.rowOf(report.selection.range) : -1;
}

bool GapPanel::keepsListFor(const Report& report) const {
    return filterText() == m_shownText && selectedRow(report) >= 0;
}

LongTablePanel::Work GapPanel::list(const ReportPtr& report, Wanted order) {
    GapFilter filter{.cause = causeOf(report->selection)};
    for (int cause = 0; cause < kGapCauseCount; ++cause)
        filter.causeTitles[static_cast<size_t>(cause)] = gapCauseTitle(cause).toStdString();
    return [this, report, filter, wanted = filterText(), order](std::stop_token stop) mutable -> Take {
        const std::string text = wanted.toStdString();
        filter.text = text;
        const GapList& gaps = report->analysis.gaps.gaps;
        auto rows = std::make_shared<const std::vector<uint32_t>>(gapsWanted(*report->trace, gaps, filter, stop));
        auto by = std::make_shared<Order>(OrderedModel::orderOf(
            orderOf(*report->trace, gaps, *rows, GapModel::orderBy(order.column), order.descending, stop)));
        return [this, report, rows, by, wanted, cause = filter.cause] {
            m_shownText = wanted;
            m_shownCause = cause;
            m_model.show(report, rows, std::move(*by));
        };
    };
}

LongTablePanel::Work GapPanel::reorder(Wanted order) {
    return [this, report = shown(), rows = m_model.rows(), order](std::stop_token stop) -> Take {
        auto by = std::make_shared<Order>(
            OrderedModel::orderOf(orderOf(*report->trace, report->analysis.gaps.gaps, *rows,
                                          GapModel::orderBy(order.column), order.descending, stop)));
        return [this, by] { m_model.setOrder(std::move(*by)); };
    };
}

QString GapPanel::counted() const {
    return gapscope::counted(m_model.rowCount(), tr("%1 gap"), tr("%1 gaps"));
}

EventPanel::EventPanel(Analyst& analyst, QWidget* parent)
    : LongTablePanel(analyst, parent), m_kinds(new QComboBox(this)) {
    makeLongTable(m_model, tr("Events"), {});
    table().setObjectName(QStringLiteral("eventTable"));
    table().setColumnCharacters({13, 10, 13, 40, 20, 11}, 3);
    m_kinds->addItems(
        {tr("All kinds"), tr("Device operations"), tr("Stages of kernels"), tr("API calls"), tr("Ranges")});
    m_kinds->setObjectName(QStringLiteral("eventKinds"));
    m_kinds->setAccessibleName(tr("Kinds of events"));
    addToCaptionRow(m_kinds);
    connect(m_kinds, &QComboBox::currentIndexChanged, this, [this] { refresh(); });
    connect(&table(), &DataTable::chosen, this, [this](int row) {
        if (row >= 0) choose(m_model.selectionOf(row));
    });
    connect(&table(), &DataTable::doubleChosen, this, [this](int row) {
        if (row >= 0) zoomTo(m_model.selectionOf(row).range);
    });
}

bool EventPanel::isFilteredAsShown() const {
    return filterText() == m_shownText && m_kinds->currentIndex() == m_shownKind;
}

bool EventPanel::isListOf(const Report& report) const {
    return isFilteredAsShown() && shown()->prepared == report.prepared && shown()->window == report.window;
}

int EventPanel::selectedRow(const Report& report) const {
    return m_model.rowOf(report.selection);
}

bool EventPanel::keepsListFor(const Report& report) const {
    return isFilteredAsShown() && shown()->prepared == report.prepared && selectedRow(report) >= 0;
}

namespace {

// By start as listed.
OrderedModel::Order eventOrder(const Trace& trace, const std::vector<EventRow>& events, int column, bool descending,
                               std::stop_token stop) {
    const EventOrder by = EventModel::orderBy(column);
    if (by == EventOrder::Start && !descending) return {};
    return OrderedModel::orderOf(orderOf(trace, events, by, descending, stop));
}

}  // namespace

LongTablePanel::Work EventPanel::list(const ReportPtr& report, Wanted order) {
    // Offered where there are any.
    const bool hasStages = report->trace->stages().startNs.size() > 0;
    if (const auto* kinds = qobject_cast<QStandardItemModel*>(m_kinds->model()))
        kinds->item(1 + static_cast<int>(EventKind::Stage))->setEnabled(hasStages);
    return [this, report, wanted = filterText(), kind = m_kinds->currentIndex(), order](std::stop_token stop) -> Take {
        const std::string text = wanted.toStdString();
        EventFilter filter{.text = text};
        for (int of = 0; of < kEventKindCount; ++of)
            filter.kinds[of] = kind == 0 || kind == of + 1;
        auto events =
            std::make_shared<const std::vector<EventRow>>(eventList(*report->prepared, report->window, filter, stop));
        auto by = std::make_shared<Order>(eventOrder(*report->trace, *events, order.column, order.descending, stop));
        return [this, report, events, by, wanted, kind] {
            m_shownText = wanted;
            m_shownKind = kind;
            m_model.show(report->trace, events, std::move(*by));
        };
    };
}

LongTablePanel::Work EventPanel::reorder(Wanted order) {
    return [this, trace = shown()->trace, events = m_model.events(), order](std::stop_token stop) -> Take {
        auto by = std::make_shared<Order>(eventOrder(*trace, *events, order.column, order.descending, stop));
        return [this, by] { m_model.setOrder(std::move(*by)); };
    };
}

QString EventPanel::counted() const {
    return gapscope::counted(m_model.rowCount(), tr("%1 event"), tr("%1 events"));
}

}  // namespace gapscope
