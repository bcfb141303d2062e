#include "app/gui/views/kernel_rules_dialog.h"

#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QPushButton>
#include <QSplitter>
#include <QVBoxLayout>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/rule_editor.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kWidth = 760;
constexpr int kHeight = 560;

}  // namespace

KernelRulesDialog::KernelRulesDialog(KernelRules& rules, QWidget* parent) : QDialog(parent), m_rules(rules) {
    setObjectName(QStringLiteral("kernelRules"));
    setWindowTitle(tr("Kernel rules"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(20, 16, 20, 14);
    layout->setSpacing(10);
    auto* split = new QSplitter(Qt::Vertical, this);
    split->setChildrenCollapsible(false);
    split->addWidget(makeUnknown());
    split->addWidget(makeRules());
    layout->addWidget(split, 1);
    m_note = new Label(LabelRole::Quiet, {}, this);
    m_note->setObjectName(QStringLiteral("ruleNote"));
    m_note->setWordWrap(true);
    m_note->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    layout->addWidget(m_note);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    buttons->button(QDialogButtonBox::Close)->setIcon(QIcon());
    layout->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(&m_rules, &KernelRules::changed, this, &KernelRulesDialog::showRules);
    connect(&m_rules, &KernelRules::namesChanged, this, &KernelRulesDialog::showRules);
    resize(kWidth, kHeight);
    showRules();
}

QWidget* KernelRulesDialog::makeUnknown() {
    auto* side = new QWidget(this);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, 0, 6);
    m_unknownTitle = new Label(LabelRole::Heading, {}, side);
    m_unknownTitle->setObjectName(QStringLiteral("unknownTitle"));
    column->addWidget(m_unknownTitle);
    m_unknownTable = new DataTable(m_unknown, tr("Kernel names that no rule knows"), side);
    m_unknownTable->setObjectName(QStringLiteral("unknownNames"));
    m_unknownTable->setColumnCharacters({40, 9, 8, 8}, 0);
    m_unknownTable->sortAtFirst(1, Qt::DescendingOrder);
    m_unknownTable->setSelectionMode(QAbstractItemView::SingleSelection);
    column->addWidget(m_unknownTable, 1);
    auto* row = new QHBoxLayout;
    m_add = new QPushButton(tr("&Add a rule…"), side);
    m_add->setObjectName(QStringLiteral("addRule"));
    m_add->setToolTip(tr("About kernels like the chosen one, or of any name"));
    row->addWidget(m_add);
    row->addStretch(1);
    column->addLayout(row);
    const auto addForChosen = [this] {
        const std::vector<int> chosen = m_unknownTable->selectedSourceRows();
        addRuleFor(chosen.empty() ? QString() : text(m_unknown.name(chosen.front()).name));
    };
    connect(m_add, &QPushButton::clicked, this, addForChosen);
    connect(m_unknownTable, &DataTable::doubleChosen, this, [this](int chosen) {
        if (chosen >= 0) addRuleFor(text(m_unknown.name(chosen).name));
    });
    return side;
}

QWidget* KernelRulesDialog::makeRules() {
    auto* side = new QWidget(this);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 6, 0, 0);
    column->addWidget(
        new Label(LabelRole::Heading, tr("Your rules, tried from the top, before the built-in ones"), side));
    m_ruleTable = new DataTable(m_own, tr("Your rules"), side, RowOrder::AsGiven);
    m_ruleTable->setObjectName(QStringLiteral("ownRules"));
    m_ruleTable->setColumnCharacters({40, 14, 9, 9}, 0);
    m_ruleTable->setSelectionMode(QAbstractItemView::SingleSelection);
    column->addWidget(m_ruleTable, 1);
    auto* row = new QHBoxLayout;
    const auto button = [&](const QString& words, const char* name) {
        auto* made = new QPushButton(words, side);
        made->setObjectName(QLatin1String(name));
        made->setAutoDefault(false);
        row->addWidget(made);
        return made;
    };
    m_up = button(tr("Move &up"), "ruleUp");
    m_down = button(tr("Move d&own"), "ruleDown");
    m_edit = button(tr("&Edit…"), "ruleEdit");
    m_delete = button(tr("&Delete"), "ruleDelete");
    row->addStretch(1);
    m_undo = button(tr("U&ndo"), "ruleUndo");
    m_undo->setToolTip(tr("Take back the last change of the rules"));
    column->addLayout(row);
    const auto move = [this](int by) {
        const int rule = chosenRule();
        if (rule < 0) return;
        m_rules.swapWithNext(static_cast<size_t>(by < 0 ? rule - 1 : rule));
        m_ruleTable->markSourceRow(rule + by);
        updateButtons();
    };
    connect(m_up, &QPushButton::clicked, this, [move] { move(-1); });
    connect(m_down, &QPushButton::clicked, this, [move] { move(1); });
    connect(m_edit, &QPushButton::clicked, this, &KernelRulesDialog::edit);
    connect(m_delete, &QPushButton::clicked, this, [this] {
        if (const int rule = chosenRule(); rule >= 0) m_rules.remove(static_cast<size_t>(rule));
    });
    connect(m_undo, &QPushButton::clicked, &m_rules, &KernelRules::undo);
    connect(m_ruleTable, &DataTable::doubleChosen, this, &KernelRulesDialog::edit);
    connect(m_ruleTable->selectionModel(), &QItemSelectionModel::selectionChanged, this,
            &KernelRulesDialog::updateButtons);
    return side;
}

int KernelRulesDialog::chosenRule() const {
    const std::vector<int> chosen = m_ruleTable->selectedSourceRows();
    return chosen.empty() ? -1 : chosen.front();
}

void KernelRulesDialog::addRuleFor(const QString& kernelName) {
    const QString parts = text(suggestedParts(kernelName.toStdString()));
    auto* editor = new RuleEditor(m_rules, parts, Category::Elementwise, this);
    editor->setAttribute(Qt::WA_DeleteOnClose);
    connect(editor, &RuleEditor::ruleChosen, &m_rules, &KernelRules::addFirst);
    editor->open();
}

void KernelRulesDialog::edit() {
    const int chosen = chosenRule();
    if (chosen < 0) return;
    const CategoryRule rule = m_rules.own()[static_cast<size_t>(chosen)];
    QStringList parts;
    for (const std::string& part : rule.parts)
        parts << text(part);
    auto* editor = new RuleEditor(m_rules, parts.join(QLatin1Char(' ')), rule.category, this);
    editor->setAttribute(Qt::WA_DeleteOnClose);
    connect(editor, &RuleEditor::ruleChosen, this, [this, rule](const CategoryRule& changed) {
        // The list may have changed meanwhile.
        const std::vector<CategoryRule> own = m_rules.own();
        const auto place = std::ranges::find(own, rule);
        if (place != own.end()) m_rules.replace(static_cast<size_t>(place - own.begin()), changed);
    });
    editor->open();
}

void KernelRulesDialog::showRules() {
    const auto names = m_rules.names();
    std::vector<const KernelName*> unknown = names->unknown();
    int64_t ns = 0;
    for (const KernelName* name : unknown)
        ns += name->ns;
    const double share = names->totalNs > 0 ? static_cast<double>(ns) / static_cast<double>(names->totalNs) : 0;
    if (names->names.empty())
        m_unknownTitle->setText(tr("No kernels of another program are open: rules are about their names."));
    else if (unknown.empty())
        m_unknownTitle->setText(tr("The rules know all kernel names of the open trace."));
    else
        m_unknownTitle->setText(tr("%1 that no rule knows, %2 of kernel time")
                                    .arg(counted(static_cast<int64_t>(unknown.size()), tr("%1 name"), tr("%1 names")),
                                         text(formatPercent(share))));
    m_unknown.show(names, std::move(unknown));
    const int chosen = chosenRule();
    m_own.show(m_rules.own(), *names);
    m_ruleTable->markSourceRow(chosen < m_own.rowCount() ? chosen : -1);
    QStringList lines = m_rules.problems();
    lines << tr("Kept in %1, also for gapscope-cli.").arg(m_rules.path());
    m_note->setText(lines.join(QLatin1Char('\n')));
    updateButtons();
}

void KernelRulesDialog::updateButtons() {
    const int chosen = chosenRule();
    m_up->setEnabled(chosen > 0);
    m_down->setEnabled(chosen >= 0 && chosen + 1 < m_own.rowCount());
    m_edit->setEnabled(chosen >= 0);
    m_delete->setEnabled(chosen >= 0);
    m_undo->setEnabled(m_rules.canUndo());
}

}  // namespace gapscope
