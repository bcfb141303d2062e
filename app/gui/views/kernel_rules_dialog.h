// The names that no rule knows, and the person's own rules in the order that they are tried: add, edit, move, delete.
#pragma once

#include <QDialog>

#include "app/gui/models/kernel_name_model.h"

class QPushButton;

namespace gapscope {

class DataTable;
class Label;

class KernelRulesDialog : public QDialog {
    Q_OBJECT

public:
    explicit KernelRulesDialog(KernelRules& rules, QWidget* parent = nullptr);

    // Opens the editor for a new rule about kernels of this name.
    void addRuleFor(const QString& kernelName);

private:
    QWidget* makeUnknown();
    QWidget* makeRules();
    void showRules();
    void updateButtons();
    void edit();
    int chosenRule() const;  // -1: none

    KernelRules& m_rules;
    KernelNameModel m_unknown;
    RuleModel m_own;
    Label* m_unknownTitle = nullptr;
    DataTable* m_unknownTable = nullptr;
    DataTable* m_ruleTable = nullptr;
    Label* m_note = nullptr;
    QPushButton* m_add = nullptr;
    QPushButton* m_up = nullptr;
    QPushButton* m_down = nullptr;
    QPushButton* m_edit = nullptr;
    QPushButton* m_delete = nullptr;
    QPushButton* m_undo = nullptr;
};

}  // namespace gapscope
