#include "app/gui/views/found_panel.h"

#include "app/gui/session/selection_text.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/panel_layout.h"
#include "core/base/format.h"

namespace gapscope {

FoundPanel::FoundPanel(Finder& finder, QWidget* parent)
    : QWidget(parent),
      m_finder(finder),
      m_model(finder),
      m_caption(new ElidedLabel(LabelRole::Quiet, {}, this)),
      m_table(new DataTable(m_model, tr("Found"), this)) {
    m_table->setObjectName(QStringLiteral("foundTable"));
    m_table->setColumnCharacters({36, 16, 12, 10}, 0);
    m_table->sortAtFirst(2, Qt::AscendingOrder);
    QVBoxLayout* const column = columnIn(this);
    captionRowIn(column)->addWidget(m_caption);
    column->addWidget(m_table, 1);
    connect(m_table, &DataTable::chosen, this, [this](int row) {
        if (row >= 0) m_finder.show(static_cast<size_t>(row));
    });
    connect(&m_finder, &Finder::changed, this, &FoundPanel::showFound);
    showFound();
}

void FoundPanel::showFound() {
    m_model.refresh();
    const size_t count = m_finder.found()->size();
    if (m_finder.text().isEmpty())
        m_caption->setFullText(
            tr("Nothing is searched for. Ctrl+F or / searches names of kernels, calls, ranges and "
               "tokens, and notes."));
    else if (!m_finder.problem().isEmpty())
        m_caption->setFullText(m_finder.problem());
    else if (count > FoundEventModel::kMostRows)
        m_caption->setFullText(tr("The first %1 of %2 events with \u201c%3\u201d")
                                   .arg(text(formatCount(static_cast<int64_t>(FoundEventModel::kMostRows))),
                                        text(formatCount(static_cast<int64_t>(count))), m_finder.text()));
    else
        m_caption->setFullText(counted(static_cast<int64_t>(count), tr("%1 event with \u201c%2\u201d"),
                                       tr("%1 events with \u201c%2\u201d"))
                                   .arg(m_finder.text()));
    m_table->markSourceRow(m_finder.current() && *m_finder.current() < FoundEventModel::kMostRows
                               ? static_cast<int>(*m_finder.current())
                               : -1);
}

}  // namespace gapscope
