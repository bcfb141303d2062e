// The tables of a comparison: figures, kernels, roles and tokens, before and after.
#pragma once

#include "app/gui/models/table_model.h"
#include "app/gui/session/comparer.h"

namespace gapscope {

class CompareModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;
    void show(ComparedPtr compared);

protected:
    const Comparison& comparison() const { return m_compared->comparison; }
    bool empty() const { return !m_compared; }
    bool oneTrace() const { return m_compared->preparedBefore == m_compared->preparedAfter; }
    virtual void taken() {}  // what is shown is another one; inside the reset

private:
    ComparedPtr m_compared;
};

// The legend of both pies: categories with any time, largest first.
class CompareCategoryModel : public CompareModel {
    Q_OBJECT

public:
    using CompareModel::CompareModel;
    Category category(int row) const { return m_rows[static_cast<size_t>(row)]; }
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;
    void taken() override;

private:
    std::vector<Category> m_rows;
};

// Figures of the whole window or of a phase; those that neither side tells, or that are 0 on both, are left out.
class CompareFigureModel : public CompareModel {
    Q_OBJECT

public:
    using CompareModel::CompareModel;
    static constexpr int kPredictedColumn = 2;  // beside what was measured; for who shows one to hide
    void setPhase(int phase);                   // -1: the window
    const FigureDelta& figure(int row) const { return *m_rows[static_cast<size_t>(row)]; }
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;
    void taken() override;

private:
    TableCell predictedCell(const FigureDelta& of) const;

    int m_phase = -1;
    std::vector<const FigureDelta*> m_rows;
};

class CompareKernelModel : public CompareModel {
    Q_OBJECT

public:
    using CompareModel::CompareModel;
    const KernelDelta& kernel(int row) const { return comparison().kernels[static_cast<size_t>(row)]; }
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;
};

// Roles, then layers.
class CompareRoleModel : public CompareModel {
    Q_OBJECT

public:
    using CompareModel::CompareModel;
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;
};

// Who left the device idle.
class CompareCulpritModel : public CompareModel {
    Q_OBJECT

public:
    using CompareModel::CompareModel;
    const CulpritDelta& culprit(int row) const { return comparison().culprits[static_cast<size_t>(row)]; }
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;
};

class CompareTokenModel : public CompareModel {
    Q_OBJECT

public:
    using CompareModel::CompareModel;
    const TokenDelta& token(int row) const { return comparison().tokens[static_cast<size_t>(row)]; }
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;
};

}  // namespace gapscope
