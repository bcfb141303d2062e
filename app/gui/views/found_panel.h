// The tab with all that a search found. A row is gone to by a click or Enter.
#pragma once

#include <QWidget>

#include "app/gui/models/found_event_model.h"

namespace gapscope {

class DataTable;
class ElidedLabel;

class FoundPanel : public QWidget {
    Q_OBJECT

public:
    explicit FoundPanel(Finder& finder, QWidget* parent = nullptr);

private:
    void showFound();

    Finder& m_finder;
    FoundEventModel m_model;
    ElidedLabel* m_caption;
    DataTable* m_table;
};

}  // namespace gapscope
