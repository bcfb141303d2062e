// One category rule: parts of a kernel's name and a category, tried on the names of the open trace while they are
// typed.
#pragma once

#include <QDialog>

#include "app/gui/models/kernel_name_model.h"

class QComboBox;
class QLineEdit;
class QPushButton;

namespace gapscope {

class DataTable;
class Label;

class RuleEditor : public QDialog {
    Q_OBJECT

public:
    RuleEditor(const KernelRules& rules, const QString& parts, Category category, QWidget* parent = nullptr);

Q_SIGNALS:
    void ruleChosen(const CategoryRule& rule);

private:
    void preview();
    void choose();

    const KernelRules& m_rules;
    KernelNameModel m_model;
    QLineEdit* m_parts;
    QComboBox* m_category;
    Label* m_takes;
    DataTable* m_table;
    QPushButton* m_keep = nullptr;
    std::optional<CategoryRule> m_rule;
};

}  // namespace gapscope
