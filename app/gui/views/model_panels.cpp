#include "app/gui/views/model_panels.h"

#include <QComboBox>

#include "app/gui/session/selection_text.h"

namespace gapscope {

LayerPanel::LayerPanel(Analyst& analyst, QWidget* parent) : TablePanel(analyst, parent), m_rows(new QComboBox(this)) {
    makeTable(m_model, tr("Layers"));
    table().setObjectName(QStringLiteral("layerTable"));
    table().setColumnCharacters({9, 20, 9, 8, 9, 9, 11, 13}, 1);
    m_rows->addItems({tr("By layer"), tr("By layer and operation")});
    m_rows->setObjectName(QStringLiteral("layerRows"));
    m_rows->setAccessibleName(tr("Rows of the layer table"));
    addToCaptionRow(m_rows);
    table().sortAtFirst(0, Qt::AscendingOrder);
    connect(m_rows, &QComboBox::currentIndexChanged, this, [this] { showRows(); });
}

void LayerPanel::showReport(const ReportPtr&) {
    showRows();
}

void LayerPanel::showRows() {
    const ReportPtr report = m_analyst.report();
    if (!report) return;
    m_model.show(report, m_rows->currentIndex() == 0 ? LayerRows::Layers : LayerRows::Operations);
    if (m_model.rowCount() == 0) {
        setCaption(tr("The trace does not tell layers, and none were found in its kernels."));
        return;
    }
    const QString rows = counted(m_model.rowCount(), tr("%1 row for %2"), tr("%1 rows for %2")).arg(describe(*report));
    setCaption(report->layers.sentence.empty() ? rows : tr("%1 %2").arg(text(report->layers.sentence), rows));
}

EventPanel::EventPanel(Analyst& analyst, QWidget* parent) : TablePanel(analyst, parent), m_kinds(new QComboBox(this)) {
    makeTable(m_model, tr("Events"), RowOrder::AsGiven);
    table().setObjectName(QStringLiteral("eventTable"));
    table().setColumnCharacters({13, 10, 13, 40, 20, 11}, 3);
    m_kinds->addItems({tr("All kinds"), tr("Device operations"), tr("API calls"), tr("Ranges")});
    m_kinds->setObjectName(QStringLiteral("eventKinds"));
    m_kinds->setAccessibleName(tr("Kinds of events"));
    addToCaptionRow(m_kinds);
    connect(m_kinds, &QComboBox::currentIndexChanged, this, [this] { request(); });
    table().offerOrders(m_column, m_direction);
    connect(&table(), &DataTable::orderWanted, this, [this](int column, Qt::SortOrder direction) {
        m_column = column;
        m_direction = direction;
        order();
    });
    connect(&table(), &DataTable::chosen, this, [this](int row) {
        if (row >= 0) choose(m_model.selectionOf(row));
    });
    connect(&table(), &DataTable::doubleChosen, this, [this](int row) {
        if (row >= 0) zoomTo(m_model.selectionOf(row).range);
    });
}

void EventPanel::showReport(const ReportPtr&) {
    request();
}

void EventPanel::showEvent(QShowEvent* event) {
    TablePanel::showEvent(event);
    request();
}

void EventPanel::filterChanged(const QString&) {
    request();
}

void EventPanel::request() {
    const ReportPtr report = m_analyst.report();
    if (!report || !isVisible()) return;
    const QString wanted = filterText();
    const int kind = m_kinds->currentIndex();
    const bool sameFilter = wanted == m_shownText && kind == m_shownKind;
    // Choosing an event would otherwise empty the table it was chosen from.
    const int row =
        sameFilter && m_shown && m_shown->prepared == report->prepared ? m_model.rowOf(report->selection) : -1;
    if (row >= 0) {
        if (table().selectedSourceRows() != std::vector<int>{row}) table().markSourceRow(row);
        return;
    }
    if (sameFilter && m_shown && m_shown->prepared == report->prepared && m_shown->window == report->window) return;
    m_jobs.start(
        [report, name = wanted.toStdString(), kind](std::stop_token stop) {
            EventFilter filter{.text = name};
            for (int of = 0; of < kEventKindCount; ++of)
                filter.kinds[of] = kind == 0 || kind == of + 1;
            return eventList(*report->prepared, report->window, filter, stop);
        },
        [this, report, wanted, kind](std::vector<EventRow> events) {
            m_shown = report;
            m_shownText = wanted;
            m_shownKind = kind;
            m_orderJobs.cancel();  // of the list before
            m_model.show(report->trace, std::make_shared<const std::vector<EventRow>>(std::move(events)));
            table().markSourceRow(m_model.rowOf(report->selection));
            order();
        });
}

void EventPanel::order() {
    if (!m_shown) return;
    const EventOrder by = EventModel::orderBy(m_column);
    const bool descending = m_direction == Qt::DescendingOrder;
    const auto take = [this](EventModel::Order order) {
        m_model.setOrder(std::move(order));
        const int row = m_model.rowOf(m_analyst.report()->selection);
        table().markSourceRow(row);
        if (row < 0) table().scrollToTop();
        showCaption();
    };
    if (by == EventOrder::Start && !descending) {
        m_orderJobs.cancel();
        return take({});
    }
    m_orderJobs.start(
        [trace = m_shown->trace, events = m_model.events(), by, descending](std::stop_token stop) {
            return EventModel::orderOf(orderOf(*trace, *events, by, descending, stop));
        },
        take);
    showCaption();
}

void EventPanel::showCaption() {
    const auto count = static_cast<int64_t>(m_model.events()->size());
    const QString by = m_model.headerData(m_column, Qt::Horizontal, Qt::DisplayRole).toString().toLower();
    const QString what =
        m_orderJobs.running()
            ? counted(count, tr("Sorting %1 event by %2, for %3"), tr("Sorting %1 events by %2, for %3"))
            : counted(count, tr("%1 event by %2, for %3"), tr("%1 events by %2, for %3"));
    setCaption(what.arg(by, describe(*m_shown)));
}

}  // namespace gapscope
