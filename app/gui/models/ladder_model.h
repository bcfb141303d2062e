// The rungs of a ladder: what each reached, what was predicted of it, and what its device waited for.
#pragma once

#include "app/gui/models/table_model.h"
#include "core/ladder/ladder.h"

namespace gapscope {

class LadderModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(const Ladder& ladder, bool isClimbing);

    const Ladder& ladder() const { return m_ladder; }
    const LadderRung& rung(int row) const { return m_ladder.rungs[static_cast<size_t>(row)]; }

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    Ladder m_ladder;
    bool m_isClimbing = false;
};

// "Eager", "Lookup drafts", "Draft model"
QString rungTitle(const LadderRung& rung);

}  // namespace gapscope
