// The person's marks and notes as rows, in the order in which they were made. Texts can be changed in place.
#pragma once

#include "app/gui/models/table_model.h"
#include "app/gui/session/session.h"

namespace gapscope {

class NoteModel : public TableModel {
    Q_OBJECT

public:
    static constexpr int kTextColumn = 2;

    explicit NoteModel(Session& session, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    void refresh();

    Session& m_session;
    std::vector<Note> m_notes;  // as they were when the rows were made
};

}  // namespace gapscope
