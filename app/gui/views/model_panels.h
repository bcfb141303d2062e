// The tab Layers.
#pragma once

#include "app/gui/models/layer_model.h"
#include "app/gui/views/table_panels.h"

class QComboBox;

namespace gapscope {

class LayerPanel : public TablePanel {
    Q_OBJECT

public:
    explicit LayerPanel(Analyst& analyst, QWidget* parent = nullptr);

private:
    void showReport(const ReportPtr& report) override;
    void showRows();

    LayerModel m_model;
    QComboBox* m_rows;
};

}  // namespace gapscope
