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

}  // namespace gapscope
