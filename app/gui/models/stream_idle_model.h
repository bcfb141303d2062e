// Idle time of each stream in HTA's classes: a row a stream and class.
#pragma once

#include <vector>

#include "app/gui/models/table_model.h"
#include "core/analysis/stream_idle.h"

namespace gapscope {

class StreamIdleModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    // `trace` is what `streams` was made from.
    void show(const Trace& trace, const std::vector<StreamIdle>& streams);

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    struct Row {
        TrackRow track;
        StreamIdleClass of = StreamIdleClass::Other;
        Distribution times;
        double share = 0;
    };
    std::vector<Row> m_rows;
};

}  // namespace gapscope
