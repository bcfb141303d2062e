// What a search found, as rows: the first so many, in order of time.
#pragma once

#include "app/gui/models/table_model.h"
#include "app/gui/session/finder.h"

namespace gapscope {

class FoundEventModel : public TableModel {
    Q_OBJECT

public:
    static constexpr size_t kMostRows = 10'000;

    explicit FoundEventModel(const Finder& finder, QObject* parent = nullptr);

    void refresh();
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    const Finder& m_finder;
    FoundEvents m_found;  // as they were when the rows were made
    int m_rows = 0;
};

}  // namespace gapscope
