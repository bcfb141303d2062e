// The tabs at the bottom: tables of one report, each saying what it is for. Choosing a row makes it the selection.
#pragma once

#include <QWidget>

#include "app/gui/models/details_model.h"
#include "app/gui/models/diagnostics_model.h"
#include "app/gui/models/kernel_model.h"
#include "app/gui/session/analyst.h"
#include "app/gui/views/data_table.h"

class QHBoxLayout;
class QLineEdit;

namespace gapscope {

class ElidedLabel;

// A caption and a filter over a table.
class TablePanel : public QWidget {
    Q_OBJECT

public:
    TablePanel(Analyst& analyst, QWidget* parent);

    DataTable& table() { return *m_table; }

protected:
    virtual void showReport(const ReportPtr& report) = 0;
    void makeTable(TableModel& model, const QString& name, RowOrder order = RowOrder::Sortable);
    virtual void filterChanged(const QString& text);
    QString filterText() const;
    void addToCaptionRow(QWidget* widget);  // after the filter
    // "12 kernels for the whole run"
    void setCaption(const QString& caption);
    Session& session() { return m_analyst.session(); }
    // Makes it the selection and moves the timeline there, if it is not in sight.
    void choose(const Selection& selection);
    void zoomTo(TimeRange range);

    Analyst& m_analyst;

private:
    ElidedLabel* m_caption;
    DataTable* m_table = nullptr;
    QLineEdit* m_filter = nullptr;
    QHBoxLayout* m_captionRow = nullptr;
};

class KernelPanel : public TablePanel {
    Q_OBJECT

public:
    explicit KernelPanel(Analyst& analyst, QWidget* parent = nullptr);

Q_SIGNALS:
    // A category rule for kernels of this name, of another program's trace.
    void ruleWanted(const QString& kernelName);

private:
    void showReport(const ReportPtr& report) override;

    KernelModel m_model;
};

class DetailsPanel : public TablePanel {
    Q_OBJECT

public:
    explicit DetailsPanel(Analyst& analyst, QWidget* parent = nullptr);

private:
    void showReport(const ReportPtr& report) override;

    DetailsModel m_model;
};

class DiagnosticsPanel : public TablePanel {
    Q_OBJECT

public:
    explicit DiagnosticsPanel(Analyst& analyst, QWidget* parent = nullptr);

private:
    void showReport(const ReportPtr& report) override;

    DiagnosticsModel m_model;
};

}  // namespace gapscope
