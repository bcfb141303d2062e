// Kernel names that rules decide about, and a person's own rules with what they take of the open trace.
#pragma once

#include "app/gui/models/table_model.h"
#include "app/gui/session/kernel_rules.h"

namespace gapscope {

class KernelNameModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(std::shared_ptr<const KernelRules::Names> names, std::vector<const KernelName*> rows);
    const KernelName& name(int row) const { return *m_rows[static_cast<size_t>(row)]; }

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    std::shared_ptr<const KernelRules::Names> m_names;  // that rows point into
    std::vector<const KernelName*> m_rows;
};

class RuleModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    // What earlier rules take does not count for later ones.
    void show(std::vector<CategoryRule> rules, const KernelRules::Names& names);

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    struct Row {
        CategoryRule rule;
        qint64 kernels = 0;
        qint64 ns = 0;
    };
    std::vector<Row> m_rows;
};

}  // namespace gapscope
