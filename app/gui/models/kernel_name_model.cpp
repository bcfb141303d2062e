#include "app/gui/models/kernel_name_model.h"

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {

void KernelNameModel::show(std::shared_ptr<const KernelRules::Names> names, std::vector<const KernelName*> rows) {
    beginResetModel();
    m_names = std::move(names);
    m_rows = std::move(rows);
    endResetModel();
}

int KernelNameModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& KernelNameModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Kernel"), {}, false},
        {tr("Total"), tr("Sum of the durations in the whole trace")},
        {tr("Share"), tr("Of the time of all kernels that rules decide about")},
        {tr("Count"), tr("In the whole trace")},
    };
    return columns;
}

TableCell KernelNameModel::cell(int row, int column) const {
    const KernelName& of = name(row);
    switch (column) {
        case 0:
            return textCell(text(of.name));
        case 1:
            return durationCell(of.ns);
        case 2:
            return shareCell(m_names->totalNs > 0 ? static_cast<double>(of.ns) / static_cast<double>(m_names->totalNs)
                                                  : 0);
        case 3:
            return countCell(of.count);
        default:
            return {};
    }
}

void RuleModel::show(std::vector<CategoryRule> rules, const KernelRules::Names& names) {
    beginResetModel();
    m_rows.clear();
    for (CategoryRule& rule : rules)
        m_rows.push_back({.rule = std::move(rule)});
    for (const KernelName& name : names.names) {
        if (!name.rule || *name.rule >= m_rows.size()) continue;
        m_rows[*name.rule].kernels += name.count;
        m_rows[*name.rule].ns += name.ns;
    }
    endResetModel();
}

int RuleModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& RuleModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Parts of the name"), tr("All must occur in it, letters of either case"), false},
        {tr("Category"), {}, false},
        {tr("Kernels"), tr("Of the open trace that it decides about")},
        {tr("Total"), tr("Their time in the whole trace")},
    };
    return columns;
}

TableCell RuleModel::cell(int row, int column) const {
    const Row& of = m_rows[static_cast<size_t>(row)];
    switch (column) {
        case 0: {
            QStringList parts;
            for (const std::string& part : of.rule.parts)
                parts << text(part);
            return textCell(parts.join(QLatin1Char(' ')));
        }
        case 1: {
            TableCell cell = textCell(categoryTitle(of.rule.category));
            cell.swatch = appTheme().category(of.rule.category);
            return cell;
        }
        case 2:
            return countCell(of.kernels);
        case 3:
            return durationCell(of.ns);
        default:
            return {};
    }
}

}  // namespace gapscope
