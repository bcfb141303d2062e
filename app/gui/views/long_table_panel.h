// Tabs whose tables have any number of rows: gaps and events. What is listed and in which order is worked out off the
// UI thread, and only while it can be seen; until then the table stays as it is.
#pragma once

#include <functional>
#include <optional>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/models/event_model.h"
#include "app/gui/models/gap_model.h"
#include "app/gui/views/table_panels.h"

class QComboBox;

namespace gapscope {

class LongTablePanel : public TablePanel {
    Q_OBJECT

public:
    using TablePanel::TablePanel;

protected:
    using Take = std::function<void()>;                 // on the UI thread
    using Work = std::function<Take(std::stop_token)>;  // on another one; owns what it touches
    using Order = OrderedModel::Order;
    struct Wanted {
        int column = 0;
        bool descending = false;
    };

    // Not in the constructor: the model is a member of the derived class.
    void makeLongTable(OrderedModel& model, const QString& name, Wanted first);
    void refresh();
    const ReportPtr& shown() const { return m_shown; }  // that the table's list is of; null before there is one

    void showEvent(QShowEvent* event) override;
    void filterChanged(const QString& text) override;

    // Whether the list is what the filter and this report ask for.
    virtual bool isListOf(const Report& report) const = 0;
    // The row of the report's selection in the list; -1: none.
    virtual int selectedRow(const Report& report) const = 0;
    // Whether it stays listed as it is: choosing a row would else empty the table that it was chosen from.
    virtual bool keepsListFor(const Report& report) const = 0;
    virtual Work list(const ReportPtr& report, Wanted order) = 0;
    virtual Work reorder(Wanted order) = 0;  // the list that is shown
    virtual QString counted() const = 0;     // "12 gaps"

private:
    enum class What { List, Order };
    void showReport(const ReportPtr& report) override;
    void start(What what);
    void showCaption();

    OrderedModel* m_model = nullptr;
    JobTracker m_jobs;
    ReportPtr m_shown;
    Wanted m_order;
    bool m_isListing = false;  // the running job makes a list
};

// While one gap is selected its neighbours stay listed.
class GapPanel : public LongTablePanel {
    Q_OBJECT

public:
    explicit GapPanel(Analyst& analyst, QWidget* parent = nullptr);

private:
    bool isListOf(const Report& report) const override;
    int selectedRow(const Report& report) const override;
    bool keepsListFor(const Report& report) const override;
    Work list(const ReportPtr& report, Wanted order) override;
    Work reorder(Wanted order) override;
    QString counted() const override;

    GapModel m_model;
    QString m_shownText;
    std::optional<GapCause> m_shownCause;
};

// All events of the window. While one event is selected its neighbours stay listed.
class EventPanel : public LongTablePanel {
    Q_OBJECT

public:
    explicit EventPanel(Analyst& analyst, QWidget* parent = nullptr);

private:
    bool isListOf(const Report& report) const override;
    int selectedRow(const Report& report) const override;
    bool keepsListFor(const Report& report) const override;
    Work list(const ReportPtr& report, Wanted order) override;
    Work reorder(Wanted order) override;
    QString counted() const override;
    bool isFilteredAsShown() const;

    EventModel m_model;
    QComboBox* m_kinds;
    QString m_shownText;
    int m_shownKind = -1;
};

}  // namespace gapscope
